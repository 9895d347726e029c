"""From scores of tokens to answers: the best spans of a question over all its windows.

A reader scores every token of a window for being the first and the last of the answer. A span's
score is the sum of both, taken as a log-probability among all pairs of places that its window
offers, the pair that stands for "no answer here" included. Spans of several windows, and of several
texts, are compared by it: a window that thinks its answer is elsewhere gives all its spans little.

Legend: N questions, W windows, B windows side by side, T tokens of context, L tokens of a window,
K tokens a span may have, n spans kept of a window, M spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from interlingua.batches.buckets import IntArray, plan
from interlingua.batches.windows import Windows
from interlingua.tasks.answer_text import Text

Floats = NDArray[np.float32]

MAX_TOKENS = 30
"""Tokens an answer may have."""
KEEP = 20
"""Spans kept of a window."""
_BUDGET = 8192


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of a context.

    Attributes:
        text: ``context[start:end]``; empty: there is no answer.
        start: Its first character.
        end: The character after its last.
        score: Its probability in the window it is from.
    """

    text: str
    start: int
    end: int
    score: float

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "answer": self.text,
            "score": round(self.score, 6),
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class Spans:
    """The best spans of W windows.

    Attributes:
        window: Which window each is of, ascending; within it the best first [M].
        first: Its first token, counted in the context [M].
        last: Its last token [M].
        logp: Its log-probability in the window [M].
        none: Log-probability that a window holds no answer [W].
    """

    window: IntArray
    first: IntArray
    last: IntArray
    logp: Floats
    none: Floats


def best_spans(
    windows: Windows,
    logits: Sequence[Floats],
    *,
    max_tokens: int = MAX_TOKENS,
    keep: int = KEEP,
) -> Spans:
    """The best spans of every window.

    Args:
        windows: What the model read.
        logits: Scores of each token for being the first and the last, W arrays [L, 2].
        max_tokens: Tokens a span may have, K.
        keep: Spans kept of a window, n.
    """
    total = len(windows.input_ids)
    none = np.zeros(total, dtype=np.float32)
    parts: list[tuple[IntArray, IntArray, IntArray, Floats]] = []
    for rows in plan(windows.count, token_budget=_BUDGET) if total else []:
        size = max(1, int(windows.count[rows].max()))
        scores = np.full((len(rows), size, 2), -np.inf, dtype=np.float32)
        for i, row in enumerate(rows):
            offset, count = windows.offset[row], windows.count[row]
            scores[i, :count] = logits[row][offset : offset + count]
        nothing = np.stack([logits[row][0] for row in rows])
        mass = np.logaddexp(_log_sum(scores), nothing).sum(axis=-1)
        none[rows] = nothing.sum(axis=-1) - mass
        band, first, last = _band(scores, max_tokens, keep)
        place = np.broadcast_to(rows[:, None], band.shape)
        real = np.isfinite(band)
        logp = (band - mass[:, None])[real]
        parts.append(
            (
                place[real],
                (first + windows.first[rows, None])[real],
                (last + windows.first[rows, None])[real],
                logp,
            )
        )
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return Spans(empty, empty, empty, none[:0], none)
    window, first, last, logp = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((-logp, window))
    return Spans(window[order], first[order], last[order], logp[order], none)


def _band(scores: Floats, width: int, keep: int) -> tuple[Floats, IntArray, IntArray]:
    """The ``keep`` best pairs (i, j) of each row with i <= j < i + width, best first.

    Args:
        scores: Scores for being first and last [B, T, 2]; minus infinity where there is no token.
        width: Tokens of a span at most.
        keep: Pairs a row.

    Returns:
        Sums of both scores, first and last places, each [B, n].
    """
    rows, size, _ = scores.shape
    width = min(width, size)
    ends = np.pad(scores[..., 1], ((0, 0), (0, width - 1)), constant_values=-np.inf)
    sums = (scores[..., :1] + sliding_window_view(ends, width, axis=1)).reshape(rows, -1)
    keep = min(keep, sums.shape[1])
    best = np.argpartition(-sums, keep - 1, axis=1)[:, :keep]
    found = np.take_along_axis(sums, best, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    best, found = np.take_along_axis(best, order, axis=1), np.take_along_axis(found, order, axis=1)
    first, length = np.divmod(best, width)
    return found, first, first + length


def _log_sum(scores: Floats) -> Floats:
    """Logarithm of the sum of exponentials over places: [B, T, 2] to [B, 2]."""
    top = scores.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):  # of a window without context
        return np.asarray(np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0], dtype=np.float32)


def answers(
    windows: Windows,
    spans: Spans,
    contexts: Sequence[str],
    *,
    n_best: int = 1,
    no_answer: float | None = None,
) -> list[list[Answer]]:
    """The best answers to each question, best first, all of them different.

    Args:
        windows: What the model read.
        spans: Its best spans.
        contexts: The contexts [N].
        n_best: Answers to a question at most.
        no_answer: May the empty answer be given? None: never, if there is any other. A number: it
            is, where its log-probability exceeds the best span's by more, as in SQuAD 2.0's
            official baseline. Of several windows the one that is least sure of having none
            decides.

    Returns:
        N lists. A list has at least one answer; it is the empty one where a context has no token.
    """
    count = len(contexts)
    none = np.full(count, np.inf, dtype=np.float32)
    np.minimum.at(none, windows.question, spans.none)
    question = windows.question[spans.window]
    order = np.lexsort((-spans.logp, question))
    bounds = np.searchsorted(question[order], np.arange(count + 1))
    texts = {context: Text(context) for context in dict.fromkeys(contexts)}
    found = []
    for row, context in enumerate(contexts):
        chosen = order[bounds[row] : bounds[row + 1]]
        pieces = windows.pieces[row]
        starts, ends = pieces.starts[spans.first[chosen]], pieces.ends[spans.last[chosen]]
        best: dict[tuple[int, int], float] = {}
        for start, end, logp in zip(
            starts.tolist(), ends.tolist(), spans.logp[chosen].tolist(), strict=True
        ):
            edges = texts[context].tidy(start, end) if start < end else (start, start)
            if edges[0] < edges[1]:
                best.setdefault(edges, logp)
            if len(best) == n_best:
                break
        ranked = [
            Answer(context[start:end], start, end, float(np.exp(logp)))
            for (start, end), logp in best.items()
        ]
        empty = Answer("", 0, 0, float(np.exp(min(0.0, none[row]))))
        top = next(iter(best.values()), -np.inf)
        if not ranked:
            ranked = [empty]
        elif no_answer is not None and none[row] - top > no_answer:
            ranked = [empty, *ranked][:n_best]
        found.append(ranked)
    return found
