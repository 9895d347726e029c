"""From vectors to figures, each with its value in every bootstrap resample.

Items are drawn with replacement, all languages together, so that figures of languages, pairs and
models can be subtracted resample by resample.

Legend: N items of the whole report, n of one pair or language, D features, R resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError
from interlingua.base.progress import track
from interlingua.base.seeding import generator
from interlingua.tasks.metrics.bridge import (
    csls,
    first_hits,
    mean_cosine,
    neighbour_table,
    partition_isotropy,
    read_language,
    rivals_before,
    skewness,
)
from interlingua.tasks.metrics.resampled import means

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

NEIGHBOURS = 10
"""K of the measures of hubs, as Conneau et al. (2018) and Radovanovic et al. (2010) have it."""
LEAST = 20
"""Items that two languages must share to be compared."""
FOLDS = 5
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and what it is in every resample, ``[R]``."""

    value: float
    drawn: Doubles

    def __sub__(self, other: Estimate) -> Estimate:
        """The difference, resample by resample."""
        return Estimate(self.value - other.value, self.drawn - other.drawn)


def average(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of figures, at least one."""
    values = [estimate.value for estimate in estimates]
    drawn = np.mean([estimate.drawn for estimate in estimates], axis=0)
    return Estimate(float(np.mean(values)), drawn)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which items there are: the same for every model that is measured.

    Attributes:
        numbers: By language, the items it has, ascending ``[n]``.
        pairs: By pair of languages, the items that are compared, ascending ``[n]``.
        draws: How often each item is drawn, ``[R, N]``.
        folds: The part each item is held out in by the probe, ``[N]``.
        repeated: Texts left out of a pair because an earlier item has the same.
        copied: Items left out of a pair because both languages have the same text.
        thin: Pairs of languages with too few items.
    """

    numbers: dict[str, Ints]
    pairs: dict[tuple[str, str], Ints]
    draws: NDArray[np.uint8]
    folds: Ints
    repeated: int
    copied: int
    thin: list[tuple[str, str]]


@dataclass(slots=True)
class Measured:
    """All estimates of one model, by name of the figure."""

    directions: dict[tuple[str, str], dict[str, Estimate]] = field(default_factory=dict)
    languages: dict[str, dict[str, Estimate]] = field(default_factory=dict)


def lay_out(items: Sequence[Mapping[str, str]], *, resamples: int, seed: int) -> Layout:
    """Which items are compared in which languages, and how often each is drawn.

    Args:
        items: Texts by language, ``N`` of them.
        resamples: Bootstrap resamples.
        seed: Of the draws and of the probe's parts.

    Raises:
        DataError: No two languages share enough items.
    """
    tags = sorted({tag for item in items for tag in item})
    numbers = {
        tag: np.array([i for i, item in enumerate(items) if tag in item], dtype=np.int64)
        for tag in tags
    }
    pairs, thin, repeated, copied = {}, [], 0, 0
    for a, b in combinations(tags, 2):
        common = np.intersect1d(numbers[a], numbers[b])
        kept, seen_a, seen_b = [], set(), set()
        for i in common.tolist():
            one, other = items[i][a], items[i][b]
            if one == other:
                copied += 1
            elif one in seen_a or other in seen_b:
                repeated += 1
            else:
                kept.append(i)
            seen_a.add(one)
            seen_b.add(other)
        if len(kept) >= LEAST:
            pairs[a, b] = np.array(kept, dtype=np.int64)
        elif len(common):
            thin.append((a, b))
    if not pairs:
        most = max((len(np.intersect1d(numbers[a], numbers[b])), a, b) for a, b in thin)
        raise DataError(
            f"no two languages share {LEAST} different items; {most[1]} and {most[2]} share most, "
            f"{most[0]}",
            remedy="Give more parallel data",
        )
    used = {tag for pair in pairs for tag in pair}
    numbers = {tag: rows for tag, rows in numbers.items() if tag in used}
    folds = generator(seed, "bridge", "folds").permutation(len(items)) % FOLDS
    draws = _draws(len(items), resamples, seed)
    return Layout(numbers, pairs, draws, folds, repeated, copied, thin)


def _draws(count: int, resamples: int, seed: int) -> NDArray[np.uint8]:
    """How often every item is drawn, ``[R, N]``."""
    rng = generator(seed, "bridge", "bootstrap")
    draws = np.zeros((resamples, count), dtype=np.uint8)
    step = max(1, _CELLS // count)
    for start in range(0, resamples, step):
        part = draws[start : start + step]
        picks = rng.integers(count, size=(len(part), count))
        picks += np.arange(len(part))[:, None] * count
        counted = np.bincount(picks.ravel(), minlength=part.size).reshape(part.shape)
        part[:] = np.minimum(counted, 255)
    return draws


def measure(vectors: Mapping[str, Floats], layout: Layout) -> Measured:
    """Every figure of one model.

    Args:
        vectors: By language, of length one, rows as ``layout.numbers``, ``[n, D]``.
        layout: The items.
    """
    measured = Measured()
    for tag, rows in layout.numbers.items():
        counts = layout.draws[:, rows].astype(np.float32)
        once = np.ones((1, len(rows)), dtype=np.float32)
        measured.languages[tag] = {
            name: Estimate(float(of(vectors[tag], once)[0]), of(vectors[tag], counts))
            for name, of in (("mean_cosine", mean_cosine), ("partition", partition_isotropy))
        }
    _probe(vectors, layout, measured)
    with track("Comparing", len(layout.pairs), unit="pairs of languages") as bar:
        for (a, b), rows in layout.pairs.items():
            sides = [vectors[tag][np.searchsorted(layout.numbers[tag], rows)] for tag in (a, b)]
            counts = layout.draws[:, rows].astype(np.float32)
            across, scaled = _similarities(sides[0], sides[1])
            for tags, own, table, corrected in (
                ((a, b), sides[0], across, scaled),
                ((b, a), sides[1], across.T, scaled.T),
            ):
                measured.directions[tags] = _direction(own, table, corrected, counts)
            bar.advance()
    for tag, figures in measured.languages.items():
        for name in ("retrieval", "same_language_preference"):
            figures[name] = average(
                [d[name] for pair, d in measured.directions.items() if tag in pair]
            )
    return measured


def _similarities(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Cosines of a pair of languages and their CSLS, both ``[n, n]``."""
    across = a @ b.T
    return across, np.asarray(csls(across, _k(len(a))), dtype=np.float32)


def _k(items: int) -> int:
    return min(NEIGHBOURS, items - 1)


def _direction(own: Floats, across: Floats, scaled: Floats, counts: Floats) -> dict[str, Estimate]:
    """The figures of queries ``own`` ``[n, D]``; see `records.Direction`."""
    hits = first_hits(across)
    rivals = rivals_before(own @ own.T, np.diagonal(across))
    table = neighbour_table(across, _k(len(own)))
    occurrences = table.sum(axis=0)
    drawn = counts @ table
    return {
        "retrieval": _mean(hits, counts),
        "same_language_first": _mean(rivals, counts),
        "same_language_preference": _mean(rivals - (1 - hits), counts),
        "csls_gain": _mean(first_hits(scaled) - hits, counts),
        "hub_skewness": _centred(float(skewness(occurrences)), skewness(drawn)),
        "orphans": _centred(float((occurrences == 0).mean()), (drawn == 0).mean(axis=1), low=0.0),
    }


def _mean(values: Doubles, counts: Floats) -> Estimate:
    return Estimate(float(values.mean()), means(values, counts))


def _centred(value: float, drawn: Doubles, low: float = -np.inf) -> Estimate:
    """A figure whose resamples are biased, as every one lacks a third of the queries.

    They are moved to have the figure for their mean, and no lower than ``low``.
    """
    centred = np.asarray(drawn - drawn.mean() + value, dtype=np.float64)
    return Estimate(value, np.maximum(centred, low))


def _probe(vectors: Mapping[str, Floats], layout: Layout, measured: Measured) -> None:
    """Add to every language the share of its texts that a linear classifier knows."""
    tags = list(layout.numbers)
    rows = [layout.numbers[tag] for tag in tags]
    languages = np.repeat(np.arange(len(tags)), [len(r) for r in rows])
    hits = read_language(
        np.concatenate([vectors[tag] for tag in tags]),
        languages,
        layout.folds[np.concatenate(rows)],
    )
    for i, tag in enumerate(tags):
        counts = layout.draws[:, layout.numbers[tag]].astype(np.float32)
        measured.languages[tag]["language_probe"] = _mean(hits[languages == i], counts)
