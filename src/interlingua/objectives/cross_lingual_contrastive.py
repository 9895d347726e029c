r"""Cross-lingual contrastive learning (xCL): a sentence chooses its translation, both ways.

For translations (x_i, y_i) with query vectors q, key vectors k and a queue Q of earlier keys,

    Z_i = sum_j exp(q_(x_i) k_(y_j) / t) + sum_(k in Q) exp(q_(x_i) k / t)
    L(x -> y) = - 1 / P sum_i log( exp(q_(x_i) k_(y_i) / t) / Z_i )
    L = ( L(x -> y) + L(y -> x) ) / 2

with products of unit vectors (Chi et al., InfoXLM, NAACL 2021, section 3: XLCo). There keys come
from a momentum encoder and a queue (`momentum_queue`); without them keys are the queries and this
is symmetric `info_nce`. A vector is the state of the first token or the mean over all, at a layer
in the middle, where languages lie closest (InfoXLM takes the eighth of twelve).

Legend: P pairs, L tokens, D width, K length of the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from interlingua.models.encoder import pool
from interlingua.objectives.info_nce import FalseNegatives, contrast


def sentence_vectors(
    hidden_states: Sequence[Tensor],
    attention_mask: Tensor,
    *,
    layer: int,
    pooling: Literal["mean", "cls"],
) -> Tensor:
    """One vector a sentence, of a layer.

    Args:
        hidden_states: States [B, L, D] of the embeddings and of every layer.
        attention_mask: 1 where there is a token [B, L].
        layer: Which of them; 0: the embeddings.
        pooling: ``mean`` over the tokens, or the first (``cls``).

    Returns:
        Vectors float32 [B, D].
    """
    return pool(hidden_states[layer], attention_mask, pooling)


def cross_lingual_contrastive(
    queries: tuple[Tensor, Tensor],
    keys: tuple[Tensor, Tensor],
    *,
    temperature: float | Tensor,
    queues: tuple[Tensor, Tensor] | None = None,
    ignored: Tensor | None = None,
    ignored_in_queues: tuple[Tensor, Tensor] | None = None,
    margin: float = 0.0,
    false_negatives: FalseNegatives | None = None,
) -> Tensor:
    """Mean of both directions.

    Args:
        queries: Vectors of the sentences and of their translations, each [P, D].
        keys: The same of the encoder that makes keys; or the queries once more.
        temperature: t, above 0.
        queues: Earlier keys of the one side and of the other, each [K, D].
        ignored: Pairs that are not each other's negatives, a symmetric mask [P, P].
        ignored_in_queues: For each queue, the keys that are no negatives of the other side's
            queries, [P, K].
        margin: What the right one has to win by, in cosine.
        false_negatives: Which candidates are ignored because of their cosine.

    Returns:
        A scalar in nats, float32.
    """
    total = torch.zeros((), device=queries[0].device)
    for side in (0, 1):
        candidates, without = keys[1 - side], ignored
        if queues is not None:
            candidates = torch.cat([candidates, queues[1 - side]])
            rows = len(queries[side])
            shape = (rows, rows)
            in_batch = torch.zeros(shape, dtype=torch.bool, device=candidates.device)
            in_queue = torch.zeros_like(in_batch[:, :1]).expand(rows, len(queues[1 - side]))
            if ignored_in_queues is not None:
                in_queue = ignored_in_queues[1 - side]
            without = torch.cat([in_batch if ignored is None else ignored, in_queue], dim=1)
        losses = contrast(
            queries[side],
            candidates,
            temperature=temperature,
            margin=margin,
            ignored=without,
            false_negatives=false_negatives,
        )
        total = total + losses.mean() / 2
    return total
