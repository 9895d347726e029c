"""Which script a text is written in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache, lru_cache

import regex

from interlingua.languages.tables import read_table

_CHARACTERS = 2000
_LEAST_KANA = 0.05
UNKNOWN = "Zyyy"
"""The code of ISO 15924 for text without letters of a known script."""


@cache
def _scripts() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in read_table("scripts.tsv")}


@cache
def _pattern() -> regex.Pattern[str]:
    # Codes that only ever show as another one (Jpan, Hans) have no letters in Unicode.
    alone = [code for code, row in _scripts().items() if code == "Hang" or not row["also"]]
    return regex.compile("|".join(rf"(?P<{code}>\p{{Script={code}}})" for code in alone))


@lru_cache(maxsize=1 << 16)
def _script_of_character(character: str) -> str | None:
    if unicodedata.category(character)[0] not in "LM":
        return None
    match = _pattern().match(character)
    return None if match is None else match.lastgroup


def script_counts(text: str) -> Counter[str]:
    """How many letters of each script the beginning of a text holds, by ISO 15924 code."""
    counts: Counter[str] = Counter()
    for character, count in Counter(text[:_CHARACTERS]).items():
        script = _script_of_character(character)
        if script is not None:
            counts[script] += count
    return counts


def script_of(text: str) -> str:
    """The script most letters are in, as in ``Latn``; Japanese with kana is ``Jpan``.

    Only the first 2,000 characters are looked at; ``Zyyy`` when there is no letter. Han characters
    alone are ``Hani``: they may be Chinese of either kind, Japanese or old Korean.
    """
    counts = script_counts(text)
    if not counts:
        return UNKNOWN
    kana = counts["Hira"] + counts["Kana"]
    if kana > _LEAST_KANA * counts.total() and counts["Hani"] + kana > counts.total() / 2:
        return "Jpan"
    return counts.most_common(1)[0][0]


def writes(script: str, found: str) -> bool:
    """Whether a language written in ``script`` may look like ``found``, a result of `script_of`."""
    row = _scripts().get(script)
    return found == script or (row is not None and found in row["also"].split())


def direction_of(script: str) -> str:
    """``rtl`` or ``ltr``; a script nobody knows counts as ``ltr``."""
    row = _scripts().get(script)
    return "ltr" if row is None else row["direction"]


@cache
def _names() -> dict[str, str]:
    return {row["name"].casefold(): code for code, row in _scripts().items()}


def script_named(name: str) -> str | None:
    """The code of a script by its English name, as in ``Cyrillic`` or ``Latin script``."""
    return _names().get(name.casefold().removesuffix("script").strip())
