"""Which script a text is written in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from interlingua.languages.tables import read_table

_CHARACTERS = 2000
_LEAST_KANA = 0.05
_CODES = 0x110000
_NOT_MET = 255  # there are fewer scripts
UNKNOWN = "Zyyy"
"""The code of ISO 15924 for text without letters of a known script."""


@cache
def _scripts() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in read_table("scripts.tsv")}


@cache
def _shown() -> list[str]:
    """Scripts with letters of their own; codes that only ever show as another have none."""
    return [code for code, row in _scripts().items() if code == "Hang" or not row["also"]]


@cache
def _pattern() -> regex.Pattern[str]:
    return regex.compile("|".join(rf"(?P<{code}>\p{{Script={code}}})" for code in _shown()))


@cache
def _numbers() -> NDArray[np.uint8]:
    """Each code point's script, as its place in `_shown` plus one; filled in as they are met."""
    return np.full(_CODES, _NOT_MET, np.uint8)


def _meet(code: int) -> None:
    """Fill in a code point; what is no letter or mark, or of no known script, has the number 0."""
    character = chr(code)
    match = _pattern().match(character) if unicodedata.category(character)[0] in "LM" else None
    name = None if match is None else match.lastgroup
    _numbers()[code] = 0 if name is None else _shown().index(name) + 1


def script_counts(text: str) -> Counter[str]:
    """How many letters of each script the beginning of a text holds, by ISO 15924 code."""
    table, names = _numbers(), _shown()
    codes = np.frombuffer(text[:_CHARACTERS].encode("utf-32-le", "surrogatepass"), np.uint32)
    numbers = table[codes]
    new = numbers == _NOT_MET
    if new.any():
        for code in np.unique(codes[new]).tolist():
            _meet(code)
        numbers = table[codes]
    counts = np.bincount(numbers).tolist()
    return Counter({names[n - 1]: count for n, count in enumerate(counts) if n and count})


def script_of(text: str) -> str:
    """The script most letters are in, as in ``Latn``; Japanese with kana is ``Jpan``.

    Only the first 2,000 characters are looked at; ``Zyyy`` when there is no letter. Han characters
    alone are ``Hani``: they may be Chinese of either kind, Japanese or old Korean.
    """
    return main_script(script_counts(text))


def main_script(counts: Counter[str]) -> str:
    """What `script_of` says of a text with these counts of letters."""
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
