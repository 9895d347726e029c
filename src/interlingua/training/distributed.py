"""One process or many: who am I, on which device, and how do we add up.

``torchrun --nproc-per-node N -m interlingua.cli.main finetune …`` starts N processes; without it
there is one. The backend is NCCL on GPUs and Gloo elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import UsageError
from interlingua.inference.hardware import gpu

if TYPE_CHECKING:
    import torch

    from interlingua.batches.buckets import IntArray


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among all: its rank, how many there are, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def total(self, value: float) -> float:
        """The sum of a number over all processes."""
        if self.world == 1:
            return value
        import torch

        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor)
        return float(tensor)

    def from_first(self, value: float) -> float:
        """The first process's number, in all of them."""
        return self.total(value if self.first else 0.0)

    def add_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """Replace every gradient by its sum over all processes."""
        if self.world == 1:
            return
        import torch

        for parameter in parameters:
            if not parameter.requires_grad:
                continue
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)

    def parts(self, rows: int, at_once: int) -> list[IntArray]:
        """This process's share of a batch, in parts: places among so many rows."""
        share = np.arange(rows)[self.rank :: self.world]
        return [share[start : start + at_once] for start in range(0, len(share), at_once)]

    def gathered(self, whole: torch.Tensor) -> torch.Tensor:
        """A tensor of which each process has filled its rows and left the others zero, filled."""
        if self.world > 1:
            import torch

            torch.distributed.all_reduce(whole)
        return whole

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            import torch

            torch.distributed.barrier()


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the group that torchrun started, or be alone.

    Raises:
        UsageError: There are GPUs, but fewer than processes of this machine.
    """
    import torch

    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = _own_gpu(local) if torch.cuda.is_available() else torch.device("cpu")
    if world == 1:
        yield Processes(0, 1, device)
        return
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank, world, device)
    finally:
        torch.distributed.destroy_process_group()


def _own_gpu(local: int) -> torch.device:
    """The GPU of this machine's process of that number; two cannot share one."""
    import torch

    count = torch.cuda.device_count()
    if local >= count:
        raise UsageError(
            f"process {local + 1} of this machine finds no GPU of its own: there "
            + ("is 1" if count == 1 else f"are {count}"),
            remedy=f"Use torchrun --nproc-per-node {count}, or set CUDA_VISIBLE_DEVICES= "
            "to compute on processors",
        )
    return gpu(local)
