"""Span corruption: spans are cut out of a text, and a decoder writes them.

A share r of the n tokens, in spans of mean length s, is replaced by one sentinel a span; the target
is each sentinel with the span it stands for, and a last sentinel (Raffel et al., T5, JMLR 2020,
section 3.1.4; Xue et al., mT5, NAACL 2021, with r = 0.15 and s = 3):

    x   Thank you for inviting me to your party last week .
    x'  Thank you <0> me to your party <1> week .
    y   <0> for inviting <1> last <2>

    L = - 1 / |y| sum_i log P(y_i | y_1, ..., y_(i-1), x')

The number of hidden tokens is round(r n) and of spans round(r n / s); lengths of the spans, and of
what is left between them, are drawn as the parts of a random composition, so that every cut is as
likely as any other. The loss is `token_loss` over the target.

Its siblings: `masked_lm` guesses in place; `translation` has the same loss with another source.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlingua.batches.buckets import IntArray


def noise_mask(
    length: int, rng: np.random.Generator, *, rate: float = 0.15, mean_span: float = 3.0
) -> NDArray[np.bool_]:
    """Which of ``length`` tokens are hidden, bool [length].

    A text begins with a token that stays. At least one token is hidden and one stays.

    Args:
        length: Tokens of the text, at least 2.
        rng: Where chance comes from.
        rate: Share r that is hidden.
        mean_span: Mean length s of a hidden span.
    """
    assert length >= 2
    hidden = min(max(round(length * rate), 1), length - 1)
    spans = min(max(round(hidden / mean_span), 1), hidden, length - hidden)
    gone, left = _composition(hidden, spans, rng), _composition(length - hidden, spans, rng)
    runs = np.stack([left, gone], axis=1).reshape(-1)
    return np.repeat(np.arange(2 * spans) % 2 == 1, runs)


def _composition(total: int, parts: int, rng: np.random.Generator) -> IntArray:
    """``parts`` positive numbers that add up to ``total``, every such list as likely."""
    cuts = np.sort(rng.choice(total - 1, size=parts - 1, replace=False)) + 1
    return np.diff(np.concatenate([[0], cuts, [total]]))


def corrupt_spans(
    input_ids: IntArray, hidden: NDArray[np.bool_], sentinels: IntArray, end_id: int
) -> tuple[IntArray, IntArray]:
    """The text with sentinels for its hidden spans, and what was hidden.

    Args:
        input_ids: Token ids without special tokens [n].
        hidden: From `noise_mask` [n].
        sentinels: Ids that stand for the first, second, ... span.
        end_id: Put at the end of both.

    Returns:
        Inputs and targets, each ending with ``end_id``.

    Raises:
        ValueError: There are more spans than sentinels less one.
    """
    first = hidden & ~np.concatenate([[False], hidden[:-1]])
    spans = int(first.sum())
    if spans >= len(sentinels):
        raise ValueError(f"{spans} spans need {spans + 1} sentinels, there are {len(sentinels)}")
    marked = np.where(first, sentinels[np.cumsum(first) - 1], input_ids)
    inputs = marked[~hidden | first]
    targets: list[int] = []
    for i in np.flatnonzero(hidden):
        if first[i]:
            targets.append(int(marked[i]))
        targets.append(int(input_ids[i]))
    ends = np.array([end_id])
    last = sentinels[spans : spans + 1]
    return np.concatenate([inputs, ends]), np.concatenate([np.array(targets), last, ends])
