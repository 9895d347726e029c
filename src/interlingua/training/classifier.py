"""A classifier whose encoder is trained along: the learner that the loop is given.

Legend: B rows, L tokens, D features, C classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from interlingua.batches.buckets import IntArray, plan
from interlingua.batches.tokens import Tokenized, pad
from interlingua.models.heads import Head
from interlingua.objectives.cross_entropy import cross_entropy
from interlingua.tasks.metrics.resampled import of_rows

if TYPE_CHECKING:
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.settings import LoopSettings

_VALIDATION_TOKENS = 4096


class Part:
    """Rows with their token ids and classes."""

    def __init__(self, tokens: Tokenized, label_ids: NDArray[np.int64], ids: list[str]) -> None:
        self.tokens = tokens
        self.labels = label_ids
        self.ids = ids


class ClassifierLearner:
    """An encoder with a linear head, trained by cross-entropy.

    Args:
        encoder: Token ids to vectors [B, D].
        head: Where the head starts; a fitted probe keeps the encoder from being torn about in the
            first steps (Kumar et al., ICLR 2022).
        train: Training rows.
        validation: Rows the score is computed on.
        settings: Rates, dropout and precision.
        metric: The task's metric.
        pad_id: The tokenizer's padding id.
        device: Where to compute.
        bfloat16: Whether the forward pass runs in bfloat16.
    """

    def __init__(  # noqa: PLR0913 - all of a learner's parts
        self,
        encoder: PooledEncoder,
        head: Head,
        *,
        train: Part,
        validation: Part,
        settings: LoopSettings,
        metric: str,
        pad_id: int,
        device: torch.device,
        bfloat16: bool,
    ) -> None:
        self.encoder = encoder.to(device)
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
        self.device = device
        self.bfloat16 = bfloat16
        for parameter in self.encoder.parameters():
            parameter.requires_grad_(True)
        if settings.freeze_embeddings:
            embeddings: nn.Module = self.encoder.encoder.get_input_embeddings()  # type: ignore[operator]
            embeddings.requires_grad_(False)

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """Trained parameters by name: the encoder's, then the head's."""
        named = [(f"encoder.{n}", p) for n, p in self.encoder.encoder.named_parameters()]
        named += [(f"head.{n}", p) for n, p in self.head.named_parameters()]
        return {name: p for name, p in named if p.requires_grad}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Matrices decay, vectors do not; the head has a rate of its own."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters().items():
            head = name.startswith("head.")
            rate = self.settings.head_learning_rate if head else self.settings.learning_rate
            decay = self.settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        return [{"params": p, "lr": r, "weight_decay": d} for (r, d), p in groups.items()]

    def lengths(self) -> IntArray:
        """Tokens of each training row [N]."""
        return self.train.tokens.lengths

    def row_ids(self, rows: IntArray) -> list[str]:
        """Ids of training rows."""
        return [self.train.ids[row] for row in rows]

    def training_mode(self, on: bool) -> None:
        """Switch dropout on or off."""
        for module in (self.encoder, self.head, self.dropout):
            module.train(on)

    def loss(self, rows: IntArray) -> Tensor:
        """Summed cross-entropy of some training rows, in nats."""
        labels = torch.from_numpy(self.train.labels[rows]).to(self.device)
        return cross_entropy(self._logits(self.train, rows), labels) * len(rows)

    @torch.inference_mode()
    def score(self) -> float:
        """The task's metric on the validation rows."""
        predicted = np.zeros(len(self.validation.labels), dtype=np.int64)
        for rows in plan(self.validation.tokens.lengths, token_budget=_VALIDATION_TOKENS):
            predicted[rows] = self._logits(self.validation, rows).argmax(dim=1).cpu().numpy()
        return of_rows(self.metric, self.validation.labels, predicted, classes=len(self.labels))

    def fitted_head(self) -> Head:
        """The head as it stands."""
        weight, bias = (p.detach().float().cpu().numpy() for p in self.head.parameters())
        return Head(weight, bias, self.labels)

    def _logits(self, part: Part, rows: IntArray) -> Tensor:
        ids, mask = pad([part.tokens.input_ids[row] for row in rows], self.pad_id, multiple=8)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            features = self.encoder(
                torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device)
            )
        logits: Tensor = self.head(self.dropout(features.float()))
        return logits
