"""How fast the very model of a recipe is here: a few of its steps, and nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.progress import say
from interlingua.training.cost.load import Load, of_question
from interlingua.training.cost.machine import wait
from interlingua.training.cost.of_align import AlignSample, batch_of
from interlingua.training.cost.of_finetune import FinetuneSample, of_lengths, planned
from interlingua.training.distributed import processes

if TYPE_CHECKING:
    from interlingua.training.align.settings import AlignRecipe
    from interlingua.training.cost.of_pretrain import Sample
    from interlingua.training.loop import Learner
    from interlingua.training.pretrain_settings import PretrainRecipe
    from interlingua.training.settings import LoopSettings

SECONDS = 15.0
"""How long steps are measured, the first one not counted."""
_STEPS = 12
_ENCODED_ROWS = 256
_MOST_PARAMETERS = 1_500_000_000
_PESSIMISTIC = 0.25  # share of the matrix-multiply rate that a step reaches at least


@dataclass(frozen=True, slots=True)
class Timed:
    """Steps that were run: how many, and their operations, tokens and seconds."""

    steps: int
    flops: int
    tokens: int
    seconds: float


def worth_running(load: Load, *, rate: float, memory: int, limit: int) -> bool:
    """Whether two steps, or some rows of a frozen encoder, fit into memory and half a minute."""
    if load.architecture.total > _MOST_PARAMETERS or memory > 0.8 * limit:
        return False
    if load.steps:
        work = 2 * max(load.architecture.step(batch, load.trained) for batch in load.batches)
    else:
        rows = sum(batch.rows for batch in load.passes[0].batches)
        work = round(load.forward_flops * min(1.0, _ENCODED_ROWS / rows))
    return work / (_PESSIMISTIC * rate) < 2 * SECONDS


def time_pretrain(recipe: PretrainRecipe, sample: Sample, folder: Path) -> Timed:
    """Run a few steps of a pretraining recipe on the sampled texts.

    Args:
        recipe: The recipe.
        sample: Its sample, with a tokenizer and texts.
        folder: Where a model that is to be made is written meanwhile.
    """
    from interlingua.models.folder import open_model
    from interlingua.models.scratch import write_new
    from interlingua.training.corpus_run import Start
    from interlingua.training.pretrain import Plan, learner_of
    from interlingua.training.pretrain_data import Stores

    say("running a few steps of the model")
    assert sample.start is not None
    new = recipe.model.new
    start = sample.start
    if new is not None:
        write_new(folder / "start", new, seed=recipe.training.seed)
        start = Start.of(open_model(folder / "start"))
    with processes() as group:
        stores = {name: Stores(of.train, None) for name, of in sample.stores.items()}
        learner = learner_of(Plan(recipe, None, None), start, stores, group)
        batches = learner.batches(0, recipe.training.seed)

        def sizes(step: int) -> tuple[int, int]:
            batch = of_question(learner.question(batches[step], step))
            return sample.load.architecture.step(batch, sample.load.trained), batch.tokens

        return _timed(learner, recipe.training, batches, sizes, folder)


def time_align(recipe: AlignRecipe, sample: AlignSample, folder: Path) -> Timed:
    """Run a few steps of an alignment recipe on the sampled rows."""
    from interlingua.training.align.build import learner_of, prepare

    say("running a few steps of the model")
    few = {"steps": _STEPS + 1, "validate_every": _STEPS + 1}
    settings = recipe.training.model_copy(update=few)
    short = recipe.model_copy(update={"training": settings})
    with processes() as group:
        learner = learner_of(short, sample.start, sample.given, group)
        prepare(learner, short, sample.given, group, folder)
        draws = learner.mixture.draws(0, settings.steps)

        def sizes(step: int) -> tuple[int, int]:
            batch = batch_of(recipe, sample.given, learner.mixture, draws[step])
            return sample.load.architecture.step(batch, sample.load.trained), batch.tokens

        batches: list[Any] = learner.batches(0, settings.seed)
        return _timed(learner, settings, batches, sizes, folder)


def time_finetune(sample: FinetuneSample, folder: Path) -> Timed:
    """Run a few steps of a fine-tuning recipe, or encode some rows where the encoder is frozen."""
    say("running a few steps of the model")
    return _encoded(sample) if not sample.load.steps else _taught(sample, folder)


def _taught(sample: FinetuneSample, folder: Path) -> Timed:
    lesson, load = sample.lesson, sample.load
    settings: Any = getattr(lesson.recipe.training, lesson.strategy)
    rows = lesson.train.select(np.arange(len(lesson.train.rows)) < 20 * settings.max_rows)
    with processes() as group:
        learner = lesson.learner(settings, rows, rows, group=group, head=lesson.blank_head())
        batches = learner.batches(0, lesson.seed)

        def sizes(step: int) -> tuple[int, int]:
            batch = of_lengths(learner.lengths[batches[step]])
            return load.architecture.step(batch, load.trained), batch.tokens

        return _timed(learner, settings, batches, sizes, folder)


def _timed(
    learner: Learner,
    settings: LoopSettings,
    batches: list[Any],
    sizes: Callable[[int], tuple[int, int]],
    folder: Path,
) -> Timed:
    """Run steps until there are enough or time is up; the first warms up and does not count."""
    from interlingua.training.loop import Loop

    with processes() as group:
        loop = Loop(learner, settings, folder=folder, seed=0, fingerprint={}, processes=group)
        flops = tokens = count = 0
        seconds = 0.0
        for step, rows in enumerate(batches[: _STEPS + 1]):
            loop.progress.step = step
            started = time.perf_counter()
            loop.step(rows, len(batches))
            wait(group.device)
            spent = time.perf_counter() - started
            if step or len(batches) == 1:
                found = sizes(step)
                flops, tokens, count = flops + found[0], tokens + found[1], count + 1
                seconds += spent
            if seconds > SECONDS:
                break
    return Timed(count, flops, tokens, seconds)


def _encoded(sample: FinetuneSample) -> Timed:
    """Encode the first rows, as the run will encode all."""
    from interlingua.batches.buckets import plan
    from interlingua.batches.tokens import pad
    from interlingua.inference.choose import open_engine

    lesson, load = sample.lesson, sample.load
    rows = lesson.train.select(np.arange(len(lesson.train.rows)) < _ENCODED_ROWS)
    engine = open_engine(lesson.folder, rows=len(rows.rows))
    ids, pad_id = lesson.input_ids(rows), lesson.folder.pad_id
    divided = plan([len(row) for row in ids], token_budget=engine.token_budget)
    padded = [pad([ids[i] for i in batch], pad_id) for batch in divided]
    engine.run(*padded[-1])
    started = time.perf_counter()
    for _ in engine.run_many(padded):
        pass
    seconds = time.perf_counter() - started
    batches = planned(np.array([len(row) for row in ids], dtype=np.int64))
    flops = sum(load.architecture.forward(batch) for batch in batches)
    return Timed(0, flops, sum(batch.tokens for batch in batches), seconds)


__all__ = ["SECONDS", "Timed", "time_align", "time_finetune", "time_pretrain", "worth_running"]
