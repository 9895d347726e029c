"""Translation: the log-probability of a text in one language given its source in another.

    L = - 1 / |y| sum_i log P(y_i | y_1, ..., y_(i-1), x)

(Sutskever et al., NeurIPS 2014, equation 1.) An encoder-decoder reads x and writes y; a decoder
reads x and y in one row and is asked for y alone. The loss is `token_loss` at the tokens of y, its
end included.

Its siblings: `causal_lm` is the same without a source; `translation_lm` hides tokens of both.

Legend: B rows, L tokens.
"""

from __future__ import annotations

import numpy as np

from interlingua.batches.buckets import IntArray
from interlingua.objectives.masked_lm import IGNORE


def target_tokens(labels: IntArray, second: IntArray) -> IntArray:
    """What a decoder that reads source and target in one row is to guess: the target.

    Args:
        labels: Of `causal_lm.next_tokens` [B, L].
        second: Where the target starts in each row [B], at least 1.

    Returns:
        Those of them that belong to the target, `IGNORE` elsewhere [B, L].
    """
    places = np.arange(1, labels.shape[1] + 1)  # of what is guessed
    return np.where(places >= second[:, np.newaxis], labels, IGNORE)


def shifted_right(targets: IntArray, start_id: int) -> IntArray:
    """What the decoder of an encoder-decoder reads: the targets, one place to the right.

    Args:
        targets: Ids [B, L]; `IGNORE` on padding.
        start_id: The id a decoder starts with.

    Returns:
        Ids [B, L]; padding becomes ``start_id``, which no label looks at.
    """
    inputs = np.full_like(targets, start_id)
    inputs[:, 1:] = np.where(targets[:, :-1] == IGNORE, start_id, targets[:, :-1])
    return inputs
