"""What machines can do: this one as it is measured, others as their makers say."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import UnknownNameError, quoted
from interlingua.base.registry import did_you_mean

if TYPE_CHECKING:
    import torch

_SIDE = {"cpu": 1024, "cuda": 8192}
_MATMUL_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A device of the shipped table.

    Attributes:
        name: Its maker's name for it.
        tflops: Dense bfloat16, 10^12 operations a second at most.
        memory_gb: Memory in GB (10^9 bytes).
        watts: Board power.
        source: Where the figures are from.
    """

    name: str
    tflops: float
    memory_gb: float
    watts: float
    source: str


@cache
def accelerators() -> tuple[Accelerator, ...]:
    """The shipped table."""
    text = (resources.files(__package__) / "accelerators.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        Accelerator(
            row["name"],
            float(row["tflops"]),
            float(row["memory_gb"]),
            float(row["watts"]),
            row["source"],
        )
        for row in rows
    )


def chosen(names: tuple[str, ...]) -> list[Accelerator]:
    """The devices whose names hold one of the texts given; all without any.

    Raises:
        UnknownNameError: No device's name holds it.
    """
    if not names:
        return list(accelerators())
    found: list[Accelerator] = []
    for name in names:
        like = [a for a in accelerators() if name.casefold() in a.name.casefold()]
        if not like:
            known = [a.name for a in accelerators()]
            raise UnknownNameError(
                f"no device {quoted(name)} in the table",
                remedy=did_you_mean(name, known),
            )
        found += [a for a in like if a not in found]
    return found


def matmul_rate(device: torch.device, *, bfloat16: bool) -> float:
    """Operations a second of a matrix product here: the best of a second and a half."""
    import torch

    side = _SIDE.get(device.type, 1024)
    kind = torch.bfloat16 if bfloat16 else torch.float32
    left = torch.rand((side, side), dtype=torch.float32, device=device).to(kind)
    best = float("inf")
    deadline = time.perf_counter() + _MATMUL_SECONDS
    while time.perf_counter() < deadline:
        started = time.perf_counter()
        left @ left
        wait(device)
        best = min(best, time.perf_counter() - started)
    return 2.0 * side**3 / best


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory_here(device: torch.device) -> int:
    """Bytes that a run may take here: of the device, else what the system and its limits leave."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [pages]
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(place).read_text(encoding="ascii")))
        except (OSError, ValueError):  # absent, or "max"
            continue
    return min(limits)


def process_bytes() -> int:
    """Bytes of this process that lie in memory now; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes(device: torch.device) -> int:
    """The largest memory so far: of the device, else of this process."""
    import resource
    import sys

    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


__all__ = [
    "Accelerator",
    "accelerators",
    "chosen",
    "matmul_rate",
    "memory_here",
    "peak_bytes",
    "process_bytes",
    "wait",
]
