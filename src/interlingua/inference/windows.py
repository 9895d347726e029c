"""Logits of every token of many windows: bucketed by length, run, and put back in order.

Legend: W windows, L tokens of a window, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from interlingua.base.progress import track
from interlingua.batches.buckets import plan, plan_equal
from interlingua.batches.tokens import pad
from interlingua.inference.engine import Batch, Engine


def window_logits(
    engine: Engine,
    windows: Sequence[NDArray[np.int32]],
    *,
    pad_id: int,
    exact: bool = False,
    task: str = "Reading",
) -> list[NDArray[np.float32]]:
    """Run an engine that was opened with ``outputs="tokens"`` over windows of token ids.

    Args:
        engine: The engine.
        windows: Token ids of each window, special tokens included [W].
        pad_id: Id of the padding token.
        exact: Batches of equal length only, so that nothing is padded.
        task: What it is called while it goes on.

    Returns:
        Logits float32 [L, C] of each window, in their order.
    """
    lengths = [len(window) for window in windows]
    divide = plan_equal if exact else plan
    batches = divide(lengths, token_budget=engine.token_budget)

    def prepared() -> Iterator[Batch]:
        for rows in batches:
            yield pad([windows[row] for row in rows], pad_id)

    found: dict[int, NDArray[np.float32]] = {}
    with track(task, len(windows), unit="windows") as bar:
        for i, logits in engine.run_many(prepared()):
            for place, row in enumerate(batches[i].tolist()):
                found[row] = logits[place, : lengths[row]]
            bar.advance(len(batches[i]))
    return [found[row] for row in range(len(windows))]
