"""The default detector's model over many texts at once.

py3langid (Barbaresi; after langid.py, Lui and Baldwin, ACL 2012) walks a text's bytes through a
finite automaton, counts the features met and scores languages by naive Bayes:

    score_l = sum_f log(1 + count_f) log P(f | l) + log P(l),   P = softmax(score / sqrt(bytes))

Here all texts take each step together, so that a step costs one look-up in an array for all of
them instead of one turn of an interpreter's loop for each.

Legend: ``N`` texts, ``S`` bytes of the longest, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 256  # texts that walk at a time
Scores = NDArray[np.float32]


class ByteWalk:
    """A py3langid model as arrays.

    Args:
        model: A ``LanguageIdentifier`` with all its languages and normalised probabilities.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - an untyped library
        self.labels: list[str] = list(model.labels)
        self._move = np.frombuffer(model.tk_nextmove, np.uint32)
        self._row = np.array(model.tk_row, np.int64) << 8
        self._output = np.array(model.tk_output, np.int32)
        self._table = np.asarray(model.nb_ptc, np.float32)
        self._prior = np.asarray(model.nb_pc, np.float32)
        classes = list(model.nb_classes)
        self._column = np.array([self.labels.index(label) for label in classes])

    def probabilities(self, texts: Sequence[str]) -> Scores:
        """The probability of every label for every text: float32 ``[N, labels]``."""
        encoded = [_encoded(text) for text in texts]
        lengths = np.array([len(text) for text in encoded])
        order = np.argsort(-lengths, kind="stable")  # those that walk farthest come first
        found = np.empty((len(texts), len(self.labels)), np.float32)
        for start in range(0, len(texts), _TOGETHER):
            part = order[start : start + _TOGETHER]
            found[part] = self._together([encoded[text] for text in part], lengths[part])
        return found

    def _together(self, texts: Sequence[bytes], lengths: NDArray[np.int64]) -> Scores:
        scores = self._scores(self._features(texts, lengths))
        scores /= np.sqrt(np.maximum(lengths, 1), dtype=np.float32)[:, None]
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        merged = np.zeros((len(texts), len(self.labels)), np.float32)
        for column, label in enumerate(self._column):  # two scripts of a language share a label
            merged[:, label] += scores[:, column]
        return merged

    def _features(self, texts: Sequence[bytes], lengths: NDArray[np.int64]) -> NDArray[np.int32]:
        """The features met, ascending, after a -1 for each byte that met none: int32 ``[N, S]``.

        Args:
            texts: The longest first.
            lengths: Their bytes.
        """
        steps = int(lengths.max(initial=0))
        data = np.zeros((len(texts), steps), np.uint8)
        for row, text in enumerate(texts):
            data[row, : len(text)] = np.frombuffer(text, np.uint8)
        columns = np.ascontiguousarray(data.T)
        walking = np.searchsorted(-lengths, -np.arange(steps), side="left")
        met = np.full((steps, len(texts)), -1, np.int32)
        state = np.zeros(len(texts), np.uint32)
        for step, count in enumerate(walking.tolist()):
            state = self._move[self._row[state[:count]] + columns[step, :count]]
            met[step, :count] = self._output[state]
        features = np.ascontiguousarray(met.T)
        features.sort(axis=1)
        return features

    def _scores(self, features: NDArray[np.int32]) -> Scores:
        """Scores of classes, ``[N, C]``, from ascending features."""
        inside = features >= 0
        new = inside.copy()
        new[:, 1:] &= features[:, 1:] != features[:, :-1]
        first = np.flatnonzero(new)
        past = np.cumsum(inside.ravel())  # features met so far, all texts in a row
        reached = np.append(past[first], past[-1:] + 1) if len(first) else np.empty(1)
        weights = np.log1p(np.diff(reached).astype(np.float32))
        index = features.ravel()[first]
        ends = np.cumsum(new.sum(axis=1))
        scores = np.zeros((len(features), self._table.shape[1]), np.float32)
        for row, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if end > start:  # without a feature all are equally probable
                part = slice(start, end)
                scores[row] = weights[part] @ self._table[index[part]] + self._prior
        return scores


def _encoded(text: str) -> bytes:
    shown = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", shown).encode("utf-8", "surrogatepass")


__all__ = ["ByteWalk", "Scores"]
