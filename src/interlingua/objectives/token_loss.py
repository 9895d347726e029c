"""Cross-entropy of tokens under a linear output layer, without a table of all logits.

Every language-modelling objective ends here. With the states h_m at the M labelled positions, the
output matrix W and bias b, and the right tokens y_m,

    L = - s sum_m log p_m(y_m),    log p_m(v) = W_v h_m + b_v - log sum_u exp(W_u h_m + b_u)

where s is a scale, such as one over the number of labels. Its gradient, with p the probabilities
and e the one-hot labels, is

    dL/dh_m = s sum_v (p_mv - e_mv) W_v        dL/dW_v = s sum_m (p_mv - e_mv) h_m

Both run over the vocabulary in slices: one pass for the normaliser, one for the gradient. The
first keeps the products of as many slices as ``KEPT`` bytes hold and the second computes the
others again: memory is bounded whatever M and V are, and logits exist only where there is a
label. The gradient of W is written into ``weight.grad`` in place, since a second table of that
size to be added to it would cost as much time as the product itself.

Legend: M labelled positions, D width, V vocabulary, S slice of it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from interlingua.models.lookup import gradient_buffer

SLICE = 8192
KEPT = 2**27
"""Bytes of products W_v h_m that are kept from the first pass over the vocabulary to the second."""


def token_loss(
    states: Tensor,
    labels: Tensor,
    weight: nn.Parameter,
    bias: nn.Parameter | None = None,
    *,
    scale: float = 1.0,
    dtype: torch.dtype = torch.float32,
    cap: float = 0.0,
) -> Tensor:
    """Summed negative log-probability of the right tokens, times ``scale``, in nats.

    The gradient of ``weight`` and ``bias`` is added to their ``grad`` when this is called with
    gradients on, so that ``backward`` on a multiple of the result is wrong: put it into ``scale``.

    Args:
        states: States at labelled positions [M, D].
        labels: Right tokens, int64 in 0..V-1 [M].
        weight: Output matrix [V, D].
        bias: Output bias [V].
        scale: What the sum is multiplied by, positive.
        dtype: Of the matrix products: float32 or bfloat16; the softmax is in float32.
        cap: Logits x become ``cap * tanh(x / cap)``, as Gemma has it; 0: they stay.

    Returns:
        A scalar, float32.
    """
    training = torch.is_grad_enabled()
    loss: Tensor = _TokenLoss.apply(  # type: ignore[no-untyped-call]
        states, labels, weight, bias, scale, dtype, cap, training
    )
    return loss


def kept_slices(positions: int, size: int) -> int:
    """How many slices' products are kept at most, of M positions and ``size`` bytes each."""
    return KEPT // (size * SLICE * max(positions, 1))


class _TokenLoss(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917 - what autograd passes on
        ctx: Any,  # noqa: ANN401
        states: Tensor,
        labels: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        scale: float,
        dtype: torch.dtype,
        cap: float,
        training: bool,
    ) -> Tensor:
        h = states.detach().to(dtype)
        matrix, offset = weight.detach(), None if bias is None else bias.detach()
        normaliser = torch.full((len(h),), -torch.inf, device=h.device)
        right = torch.empty(len(h), device=h.device)
        kept: dict[int, Tensor] = {}
        room = kept_slices(len(h), h.element_size()) if training else 0
        for start in range(0, len(matrix), SLICE):
            product = _product(h, matrix, start)
            if len(kept) < room:
                kept[start] = product
            logits = _logits(product, offset, start, cap)
            normaliser = torch.logaddexp(normaliser, logits.logsumexp(dim=1))
            own, place = _labels_within(labels, start, logits.shape[1])
            right[own] = logits[own, place]
        loss = (normaliser - right).sum() * scale
        if training:
            found = _gradients(h, labels, (weight, bias), normaliser, kept, scale=scale, cap=cap)
            ctx.gradient = found.to(states.dtype)
        return loss

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        return ctx.gradient, None, None, None, None, None, None, None


def _product(h: Tensor, matrix: Tensor, start: int) -> Tensor:
    """W_v h_m of a slice of the vocabulary, in the type of h [M, S]."""
    return h @ matrix[start : start + SLICE].to(h.dtype).T


def _logits(product: Tensor, offset: Tensor | None, start: int, cap: float) -> Tensor:
    """Logits of a slice of the vocabulary, a new tensor, float32 [M, S]."""
    logits = product.to(torch.float32, copy=True)
    if offset is not None:
        logits += offset[start : start + SLICE]
    return cap * torch.tanh(logits / cap) if cap else logits


def _labels_within(labels: Tensor, start: int, size: int) -> tuple[Tensor, Tensor]:
    """Positions whose label lies in a slice, and its place there."""
    own = torch.nonzero((labels >= start) & (labels < start + size)).squeeze(1)
    return own, labels[own] - start


def _gradients(
    h: Tensor,
    labels: Tensor,
    output: tuple[Tensor, Tensor | None],
    normaliser: Tensor,
    kept: dict[int, Tensor],
    *,
    scale: float,
    cap: float,
) -> Tensor:
    """Add to the gradients of matrix and bias; return that of the states, float32 [M, D]."""
    weight, bias = output
    first = weight.grad is None
    if weight.requires_grad and first:
        weight.grad = gradient_buffer(weight)
    if bias is not None and bias.requires_grad and bias.grad is None:
        bias.grad = torch.zeros_like(bias)
    matrix, offset = weight.detach(), None if bias is None else bias.detach()
    shift = (normaliser - math.log(scale)).unsqueeze(1)
    of_states = torch.zeros(h.shape, dtype=torch.float32, device=h.device)
    for start in range(0, len(matrix), SLICE):
        product = kept.pop(start) if start in kept else _product(h, matrix, start)
        logits = _logits(product, offset, start, cap)
        slope = 1.0 - (logits / cap) ** 2 if cap else None
        p = logits.sub_(shift).exp_()  # already times the scale
        own, place = _labels_within(labels, start, p.shape[1])
        p[own, place] -= scale
        if slope is not None:
            p *= slope
        rows = slice(start, start + p.shape[1])
        if bias is not None and bias.grad is not None:
            bias.grad[rows] += p.sum(dim=0)
        p = p.to(h.dtype)
        of_states += p @ matrix[rows].to(h.dtype)
        if weight.grad is not None:
            found = p.T @ h
            weight.grad[rows] = found if first else weight.grad[rows] + found
    return of_states
