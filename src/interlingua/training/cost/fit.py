"""What to change where a run does not fit into memory."""

from __future__ import annotations

from dataclasses import replace

from interlingua.training.cost.architecture import Trained
from interlingua.training.cost.load import Load

_RANK = 16


def remedy(load: Load, limit: int, *, bfloat16: bool, cpu: bool = False) -> str:
    """The mildest change that makes a run fit into ``limit`` bytes.

    In this order: fewer rows at once, which costs time alone; frozen embeddings; low-rank terms;
    a smaller model.
    """
    rows = _rows_that_fit(load, limit, bfloat16=bfloat16, cpu=cpu)
    if rows:
        return f"set micro_rows to {rows}, which accumulates gradients"
    for change, told in (
        (replace(load, trained=replace(load.trained, table=False)), "freeze the embeddings"),
        (replace(load, trained=Trained(table=False, rank=_RANK)), f"train terms of rank {_RANK}"),
    ):
        if not load.steps or change.trained == load.trained or load.trained.rank:
            continue
        if change.memory(bfloat16=bfloat16, cpu=cpu).total <= limit:
            return told
        fewer = _rows_that_fit(change, limit, bfloat16=bfloat16, cpu=cpu)
        if fewer:
            return f"{told} and set micro_rows to {fewer}"
    return "take a smaller model or a larger device"


def _rows_that_fit(load: Load, limit: int, *, bfloat16: bool, cpu: bool) -> int:
    """The largest number of rows at once that fits; 0 if not even one does."""
    fits, fails = 0, load.largest.rows + 1
    while fails - fits > 1:
        rows = (fits + fails) // 2
        share = rows / load.largest.rows
        batch = replace(load.largest, rows=rows, labelled=round(share * load.largest.labelled))
        if replace(load, largest=batch).memory(bfloat16=bfloat16, cpu=cpu).total <= limit:
            fits = rows
        else:
            fails = rows
    return fits if fits < load.largest.rows else 0


__all__ = ["remedy"]
