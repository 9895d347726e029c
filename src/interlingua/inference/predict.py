"""The only prediction loop: texts in, probabilities out.

Evaluation and applications are thin over it. Legend: N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ModelError, UsageError
from interlingua.inference.encode import Encoded, Encoder
from interlingua.models.folder import ModelFolder
from interlingua.models.heads import Head
from interlingua.tasks.record import TASKS


@dataclass(frozen=True, slots=True)
class Classified:
    """Class probabilities of N texts, and what the encoder saw of them.

    Attributes:
        probabilities: float32 [N, C], rows sum to one.
        labels: The label set, C names.
        encoded: Tokens, truncation and unknown pieces of each text.
    """

    probabilities: NDArray[np.float32]
    labels: tuple[str, ...]
    encoded: Encoded

    def label(self, row: int) -> str:
        """The most probable label of a text."""
        return self.labels[int(self.probabilities[row].argmax())]

    def record(self, row: int) -> dict[str, object]:
        """Label, its probability, and the probabilities of all labels, for a predictions file."""
        p = self.probabilities[row]
        best = int(p.argmax())
        scores = {label: round(float(v), 6) for label, v in zip(self.labels, p, strict=True)}
        return {"label": self.labels[best], "score": round(float(p[best]), 6), "scores": scores}


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities [N, C] of logits [N, C]."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def head_of(folder: ModelFolder) -> Head:
    """The classification head of a folder.

    Raises:
        ModelError: It was never taught a classification task.
    """
    head = folder.head()
    if head is None:
        raise ModelError(
            f"{folder.path} has no classification head",
            remedy="Teach it first: interlingua finetune --task … --train … --model … --out …",
        )
    return head


def task_of(folder: ModelFolder, given: str | None = None) -> str:
    """The task a model was taught, which must be the one asked for.

    Raises:
        ModelError: It was taught none.
        UsageError: It was taught another.
    """
    taught = folder.info.task
    if taught is None:
        raise ModelError(
            f"{folder.path} was not taught a task",
            remedy="Teach it first: interlingua finetune --task … --train … --model … --out …",
        )
    if given is not None and TASKS.get(given).name != taught:
        raise UsageError(f"--task {given}: the model was taught {taught}")
    return taught


def classify(
    encoder: Encoder, head: Head, texts: Sequence[str], pairs: Sequence[str] | None = None
) -> Classified:
    """Class probabilities of texts, or of pairs of texts, in their order."""
    encoded = encoder.encode(texts, pairs=pairs)
    return Classified(softmax(head.logits(encoded.vectors)), head.labels, encoded)
