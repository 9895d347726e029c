"""Means of parameters: over points of one run, and over runs from one start.

For parameters p_1, ..., p_n the mean is kept as it grows,

    m_k = m_(k-1) + (p_k - m_(k-1)) / k

so that one copy is enough, and identical parameters give themselves, bit for bit. Averaging makes
zero-shot transfer steadier and needs no validation rows in the target languages (Schmidt, Vulić
and Glavaš, "Free Lunch", ACL 2023); runs can be averaged because they start from one head.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class RunningMean:
    """The mean of the parameters added so far, by name."""

    def __init__(self, tensors: dict[str, Tensor] | None = None, count: int = 0) -> None:
        self.tensors = {} if tensors is None else tensors
        self.count = count

    def add(self, parameters: Mapping[str, Tensor]) -> None:
        """Take in one more set of parameters, of the names and shapes of the others."""
        self.count += 1
        for name, parameter in parameters.items():
            now = parameter.detach()
            if name in self.tensors:
                self.tensors[name] += (now - self.tensors[name]) / self.count
            else:
                self.tensors[name] = now.clone()

    def put(self, parameters: Mapping[str, Tensor]) -> None:
        """Write the mean into parameters."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                parameters[name].copy_(tensor)


def mix(parameters: Mapping[str, Tensor], others: Mapping[str, Tensor], *, share: float) -> None:
    """Write (1 - w) p + w q into parameters p, with w the share of others q.

    Between a parent and what it became lie models that keep what it knew and have most of what
    was learned (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, section 3).
    """
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.lerp_(others[name].to(parameter), share)


def points(total: int, count: int) -> set[int]:
    """Steps to average at: ``count`` of them, evenly over the second half, the last included."""
    return {round(total * (1 + k / count) / 2) for k in range(1, count + 1)}
