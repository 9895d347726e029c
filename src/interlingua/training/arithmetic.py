"""Where and how exactly a learner computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.inference.hardware import bfloat16_is_native

if TYPE_CHECKING:
    import torch

    from interlingua.training.settings import LoopSettings


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A device, and whether the forward pass is in bfloat16."""

    device: torch.device
    bfloat16: bool

    @classmethod
    def of(cls, settings: LoopSettings, device: torch.device) -> Arithmetic:
        """As the settings ask for on a device: ``auto`` is bfloat16 where the hardware has it."""
        native = settings.precision == "auto" and bfloat16_is_native(device)
        return cls(device, native or settings.precision == "bfloat16")
