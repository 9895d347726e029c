r"""Contrastive predictive encoding: of many segments, choose one from the same document.

With c_i the pooled vector of segment i of a document, a segment c_(i+k) of the same document at
most h away, 0 < |k| <= h, and negatives c_j from other documents,

    L = - 1 / P sum_i log( exp(s(g_k(c_i), c_(i+k)) / t)
                           / (exp(s(g_k(c_i), c_(i+k)) / t) + sum_j exp(s(g_k(c_i), c_j) / t)) )

s being the cosine. After van den Oord et al., Contrastive Predictive Coding, 2018, equations 3 and
4, in whose notation g_k(c) = W_k c predicts what stands k steps further on; without a prediction
head g_k(c) = c, and the loss only draws segments of a document together. It needs no translations,
so it serves languages that have none. Segments of the same document in a batch are no negatives.

Its siblings: `info_nce`, of which it is a case, and `cross_lingual_contrastive`. Legend: P pairs of
segments, D width, H = 2 h offsets.
"""

from __future__ import annotations

import torch
from torch import Tensor

from interlingua.objectives.info_nce import contrast, duplicates


def contrastive_predictive(
    contexts: Tensor, targets: Tensor, documents: Tensor, *, temperature: float | Tensor
) -> Tensor:
    """Mean loss of segments among segments of other documents.

    Args:
        contexts: What is predicted from: c_i, or g_k(c_i) of `predicted` [P, D].
        targets: The segment of the same document [P, D].
        documents: A number for the document of each pair [P].
        temperature: t, above 0.

    Returns:
        A scalar in nats, float32.
    """
    same = duplicates(documents, documents)
    return contrast(contexts, targets, temperature=temperature, ignored=same).mean()


def prediction_heads(width: int, horizon: int) -> Tensor:
    """Matrices W_k for k = -h..-1, 1..h, the identity at first [H, D, D]."""
    return torch.eye(width).repeat(2 * horizon, 1, 1)


def predicted(contexts: Tensor, heads: Tensor, offsets: Tensor) -> Tensor:
    """g_k(c) = W_k c of each context.

    Args:
        contexts: [P, D].
        heads: [H, D, D] of `prediction_heads`.
        offsets: How many segments further on the target stands, in -h..-1, 1..h [P].

    Returns:
        Predictions [P, D].
    """
    horizon = len(heads) // 2
    which = torch.where(offsets < 0, offsets + horizon, offsets + horizon - 1)
    out = torch.zeros_like(contexts)
    for head in sorted(set(which.tolist())):
        rows = (which == head).nonzero().squeeze(1)
        out = out.index_copy(0, rows, contexts[rows] @ heads[head].T)
    return out
