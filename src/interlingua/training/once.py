"""Teach what was not taught yet: a finished run is recognised, an interrupted one goes on.

Beside the model folder lies ``teaching.json`` with the fingerprint of what was asked for: the
resolved recipe and the bytes of its files. Two tasks that ask for the very same model share it, by
a link.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import CheckpointError
from interlingua.base.files import read_json_file, sha256_file, write_json
from interlingua.base.progress import say
from interlingua.training.finetune import run_finetune
from interlingua.training.output import begun
from interlingua.training.settings import FinetuneRecipe

TEACHING = "teaching.json"


@dataclass(frozen=True, slots=True)
class Teaching:
    """A model that was taught.

    Attributes:
        model: Its folder.
        rows: Training rows.
        seconds: What it took, over all times it was resumed.
        shared: Whether it was taught for another task.
    """

    model: Path
    rows: int
    seconds: float
    shared: bool


def fingerprint(recipe: FinetuneRecipe) -> str:
    """What tells one model from another before it is taught: settings and training files.

    Settings that are as they come do not count, so that one which a later version adds does not
    make a finished model another.
    """
    document = recipe.model_dump(mode="json", exclude_defaults=True)
    for name in ("train", "validation"):
        document["data"][name] = [sha256_file(path) for path in getattr(recipe.data, name)]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def taught_before(wanted: str, folder: Path) -> bool:
    """Whether the model of a fingerprint lies in the folder of a task, finished."""
    return _read(folder).get("fingerprint") == wanted and _finished(folder / "model")


def teach_once(recipe: FinetuneRecipe, folder: Path, *, others: Iterable[Path] = ()) -> Teaching:
    """Teach a model into ``folder/model``, unless that has been done.

    Args:
        recipe: What to teach.
        folder: The folder of the task.
        others: Folders of other tasks, one of which may hold the very same model.

    Raises:
        CheckpointError: Another model lies there.
        UserError: The recipe or its data cannot be used.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    wanted = fingerprint(recipe)
    target, known = folder / "model", _read(folder)
    if known and known["fingerprint"] != wanted:
        raise CheckpointError(
            f"{target} was taught with other settings or data",
            remedy="Choose another --out, or remove that folder",
        )
    if known and _finished(target):
        return Teaching(target, int(known["rows"]), float(known["seconds"]), bool(known["shared"]))
    for other in others:
        if other != folder and taught_before(wanted, other):
            return _link(folder, other, _read(other))
    write_json(folder / TEACHING, _facts(wanted, 0, 0.0, shared=False))
    resume = begun(target) and not _finished(target)
    if resume:
        say(f"going on with the unfinished run in {target}")
    taught = run_finetune(recipe, out=target, resume=resume)
    seconds = max(taught.seconds, _logged(target))
    write_json(folder / TEACHING, _facts(wanted, taught.rows, seconds, shared=False))
    return Teaching(target, taught.rows, seconds, shared=False)


def _facts(wanted: str, rows: int, seconds: float, *, shared: bool) -> dict[str, Any]:
    return {
        "fingerprint": wanted,
        "rows": rows,
        "seconds": round(seconds, 1),
        "shared": shared,
    }


def _link(folder: Path, other: Path, same: dict[str, Any]) -> Teaching:
    """The model of another task, under this one's name too."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "model"
    if target.is_symlink():
        target.unlink()
    target.symlink_to(Path("..") / other.name / "model", target_is_directory=True)
    rows = int(same["rows"])
    write_json(folder / TEACHING, _facts(same["fingerprint"], rows, 0.0, shared=True))
    say(f"{folder.name} shares the model of {other.name}")
    return Teaching(target, rows, 0.0, shared=True)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / TEACHING
    return read_json_file(path) if path.is_file() else {}


def _finished(model: Path) -> bool:
    return (model / "config.json").is_file()


def _logged(model: Path) -> float:
    """Seconds that a run by gradient tells of itself."""
    from interlingua.training.cost.actual import LOG, spent

    return spent(model).seconds if (model / LOG).is_file() else 0.0


__all__ = ["TEACHING", "Teaching", "fingerprint", "taught_before", "teach_once"]
