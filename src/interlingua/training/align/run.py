"""From a recipe to a model folder whose languages lie together."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from interlingua.base.config import dump_recipe
from interlingua.base.seeding import seed_everything
from interlingua.models.folder import ModelInfo, open_model
from interlingua.models.save import parent_name
from interlingua.training.align.build import learner_of, prepare
from interlingua.training.align.given import check_model, files_of, read_given
from interlingua.training.align.settings import AlignRecipe
from interlingua.training.averaging import mix
from interlingua.training.checkpoint import checkpoints
from interlingua.training.corpus_run import (
    WORK,
    Start,
    begun,
    described,
    fingerprint_of,
    publish_model,
)
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop
from interlingua.training.output import check_free

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.training.align.learner import AlignLearner


@dataclass(frozen=True, slots=True)
class Aligned:
    """A finished run: the folder, what it says about itself, its steps and seconds."""

    out: Path
    info: ModelInfo
    steps: int
    rows: int
    seconds: float


def align(recipe: AlignRecipe, *, out: str | Path, resume: bool = False) -> Aligned:
    """Draw the languages of an encoder together and write its folder.

    Args:
        recipe: What to train, on what, and how.
        out: The model folder to make.
        resume: Go on with an unfinished run in ``out``.

    Raises:
        UserError: The recipe, data, model or folder cannot be used.
        CheckpointError: To resume, there is no valid checkpoint, or it is of another run.
        NonFiniteError: The loss is not a number.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    started = time.monotonic()
    target = Path(out)
    pairs, texts = files_of(recipe)
    start = Start.of(open_model(recipe.model.name))
    check_model(recipe, start)
    check_free(target, resume=resume)
    seed_everything(recipe.training.seed)
    read = partial(read_given, recipe, start, pairs, texts)
    with (
        processes() as group,
        begun(target, read, resume=resume) if group.first else nullcontext(),
    ):
        group.wait()
        given = read(target)
        learner = learner_of(recipe, start, given, group)
        before = _measured(learner, group)
        prepare(learner, recipe, given, group, target)
        loop = Loop(
            learner,
            recipe.training,
            folder=target,
            seed=recipe.training.seed,
            fingerprint=fingerprint_of(recipe, texts, pairs, start.folder),
            processes=group,
        )
        with _mixed(learner, recipe.training.parent_share):
            progress = loop.run(resume=resume and bool(checkpoints(target / "checkpoints")))
        scores = {
            "objectives": ", ".join(objective.kind for objective in recipe.objectives),
            "steps": progress.step,
            "pairs": 0 if given.pairs is None else len(given.pairs.lengths),
            "retrieval_accuracy_before": before,
            "retrieval_accuracy": _measured(learner, group),
        }
        info = start.folder.info.model_copy(
            update={
                "parent": parent_name(recipe.model.name, start.folder),
                "source_languages": tuple(given.languages),
                **described(texts, pairs, target),
                "scores": scores,
                "seed": recipe.training.seed,
            }
        )
        if group.first:
            _publish(recipe, info, learner, start, target)
            shutil.rmtree(target / WORK, ignore_errors=True)
        group.wait()
    rows = sum(len(draw.rows) for draw in learner.mixture.draws(0, progress.step))
    return Aligned(target, info, progress.step, rows, time.monotonic() - started)


@contextmanager
def _mixed(learner: AlignLearner, share: float) -> Iterator[None]:
    """In the end, put a share of what the encoder's parameters were into what they have become."""
    named = learner.pooled.encoder.named_parameters()
    trained = {name: parameter for name, parameter in named if parameter.requires_grad}
    parent = {name: p.detach().clone() for name, p in trained.items()} if share else {}
    yield
    if share:
        mix(trained, parent, share=share)


def _measured(learner: AlignLearner, group: Processes) -> dict[str, float]:
    """Accuracy of retrieval as the parameters stand: the mean, and every direction."""
    if not group.first or learner.retrieval is None:
        return {}
    return {"mean": round(learner.score(), 5), **learner.figures()}


def _publish(
    recipe: AlignRecipe, info: ModelInfo, learner: AlignLearner, start: Start, out: Path
) -> None:
    from interlingua.training.trainable import join_rows

    encoder = learner.pooled.encoder.to("cpu").eval()
    join_rows(encoder)
    model = cast("PreTrainedModel", encoder)
    publish_model(model, start.folder, info, dump_recipe(recipe), out)
