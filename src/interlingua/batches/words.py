"""Sentences of words to windows of token ids, in which every word keeps one place.

A word is known by its first piece that says something. SentencePiece marks the beginning of a word
with ``▁``; where the script has no spaces that mark often stands alone, as a piece that is the same
before every word, so that the piece after it is taken. A word of which the tokenizer leaves nothing
(a joiner, a variation selector, an empty string) becomes the unknown token: no word is ever lost.

A sentence longer than the model is read in windows that overlap; each word's place is in the window
where it has most context.

Legend: N sentences, T words, W windows, L tokens of a window, K words read from a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interlingua.batches.buckets import IntArray
from interlingua.batches.tokens import clean
from interlingua.vocab.vocabulary import tokenizer_unknown

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_CHUNK = 2048
_MAX_PIECES = 32
"""Pieces of a word that are read; the first of them tells its tag."""
_MAX_CHARACTERS = 24 * _MAX_PIECES
_MARKS = ("▁", "Ġ")
_OVERLAP = 4
"""The part of a window that the next one repeats is one in so many."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a sentence as the model reads it.

    Attributes:
        sentence: Which sentence.
        input_ids: Token ids, special ones included [L].
        words: Words of the sentence whose tag is read here, in order [K].
        places: Where in ``input_ids`` each of them is known by [K].
    """

    sentence: int
    input_ids: NDArray[np.int32]
    words: IntArray
    places: IntArray


@dataclass(frozen=True, slots=True)
class WordWindows:
    """Windows of N sentences, and what the tokenizer made of them.

    Attributes:
        windows: In the order of the sentences; together they hold every word once.
        pieces: Pieces of each sentence, special tokens not counted [N].
        unknown: How many of them the vocabulary does not know [N].
    """

    windows: list[Window]
    pieces: NDArray[np.int32]
    unknown: NDArray[np.int32]

    @property
    def input_ids(self) -> list[NDArray[np.int32]]:
        """Token ids of each window [W]."""
        return [window.input_ids for window in self.windows]

    @property
    def lengths(self) -> IntArray:
        """Tokens of each window [W]."""
        return np.array([len(window.input_ids) for window in self.windows], dtype=np.int64)


class WordTokenizer:
    """Cuts sentences of words into windows of token ids.

    Args:
        tokenizer: A `tokenizers.Tokenizer`; its own truncation and padding are switched off.
        max_length: Tokens a window may have, special tokens included.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_length: int) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        found = tokenizer.encode("a")
        ids = np.array(found.ids, dtype=np.int64)
        text = np.flatnonzero(~np.array(found.special_tokens_mask, dtype=bool))
        unknown = tokenizer_unknown(tokenizer)
        self._before, self._after = ids[: text[0]], ids[text[-1] + 1 :]
        self._unknown = int(ids[text[0]]) if unknown is None else unknown
        self._room = max(1, max_length - len(self._before) - len(self._after))

    def windows(self, sentences: Sequence[Sequence[str]]) -> WordWindows:
        """Windows of sentences in their order; an empty sentence has none.

        Args:
            sentences: Words of N sentences.
        """
        windows: list[Window] = []
        pieces = np.zeros(len(sentences), dtype=np.int32)
        unknown = np.zeros(len(sentences), dtype=np.int32)
        for start in range(0, len(sentences), _CHUNK):
            chunk = [
                [clean(word[:_MAX_CHARACTERS]) for word in words]
                for words in sentences[start : start + _CHUNK]
            ]
            encodings = self._tokenizer.encode_batch(
                chunk, is_pretokenized=True, add_special_tokens=False
            )
            for row, (words, encoding) in enumerate(zip(chunk, encodings, strict=True), start):
                ids, bounds, heads = self._words(encoding, len(words))
                pieces[row] = len(ids)
                unknown[row] = int(np.count_nonzero(ids == self._unknown))
                for first, last, owned in _owned(np.diff(bounds), self._room):
                    part = ids[bounds[first] : bounds[last]]
                    input_ids = np.concatenate([self._before, part, self._after])
                    places = heads[owned] - bounds[first] + len(self._before)
                    windows.append(Window(row, input_ids.astype(np.int32), owned, places))
        return WordWindows(windows, pieces, unknown)

    def _words(self, encoding: Encoding, count: int) -> tuple[IntArray, IntArray, IntArray]:
        """Piece ids, where each word's begin and the last's end [T + 1], and its place [T]."""
        own: list[list[int]] = [[] for _ in range(count)]
        heads = [0] * count
        tokens = encoding.tokens
        most = min(_MAX_PIECES, self._room)
        for piece, (word, number) in enumerate(zip(encoding.word_ids, encoding.ids, strict=True)):
            if word is None or len(own[word]) >= most:
                continue
            if len(own[word]) == 1 and tokens[piece - 1] in _MARKS:
                heads[word] = 1
            own[word].append(number)
        sizes, ids = [0], []
        for numbers in own:
            ids += numbers or [self._unknown]
            sizes.append(len(ids))
        bounds = np.array(sizes, dtype=np.int64)
        return np.array(ids, dtype=np.int64), bounds, bounds[:-1] + np.array(heads, dtype=np.int64)


def spread_windows(sizes: IntArray, room: int) -> list[tuple[int, int]]:
    """Overlapping stretches of words that together hold all of them.

    Args:
        sizes: Pieces of each word, from 1 to ``room`` [T].
        room: Pieces a stretch may hold.

    Returns:
        First word and the word after the last of each stretch, in order; one where all fit.
    """
    ends = np.concatenate([[0], np.cumsum(sizes)])
    stretches = []
    first = last = 0
    while last < len(sizes):
        last = int(np.searchsorted(ends, ends[first] + room, side="right")) - 1
        stretches.append((first, last))
        if last == len(sizes):
            break
        back = int(np.searchsorted(ends, ends[last] - room // _OVERLAP))
        fits = int(np.searchsorted(ends, ends[last + 1] - room))  # the next word must fit too
        first = min(max(first + 1, back, fits), last)
    return stretches


def _owned(sizes: IntArray, room: int) -> list[tuple[int, int, IntArray]]:
    """Stretches with the words that have most context there: pieces to the nearer end."""
    stretches = spread_windows(sizes, room)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    bounds = [0]
    for (_, last), (first, _) in pairwise(stretches):
        # Within the overlap context grows to the left in one window, to the right in the other.
        middle = (ends[first] + ends[last]) / 2
        centres = (ends[first:last] + ends[first + 1 : last + 1]) / 2
        bounds.append(max(bounds[-1], first + int(np.searchsorted(centres, middle))))
    bounds.append(len(sizes))
    return [
        (first, last, np.arange(begin, end))
        for (first, last), (begin, end) in zip(stretches, pairwise(bounds), strict=False)
        if end > begin
    ]


__all__ = ["Window", "WordTokenizer", "WordWindows", "spread_windows"]
