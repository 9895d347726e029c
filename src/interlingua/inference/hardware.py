"""What this machine can do, as far as engines care."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def processor() -> str:
    """The processor's name and number of cores, to tell one machine's timings from another's."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8", errors="replace") if info.exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return f"{names[0] if names else platform.processor() or platform.machine()}/{cores()}"


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bfloat16_is_native(device: torch.device) -> bool:
    """Whether matrices multiply faster in bfloat16 than in float32 there."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    info = Path("/proc/cpuinfo")
    flags = info.read_text(encoding="utf-8", errors="replace") if info.exists() else ""
    return any(f" {flag} " in f"{flags} " for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def device() -> torch.device:
    """This process's accelerator, if there is one, else the processor."""
    import torch

    return gpu(torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def gpu(number: int) -> torch.device:
    """A GPU of this machine, from 0, made ready for rows of any length.

    Attention there is not cuDNN's, which compiles itself anew for every shape of a batch: on an
    H100 a training step of a shape not seen before took 145 ms instead of 40.
    """
    import torch

    torch.cuda.set_device(number)
    torch.backends.cuda.enable_cudnn_sdp(False)
    return torch.device("cuda", number)


def name_of(device: torch.device) -> str:
    """A device's name, to tell one machine's timings from another's."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
