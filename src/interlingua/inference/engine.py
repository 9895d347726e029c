"""The protocol of an engine: token ids in, vectors out, or the logits of every token.

Legend: B rows of a batch, L tokens, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from interlingua.base.registry import Registry
from interlingua.models.folder import ModelFolder
from interlingua.models.info import Outputs

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]
"""input_ids [B, L] and attention_mask [B, L]."""


class Engine(Protocol):
    """One way to run a model."""

    name: str
    """``torch`` or ``openvino``."""
    precision: str
    """``float32``, ``bfloat16`` or ``int8``."""
    token_budget: int
    """Padded tokens of a batch that it likes best."""

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Vectors float32 [B, D] of one batch, or logits [B, L, C]."""

    def run_many(self, batches: Iterable[Batch]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The same of many batches as they are done, each with its position."""


class Opener(Protocol):
    """Builds an engine for a model folder."""

    def __call__(
        self, folder: ModelFolder, *, precision: str, outputs: Outputs = "vectors"
    ) -> Engine:
        """The engine; ``precision`` is ``auto``, ``float32``, ``bfloat16`` or ``int8``."""


ENGINES: Registry[Opener] = Registry("engine")
ENGINES.add("torch", "interlingua.inference.torch_engine:TorchEngine")
ENGINES.add("openvino", "interlingua.inference.openvino_engine:OpenVINOEngine")
