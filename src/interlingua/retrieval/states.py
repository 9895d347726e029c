"""The states of a text's subwords at some layers of an encoder.

Legend: I subwords, K layers, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import UsageError
from interlingua.base.progress import track
from interlingua.batches.buckets import plan, plan_equal
from interlingua.batches.tokens import pad
from interlingua.models.folder import ModelFolder

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

LAYER = 7
"""Where words of two languages are most alike, of a model of 12 layers; as many twelfths of others.

The starter's best on the development parts of XL-WA in three languages. SimAlign has 8 for mBERT
and XLM-R."""
_TOKENS, _ROWS = 4096, 32
"""Of a batch, at most."""


def layer_of(folder: ModelFolder, layer: int | None = None) -> int:
    """The layer that is asked for, or `LAYER` twelfths of a model's.

    Raises:
        UsageError: The model has no such layer.
    """
    depth = folder.depth or 12
    layer = round(depth * LAYER / 12) if layer is None else layer
    if not 0 <= layer <= depth:
        raise UsageError(f"--layer {layer}: {folder.path} has {depth} layers")
    return layer


class SubwordStates:
    """An encoder, ready to tell the states of subwords.

    Args:
        folder: Any encoder.
        fast: bfloat16 where the hardware has it.
        exact: No padding, so that states do not depend on a text's companions.
    """

    def __init__(self, folder: ModelFolder, *, fast: bool = False, exact: bool = False) -> None:
        from interlingua.inference.hardware import bfloat16_is_native, device
        from interlingua.models.encoder import load_encoder

        self._pad = folder.pad_id
        self._device = device()
        half = fast and bfloat16_is_native(self._device)
        model: Any = load_encoder(folder, dtype="bfloat16" if half else "float32")
        self._model = model.to(self._device)
        self._plan = plan_equal if exact else plan

    def of(
        self, rows: Sequence[Ints], layers: Sequence[int], *, told: str
    ) -> Iterator[tuple[int, Floats]]:
        """Every row's number and states [K, I, D], those of special tokens among them; by length.

        Args:
            rows: Token ids [I] each, special ones included.
            layers: Hidden states wanted, 0 being the embeddings [K].
            told: What is being done, for the progress bar.
        """
        lengths = [len(ids) for ids in rows]
        with track(told, len(rows), unit="sentences") as bar:
            for batch in self._plan(lengths, token_budget=_TOKENS, max_rows=_ROWS):
                numbers = batch.tolist()
                yield from zip(numbers, self._run([rows[i] for i in numbers], layers), strict=True)
                bar.advance(len(numbers))

    def _run(self, rows: Sequence[Ints], layers: Sequence[int]) -> Iterator[Floats]:
        import torch

        input_ids, mask = pad(rows, self._pad)
        with torch.inference_mode():
            out = self._model(
                input_ids=torch.from_numpy(input_ids).to(self._device),
                attention_mask=torch.from_numpy(mask).to(self._device),
                output_hidden_states=True,
            )
        states = torch.stack([out.hidden_states[layer] for layer in layers]).float().cpu().numpy()
        for row, ids in enumerate(rows):
            yield states[:, row, : len(ids)]
