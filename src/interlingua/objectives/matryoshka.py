r"""Vectors that can be cut short: a loss at several lengths of the same vector.

With d_1 < ... < d_n the wanted lengths and x[:d] the first d places of a vector,

    L = 1 / n sum_d L_0(x[:d], y[:d])

(Kusupati et al., Matryoshka Representation Learning, NeurIPS 2022, equation 1, with equal weights).
Losses of cosines bring the shortened vectors to length one again by themselves. Legend: D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def matryoshka(loss: Callable[[int], Tensor], dimensions: Sequence[int]) -> Tensor:
    """Mean of a loss over lengths.

    Args:
        loss: The loss of vectors cut to a length.
        dimensions: The lengths.

    Returns:
        A scalar.
    """
    return torch.stack([loss(length) for length in dimensions]).mean()
