"""Masked language modelling: guess the tokens that were hidden, from both sides.

A share r of the ordinary tokens is chosen, x_M; of those 80 % are replaced by the mask, 10 % by a
random token, and 10 % stay (Devlin et al., BERT, NAACL 2019, section 3.1). With the corrupted text
x' the loss is

    L = - 1 / |M| sum_(m in M) log P(x_m | x')

computed by `token_loss` at the chosen positions only. Special tokens and padding are never chosen
and never drawn. With whole words (Cui et al., 2021, section 3), the share is of words: all pieces
of a chosen word are chosen, so that no piece gives its neighbour away. Where a script writes no
spaces a tokenizer marks no words, and every piece is one.

Its siblings: `translation_lm` does the same to a text and its translation at once; `causal_lm`
guesses every token from the left; `span_corruption` has a decoder write what was hidden.

Legend: B rows, L tokens.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlingua.batches.buckets import IntArray

IGNORE = -100
"""The label of a position that has none."""
_MASKED, _RANDOM = 0.8, 0.1


def mask_tokens(
    input_ids: IntArray,
    choosable: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    rate: float,
    mask_id: int,
    ordinary: IntArray,
    starts: NDArray[np.bool_] | None = None,
) -> tuple[IntArray, IntArray]:
    """Hide a share of the tokens.

    Args:
        input_ids: Token ids [B, L].
        choosable: Where there is an ordinary token [B, L].
        rng: Where chance comes from.
        rate: Share r that is chosen, in (0, 1).
        mask_id: Id of the mask.
        ordinary: Ids that a random token is drawn from.
        starts: Whether a token begins a word [B, L]: whole words are chosen; none: tokens are.

    Returns:
        Corrupted ids [B, L], and labels [B, L]: the id where it was chosen, `IGNORE` elsewhere.
    """
    chance = rng.random(input_ids.shape)
    if starts is not None:
        chance = _of_words(chance, choosable, starts)
    chosen = choosable & (chance < rate)
    what = rng.random(input_ids.shape)
    corrupted = np.where(chosen & (what < _MASKED), mask_id, input_ids)
    other = chosen & (what >= _MASKED) & (what < _MASKED + _RANDOM)
    corrupted[other] = rng.choice(ordinary, size=int(other.sum()))
    return corrupted, np.where(chosen, input_ids, IGNORE)


def _of_words(
    chance: NDArray[np.float64], choosable: NDArray[np.bool_], starts: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Every token's number is that of its word's first token; a word ends where none is choosable.

    Pieces that go on after a token that cannot be chosen share that token's number, which it has no
    use for.
    """
    begins = starts | ~choosable
    places = np.where(begins, np.arange(chance.shape[1]), 0)
    first = np.maximum.accumulate(places, axis=1)
    return np.take_along_axis(chance, first, axis=1)
