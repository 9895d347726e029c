"""Run what a plan allows, one folder a task; what is finished is not run again.

A finished task has ``manifest.json`` with the fingerprint of its model, its files and its settings,
and the sha256 of what was written. Whatever changes one of them makes it run again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import ModelError
from interlingua.base.files import MANIFEST, check_manifest, read_json_file, sha256_file, write_json
from interlingua.base.progress import say
from interlingua.evaluation.evaluate import Run, score_files
from interlingua.evaluation.records import Scorecard
from interlingua.evaluation.scorecard import SCORECARD, read
from interlingua.evaluation.suite.plan import PartPlan
from interlingua.models.folder import ModelFolder, open_model

_NOT_SCORED = {"model", "teaching.json", MANIFEST}


@dataclass(frozen=True, slots=True)
class Taught:
    """A model for one task: its folder, its training rows, and the seconds teaching took."""

    model: Path
    rows: int
    seconds: float


Teach = Callable[[PartPlan], Taught]
"""Teaches a model a task, or says what was taught before."""


@dataclass(frozen=True, slots=True)
class Done:
    """One task, scored.

    Attributes:
        plan: What was planned.
        card: Its scorecard.
        train_rows: Rows the model was taught with; None: none, or it does not tell.
        seconds: What teaching and scoring took, by those names.
        skipped: Whether it was scored before.
    """

    plan: PartPlan
    card: Scorecard
    train_rows: int | None
    seconds: dict[str, float]
    skipped: bool = False


def run(
    plans: Sequence[PartPlan],
    *,
    model: str | Path,
    out: Path,
    settings: Run,
    teach: Teach | None = None,
) -> list[Done]:
    """Teach and score every task that can be run, in order.

    Args:
        plans: What is there.
        model: An encoder; or, without ``teach``, a model taught a task, or the folder of an earlier
            run, whose models are taken.
        out: The folder of all tasks.
        settings: Engine and seed.
        teach: Makes the model of a task; None: ``model`` is taken as it is.

    Raises:
        UserError: A model or a file cannot be used; what was finished before stays.
    """
    done = []
    for plan in plans:
        if plan.problem:
            say(f"{plan.part.name}: left out, {plan.problem}")
            continue
        say(f"{plan.part.name}: {len(plan.files)} files, {sum(plan.rows.values()):,} rows")
        taught = teach(plan) if teach is not None and plan.taught else None
        place = model_of(plan, model) if taught is None else taught.model
        done.append(_score(plan, open_model(place), taught, out / plan.part.name, settings))
    return done


def model_of(plan: PartPlan, model: str | Path) -> str | Path:
    """The model of a task in the folder of an earlier run, or the model given.

    Raises:
        ModelError: It was not taught the task.
    """
    earlier = Path(model) / plan.part.name / "model"
    place = earlier if earlier.is_dir() else model
    if plan.taught and open_model(place).info.task != plan.part.task:
        raise ModelError(
            f"{model} was not taught {plan.part.task}, which {plan.part.name} is",
            remedy=f"Add --train, or name what it can do: --tasks, instead of {plan.part.name}",
        )
    return place


def _score(
    plan: PartPlan, folder: ModelFolder, taught: Taught | None, out: Path, settings: Run
) -> Done:
    wanted = _fingerprint(plan, folder, settings)
    rows = taught.rows if taught is not None else sum(file.rows for file in folder.info.data)
    train_rows = (rows or None) if plan.taught else None
    seconds = {"teaching": round(taught.seconds, 1)} if taught is not None else {}
    known = read_json_file(out / MANIFEST) if (out / MANIFEST).is_file() else {}
    if known.get("fingerprint") == wanted and not check_manifest(out):
        say(f"{plan.part.name}: done before")
        seconds["scoring"] = float(known["seconds"])
        return Done(plan, read(out / SCORECARD), train_rows, seconds, skipped=True)
    (out / MANIFEST).unlink(missing_ok=True)
    started = time.monotonic()
    card = score_files(plan.dataset, plan.files, folder, out=out, run=settings)
    seconds["scoring"] = round(time.monotonic() - started, 1)
    files = {
        path.relative_to(out).as_posix(): {
            "sha256": sha256_file(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] not in _NOT_SCORED
    }
    manifest = {"files": files, "fingerprint": wanted, "seconds": seconds["scoring"]}
    write_json(out / MANIFEST, manifest)
    return Done(plan, card, train_rows, seconds)


def _fingerprint(plan: PartPlan, folder: ModelFolder, settings: Run) -> str:
    """What a scorecard depends on."""
    head = folder.path / "head.safetensors"
    facts = {
        "task": plan.part.name,
        "model": folder.fingerprint,
        "head": sha256_file(head) if head.is_file() else "",
        "files": [[file.lang, file.split, sha256_file(file.path)] for file in plan.files],
        "engine": settings.engine,
        "exact": settings.exact,
        "seed": settings.seed,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
