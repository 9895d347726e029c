"""Which script a text is written in."""

from __future__ import annotations

from collections import Counter
from functools import cache

import regex

_CHARACTERS = 2000
_LETTER = regex.compile(r"[\p{L}\p{M}]")
# Letters of these names of the Unicode standard, and the ISO 15924 code each stands for.
_SCRIPTS = {
    "Latn": "Latin", "Cyrl": "Cyrillic", "Arab": "Arabic", "Deva": "Devanagari", "Hani": "Han",
    "Hira": "Hiragana", "Kana": "Katakana", "Hang": "Hangul", "Grek": "Greek", "Hebr": "Hebrew",
    "Thai": "Thai", "Beng": "Bengali", "Taml": "Tamil", "Telu": "Telugu", "Ethi": "Ethiopic",
    "Geor": "Georgian", "Armn": "Armenian", "Gujr": "Gujarati", "Guru": "Gurmukhi",
    "Knda": "Kannada", "Mlym": "Malayalam", "Orya": "Oriya", "Sinh": "Sinhala", "Mymr": "Myanmar",
    "Khmr": "Khmer", "Laoo": "Lao", "Tibt": "Tibetan", "Tfng": "Tifinagh", "Olck": "Ol_Chiki",
    "Nkoo": "Nko", "Mong": "Mongolian", "Syrc": "Syriac", "Thaa": "Thaana", "Cher": "Cherokee",
    "Cans": "Canadian_Aboriginal", "Yiii": "Yi", "Java": "Javanese", "Bali": "Balinese",
    "Adlm": "Adlam", "Vaii": "Vai", "Mtei": "Meetei_Mayek", "Cakm": "Chakma", "Lana": "Tai_Tham",
    "Bopo": "Bopomofo", "Copt": "Coptic", "Goth": "Gothic", "Lisu": "Lisu", "Sund": "Sundanese",
}  # fmt: skip
_MIXED = {
    "Hans": frozenset({"Hani"}),
    "Hant": frozenset({"Hani", "Bopo"}),
    "Jpan": frozenset({"Hani", "Hira", "Kana"}),
    "Kore": frozenset({"Hang", "Hani"}),
    "Hang": frozenset({"Hang", "Hani"}),
}
UNKNOWN = "Zyyy"
"""The code of ISO 15924 for text without letters of a known script."""


@cache
def _pattern() -> regex.Pattern[str]:
    groups = "|".join(rf"(?P<{code}>\p{{Script={name}}})" for code, name in _SCRIPTS.items())
    return regex.compile(groups)


def script_counts(text: str) -> Counter[str]:
    """How many letters of each script the beginning of a text holds, by ISO 15924 code."""
    letters = "".join(_LETTER.findall(text[:_CHARACTERS]))
    return Counter(match.lastgroup or UNKNOWN for match in _pattern().finditer(letters))


def script_of(text: str) -> str:
    """The script most letters are in, as in ``Latn``; Japanese with kana is ``Jpan``.

    Only the first 2,000 characters are looked at; ``Zyyy`` when there is no letter.
    """
    counts = script_counts(text)
    if not counts:
        return UNKNOWN
    if (
        counts["Hira"] + counts["Kana"] > 0.05 * counts.total()
        and counts["Hani"] + counts["Hira"] + counts["Kana"] > counts.total() / 2
    ):
        return "Jpan"
    return counts.most_common(1)[0][0]


def writes(script: str, found: str) -> bool:
    """Whether a language written in ``script`` may look like ``found``, a result of `script_of`."""
    return found == script or found in _MIXED.get(script, ())
