"""Checkpoints that are whole or refused: safetensors, JSON, and a manifest of sha256.

A checkpoint is a folder ``step-000120`` with ``model.safetensors`` (what is trained),
``kept.safetensors`` (the same at the best validation so far), ``optimizer.safetensors``,
``state.json`` (position, random states, scores) and ``manifest.json``. It is written beside its
place and renamed; a torn or altered one is found before training and the one before it is taken.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import CheckpointError
from interlingua.base.files import (
    atomic_folder,
    check_manifest,
    read_json_file,
    write_json,
    write_manifest,
)
from interlingua.base.progress import say

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, "Tensor"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint holds: tensors by name, and plain JSON values."""

    model: Tensors
    kept: Tensors
    optimizer: Tensors
    state: dict[str, Any]


def save_checkpoint(
    folder: Path,
    step: int,
    *,
    model: Tensors,
    kept: Tensors,
    optimizer: Tensors,
    state: dict[str, Any],
) -> Path:
    """Write a checkpoint, whole or not at all.

    Args:
        folder: The run's ``checkpoints`` folder.
        step: Updates done so far.
        model: Trained tensors by name.
        kept: The same at the best validation so far, or their running mean; may be empty.
        optimizer: The optimizer's tensors by name.
        state: What else is needed to go on: plain JSON values.

    Raises:
        DiskError: The disk refused a write; earlier checkpoints are untouched.
    """
    from safetensors.torch import save_file

    target = folder / f"step-{step:06d}"
    with atomic_folder(target) as temporary:
        for name, tensors in (("model", model), ("kept", kept), ("optimizer", optimizer)):
            save_file(_contiguous(tensors), temporary / f"{name}.safetensors")
        write_json(temporary / "state.json", {**state, "step": step})
        write_manifest(temporary)
    return target


def _contiguous(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first; unfinished ones do not count."""
    return sorted(folder.glob("step-[0-9]*"), reverse=True)


def latest_valid(folder: Path) -> Path:
    """The newest checkpoint whose files are as they were written.

    Raises:
        CheckpointError: There is none; a run never starts again from nothing in silence.
    """
    found = checkpoints(folder)
    for candidate in found:
        faults = check_manifest(candidate)
        if not faults:
            return candidate
        say(f"warning: {candidate} is damaged ({'; '.join(faults)}): trying the one before")
    if found:
        raise CheckpointError(
            f"all {len(found)} checkpoints in {folder} are damaged",
            remedy="Start again with another --out",
        )
    raise CheckpointError(f"no checkpoint in {folder}", remedy="Start without --resume")


def load_checkpoint(checkpoint: Path) -> Checkpoint:
    """Read a checkpoint that was found valid."""
    from safetensors.torch import load_file

    model, kept, optimizer = (
        load_file(checkpoint / f"{name}.safetensors") for name in ("model", "kept", "optimizer")
    )
    return Checkpoint(model, kept, optimizer, read_json_file(checkpoint / "state.json"))


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest ``keep`` checkpoints."""
    for old in checkpoints(folder)[keep:]:
        shutil.rmtree(old)
