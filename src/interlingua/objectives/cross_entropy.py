r"""Cross-entropy: how surprised a classifier is by the right label.

For logits z of a row with label y over C classes,

    loss(z, y) = -log( exp(z_y) / sum_c exp(z_c) )

and the loss of a batch is the mean over its rows. It is the negative log-likelihood of the
multinomial logistic model (Bishop 2006, eq. 4.108). Legend: B rows, C classes.

Example:
    >>> import torch
    >>> round(float(cross_entropy(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))), 4)
    0.1269
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean negative log-probability of the right labels, in nats.

    Args:
        logits: Scores before the softmax [B, C]; computed in float32 whatever they come in.
        labels: Right classes [B], int64 in 0..C-1.

    Returns:
        A scalar.
    """
    from torch.nn import functional

    return functional.cross_entropy(logits.float(), labels)
