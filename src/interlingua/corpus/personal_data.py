"""Personal data in text, replaced by placeholders and counted by rule.

    e-mail   name@host.tld                                        <EMAIL>
    iban     a country's length and the check of ISO 13616        <IBAN>
    card     13 to 19 digits of a known issuer, Luhn's check      <CARD>
    ip       IPv4 and IPv6 addresses that are public              <IP>
    phone    numbers that the plan of a country knows             <PHONE>

What has a checksum must satisfy it, so that order numbers and versions stay. A phone number is
taken anywhere when it begins with ``+``; without it only in the regions given, if it begins with 0
or a bracket, or reads 650-253-0000, and is grouped as numbers are there. Scrubbing twice changes
nothing more.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import regex

from interlingua.base.optional import require
from interlingua.languages import UND

RULES = ("email", "iban", "card", "ip", "phone")
"""What is looked for, in this order."""

_EMAIL = regex.compile(
    r"(?<![\w.%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}"
    r"\p{L}{2,24}(?![\w-])"
)
_IBAN = regex.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")
_IBAN_LENGTHS = dict(
    regex.findall(
        r"([A-Z]{2}):(\d\d)",
        ":"
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 "
        "CZ:24 DE:22 DJ:27 DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 "
        "GL:18 GR:27 GT:28 HN:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 "
        "LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 "
        "NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 "
        "SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30",
    )
)  # of the ISO 13616 registry
_CARD = regex.compile(r"(?<![\d.,+-])\d(?:[ -]?\d){12,18}(?![\d]|[.,]\d)")
_ISSUER = regex.compile(r"4|5[1-5]|2[2-7]|3[47]|3[068]|6(?:011|4|5|2)|35")
_IPV4 = regex.compile(r"(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d|:\d*\.|/\d)")
_IPV6 = regex.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:.])")
_DIGITS = regex.compile(r"(?:\d[^\p{L}\n]{0,3}){4}")  # as many as the shortest address has
# 8080/8085, 0.4494 and 6502530000 are numbers of anything.
_NATIONAL = regex.compile(r"(?:0\d|\().*(?:[ /()-]|\..*\.).*|\d{3}-\d{3}-\d{4}")
_PLUS = ("+", "\uff0b")


def scrub(text: str, regions: Sequence[str] = ()) -> tuple[str, Counter[str]]:
    """Put placeholders where personal data stands.

    Args:
        text: Any text.
        regions: ISO 3166 codes of countries whose national phone numbers are looked for.

    Returns:
        The text, and how many were replaced by rule.

    Raises:
        MissingExtraError: phonenumbers is not installed, and there may be a number.

    Example:
        >>> scrub("Write to ada@example.org or call +44 20 7946 0958.")[0]
        'Write to <EMAIL> or call <PHONE>.'
    """
    counts: Counter[str] = Counter()
    if "@" in text:
        text = _replaced(text, "email", _EMAIL, len, counts)
    if text.count(":") > 1:
        text = _replaced(text, "ip", _IPV6, _public_address, counts)
    if _DIGITS.search(text):
        text = _replaced(text, "iban", _IBAN, _iban, counts)
        text = _replaced(text, "card", _CARD, _card, counts)
        text = _replaced(text, "ip", _IPV4, _public_address, counts)
        for region in [*regions, None]:
            if region is not None or any(sign in text for sign in _PLUS):
                text, found = _without_phones(text, region)
                counts["phone"] += found
    return text, +counts


def _replaced(
    text: str,
    rule: str,
    pattern: regex.Pattern[str],
    ends: Callable[[str], int],
    counts: Counter[str],
) -> str:
    """Text with placeholders; ``ends`` tells where in a match the data ends, 0 if it is none."""

    def put(match: regex.Match[str]) -> str:
        end = ends(match[0])
        if not end:
            return str(match[0])
        counts[rule] += 1
        return f"<{rule.upper()}>{match[0][end:]}"

    return str(pattern.sub(put, text))


def _iban(found: str) -> int:
    """Where an account number ends, 0 if it is none."""
    wanted = int(_IBAN_LENGTHS.get(found[:2], 0))
    places = [place for place, character in enumerate(found, 1) if character != " "][:wanted]
    end = places[-1] if places and len(places) == wanted else 0
    if not end or found[end : end + 1].strip():
        return 0
    taken = found[:end].replace(" ", "")
    number = "".join(str(int(character, 36)) for character in taken[4:] + taken[:4])
    return end if int(number) % 97 == 1 else 0


def _card(found: str) -> int:
    digits = [int(character) for character in found if character.isdigit()]
    number = "".join(map(str, digits))
    if not _ISSUER.match(number) or len(set(digits)) == 1:
        return 0
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return len(found) if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else 0


def _public_address(found: str) -> int:
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return 0
    return len(found) if address.is_global else 0


def _without_phones(text: str, region: str | None) -> tuple[str, int]:
    phonenumbers = require("phonenumbers", extra="corpus")
    leniency = phonenumbers.Leniency
    strictness = leniency.VALID if region is None else leniency.STRICT_GROUPING
    found = [
        (match.start, match.end)
        for match in phonenumbers.PhoneNumberMatcher(text, region, strictness)
        if region is None or _NATIONAL.fullmatch(match.raw_string)
    ]
    for start, end in reversed(found):
        text = f"{text[:start]}<PHONE>{text[end:]}"
    return text, len(found)


@cache
def region_of(lang: str) -> str | None:
    """The country where a language is most likely written, after the Unicode CLDR.

    It says how phone numbers may look, nothing more; None where CLDR does not tell.
    """
    import langcodes

    if lang == UND:
        return None
    likely = langcodes.Language.get(lang.replace("_", "-")).maximize().territory
    return likely if likely is not None and len(likely) == 2 else None


__all__ = ["RULES", "region_of", "scrub"]
