"""What counts as a word in each script, for figures per word.

Scripts with spaces are cut at white space. Tibetan has syllables, ended by the tsheg. Scripts that
put neither between words are counted in characters as a reader sees them; the figures of a language
always name the unit, since a token per character and a token per word cannot be compared.
"""

from __future__ import annotations

from typing import Literal

import regex

from interlingua.languages import UND, parse

Unit = Literal["word", "syllable", "character"]

_SYLLABLES = frozenset(["Tibt"])
_UNSPACED = frozenset(
    ["Hani", "Hans", "Hant", "Hira", "Kana", "Jpan", "Bopo", "Thai", "Laoo", "Khmr", "Mymr", "Yiii"]
) | frozenset(["Tale", "Talu", "Lana", "Java", "Bali", "Cham"])
_LETTER = regex.compile(r"[\p{L}\p{N}]")
_TSHEG = regex.compile(r"[\s\u0F0B-\u0F14]+")
_CHARACTER = regex.compile(r"(?=[\p{L}\p{N}])\X")


def unit_of(lang: str) -> Unit:
    """The unit that texts of a language are counted in; of ``und``, words."""
    script = None if lang == UND else parse(lang).script
    if script in _SYLLABLES:
        return "syllable"
    return "character" if script in _UNSPACED else "word"


def count_units(text: str, unit: Unit) -> int:
    """How many words, syllables or characters with a letter or digit a text holds."""
    if unit == "character":
        return sum(1 for _ in _CHARACTER.finditer(text))
    parts = text.split() if unit == "word" else _TSHEG.split(text)
    return sum(1 for part in parts if _LETTER.search(part))
