"""Gradients of a table as large as the vocabulary, written in place.

Autograd makes a new table for every use of an embedding and adds them up; with 250,000 rows each
such table costs as much time as a layer. Here all uses share one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_BUFFER = "_interlingua_gradient"


def gradient_buffer(parameter: Tensor) -> Tensor:
    """Memory for the gradient of a large parameter, the same at every step; not set to zero."""
    buffer: Tensor | None = getattr(parameter, _BUFFER, None)
    if buffer is None or buffer.device != parameter.device:
        buffer = torch.empty_like(parameter)
        setattr(parameter, _BUFFER, buffer)
    return buffer


class LookupInPlace(torch.autograd.Function):
    """An embedding lookup whose gradient goes into the rows of ``weight.grad`` that were used.

    Autograd's own builds a table of zeros the size of the vocabulary at every step.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, input_ids: Tensor, padding: int | None) -> Tensor:  # noqa: ANN401
        """Embeddings [..., D] of token ids [...]."""
        ctx.weight, ctx.padding = weight, padding
        ctx.save_for_backward(input_ids)
        return weight.detach()[input_ids]

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[None, None, None]:  # noqa: ANN401
        """Add the rows' gradients where they belong; those of padding are none."""
        (input_ids,) = ctx.saved_tensors
        weight = ctx.weight
        if weight.grad is None:
            weight.grad = gradient_buffer(weight).zero_()
        ids, rows = input_ids.reshape(-1), outputs[0].reshape(-1, weight.shape[1]).float()
        if ctx.padding is not None:
            real = ids != ctx.padding
            ids, rows = ids[real], rows[real]
        weight.grad.index_add_(0, ids, rows)
        return None, None, None
