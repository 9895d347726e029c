"""Cross-entropy of tokens under a linear output layer, without a table of all logits.

Every language-modelling objective ends here. With the states h_m at the M labelled positions, the
output matrix W and bias b, and the right tokens y_m,

    L = - s sum_m log p_m(y_m),    log p_m(v) = W_v h_m + b_v - log sum_u exp(W_u h_m + b_u)

where s is a scale, such as one over the number of labels. Its gradient, with p the probabilities
and d the one-hot labels, is

    dL/dh_m = s sum_v (p_mv - d_mv) W_v        dL/dW_v = s sum_m (p_mv - d_mv) h_m

Both run over the vocabulary in slices, and mostly in one pass: with a bound r_m on the logits seen
so far, sums of e_mv = exp(W_v h_m + b_v - r_m) and of e_mv W_v are kept up, and scaled down
whenever the bound rises (Milakov and Gimelshein, arXiv 1805.02867, algorithm 3), so that the
normaliser and dL/dh_m are there when the last slice is. Only dL/dW needs the normaliser before it
can be begun: the e_mv of as many slices as ``KEPT`` bytes hold are kept for it, the others are
computed again. The right token has no part in those sums but for the normaliser's; its own,
(p_m(y_m) - 1) W_(y_m), is added in float32, since the rounding of large probabilities would drown
what is left of it. Memory is bounded whatever M and V are, and logits exist only where there is a
label. The gradient of W is written into ``weight.grad`` in place, since a second table of that
size to be added to it would cost as much time as the product itself.

Legend: M labelled positions, D width, V vocabulary, S slice of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from interlingua.models.lookup import gradient_buffer

SLICE = 8192
KEPT = 2**27
"""Bytes of exponentials e_mv that are kept from the first pass to the second."""


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
    """How many slices' exponentials are kept at most, of M positions and ``size`` bytes each."""
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
        output = _Output(weight, bias, cap)
        h = states.detach().to(dtype)
        found = _first_pass(h, labels, output, training=training)
        normaliser = found.bound + found.total.log()
        loss = (normaliser - found.right).sum() * scale
        if training:
            ours = scale * torch.expm1(found.right - normaliser)  # of the right token, s (p - 1)
            if cap:
                ours *= 1.0 - (found.right / cap) ** 2
            of_others = found.mixed * (scale / found.total).unsqueeze(1)
            own = weight.detach()[labels] * ours.unsqueeze(1)
            ctx.gradient = (of_others + own).to(states.dtype)
            if output.trained:
                _second_pass(h, labels, output, normaliser, found.kept, ours=ours, scale=scale)
        return loss

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        return ctx.gradient, None, None, None, None, None, None, None


@dataclass(frozen=True, slots=True)
class _Output:
    """The output layer: matrix [V, D], bias [V] and cap."""

    weight: Tensor
    bias: Tensor | None
    cap: float

    @property
    def trained(self) -> bool:
        """Whether matrix or bias are to have a gradient."""
        return self.weight.requires_grad or (self.bias is not None and self.bias.requires_grad)

    def slices(self) -> range:
        """Where each slice of the vocabulary starts."""
        return range(0, len(self.weight), SLICE)

    def rows(self, start: int, dtype: torch.dtype) -> Tensor:
        """A slice of the matrix [S, D]."""
        return self.weight.detach()[start : start + SLICE].to(dtype)

    def logits(self, h: Tensor, rows: Tensor, start: int) -> Tensor:
        """Logits of a slice, a new tensor, float32 [M, S]."""
        product = h @ rows.T
        if self.bias is None:
            logits = product.float()
        else:
            logits = torch.add(product, self.bias.detach()[start : start + SLICE])
        return logits.div_(self.cap).tanh_().mul_(self.cap) if self.cap else logits


@dataclass(slots=True)
class _Sums:
    """What the first pass keeps up.

    Attributes:
        bound: The largest logit so far r [M].
        total: Sum of e [M].
        right: The right token's logit [M].
        mixed: Sum of e W without the right token [M, D].
        kept: By the start of a slice its e without the right token, and the bound it is of.
    """

    bound: Tensor
    total: Tensor
    right: Tensor
    mixed: Tensor
    kept: dict[int, tuple[Tensor, Tensor]]


