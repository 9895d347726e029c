"""A scorecard of what is counted rather than labelled: pairs found, links made, queries answered.

Shapes: ``N`` items, ``R`` resamples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from interlingua.evaluation.bootstrap import LEVEL, Sums, blocks, interval, replicates
from interlingua.evaluation.records import (
    Bootstrap,
    ClassScores,
    Coverage,
    DataFile,
    LanguageScore,
    Scorecard,
)
from interlingua.evaluation.scorecard import Means, breakdown_of, facts_of, summarised
from interlingua.languages import tag_of
from interlingua.tasks.metrics.spans import SpanCounts


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found in one language.

    Attributes:
        right: What every item adds to the numerator of the score, ``[N]``.
        whole: What it adds to the denominator, ``[N]``. The score is the ratio of the sums: a mean
            where all are 1; F1 of ``2 right / (found + wanted)``, see `f1_of`.
        metrics: Other figures, by name.
        note: What there is to know of the figures.
        ids: Names of the items ``[N]``; languages with equal names hold the same items, and are
            resampled together. Empty: none are known to be the same.
    """

    right: NDArray[np.float64]
    whole: NDArray[np.float64]
    metrics: Mapping[str, float]
    note: str = ""
    ids: Sequence[str] = ()


def mean_of(
    values: NDArray[np.float64],
    metrics: Mapping[str, float],
    note: str,
    *,
    ids: Sequence[str] = (),
) -> Measured:
    """The mean of a figure of every item ``[N]``, by their names where these are known."""
    ones = np.ones(len(values))
    return Measured(np.asarray(values, dtype=np.float64), ones, metrics, note, ids)


def f1_of(counts: SpanCounts, metrics: Mapping[str, float], note: str) -> Measured:
    """F1 over all items, from the counts of each."""
    whole = np.asarray(counts.predicted + counts.gold, dtype=np.float64)
    return Measured(np.asarray(2.0 * counts.hits), whole, metrics, note)


def build_measured(  # noqa: PLR0913 - the head of a scorecard is all of these
    results: Mapping[str, Measured],
    *,
    task: str,
    metric: str,
    model: str,
    data: Iterable[dict[str, str | int]],
    split: str | None,
    seed: int,
    resamples: int = 1000,
    source_languages: Iterable[str] = (),
    labels: Sequence[str] = (),
    seeds: Mapping[str, int] | None = None,
    checkpoint: str = "",
    coverage: Mapping[str, Coverage] | None = None,
    classes: Mapping[str, dict[str, ClassScores]] | None = None,
) -> Scorecard:
    """The scorecard of what is counted, of a model that was taught the task or was not.

    Args:
        results: By language tag.
        task: Name of the task.
        metric: Name of the score.
        model: What was tested.
        data: The files tested on.
        split: Which part of the data.
        seed: Of the bootstrap over items.
        resamples: Bootstrap resamples.
        source_languages: The languages the model was taught the task in.
        labels: Its labels, if it has some.
        seeds: Other seeds of the run, by what they were for.
        checkpoint: Which of the training's parameters were tested.
        coverage: What the tokenizer makes of each language.
        classes: How well each label is known in each language.
    """
    sources = tuple(sorted({tag_of(source) for source in source_languages}))
    samples = {lang: _sums(lang, found) for lang, found in results.items()}
    replicated = replicates(samples, resamples=resamples, seed=seed)
    drawn = {lang: values[0] for lang, values in replicated.items()}
    scores, notes = {}, {}
    for lang, found in sorted(results.items()):
        (score,) = samples[lang].scores
        metrics: dict[str, float | None] = {metric: score, **found.metrics}
        n = len(found.right)
        ci = interval(drawn[lang], score)
        scores[lang] = LanguageScore(n=n, score=score, ci=ci, metrics=metrics)
        if found.note:
            notes[f"per_language.{lang}"] = found.note
    means = Means({lang: score.score for lang, score in scores.items()}, drawn)
    facts = {lang: facts_of(lang, taught=lang in sources) for lang in scores}
    summary, intervals = summarised(means, facts, scores, notes)
    return Scorecard(
        task=task,
        metric=metric,
        model=model,
        source_languages=sources,
        split=split,
        labels=tuple(labels),
        per_language=scores,
        summary=summary,
        summary_ci=intervals,
        breakdown=breakdown_of(means, facts, summary.source),
        calibration={},
        coverage=dict(coverage or {}),
        classes=dict(classes or {}),
        languages=facts,
        bootstrap=Bootstrap(
            level=LEVEL, resamples=resamples, parallel=len(blocks(samples)) == 1 < len(results)
        ),
        notes=notes,
        data=tuple(DataFile.model_validate(file) for file in data),
        seed=seed,
        seeds={"bootstrap": seed, **(seeds or {})},
        checkpoint=checkpoint,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _sums(lang: str, found: Measured) -> Sums:
    """What a language's items add, under names of its own where none are known."""
    ids = found.ids
    if not ids or len(set(ids)) < len(ids):
        ids = [f"{lang} {i:09}" for i in range(len(found.right))]
    return Sums(ids, found.right[None], found.whole[None])
