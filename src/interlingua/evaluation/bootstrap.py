"""Bootstrap replicates of a metric, per language, with parallel rows drawn together.

Rows are drawn with replacement (Efron 1979). Languages that share the same ids hold translations
of the same items, and an item that is hard in one is often hard in all: such languages form one
block, and every resample draws the same items in all of them, so that differences between
languages, and means over them, get intervals that know it. Blocks are drawn independently of each
other. The draws depend on the seed and on the rows, not on the order of rows or languages.

Shapes: ``N`` rows, ``K`` distinct rows, ``S`` systems, ``R`` resamples, ``C`` classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from interlingua.base.seeding import generator
from interlingua.tasks.metrics.resampled import RESAMPLED, of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Replicates = NDArray[np.float64]

LEVEL = 0.95
_CELLS = 4_000_000  # draws held at a time
_EXACT = 2**24  # whole numbers a float32 holds exactly


class Sample(Protocol):
    """The rows of one language, as one or more systems answered them."""

    @property
    def ids(self) -> Sequence[str]:
        """``N`` names."""

    @property
    def columns(self) -> NDArray[Any]:
        """All that the score depends on, ``[M, N]``; rows with equal columns are folded."""

    @property
    def scores(self) -> list[float]:
        """The score of every system, ``S``."""

    def resampled(
        self, columns: NDArray[Any], counts: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """The score of every system in every resample, ``[S, R]``.

        Args:
            columns: Of distinct rows, ``[M, K]``.
            counts: How often each of them was drawn, ``[R, K]``.
        """


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with a right class and one predicted by every system.

    Attributes:
        ids: ``N`` names.
        gold: ``[N]``.
        predicted: ``[S, N]``.
        metric: ``accuracy`` or ``macro_f1``.
        classes: Number of classes.
    """

    ids: Sequence[str]
    gold: NDArray[np.integer[Any]]
    predicted: NDArray[np.integer[Any]]
    metric: str
    classes: int

    @property
    def columns(self) -> NDArray[np.intp]:
        """The right class and the predicted ones, ``[1 + S, N]``."""
        return np.vstack([self.gold[None], self.predicted]).astype(np.intp)

    @property
    def scores(self) -> list[float]:
        """The metric of every system, ``S``."""
        return [of_rows(self.metric, self.gold, p, classes=self.classes) for p in self.predicted]

    def resampled(
        self, columns: NDArray[Any], counts: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """The metric of every system in every resample, ``[S, R]``."""
        gold, *predicted = columns
        measure = RESAMPLED.get(self.metric)
        return np.stack([measure(gold, p, counts, self.classes) for p in predicted])


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows that each add to two sums, whose ratio is the score: a mean, or F1 over spans.

    Attributes:
        ids: ``N`` names.
        right: What each row adds to the numerator, ``[S, N]``.
        whole: What it adds to the denominator, ``[S, N]``.
    """

    ids: Sequence[str]
    right: NDArray[np.float64]
    whole: NDArray[np.float64]

    @property
    def columns(self) -> NDArray[np.float64]:
        """What each row adds, ``[2 * S, N]``."""
        return np.vstack([self.right, self.whole])

    @property
    def scores(self) -> list[float]:
        """The ratio of the sums of every system, ``S``; 0 where there is nothing."""
        return [float(score) for score in _ratio(self.right.sum(axis=1), self.whole.sum(axis=1))]

    def resampled(
        self, columns: NDArray[Any], counts: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """The ratio of the sums of those drawn, ``[S, R]``."""
        right, whole = np.split(columns @ counts.T.astype(np.float64), 2)
        return _ratio(right, whole)


def _ratio(right: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(right, np.maximum(whole, 1e-12)), dtype=np.float64)


def replicates(
    samples: Mapping[str, Sample], *, resamples: int, seed: int
) -> dict[str, Replicates]:
    """The score of every system in every language, for every resample.

    Args:
        samples: By language.
        resamples: How many resamples to draw.
        seed: Same seed, same draws.

    Returns:
        ``[S, R]`` by language; column ``r`` is the same resample in all languages of a block.

    Raises:
        UnknownNameError: No such metric.
    """
    drawn: dict[str, list[Replicates]] = {lang: [] for lang in sorted(samples)}
    for block in blocks(samples):
        folded, times = _fold(samples, block)
        for counts in _draws(times, resamples, generator(seed, "bootstrap", *block)):
            for lang in block:
                drawn[lang].append(samples[lang].resampled(folded[lang], counts))
    return {lang: np.concatenate(parts, axis=1) for lang, parts in drawn.items()}


def blocks(samples: Mapping[str, Sample]) -> list[list[str]]:
    """Languages grouped by equal sets of ids, in alphabetical order."""
    by_ids: dict[frozenset[str], list[str]] = {}
    for lang in sorted(samples):
        by_ids.setdefault(frozenset(samples[lang].ids), []).append(lang)
    return list(by_ids.values())


def interval(values: Replicates, estimate: float, *, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of an estimate (Efron and Tibshirani 1993, chapter 13).

    Widened to hold the estimate where it would not: macro-F1 of a resample that lost a rare class
    is biased.

    Args:
        values: ``[R]``, the estimate of every resample.
        estimate: That of the rows themselves.
        level: Share of the replicates inside.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail]).tolist()
    return min(low, estimate), max(high, estimate)


def mean_with_interval(
    groups: Sequence[NDArray[np.float64]], *, seed: int, resamples: int = 1000
) -> tuple[float, tuple[float, float]]:
    """The mean over groups of the mean of each group's items, and its interval.

    Items are drawn within their group. Of the differences of two systems on the same items it is
    the paired bootstrap.

    Args:
        groups: A figure of every item ``[N]``, by group.
        seed: Same seed, same draws.
        resamples: How many resamples to draw.
    """
    rng = generator(seed, "mean over groups")
    means = [
        rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=resamples)
        @ values
        / len(values)
        for values in groups
    ]
    estimate = float(np.mean([values.mean() for values in groups]))
    return estimate, interval(np.mean(means, axis=0), estimate)


def two_sided_p(values: Replicates, estimate: float) -> float:
    """How often a difference as large would come up if there were none.

    Replicates are centred on the estimate, which gives their spread under the null hypothesis;
    ``p = (1 + #{|d* - d| >= |d|}) / (1 + R)`` (Berg-Kirkpatrick et al. 2012, D12-1091, made
    two-sided; one is added so that no finite number of resamples claims zero).

    Args:
        values: ``[R]``, the difference in every resample.
        estimate: The difference of the rows themselves.
    """
    as_large = np.abs(values - estimate) >= abs(estimate) - 1e-12
    return float((1 + np.count_nonzero(as_large)) / (1 + len(values)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values corrected for how many were looked at (Holm 1979), never smaller than given."""
    corrected: dict[str, float] = {}
    highest = 0.0
    ordered = sorted(p_values.items(), key=lambda item: (item[1], item[0]))
    for rank, (name, p) in enumerate(ordered):
        highest = max(highest, min(1.0, p * (len(ordered) - rank)))
        corrected[name] = highest
    return {name: corrected[name] for name in p_values}


def _fold(
    samples: Mapping[str, Sample], block: Sequence[str]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Fold the rows of a block that no language and no system tells apart.

    Returns:
        By language the columns of ``K`` distinct rows, ``[M, K]``; and how many rows each stands
        for, ``[K]``. Folded rows are sorted, so the order of rows does not matter.
    """
    columns = []
    for lang in block:
        sample = samples[lang]
        by_id = sorted(range(len(sample.ids)), key=sample.ids.__getitem__)
        columns.append(sample.columns[:, by_id])
    distinct, times = np.unique(np.concatenate(columns), axis=1, return_counts=True)
    parts = np.split(distinct, np.cumsum([len(own) for own in columns])[:-1])
    return dict(zip(block, map(np.ascontiguousarray, parts), strict=True)), times


def _draws(
    times: NDArray[np.int64], resamples: int, rng: np.random.Generator
) -> Iterator[NDArray[np.floating[Any]]]:
    """How often every distinct row is drawn, ``[R', K]`` at a time, until ``R`` are done.

    Few distinct rows are drawn from their multinomial; many by drawing rows and counting them,
    which costs less then.
    """
    rows, distinct = int(times.sum()), len(times)
    number = np.float32 if rows < _EXACT else np.float64
    step = max(1, min(resamples, _CELLS // rows))
    which = np.repeat(np.arange(distinct), times)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if distinct * 10 < rows:
            counts = rng.multinomial(rows, times / rows, size=size)
        else:
            picks = which[rng.integers(rows, size=(size, rows))]
            picks += np.arange(size)[:, None] * distinct
            counts = np.bincount(picks.ravel(), minlength=size * distinct)
        yield counts.reshape(size, distinct).astype(number)
