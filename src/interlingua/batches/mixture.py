"""Which rows each step of a run takes: a mix of sources, languages drawn by temperature.

The order is a function of the seed alone. Source c is taken at a step with probability w_c / sum w;
the rows of a source are drawn in rounds, in each of which language l has the share

    q_l = n_l^t / sum_k n_k^t

of the rows, n_l its tokens and t the temperature (Conneau and Lample, XLM, NeurIPS 2019, section
3.1). Nothing of it needs to be saved: whoever knows the step knows the rows.

Legend: N rows of a source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from interlingua.base.errors import DataError
from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, shuffled_plan


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that an objective draws from.

    Attributes:
        lengths: Tokens of each row, special ones included [N].
        groups: Index of each row's language [N].
        weight: Its share of the steps, beside the others'.
        apart: Whether a batch holds rows of one group only.
        least: Rows a batch has at least; smaller ones are left out.
    """

    lengths: IntArray
    groups: IntArray
    weight: float = 1.0
    apart: bool = False
    least: int = 1


@dataclass(frozen=True, slots=True)
class Draw:
    """The rows of a step and the source they are of."""

    source: int
    rows: IntArray


@dataclass(frozen=True, slots=True)
class _Round:
    """One pass over a source: which, how many batches came before it, and its own."""

    number: int
    before: int
    batches: list[IntArray]


class Mixture:
    """The draws of a whole run.

    Args:
        sources: What is mixed.
        phases: How many steps each phase has, and its temperature.
        seed: Of every choice.
        token_budget: Padded tokens of a step.
        max_rows: Rows of a step.

    Raises (when a step is drawn):
        DataError: A source has too few rows for a batch.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        phases: Sequence[tuple[int, float]],
        *,
        seed: int,
        token_budget: int,
        max_rows: int,
    ) -> None:
        self.sources = list(sources)
        self.phases = list(phases)
        self.seed = seed
        self.token_budget, self.max_rows = token_budget, max_rows
        self._rounds: dict[tuple[int, int], _Round] = {}

    @cached_property
    def turns(self) -> IntArray:
        """The source of each step [steps]."""
        weights = np.array([source.weight for source in self.sources])
        steps = sum(count for count, _ in self.phases)
        rng = generator(self.seed, "mixture")
        return rng.choice(len(weights), size=steps, p=weights / weights.sum())

    def draws(self, first: int, last: int) -> list[Draw]:
        """The draws of steps ``first`` to ``last`` - 1."""
        found = []
        start = 0
        for phase, (count, _) in enumerate(self.phases):
            end = start + count
            begin, stop = max(first, start), max(start, min(last, end))
            if begin < stop:
                turns = self.turns[start:stop]
                taken = np.bincount(turns[: begin - start], minlength=len(self.sources))
                for source in turns[begin - start :].tolist():
                    found.append(Draw(source, self._batch(phase, source, int(taken[source]))))
                    taken[source] += 1
            start = end
        return found

    def _batch(self, phase: int, source: int, place: int) -> IntArray:
        """Batch ``place`` of a source in a phase; only the round it is of is kept."""
        now = self._rounds.get((phase, source))
        if now is None or place < now.before:
            now = _Round(0, 0, self._round(phase, source, 0))
        while place >= now.before + len(now.batches):
            number, before = now.number + 1, now.before + len(now.batches)
            now = _Round(number, before, self._round(phase, source, number))
        self._rounds[phase, source] = now
        return now.batches[place - now.before]

    def _round(self, phase: int, source: int, number: int) -> list[IntArray]:
        rng = generator(self.seed, "round", phase, source, number)
        given = self.sources[source]
        rows = balanced(given.lengths, given.groups, self.phases[phase][1], rng)
        parts = [rows]
        if given.apart:
            parts = [rows[given.groups[rows] == group] for group in np.unique(given.groups[rows])]
        batches = [
            part[batch]
            for part in parts
            for batch in shuffled_plan(
                given.lengths[part],
                token_budget=self.token_budget,
                rng=rng,
                max_rows=self.max_rows,
            )
        ]
        if given.apart:
            batches = [batches[i] for i in rng.permutation(len(batches))]
        found = [batch for batch in batches if len(batch) >= given.least]
        if not found:
            raise DataError(
                f"no batch of {given.least} rows can be made of {len(rows)}",
                remedy="Raise training.token_budget or training.max_rows, or add data",
            )
        return found


def balanced(
    lengths: IntArray, groups: IntArray, temperature: float, rng: np.random.Generator
) -> IntArray:
    """As many rows as there are, each group's in proportion to its tokens to the temperature.

    A group that gets more than it has is repeated as a whole before any row comes once more; every
    group gets at least one.
    """
    sizes = np.bincount(groups, weights=lengths)
    counts = np.bincount(groups)
    shares = np.where(sizes > 0, sizes, 1.0) ** temperature * (counts > 0)
    tokens = shares / shares.sum() * sizes.sum()
    chosen = []
    for group in np.flatnonzero(counts):
        members = np.flatnonzero(groups == group)
        wanted = max(1, round(tokens[group] / max(sizes[group], 1.0) * len(members)))
        whole, rest = divmod(wanted, len(members))
        chosen += [members] * whole
        chosen.append(rng.permutation(members)[:rest])
    return np.concatenate(chosen)
