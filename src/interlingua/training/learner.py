"""What is trained by gradient for any kind of task: a linear head, and an encoder below it.

Legend: N rows, D features, C classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, shuffled_plan
from interlingua.models.heads import Head
from interlingua.training.trainable import depth_of, layer_of, trained_from

if TYPE_CHECKING:
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.settings import TeachingSettings

_HEAD = "head."


class HeadLearner(ABC):
    """A linear head, on an encoder that is trained along or on vectors that stand.

    Which parameters of the encoder are trained is told by their ``requires_grad``. What a batch
    loses and how good the validation rows turn out is each kind of task's own.

    Args:
        encoder: A module whose ``encoder`` is a bare encoder of `transformers`; None: nothing but
            the head is trained.
        head: Where the head starts; a fitted probe keeps the encoder from being torn about in the
            first steps (Kumar et al., ICLR 2022).
        lengths: Tokens of each training row [N].
        ids: Names of the training rows [N].
        settings: What the loop is set to.
        arithmetic: Device and precision.
        rate: The peak learning rate of a parameter of the encoder, by its name.
        unfreezing: Top layers trained in each epoch; empty: all at once.
    """

    def __init__(
        self,
        encoder: nn.Module | None,
        head: Head,
        *,
        lengths: IntArray,
        ids: list[str],
        settings: TeachingSettings,
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
        self.lengths = lengths
        self.ids = ids
        self.settings = settings
        self.arithmetic = arithmetic
        self.rate = rate
        self.unfreezing = unfreezing
        named = [] if self.encoder is None else list(self.bare.named_parameters())
        self.trained = {name: p for name, p in named if p.requires_grad}
        self.depth = depth_of(name for name, _ in named) if named else 0

    @property
    def bare(self) -> nn.Module:
        """The encoder without what makes vectors of its states."""
        assert self.encoder is not None
        encoder: nn.Module = self.encoder.encoder  # type: ignore[assignment]
        return encoder

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
            self.lengths,
            token_budget=self.settings.token_budget,
            rng=generator(seed, "order", epoch),
            max_rows=self.settings.max_rows,
        )

    def row_ids(self, rows: IntArray) -> list[str]:
        """Ids of training rows."""
        return [self.ids[row] for row in rows]

    def size(self, rows: IntArray) -> int:
        """Tokens of a batch."""
        return int(self.lengths[rows].sum())

    def kind(self, rows: IntArray) -> str:
        """All batches have the same loss."""
        del rows
        return "cross-entropy"

    def training_mode(self, on: bool) -> None:
        """Switch dropout on or off."""
        for module in (self.encoder, self.head, self.dropout):
            if module is not None:
                module.train(on)

    @abstractmethod
    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What a part of a batch adds to the batch's mean loss; see `loop.Learner`."""

    @abstractmethod
    def score(self) -> float:
        """The task's metric on the validation rows: its mean over their languages."""

    def figures(self) -> dict[str, float]:
        """Nothing besides the score."""
        return {}

    def fitted_head(self) -> Head:
        """The head as it stands."""
        weight, bias = (p.detach().float().cpu().numpy() for p in self.head.parameters())
        return Head(weight, bias, self.labels)
