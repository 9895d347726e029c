"""Questions and contexts as overlapping windows of tokens that know their characters.

A context is cut into tokens once, whatever the number of its questions, and never truncated: what
is longer than the model is read in windows that overlap. Every token carries the characters of the
original text it stands for, so that an answer is always a stretch of that text.

Legend: N questions, W windows, T tokens of a context, L tokens of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interlingua.batches.buckets import IntArray
from interlingua.batches.framing import around_pairs
from interlingua.batches.tokens import clean

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_QUESTION = 96
"""Tokens of a question that are read; the end of a longer one is cut."""
OVERLAP = 128
"""Tokens of the context that neighbouring windows share."""
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Pieces:
    """The tokens of a text, without special ones, and the characters they stand for.

    A character that becomes several tokens, as a ligature does, belongs to each of them; a token
    may bring the white space before it. Neither edge ever moves backwards from token to token.

    Attributes:
        ids: Token ids, int32 [T].
        starts: The first character of each token, int64 [T].
        ends: The character after its last, int64 [T].
    """

    ids: NDArray[np.int32]
    starts: IntArray
    ends: IntArray

    def __len__(self) -> int:
        """Tokens, T."""
        return len(self.ids)

    def covering(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last token of a stretch of characters that is not empty.

        Where characters belong to no token, the tokens next to them inside the stretch; where
        none is inside, the last is before the first.
        """
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left")) - 1
        return first, last


@dataclass(frozen=True, slots=True)
class Windows:
    """What a model reads of N questions: W windows, those of a question in a row.

    Attributes:
        input_ids: Token ids of each window, special ones included: W arrays, int32 [L].
        question: The question of each window, ascending [W].
        offset: Where in the window the context begins [W].
        first: Which token of the context that is [W].
        count: Tokens of the context in the window [W].
        pieces: The context of each question [N].
        truncated: Whether the question was cut [N].
    """

    input_ids: list[NDArray[np.int32]]
    question: IntArray
    offset: IntArray
    first: IntArray
    count: IntArray
    pieces: list[Pieces]
    truncated: NDArray[np.bool_]

    @property
    def lengths(self) -> IntArray:
        """Tokens of each window [W]."""
        return np.fromiter(map(len, self.input_ids), dtype=np.int64, count=len(self.input_ids))

    def targets(self, spans: Sequence[tuple[int, int] | None]) -> IntArray:
        """Where in each window the answer begins and ends.

        Args:
            spans: Characters of each question's answer, the last excluded [N]; None: no answer.

        Returns:
            Places of its first and last token [W, 2]; both 0, the first token of the window, where
            the window does not hold the whole answer.
        """
        found = np.zeros((len(self.input_ids), 2), dtype=np.int64)
        tokens = [
            (0, -1) if span is None else pieces.covering(*span)
            for span, pieces in zip(spans, self.pieces, strict=True)
        ]
        edges = np.array(tokens, dtype=np.int64).reshape(-1, 2)[self.question]
        local = edges - self.first[:, None]
        inside = (local[:, 0] >= 0) & (local[:, 1] < self.count) & (edges[:, 0] <= edges[:, 1])
        found[inside] = (local + self.offset[:, None])[inside]
        return found


def pieces_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Pieces]:
    """The tokens of texts, in their order; texts that are equal share one record."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    distinct = list(dict.fromkeys(texts))
    known: dict[str, Pieces] = {}
    for start in range(0, len(distinct), _CHUNK):
        chunk = distinct[start : start + _CHUNK]
        encodings = tokenizer.encode_batch(list(map(clean, chunk)), add_special_tokens=False)
        for text, encoding in zip(chunk, encodings, strict=True):
            edges = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
            starts, ends = np.maximum.accumulate(edges, axis=0).T
            known[text] = Pieces(np.array(encoding.ids, dtype=np.int32), starts, ends)
    return [known[text] for text in texts]


def window_starts(count: int, *, size: int, overlap: int) -> list[int]:
    """Where windows over ``count`` tokens begin, so that each token is in one of them.

    Neighbours share at least ``overlap`` tokens, and all windows are full but an only one: the
    last begins early enough.
    """
    assert 0 <= overlap < size
    if count <= size:
        return [0]
    return [*range(0, count - size, size - overlap), count - size]


def window_questions(
    tokenizer: Tokenizer,
    questions: Sequence[str],
    contexts: Sequence[str],
    *,
    max_length: int,
    overlap: int = OVERLAP,
) -> Windows:
    """Cut questions with their contexts into windows as the model was pretrained to read pairs.

    Args:
        tokenizer: The model's; its own truncation and padding are switched off.
        questions: The questions [N].
        contexts: Where their answers are sought [N].
        max_length: Tokens of a window, special ones included.
        overlap: Tokens of the context that neighbouring windows share; less where a window is too
            small for that.
    """
    assert len(questions) == len(contexts)
    before, between, after = (np.array(part, np.int32) for part in around_pairs(tokenizer))
    fixed = len(before) + len(between) + len(after)
    most = max(1, min(MAX_QUESTION, (max_length - fixed) // 2))
    asked = pieces_of(tokenizer, questions)
    pieces = pieces_of(tokenizer, contexts)
    input_ids: list[NDArray[np.int32]] = []
    rows: list[tuple[int, int, int, int]] = []
    for row, (question, context) in enumerate(zip(asked, pieces, strict=True)):
        opening = np.concatenate([before, question.ids[:most], between])
        size = max_length - len(opening) - len(after)
        starts = window_starts(len(context), size=size, overlap=min(overlap, size // 2))
        for start in starts:
            part = context.ids[start : start + size]
            input_ids.append(np.concatenate([opening, part, after]))
            rows.append((row, len(opening), start, len(part)))
    question_of, offset, first, count = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    truncated = np.array([len(question) > most for question in asked], dtype=np.bool_)
    return Windows(input_ids, question_of, offset, first, count, pieces, truncated)
