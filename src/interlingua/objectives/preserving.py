r"""Stay where the parent was: a term that keeps vectors of chosen texts in place.

While translations are drawn together, texts of a language without pairs, and those of the language
that the others are drawn to, should stay where they are, or what was learned before is lost. With x
the vector of a text and p that of the frozen parent,

    L = 1 / N sum_i || x_i / |x_i| - p_i / |p_i| ||^2 = 2 / N sum_i (1 - cos(x_i, p_i))

This is the first term of Reimers and Gurevych, EMNLP 2020, equation 1, on unit vectors, with the
model's own parent as the teacher. Legend: N texts, D width.

Example:
    >>> import torch
    >>> float(preserving(torch.tensor([[0.0, 2.0]]), torch.tensor([[3.0, 0.0]])))
    2.0
"""

from __future__ import annotations

from torch import Tensor, nn


def preserving(vectors: Tensor, parents: Tensor) -> Tensor:
    """Mean squared distance of unit vectors.

    Args:
        vectors: Of the trained model [N, D].
        parents: Of its parent, of the same texts [N, D].

    Returns:
        A scalar in 0..4, float32.
    """
    unit = nn.functional.normalize
    gaps = unit(vectors.float(), dim=-1) - unit(parents.float(), dim=-1)
    return gaps.pow(2).sum(dim=-1).mean()