def _first_pass(h: Tensor, labels: Tensor, output: _Output, *, training: bool) -> _Sums:
    """The sums of all slices of the vocabulary; without training only what the loss takes."""
    zeros = torch.zeros(len(h), dtype=torch.float32, device=h.device)
    mixed = torch.zeros(h.shape, dtype=torch.float32, device=h.device)
    sums = _Sums(zeros - torch.inf, zeros, torch.empty_like(zeros), mixed, {})
    room = kept_slices(len(h), h.element_size()) if output.trained else 0
    for start in output.slices():
        rows = output.rows(start, h.dtype)
        logits = output.logits(h, rows, start)
        own, place = _labels_within(labels, start, logits.shape[1])
        sums.right = torch.where(own, logits.gather(1, place).squeeze(1), sums.right)
        bound = torch.maximum(sums.bound, logits.amax(dim=1))
        fall = (sums.bound - bound).exp_()
        slope = _slope(logits, output.cap) if training else None
        e = logits.sub_(bound.unsqueeze(1)).exp_()
        sums.total = sums.total * fall + e.sum(dim=1)
        sums.bound = bound
        if training:
            e = _of_others(e, slope, own, place).to(h.dtype)
            sums.mixed.mul_(fall.unsqueeze(1)).add_(e @ rows)
            if len(sums.kept) < room:
                sums.kept[start] = e, bound
    return sums


def _second_pass(
    h: Tensor,
    labels: Tensor,
    output: _Output,
    normaliser: Tensor,
    kept: dict[int, tuple[Tensor, Tensor]],
    *,
    ours: Tensor,
    scale: float,
) -> None:
    """Add to the gradients of matrix and bias; ``ours`` is s (p - 1) of the right tokens [M]."""
    weight, bias = output.weight, output.bias
    first = weight.grad is None
    if weight.requires_grad and first:
        weight.grad = gradient_buffer(weight)
    if bias is not None and bias.requires_grad and bias.grad is None:
        bias.grad = torch.zeros_like(bias)
    for start in output.slices():
        if start in kept:
            e, bound = kept.pop(start)
        else:
            logits = output.logits(h, output.rows(start, h.dtype), start)
            own, place = _labels_within(labels, start, logits.shape[1])
            slope = _slope(logits, output.cap)
            e = logits.sub_(normaliser.unsqueeze(1)).exp_()
            e, bound = _of_others(e, slope, own, place).to(h.dtype), normaliser
        factor = scale * (bound - normaliser).exp()
        rows = slice(start, start + e.shape[1])
        if bias is not None and bias.grad is not None:
            bias.grad[rows] += factor @ e.float()
        if weight.grad is not None:
            found = e.T @ (h * factor.unsqueeze(1)).to(h.dtype)
            weight.grad[rows] = found if first else weight.grad[rows] + found
    if bias is not None and bias.grad is not None:
        bias.grad.index_add_(0, labels, ours)
    if weight.grad is not None:
        weight.grad.index_add_(0, labels, h * ours.unsqueeze(1))


def _labels_within(labels: Tensor, start: int, size: int) -> tuple[Tensor, Tensor]:
    """Which labels lie in a slice [M], and their places there [M, 1], any place for the others.

    Of fixed shape, so that a GPU need not be waited for.
    """
    places = labels - start
    return (places >= 0) & (places < size), places.clamp(0, size - 1).unsqueeze(1)


def _slope(logits: Tensor, cap: float) -> Tensor | None:
    """The derivative of capped logits with respect to what was capped [M, S]; None: it is 1."""
    return 1.0 - (logits / cap) ** 2 if cap else None


def _of_others(e: Tensor, slope: Tensor | None, own: Tensor, place: Tensor) -> Tensor:
    """Exponentials [M, S] as gradients have them: times the slope, none of the right tokens."""
    if slope is not None:
        e *= slope
    return e.scatter_(1, place, e.gather(1, place).masked_fill(own.unsqueeze(1), 0.0))
