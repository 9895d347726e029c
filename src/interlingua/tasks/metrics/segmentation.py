"""Tokens of any script, where no language-specific tokenizer is at hand."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import regex

# Scripts that put no space between words.
_UNSPACED = (
    r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}"
    r"\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}"
)
_CHARACTER = regex.compile(rf"(?=[{_UNSPACED}])\X")
_RUN = regex.compile(
    rf"(?P<tight>(?:(?=[{_UNSPACED}])\X)+)|(?:(?![{_UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}])+"
)
_WORD = regex.compile(rf"(?=[{_UNSPACED}])\X|(?:(?![{_UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}])+")


def cut_unspaced(text: str) -> str:
    """Put spaces around every character of a script that puts none between words.

    A character is what a reader takes for one: a letter with its vowel signs and tone marks.
    """
    return str(_CHARACTER.sub(r" \g<0> ", text))


def script_words(text: str) -> list[str]:
    """Lower-cased runs of letters, marks and digits; single characters in scripts without spaces.

    Punctuation and symbols are dropped.
    """
    return list(_WORD.findall(text.lower()))


def search_terms(text: str) -> list[str]:
    """Terms to index a text by: words; characters and pairs of them in scripts without spaces.

    Text is NFKC-normalised and case-folded. A pair are two characters that follow each other.
    """
    terms: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        if match["tight"] is None:
            terms.append(match[0])
            continue
        characters = _CHARACTER.findall(match[0])
        terms += [*characters, *map("".join, pairwise(characters))]
    return terms
