"""Words, syllables and characters: what a text is cut into, script by script.

Scripts with spaces are cut at white space. Tibetan has syllables, ended by the tsheg. Scripts that
put neither between words are cut into characters as a reader sees them: a letter with its vowel
signs and tone marks. No language-specific tokenizer is asked.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Literal

import regex

from interlingua.languages.tags import UND, parse

Unit = Literal["word", "syllable", "character"]

UNSPACED = (
    r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}"
    r"\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\u30FC\uFF70"
)
"""What stands between brackets in a pattern for the letters of scripts without spaces, and for the
mark that makes a vowel of theirs long, which is of no script (コーヒー)."""

INVISIBLE = regex.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
"""Marks that nobody sees: where a word may be broken, and which way it runs."""
_SYLLABLES = frozenset(["Tibt"])
_UNSPACED = frozenset(
    ["Hani", "Hans", "Hant", "Hira", "Kana", "Jpan", "Bopo", "Thai", "Laoo", "Khmr", "Mymr", "Yiii"]
) | frozenset(["Tale", "Talu", "Lana", "Java", "Bali", "Cham"])
_LETTER = regex.compile(r"[\p{L}\p{N}]")
_TSHEG = regex.compile(r"[\s\u0F0B-\u0F14]+")
_CHARACTER = regex.compile(r"(?=[\p{L}\p{N}])\X")
_UNSPACED_CHARACTER = regex.compile(rf"(?=[{UNSPACED}])\X")
_BETWEEN_UNSPACED = regex.compile(rf"(?<=[{UNSPACED}])\s+(?=[{UNSPACED}])")
_RUN = regex.compile(
    rf"(?P<tight>(?:(?=[{UNSPACED}])\X)+)|(?:(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}])+"
)
_TOKEN = regex.compile(
    rf"(?=[{UNSPACED}])\X"
    rf"|(?:(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}\u200C\u200D]"
    rf"|(?<=[\p{{L}}\p{{M}}\p{{N}}])['’.,:·_](?![{UNSPACED}])(?=[\p{{L}}\p{{N}}]))+"
    r"|\S"
)
_WORD = regex.compile(rf"(?=[{UNSPACED}])\X|(?:(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}])+")


def unit_of(lang: str) -> Unit:
    """The unit that texts of a language are counted in; of ``und``, words.

    Figures always name the unit: a token per character and a token per word cannot be compared.
    """
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


def cut_unspaced(text: str) -> str:
    """Put spaces around every character of a script that puts none between words."""
    return str(_UNSPACED_CHARACTER.sub(r" \g<0> ", text))


def close_unspaced(text: str) -> str:
    """Take away white space between characters of scripts that put none between words.

    Example:
        >>> close_unspaced("北 京 is 首 都")
        '北京 is 首都'
    """
    return str(_BETWEEN_UNSPACED.sub("", text))


def script_words(text: str) -> list[str]:
    """Lower-cased runs of letters, marks and digits; single characters in scripts without spaces.

    Punctuation and symbols are dropped.
    """
    return list(_WORD.findall(text.lower()))


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of a text start and end, punctuation and symbols included, none lost.

    A word is a run of letters, marks and digits, with joiners, and with apostrophes, dots and such
    inside it (``don't``, ``U.S``, ``3.14``); a character in scripts without spaces; and every
    other character that is not white space by itself.

    Example:
        >>> [text[a:b] for text in ["Anna's 北京."] for a, b in word_spans(text)]
        ["Anna's", '北', '京', '.']
    """
    return [match.span() for match in _TOKEN.finditer(text)]


def search_terms(text: str) -> list[str]:
    """Terms to index a text by: words; characters and pairs of them in scripts without spaces.

    Text is NFKC-normalised and case-folded, invisible marks are taken out. A pair are two
    characters that follow each other.
    """
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    terms: list[str] = []
    for match in _RUN.finditer(text):
        if match["tight"] is None:
            terms.append(match[0])
            continue
        characters = _UNSPACED_CHARACTER.findall(match[0])
        terms += [*characters, *map("".join, pairwise(characters))]
    return terms
