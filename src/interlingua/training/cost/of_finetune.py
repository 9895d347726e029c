"""What a fine-tuning recipe has to do: its rows are read and tokenized, nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, padded_length, plan, shuffled_plan
from interlingua.tasks.examples import Examples
from interlingua.training.cost.architecture import Batch, Trained, architecture_of
from interlingua.training.cost.load import Load, Passes
from interlingua.training.lesson import Lesson, prepare
from interlingua.training.settings import (
    FinetuneRecipe,
    FullSettings,
    LoraSettings,
    TeachingSettings,
)

_MULTIPLE = 8
_FEATURE_TOKENS = 4096
_HELD_OUT = 0.1


@dataclass(frozen=True, slots=True)
class FinetuneSample:
    """A fine-tuning recipe, read: what it has to do, its rows, and the tokens of each [N]."""

    load: Load
    lesson: Lesson[Any]
    lengths: IntArray


def sample_finetune(recipe: FinetuneRecipe) -> FinetuneSample:
    """Read a recipe's rows and see what the run has to do.

    Raises:
        UserError: The recipe, its data or its model cannot be used.
    """
    lesson = prepare(recipe)
    train = lesson.input_ids(lesson.taught(lesson.train))
    lengths = np.array([len(ids) for ids in train], dtype=np.int64)
    strategy = lesson.strategy
    if strategy in ("probe", "head"):
        return FinetuneSample(_frozen(lesson, lengths), lesson, lengths)
    settings = getattr(recipe.training, strategy)
    assert isinstance(settings, FullSettings | LoraSettings)
    rows = 0
    if isinstance(settings, FullSettings) and settings.embeddings == "rows":
        rows = len(np.unique(np.concatenate(train)))
    rank = settings.rank if isinstance(settings, LoraSettings) else 0
    load = _trained(lesson, settings, lengths, Trained(False, rank, rows))
    return FinetuneSample(load, lesson, lengths)


def _trained(
    lesson: Lesson[Any], settings: TeachingSettings, lengths: IntArray, trained: Trained
) -> Load:
    """The encoder is trained along: every epoch passes all rows, and then validates."""
    validation = lengths
    own = lengths
    if lesson.validation is not None:
        validation = _lengths(lesson, lesson.validation)
    else:
        own = lengths[: round(len(lengths) * (1 - _HELD_OUT))]
        validation = lengths[len(own) :]
    epoch = shuffled_plan(
        own,
        token_budget=settings.token_budget,
        rng=generator(lesson.seed, "order", 0),
        max_rows=settings.max_rows,
    )
    batches = tuple(of_lengths(own[rows]) for rows in epoch)
    assert isinstance(settings, FullSettings | LoraSettings)
    checks = lesson.recipe.training.runs * settings.epochs * settings.validations
    probe = lengths[: lesson.rows_probed(settings)]
    first = max(batches, key=lambda batch: batch.padded)
    largest = Batch(min(first.rows, settings.micro_rows), first.length, 0, 0, first.tokens)
    return Load(
        "finetune",
        architecture_of(lesson.folder.config).encoder(),
        trained,
        lesson.recipe.training.runs * settings.epochs * len(batches),
        batches,
        largest,
        (Passes(planned(validation), checks), Passes(planned(probe), 1)),
        dropout=settings.encoder_dropout > 0,
        copies=1 + (settings.checkpoint != "last"),  # where it started, and where it was best
        head=_head(lesson),
        note=f"all {len(own):,} training rows; early stopping may end sooner",
    )


def _frozen(lesson: Lesson[Any], lengths: IntArray) -> Load:
    """The encoder stands: every row is encoded once; a head on vectors costs next to nothing."""
    passes = [Passes(planned(lengths), 1)]
    if lesson.validation is not None:
        passes.append(Passes(planned(_lengths(lesson, lesson.validation)), 1))
    return Load(
        "finetune",
        architecture_of(lesson.folder.config).encoder(),
        Trained(False),
        0,
        (),
        max(passes[0].batches, key=lambda batch: batch.padded),
        tuple(passes),
        dropout=False,
        copies=0,
        head=_head(lesson),
        note=f"all {len(lengths):,} training rows, encoded once by a frozen encoder",
    )


def _head(lesson: Lesson[Any]) -> int:
    return len(lesson.labels) * (lesson.features + 1)


def _lengths(lesson: Lesson[Any], rows: Examples[Any]) -> IntArray:
    return np.array([len(ids) for ids in lesson.input_ids(rows)], dtype=np.int64)


def planned(lengths: IntArray) -> tuple[Batch, ...]:
    """Rows that are run forward only, in batches of like length."""
    return tuple(of_lengths(lengths[rows]) for rows in plan(lengths, token_budget=_FEATURE_TOKENS))


def of_lengths(lengths: IntArray) -> Batch:
    """The sizes of a batch of rows."""
    return Batch(
        len(lengths), padded_length(int(lengths.max()), _MULTIPLE), 0, 0, int(lengths.sum())
    )


__all__ = ["FinetuneSample", "of_lengths", "planned", "sample_finetune"]
