"""Tokens that are guessed in an alignment run, beside what draws languages together.

The encoder gets a language-modelling head for the time of the run, over its own embeddings, which
stand still; what it learns reaches the encoder alone, and the head is left behind. Masked and
translation language modelling are those of pretraining (Conneau and Lample, XLM, NeurIPS 2019);
with contrast beside them they are the multi-task objective of InfoXLM (Chi et al., NAACL 2021,
section 3.4), here by turns: a step is of one objective.

Legend: N rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import DataError
from interlingua.base.seeding import generator
from interlingua.batches.mixture import Source

if TYPE_CHECKING:
    from torch import Tensor, nn

    from interlingua.batches.buckets import IntArray
    from interlingua.batches.framing import Frame
    from interlingua.batches.token_store import TokenStore
    from interlingua.training.align.settings import GuessSettings
    from interlingua.training.language_modelling import Guesser, Question


def guessed_rows(
    settings: GuessSettings, store: TokenStore, frame: Frame, *, limit: int
) -> tuple[IntArray, Source]:
    """The rows that an objective on tokens draws from, and what the mixture needs of them.

    Args:
        settings: The objective.
        store: Texts, or pairs.
        frame: Special tokens around texts.
        limit: Tokens that the model bears; longer rows are left out.

    Raises:
        DataError: All rows are longer.
    """
    lengths = store.lengths + frame.special(pairs=settings.kind == "tlm")
    usable = np.flatnonzero(lengths <= limit)
    if not len(usable):
        raise DataError(
            f"no row of objective {settings.kind} has {limit} tokens or fewer, which the model "
            "bears",
            remedy="Lower training.max_length",
        )
    groups = store.lang[usable].astype(np.int64)
    return usable, Source(lengths[usable].astype(np.int64), groups, settings.weight)


class GuessObjective:
    """``mlm`` and ``tlm``: hidden tokens are guessed.

    Args:
        settings: What it is set to.
        guesser: The model with its head.
        store: Texts, or pairs.
        limit: Tokens that the model bears.
        seed: Of what is hidden.

    Attributes:
        own: No parameters of its own: those of the head belong to all objectives on tokens.

    Raises:
        DataError: All rows are longer than the model bears.
    """

    def __init__(
        self,
        settings: GuessSettings,
        guesser: Guesser,
        store: TokenStore,
        *,
        limit: int,
        seed: int,
    ) -> None:
        self.settings = settings
        self.guesser = guesser
        self.store = store
        self.seed = seed
        self.own: dict[str, nn.Parameter] = {}
        self.usable, self._source = guessed_rows(
            settings, store, guesser.vocabulary.frame, limit=limit
        )
        self._asked: tuple[int, Question] | None = None

    def source(self) -> Source:
        """The rows that the model bears."""
        return self._source

    def name(self, row: int) -> str:
        """The id of the text or pair."""
        return self.store.name(int(self.usable[row]))

    def state(self) -> dict[str, Tensor]:
        """Nothing changes beside the parameters."""
        return {}

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some rows add to the mean loss over a batch's hidden tokens, in nats."""
        if self._asked is None or self._asked[0] != step:
            rng = generator(self.seed, "question", step)
            self._asked = (
                step,
                self.guesser.question(self.settings, self.store, self.usable[rows], rng),
            )
        return self.guesser.share(self._asked[1], part)
