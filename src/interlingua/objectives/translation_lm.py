"""Translation language modelling: masked language modelling of a text and its translation at once.

The two texts stand in one row and a share of both is hidden; to guess a token the model may look
at its neighbours or at the other language, which is what draws the languages together (Conneau and
Lample, XLM, NeurIPS 2019, section 3.3). The loss is that of `masked_lm` over the joint row,

    L = - 1 / |M| sum_(m in M) log P(z_m | z'),    z = [x; y]

The positions of the second text start again from those of the first, so that words and their
translations stand at like places (ibid.), which are those that either text has when it is alone.
The conditional sense, - log P(y | x) with y written by a decoder, is `translation`.

Legend: B rows, L tokens.
"""

from __future__ import annotations

import numpy as np

from interlingua.batches.buckets import IntArray


def reset_positions(second: IntArray, attention_mask: IntArray, *, first: int) -> IntArray:
    """Positions that start again at the second text, where those of the first started.

    Args:
        second: Where the second text starts in each row [B]; L or more: there is none.
        attention_mask: 1 where there is a token [B, L].
        first: Where the first text starts, after the special tokens before it.

    Returns:
        Positions from 0 [B, L]; 0 on padding.
    """
    places = np.broadcast_to(np.arange(attention_mask.shape[1]), attention_mask.shape)
    starts = second[:, np.newaxis]
    return np.where(places >= starts, places - starts + first, places) * (attention_mask > 0)
