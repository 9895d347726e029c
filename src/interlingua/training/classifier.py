"""A classifier trained by gradient: the learner that the loop is given.

Legend: N rows, B rows of a batch, L tokens, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, plan, shuffled_plan
from interlingua.batches.tokens import Tokenized, pad
from interlingua.models.heads import Head
from interlingua.objectives.cross_entropy import cross_entropy
from interlingua.tasks.metrics.resampled import of_rows
from interlingua.training.trainable import depth_of, layer_of, trained_from

if TYPE_CHECKING:
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.settings import TeachingSettings

_VALIDATION_TOKENS = 4096
_HEAD = "head."


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


class ClassifierLearner:
    """A linear head, on an encoder that is trained along or on vectors that stand.

    Which parameters of the encoder are trained is told by their ``requires_grad``.

    Args:
        encoder: Token ids to vectors [B, D]; None: the parts bring their features.
        head: Where the head starts; a fitted probe keeps the encoder from being torn about in the
            first steps (Kumar et al., ICLR 2022).
        train: Training rows.
        validation: Rows the score is computed on.
        settings: What the loop is set to.
        metric: The task's metric.
        pad_id: The tokenizer's padding id.
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
        rate: Callable[[str], float] = lambda name: 0.0,
        unfreezing: tuple[int, ...] = (),
    ) -> None:
        device = arithmetic.device
        self.encoder = None if encoder is None else encoder.to(device)
        self.head = nn.Linear(head.weight.shape[1], len(head.labels)).to(device)
        mean = np.zeros(head.weight.shape[1], np.float32) if head.mean is None else head.mean
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(head.weight))
            self.head.bias.copy_(torch.from_numpy(head.bias - head.weight @ mean))
        self.dropout = nn.Dropout(settings.dropout)
        self.labels = head.labels
        self.train = train
        self.validation = validation
        self.settings = settings
        self.metric = metric
        self.pad_id = pad_id
        self.arithmetic = arithmetic
        self.rate = rate
        self.unfreezing = unfreezing
        self.class_weights: Tensor | None = None
        if settings.class_weights == "balanced":
            counts = np.bincount(train.labels, minlength=len(head.labels))
            weights = len(train.labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
            self.class_weights = torch.tensor(weights, dtype=torch.float32, device=device)
        named = [] if encoder is None else list(encoder.encoder.named_parameters())
        self.trained = {name: p for name, p in named if p.requires_grad}
        self.depth = depth_of(name for name, _ in named) if named else 0

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """Trained parameters by name: the encoder's, then the head's."""
        return {f"encoder.{name}": p for name, p in self.trained.items()} | {
            f"{_HEAD}{name}": p for name, p in self.head.named_parameters()
        }

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Matrices decay, vectors do not; the head and every layer have rates of their own."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters().items():
            head = name.startswith(_HEAD)
            rate = self.settings.head_learning_rate if head else self.rate(name[len("encoder.") :])
            decay = self.settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        return [{"params": p, "lr": r, "weight_decay": d} for (r, d), p in groups.items()]

    def state(self) -> dict[str, Tensor]:
        """Nothing changes beside the parameters."""
        return {}

    def begin_epoch(self, epoch: int) -> None:
        """Freeze the layers that are not trained yet; the head always is."""
        lowest = trained_from(self.unfreezing, epoch, self.depth)
        for name, parameter in self.trained.items():
            parameter.requires_grad_(layer_of(name, self.depth) >= lowest)
            if not parameter.requires_grad:
                parameter.grad = None

    def epochs(self) -> int:
        """Epochs at most."""
        return self.settings.epochs

    def steps(self, seed: int) -> int:
        """Batches of all epochs together."""
        return sum(len(self.batches(epoch, seed)) for epoch in range(self.epochs()))

    def batches(self, epoch: int, seed: int) -> list[IntArray]:
        """Rows of like length together, in another order every epoch."""
        return shuffled_plan(
            self.train.tokens.lengths,
            token_budget=self.settings.token_budget,
            rng=generator(seed, "order", epoch),
            max_rows=self.settings.max_rows,
        )

    def row_ids(self, rows: IntArray) -> list[str]:
        """Ids of training rows."""
        return [self.train.ids[row] for row in rows]

    def size(self, rows: IntArray) -> int:
        """Tokens of a batch."""
        return int(self.train.tokens.lengths[rows].sum())

    def kind(self, rows: IntArray) -> str:
        """All batches have the same loss."""
        del rows
        return "cross-entropy"

    def training_mode(self, on: bool) -> None:
        """Switch dropout on or off."""
        for module in (self.encoder, self.head, self.dropout):
            if module is not None:
                module.train(on)

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some rows add to the mean cross-entropy of a batch, in nats."""
        del step
        mine = rows[part]
        labels = torch.from_numpy(self.train.labels[mine]).to(self.arithmetic.device)
        mean = cross_entropy(
            self._logits(self.train, mine),
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

    def figures(self) -> dict[str, float]:
        """Nothing besides the score."""
        return {}

    def fitted_head(self) -> Head:
        """The head as it stands."""
        weight, bias = (p.detach().float().cpu().numpy() for p in self.head.parameters())
        return Head(weight, bias, self.labels)

    def _logits(self, part: Part, rows: IntArray) -> Tensor:
        logits: Tensor = self.head(self.dropout(self._features(part, rows).float()))
        return logits

    def _features(self, part: Part, rows: IntArray) -> Tensor:
        device = self.arithmetic.device
        if part.features is not None:
            return torch.from_numpy(part.features[rows]).to(device)
        assert self.encoder is not None
        ids, mask = pad([part.tokens.input_ids[row] for row in rows], self.pad_id, multiple=8)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.arithmetic.bfloat16):
            features: Tensor = self.encoder(
                torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
            )
        return features
