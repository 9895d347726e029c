r"""Span extraction: where in a text the answer to a question begins and ends.

A reader gives every token of a window two scores: s for being the answer's first token and e for
being its last. Both are turned into distributions over the places an answer can have, the tokens of
the context and the window's first token, which stands for "no answer here":

    loss(s, e, i, j) = -1/2 log( exp(s_i) / sum_k exp(s_k) ) - 1/2 log( exp(e_j) / sum_k exp(e_k) )

for an answer from token i to token j; i = j = 0 where the window holds none. The loss of a batch is
the mean over its windows. Source: Devlin et al., BERT, NAACL 2019, sections 4.2 and 4.3; there the
sums run over all tokens of the window, the question's too.

It is `cross_entropy` twice, with the places as classes. Legend: B windows, L tokens.

Example:
    >>> import torch
    >>> logits = torch.zeros(1, 4, 2)
    >>> allowed = torch.tensor([[True, False, True, True]])
    >>> round(float(span_loss(logits, torch.tensor([[2, 3]]), allowed)), 4)
    1.0986
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.objectives.cross_entropy import cross_entropy

if TYPE_CHECKING:
    from torch import Tensor


def span_loss(logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
    """Mean negative log-probability of the answers' first and last tokens, in nats.

    Args:
        logits: Scores of each token for being the first and the last [B, L, 2].
        targets: Places of the first and the last token [B, 2], int64; 0 and 0: no answer.
        allowed: Which tokens may be one, bool [B, L]; it holds the targets and the first token.

    Returns:
        A scalar.
    """
    barred = logits.float().masked_fill(~allowed.unsqueeze(-1), float("-inf"))
    start, end = barred.unbind(-1)
    return (cross_entropy(start, targets[:, 0]) + cross_entropy(end, targets[:, 1])) / 2
