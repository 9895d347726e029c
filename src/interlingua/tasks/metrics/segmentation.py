"""Tokens of any script, where no language-specific tokenizer is at hand."""

from __future__ import annotations

import regex

# Scripts that put no space between words.
_UNSPACED = (
    r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}"
    r"\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}"
)
_CHARACTER = regex.compile(rf"(?=[{_UNSPACED}])\X")
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
