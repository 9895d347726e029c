"""The folder a run writes: locked, never mixed with another run's files, whole or not a model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interlingua.base.errors import CheckpointError, UsageError
from interlingua.base.files import disk_errors, file_lock
from interlingua.training.checkpoint import checkpoints

OURS = {"interlingua.json", "checkpoints", "logs", "recipe.yaml", ".lock"}
_LAST = "config.json"


def begun(out: Path) -> bool:
    """Whether a folder holds a run with a checkpoint, which another run can go on from."""
    return bool(checkpoints(out / "checkpoints"))


def check_free(out: Path, *, resume: bool) -> None:
    """Refuse an output folder that holds something else, or an unfinished run.

    A finished model of ours is replaced when the new one is done; what a run leaves that was
    killed before its first checkpoint is no run.

    Raises:
        UsageError: ``out`` is a file, or a folder with foreign files.
        CheckpointError: An unfinished run lies there, or, to resume, none does.
    """
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            inside = f"--out {out} is" if place == out else f"--out {out}: {place} is"
            raise UsageError(f"{inside} a file", remedy="Name a folder")
    names = {path.name for path in out.iterdir()} if out.exists() else set()
    if resume:
        if not begun(out):
            raise CheckpointError(f"no run to resume in {out}", remedy="Start without --resume")
    elif begun(out) and _LAST not in names:
        raise CheckpointError(
            f"{out} holds an unfinished run", remedy="Add --resume, or choose another --out"
        )
    elif names and not names & OURS:
        raise UsageError(
            f"--out {out} holds other files ({', '.join(sorted(names)[:3])})",
            remedy="Choose a new or empty folder",
        )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the run's folder alone; the lock of a dead process is taken over by itself.

    Raises:
        UsageError: Another process is writing there.
        DiskError: The folder cannot be made.
    """
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    with file_lock(out / ".lock") as held:
        if not held:
            raise UsageError(
                f"another process is writing to {out}",
                remedy="Wait for it, or choose another --out",
            )
        yield


def start_over(out: Path) -> None:
    """Remove what an earlier finished run left in the folder, before the first checkpoint."""
    (out / _LAST).unlink(missing_ok=True)
    for name in ("checkpoints", "logs"):
        shutil.rmtree(out / name, ignore_errors=True)


def publish(staged: Path, out: Path) -> None:
    """Move a finished model into the run's folder; ``config.json`` comes last.

    A folder without it is no model, so that nothing half-moved can be opened.
    """
    with disk_errors(out):
        (out / _LAST).unlink(missing_ok=True)
        for path in sorted(staged.iterdir(), key=lambda p: p.name == _LAST):
            target = out / path.name
            if target.is_dir():
                shutil.rmtree(target)
            path.replace(target)
