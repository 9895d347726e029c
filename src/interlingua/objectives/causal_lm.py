"""Causal language modelling: guess every token from those before it.

Maximum likelihood of a text x_1, ..., x_n by the chain rule (Bengio et al., JMLR 2003, section 2):

    L = - 1 / (n - 1) sum_(t > 1) log P(x_t | x_1, ..., x_(t-1))

computed by `token_loss` at all positions but the last. In bits per byte, sum L / (ln 2 * bytes), it
compares models of different tokenizers.

Its siblings: `translation` is the same where only a second text counts; `masked_lm` looks both
ways.

Legend: B rows, L tokens.
"""

from __future__ import annotations

import numpy as np

from interlingua.batches.buckets import IntArray
from interlingua.objectives.masked_lm import IGNORE


def next_tokens(input_ids: IntArray, attention_mask: IntArray) -> IntArray:
    """What each position is to guess.

    Args:
        input_ids: Token ids [B, L], padded on the right.
        attention_mask: 1 where there is a token [B, L].

    Returns:
        Labels [B, L]: the next id, `IGNORE` where no token follows.
    """
    labels = np.full_like(input_ids, IGNORE)
    follows = attention_mask[:, 1:] > 0
    labels[:, :-1] = np.where(follows, input_ids[:, 1:], IGNORE)
    return labels
