"""The model in PyTorch: exact in float32, quick to start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from interlingua.base.errors import UsageError
from interlingua.inference.engine import Batch
from interlingua.inference.hardware import bfloat16_is_native, device
from interlingua.models.folder import ModelFolder
from interlingua.models.info import Outputs
from interlingua.models.native import load_module


class TorchEngine:
    """Runs a model on the processor or a GPU.

    Args:
        folder: The model.
        precision: ``auto`` is bfloat16 where the hardware has it.
        outputs: ``vectors``, or ``tokens`` for the native head's logits.
    """

    name = "torch"

    def __init__(
        self, folder: ModelFolder, *, precision: str, outputs: Outputs = "vectors"
    ) -> None:
        if precision == "int8":
            raise UsageError("torch runs in float32 or bfloat16", remedy="Use --engine openvino")
        self.device = device()
        native = precision == "auto" and bfloat16_is_native(self.device)
        self.precision = "bfloat16" if native or precision == "bfloat16" else "float32"
        self.token_budget = 16384 if self.device.type == "cuda" else 1024
        self.model = load_module(folder, outputs, dtype=self.precision).to(self.device)

    @torch.inference_mode()
    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Vectors float32 [B, D] of one batch, or logits [B, L, C]."""
        found = self.model(
            torch.from_numpy(input_ids).to(self.device),
            torch.from_numpy(attention_mask).to(self.device),
        )
        return np.asarray(found.float().cpu().numpy(), dtype=np.float32)

    def run_many(self, batches: Iterable[Batch]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The same of many batches, in order."""
        for i, (input_ids, attention_mask) in enumerate(batches):
            yield i, self.run(input_ids, attention_mask)
