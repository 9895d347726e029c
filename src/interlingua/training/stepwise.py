"""What learners over a mixture share: a run of so many steps, each of one objective's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.batches.buckets import IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from interlingua.batches.mixture import Mixture
    from interlingua.training.settings import StepwiseSettings


class StepwiseLearner:
    """Parameters, steps and batches of a learner that draws from several sources.

    Args:
        trained: The trained parameters by name.
        mixture: Which rows each step takes.
        settings: How long and at which rate.
    """

    settings: StepwiseSettings

    def __init__(
        self,
        trained: dict[str, torch.nn.Parameter],
        mixture: Mixture,
        settings: StepwiseSettings,
    ) -> None:
        self.trained = trained
        self.mixture = mixture
        self.settings = settings
        sizes = [len(source.lengths) for source in mixture.sources]
        self.bases = np.cumsum([0, *sizes])

    def named_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Trained parameters by name."""
        return self.trained

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Matrices decay, vectors do not."""
        groups = []
        for matrices, decay in ((True, self.settings.weight_decay), (False, 0.0)):
            chosen = [p for p in self.trained.values() if (p.ndim > 1) == matrices]
            rate = self.settings.learning_rate
            groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
        return [group for group in groups if group["params"]]

    def state(self) -> dict[str, Tensor]:
        """Nothing changes beside the parameters."""
        return {}

    def size(self, rows: IntArray) -> int:
        """Tokens of a batch."""
        index, own = self.source_of(rows)
        return int(self.mixture.sources[index].lengths[own].sum())

    def epochs(self) -> int:
        """Stretches between validations."""
        return -(-self.settings.steps // self.settings.validate_every)

    def steps(self, seed: int) -> int:
        """Updates, as the settings say."""
        del seed
        return self.settings.steps

    def batches(self, epoch: int, seed: int) -> list[IntArray]:
        """The rows of each step of a stretch, counted through over all sources."""
        del seed  # the mixture has it
        first = epoch * self.settings.validate_every
        last = min(first + self.settings.validate_every, self.settings.steps)
        return [draw.rows + self.bases[draw.source] for draw in self.mixture.draws(first, last)]

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is frozen or thawed on the way."""

    def source_of(self, rows: IntArray) -> tuple[int, IntArray]:
        """The source that a batch is of, and its rows counted within it."""
        index = int(np.searchsorted(self.bases, rows[0], side="right")) - 1
        return index, rows - self.bases[index]
