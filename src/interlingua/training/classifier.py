"""A classifier trained by gradient: the learner that the loop is given.

Legend: N rows, B rows of a batch, L tokens, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interlingua.batches.buckets import IntArray, plan
from interlingua.batches.tokens import Tokenized, pad
from interlingua.models.heads import Head
from interlingua.objectives.cross_entropy import cross_entropy
from interlingua.tasks.metrics.resampled import of_rows
from interlingua.training.learner import HeadLearner

if TYPE_CHECKING:
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.settings import TeachingSettings

Thin = Callable[[NDArray[np.int32]], NDArray[np.int32]]

_VALIDATION_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """Rows with their classes, and what the model is given of them.

    Attributes:
        tokens: Token ids of N texts or pairs.
        labels: Classes [N].
        ids: Names of the rows [N].
        languages: Their languages [N].
        features: Vectors that are computed already, float32 [N, D].
    """

    tokens: Tokenized
    labels: IntArray
    ids: list[str]
    languages: list[str]
    features: NDArray[np.float32] | None = None


class ClassifierLearner(HeadLearner):
    """A linear head on pooled vectors; see `HeadLearner`.

    Args:
        encoder: Token ids to vectors [B, D]; None: the parts bring their features.
        head: Where the head starts.
        train: Training rows.
        validation: Rows the score is computed on.
        settings: What the loop is set to.
        metric: The task's metric.
        pad_id: The tokenizer's padding id.
        thin: What a step leaves out of a row's token ids; validation reads whole rows.
        arithmetic: Device and precision.
        rate: The peak learning rate of a parameter of the encoder, by its name.
        unfreezing: Top layers trained in each epoch; empty: all at once.
    """

    def __init__(  # noqa: PLR0913 - all of a learner's parts
        self,
        encoder: PooledEncoder | None,
        head: Head,
        *,
        train: Part,
        validation: Part,
        settings: TeachingSettings,
        metric: str,
        pad_id: int,
        arithmetic: Arithmetic,
        thin: Thin | None = None,
        rate: Callable[[str], float] = lambda name: 0.0,
        unfreezing: tuple[int, ...] = (),
    ) -> None:
        super().__init__(
            encoder,
            head,
            lengths=train.tokens.lengths,
            ids=train.ids,
            settings=settings,
            arithmetic=arithmetic,
            rate=rate,
            unfreezing=unfreezing,
        )
        self.train = train
        self.validation = validation
        self.metric = metric
        self.pad_id = pad_id
        self.thin = thin
        self.class_weights: Tensor | None = None
        if settings.class_weights == "balanced":
            counts = np.bincount(train.labels, minlength=len(head.labels))
            weights = len(train.labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
            self.class_weights = torch.tensor(
                weights, dtype=torch.float32, device=arithmetic.device
            )

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some rows add to the mean cross-entropy of a batch, in nats."""
        del step
        mine = rows[part]
        labels = torch.from_numpy(self.train.labels[mine]).to(self.arithmetic.device)
        mean = cross_entropy(
            self._logits(self.train, mine, thin=self.thin),
            labels,
            weights=self.class_weights,
            smoothing=self.settings.label_smoothing,
        )
        return mean * (len(mine) / len(rows))

    @torch.inference_mode()
    def score(self) -> float:
        """The task's metric on the validation rows: its mean over their languages."""
        gold = self.validation.labels
        predicted = np.zeros(len(gold), dtype=np.int64)
        for rows in plan(self.validation.tokens.lengths, token_budget=_VALIDATION_TOKENS):
            predicted[rows] = self._logits(self.validation, rows).argmax(dim=1).cpu().numpy()
        tags = np.array(self.validation.languages)
        scores = [
            of_rows(
                self.metric, gold[tags == tag], predicted[tags == tag], classes=len(self.labels)
            )
            for tag in np.unique(tags)
        ]
        return float(np.mean(scores))

    def _logits(self, part: Part, rows: IntArray, *, thin: Thin | None = None) -> Tensor:
        features = self._features(part, rows, thin)
        logits: Tensor = self.head(self.dropout(features.float()))
        return logits

    def _features(self, part: Part, rows: IntArray, thin: Thin | None) -> Tensor:
        device = self.arithmetic.device
        if part.features is not None:
            return torch.from_numpy(part.features[rows]).to(device)
        assert self.encoder is not None
        texts = [part.tokens.input_ids[row] for row in rows]
        ids, mask = pad(list(map(thin, texts)) if thin else texts, self.pad_id, multiple=8)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.arithmetic.bfloat16):
            features: Tensor = self.encoder(
                torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
            )
        return features
