"""How long a benchmark of several tasks will take here: teaching and scoring, task by task.

The first task that is to be taught is measured by a few of its steps; the others have their
operations divided by that rate. Nothing to be taught: the rate is a share of a matrix product.
Scoring is counted from a sample of the rows: their tokens, forward once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from interlingua.batches.tokens import tokenize
from interlingua.models.folder import ModelFolder
from interlingua.training.cost.architecture import Batch, architecture_of
from interlingua.training.cost.predict import CostSettings, predict
from interlingua.training.settings import FinetuneRecipe


@dataclass(frozen=True, slots=True)
class Chore:
    """One task of a benchmark.

    Attributes:
        name: Its name.
        recipe: What is to be taught first; None: nothing, or it has been.
        samples: Texts of some rows to be scored on, by language.
        rows: How many rows there are, by language.
    """

    name: str
    recipe: FinetuneRecipe | None
    samples: Mapping[str, Sequence[str]]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds a task will take, and what the rate comes from."""

    teaching: float
    scoring: float
    basis: str


def expected(chores: Sequence[Chore], folder: ModelFolder) -> dict[str, Expected]:
    """What every task will take.

    Args:
        chores: The tasks.
        folder: The model they begin with.

    Raises:
        UserError: A recipe or its data cannot be used.
    """
    operations: dict[str, float] = {}
    rate, basis = 0.0, ""
    for chore in chores:
        if chore.recipe is None:
            continue
        measure = "none" if rate else "steps"
        found = predict(chore.recipe, CostSettings(measure=measure))
        operations[chore.name] = float(found.load.flops)
        if found.here is not None:
            rate, basis = found.here.flops_per_second, f"{chore.name}: {found.here.basis}"
    if not rate:
        rate, basis = _share_of_product()
    return {
        chore.name: Expected(
            operations.get(chore.name, 0.0) / rate,
            scoring_operations(folder, chore.samples, chore.rows) / rate,
            basis,
        )
        for chore in chores
    }


def scoring_operations(
    folder: ModelFolder, samples: Mapping[str, Sequence[str]], rows: Mapping[str, int]
) -> float:
    """Operations of one forward pass over all rows, judged by the tokens of some.

    Args:
        folder: The model.
        samples: Texts of some rows, by language.
        rows: How many rows there are, by language.
    """
    architecture = architecture_of(folder.config).encoder()
    tokenizer = folder.tokenizer()
    total = 0.0
    for lang, texts in samples.items():
        if not texts:
            continue
        lengths = tokenize(tokenizer, texts, max_length=folder.info.max_length).lengths
        length = int(np.ceil(lengths.mean()))
        batch = Batch(rows[lang], length, 0, 0, rows[lang] * length)
        total += architecture.forward(batch)
    return total


def _share_of_product() -> tuple[float, str]:
    from interlingua.inference.hardware import device
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.cost.machine import matmul_rate
    from interlingua.training.settings import FullSettings

    here = device()
    bfloat16 = Arithmetic.of(FullSettings(), here).bfloat16
    share = CostSettings().utilisation
    return share * matmul_rate(here, bfloat16=bfloat16), (
        f"{share:.0%} of a measured matrix product"
    )


__all__ = ["Chore", "Expected", "expected", "scoring_operations"]
