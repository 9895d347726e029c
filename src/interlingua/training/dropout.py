"""Dropout that draws its chances four at a time on a CPU.

torch draws a number of 53 bits for every element on a CPU, on one core whatever there are: a tenth
of a fine-tuning step, and more of one on two cores. Sixteen bits tell chances apart to 1.5e-5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEVELS = 2**16


class QuickDropout(nn.Dropout):
    """`torch.nn.Dropout`; on a CPU its chances have 16 bits, by the same generator.

    y = x m / (1 - p), m being 0 in a share p of the elements, else 1 (Srivastava et al., 2014).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop elements in training; otherwise the input as it is."""
        if input.device.type != "cpu" or not self.training or not 0 < self.p < 1:
            return super().forward(input)
        return input * kept(input, self.p)


def kept(like: Tensor, share: float) -> Tensor:
    """0 in a share of the elements, 1 / (1 - share) in the others, of a tensor's shape and type.

    Args:
        like: A tensor on a CPU.
        share: In (0, 1), taken to the nearest 2^-16.
    """
    count = like.numel()
    chances = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    chance = chances.view(torch.int16)[:count].view(like.shape)
    mask = torch.empty(like.shape, dtype=torch.int16)
    torch.ge(chance, round(share * _LEVELS) - _LEVELS // 2, out=mask)
    scale = torch.tensor(1 / (1 - share), dtype=like.dtype)
    if like.dtype in (torch.bfloat16, torch.float16):  # 0 or 1, times the bits of the scale
        return mask.mul_(scale.view(torch.int16)).view(like.dtype)
    return mask.to(like.dtype).mul_(scale)
