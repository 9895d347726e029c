r"""Cross-entropy: how surprised a classifier is by the right label.

For logits z of a row with label y over C classes,

    loss(z, y) = -log( exp(z_y) / sum_c exp(z_c) )

and the loss of a batch is the mean over its rows. It is the negative log-likelihood of the
multinomial logistic model (Bishop 2006, eq. 4.108). With smoothing e the right label is not one
class but a distribution over all, q_c = (1 - e) [c = y] + e / C (Szegedy et al., CVPR 2016,
section 7), and with class weights w a row counts w_y times:

    loss(z, y) = -w_y sum_c q_c log( exp(z_c) / sum_k exp(z_k) )

The mean divides by the number of rows, not by the sum of their weights, so that a row's share in
the gradient does not depend on its companions. Legend: B rows, C classes.

Example:
    >>> import torch
    >>> round(float(cross_entropy(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))), 4)
    0.1269
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(
    logits: Tensor, labels: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Mean negative log-probability of the right labels, in nats.

    Args:
        logits: Scores before the softmax [B, C]; computed in float32 whatever they come in.
        labels: Right classes [B], int64 in 0..C-1.
        weights: What a row of each class counts, float32 [C]; none: 1.
        smoothing: e, in [0, 1).

    Returns:
        A scalar.
    """
    from torch.nn import functional

    losses = functional.cross_entropy(
        logits.float(), labels, reduction="none", label_smoothing=smoothing
    )
    return (losses if weights is None else losses * weights[labels]).mean()
