"""Characters and tokens of many texts at once, as arrays of numbers.

A corpus is measured, compared and searched by its tokens; their spelling is never needed again, so
that a token is a hash of 64 bits. Tokens are those of `languages.segmentation.script_words`: runs
of letters, marks and digits in one case, single characters with their marks in scripts without
spaces. Hashes are the same in every process and on every machine.

A run ``t_i .. t_j`` has the polynomial hash ``sum_k t_k P^(k-i)`` modulo ``2^64`` (Karp and Rabin
1987); with prefix sums it costs one subtraction and one multiplication, whatever its length.

Legend: ``N`` texts, ``C`` characters, ``T`` tokens, ``K`` runs of tokens.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from interlingua.languages.segmentation import UNSPACED

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]

LETTER, DIGIT, SPACE, UPPER, MARK, DENSE, NEWLINE = (1 << bit for bit in range(7))
"""What a character may be: of the categories L or M, N, white space, capital, M, of a script
without spaces, a line end."""

CODES = 0x110000
"""How many code points Unicode has."""
_SURROGATES = slice(0xD800, 0xE000)
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)


def every_character() -> str:
    """All code points in order, as a string to search; NUL stands for lone surrogates."""
    codes = np.arange(CODES, dtype=np.uint32)
    codes[_SURROGATES] = 0
    return codes.tobytes().decode("utf-32-le")


@cache
def character_classes() -> NDArray[np.uint8]:
    """What each of Unicode's 1,114,112 code points is, as a sum of the flags above."""
    every = every_character()
    categories = "".join(map(unicodedata.category, every)).encode("ascii")
    first, second = np.frombuffer(categories, np.uint8).reshape(-1, 2).T
    table = np.zeros(CODES, np.uint8)
    table[(first == ord("L")) | (first == ord("M"))] |= LETTER
    table[first == ord("N")] |= DIGIT
    table[first == ord("M")] |= MARK
    table[(first == ord("L")) & ((second == ord("u")) | (second == ord("t")))] |= UPPER
    table[[code for code, character in enumerate(every) if character.isspace()]] |= SPACE
    table[ord("\n")] |= NEWLINE
    for match in regex.finditer(rf"[{UNSPACED}]+", every):
        run = table[match.start() : match.end()]
        run[(run & (LETTER | DIGIT)) > 0] |= DENSE
    return table


@dataclass(frozen=True, slots=True)
class Rows:
    """Numbers of many texts, one after the other.

    Attributes:
        values: All numbers.
        offsets: Where each text's begin, and the end of the last: int64 ``[N + 1]``.
    """

    values: Hashes
    offsets: Offsets

    def __len__(self) -> int:
        """How many texts."""
        return len(self.offsets) - 1

    def of(self, text: int) -> Hashes:
        """The numbers of one text."""
        return self.values[self.offsets[text] : self.offsets[text + 1]]

    def counts(self) -> Offsets:
        """How many numbers each text has, ``[N]``."""
        return np.diff(self.offsets)


def code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], Offsets]:
    """The code points of texts, each text followed by a line end, and where each begins.

    Returns:
        uint32 ``[C + N]`` and int64 ``[N + 1]``.
    """
    joined = "\n".join(texts) + "\n" if texts else ""
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    return codes, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def letters_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """How many letters and marks each text has: ``[N]``."""
    if not texts:
        return np.zeros(0, np.int64)
    codes, offsets = code_points(texts)
    return np.add.reduceat((character_classes()[codes] & LETTER) > 0, offsets[:-1], dtype=np.int64)


def mixed(numbers: Hashes) -> Hashes:
    """Numbers whose bits all depend on all bits (SplitMix64, Steele et al. 2014)."""
    x = numbers.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _powers(base: int, count: int) -> Hashes:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)


def hash_tokens(texts: Sequence[str]) -> Rows:
    """The tokens of texts as hashes: ``T`` numbers in ``N`` rows.

    Example:
        >>> rows = hash_tokens(["Hello, hello!", "你好"])
        >>> [len(rows.of(i)) for i in range(2)], bool(rows.values[0] == rows.values[1])
        ([2, 2], True)
    """
    codes, starts = code_points([text.casefold() for text in texts])
    classes = character_classes()[codes]
    inside = (classes & (LETTER | DIGIT)) > 0
    dense = (classes & DENSE) > 0
    word = inside & ~dense
    before_word, before = np.roll(word, 1), np.roll(inside, 1)
    before_word[:1] = before[:1] = False
    marks = (classes & MARK) > 0
    first = (word & ~before_word) | (dense & (~marks | ~before))
    places = np.flatnonzero(first)
    offsets = np.searchsorted(places, starts).astype(np.int64)
    if not len(places):
        return Rows(np.empty(0, np.uint64), offsets)
    kept = np.flatnonzero(inside)
    begins = np.searchsorted(kept, places)
    terms = mixed(codes[kept].astype(np.uint64) + np.uint64(1)) * _powers(_BASE, len(kept))
    sums = np.add.reduceat(terms, begins)
    return Rows(mixed(sums * _powers(_INVERSE, len(kept))[begins]), offsets)


def runs(tokens: Rows, length: int, *, short: bool = False) -> Rows:
    """Hashes of all runs of ``length`` tokens that lie within a text, in order.

    Args:
        tokens: From `hash_tokens`.
        length: Tokens of a run.
        short: Whether a text with fewer tokens, but some, is one run as a whole.

    Returns:
        ``K`` numbers in ``N`` rows; equal runs have equal numbers in any text.
    """
    count = len(tokens.values)
    sums = np.zeros(count + 1, np.uint64)
    np.cumsum(tokens.values * _powers(_BASE, count), dtype=np.uint64, out=sums[1:])
    inverse = _powers(_INVERSE, count)
    sizes = tokens.counts()
    many = np.maximum(sizes - length + 1, 0)
    if short:
        many = np.where(sizes > 0, np.maximum(many, 1), 0)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(many)])
    row = np.repeat(np.arange(len(tokens)), many)
    begin = np.arange(offsets[-1]) - offsets[row] + tokens.offsets[row]
    end = np.minimum(begin + length, tokens.offsets[row + 1])
    return Rows(mixed((sums[end] - sums[begin]) * inverse[begin]), offsets)


__all__ = [
    "DENSE",
    "DIGIT",
    "LETTER",
    "MARK",
    "NEWLINE",
    "SPACE",
    "UPPER",
    "Hashes",
    "Offsets",
    "Rows",
    "character_classes",
    "code_points",
    "hash_tokens",
    "letters_of",
    "mixed",
    "runs",
]
