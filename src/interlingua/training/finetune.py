"""From a recipe to a taught model folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.config import make, put
from interlingua.base.files import atomic_folder
from interlingua.base.seeding import seed_everything
from interlingua.models.folder import ModelInfo
from interlingua.training.lesson import Lesson, prepare
from interlingua.training.output import check_free
from interlingua.training.settings import FinetuneRecipe, Strategy


@dataclass(frozen=True, slots=True)
class Taught:
    """A finished run: the folder, what it says about itself, and the seconds it took."""

    out: Path
    info: ModelInfo
    strategy: str
    rows: int
    rejected: int
    seconds: float


def finetune(  # noqa: PLR0913 - the short form of a recipe
    *,
    task: str,
    train: str | Path | Sequence[str | Path],
    out: str | Path,
    model: str | Path = "starter",
    validation: Sequence[str | Path] = (),
    strategy: Strategy = "auto",
    labels: Sequence[str] = (),
    lang: str | None = None,
    seed: int = 0,
    resume: bool = False,
    settings: Mapping[str, object] | None = None,
) -> Taught:
    """Teach a model a task; the short form of `run_finetune`.

    Args:
        task: The task's name, such as ``topic``.
        train: One file with labelled rows, or several.
        out: The model folder to make.
        model: ``starter``, a folder or a hub id.
        validation: Files to choose by.
        strategy: ``probe``, ``head``, ``lora``, ``full``, or ``auto``: what the task record says.
        labels: The label set, in order.
        lang: The language of the training rows, if their path does not tell.
        seed: One seed for everything.
        resume: Go on with an unfinished run in ``out``.
        settings: Any other setting of a recipe by its name, as ``training.full.epochs``.

    Raises:
        UserError: Something cannot be used; nothing was written.
    """
    files = [train] if isinstance(train, (str, Path)) else list(train)
    values: dict[str, Any] = {
        "model": {"name": str(model)},
        "data": {
            "task": task,
            "train": [str(path) for path in files],
            "validation": [str(path) for path in validation],
            "labels": list(labels),
            "lang": lang,
        },
        "training": {"strategy": strategy, "seed": seed},
    }
    for name, value in (settings or {}).items():
        put(values, name, value)
    return run_finetune(make(FinetuneRecipe, values), out=out, resume=resume)


def run_finetune(recipe: FinetuneRecipe, *, out: str | Path, resume: bool = False) -> Taught:
    """Teach a model what a recipe says and write the model folder.

    Args:
        recipe: What to teach, with what, and how.
        out: The model folder to make.
        resume: Go on with an unfinished run in ``out``.

    Raises:
        UserError: The recipe, data, model or folder cannot be used; nothing was written.
        DiskError: The disk refused a write.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    started = time.monotonic()
    target = Path(out)
    lesson = prepare(recipe)
    check_free(target, resume=resume)
    seed_everything(lesson.seed)
    if lesson.strategy == "probe":
        info = teach_probe(lesson, target)
    else:
        from interlingua.training.gradient import teach_by_gradient

        info = teach_by_gradient(lesson, target, resume=resume)
    return Taught(
        target,
        info,
        lesson.strategy,
        len(lesson.train.rows),
        len(lesson.train.rejected),
        time.monotonic() - started,
    )


def teach_probe(lesson: Lesson[Any], out: Path) -> ModelInfo:
    """Fit a regularised logistic head on a frozen encoder and write the folder."""
    head, scores = lesson.probe()
    info = lesson.described({"strategy": "probe", **scores})
    with atomic_folder(out) as temporary:
        lesson.save(temporary, info, head, encoder=None)
    return info
