"""A scorecard of what is counted rather than labelled: pairs found, links made, queries answered.

Shapes: ``N`` items, ``R`` resamples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from interlingua.base.seeding import generator
from interlingua.evaluation.bootstrap import LEVEL, interval
from interlingua.evaluation.records import Bootstrap, DataFile, LanguageScore, Scorecard
from interlingua.evaluation.scorecard import Means, breakdown_of, facts_of, summarised
from interlingua.tasks.metrics.resampled import span_f1
from interlingua.tasks.metrics.spans import SpanCounts

_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found in one language.

    Attributes:
        counts: Of every item: right, found and wanted, ``[N]`` each. The score is
            ``2 right / (found + wanted)``: F1, and accuracy where one is found and wanted of each.
        metrics: Other figures, by name.
        note: What there is to know of the figures.
    """

    counts: SpanCounts
    metrics: Mapping[str, float]
    note: str = ""


def build_measured(
    results: Mapping[str, Measured],
    *,
    task: str,
    metric: str,
    model: str,
    data: Iterable[dict[str, str | int]],
    split: str,
    seed: int,
    resamples: int = 1000,
) -> Scorecard:
    """The scorecard of an encoder that was not taught the task.

    Args:
        results: By language tag.
        task: Name of the task.
        metric: Name of the score.
        model: What was tested.
        data: The files tested on.
        split: Which part of the data.
        seed: Of the bootstrap over items.
        resamples: Bootstrap resamples.
    """
    drawn = {lang: _drawn(lang, results[lang].counts, resamples, seed) for lang in sorted(results)}
    scores, notes = {}, {}
    for lang, found in sorted(results.items()):
        once = np.ones((1, len(found.counts.hits)))
        score = float(span_f1(found.counts, once)[0])
        metrics: dict[str, float | None] = {metric: score, **found.metrics}
        n = len(found.counts.hits)
        ci = interval(drawn[lang], score)
        scores[lang] = LanguageScore(n=n, score=score, ci=ci, metrics=metrics)
        if found.note:
            notes[f"per_language.{lang}"] = found.note
    means = Means({lang: score.score for lang, score in scores.items()}, drawn)
    facts = {lang: facts_of(lang, taught=False) for lang in scores}
    summary, intervals = summarised(means, facts, scores, notes)
    return Scorecard(
        task=task,
        metric=metric,
        model=model,
        source_languages=(),
        split=split,
        labels=(),
        per_language=scores,
        summary=summary,
        summary_ci=intervals,
        breakdown=breakdown_of(means, facts, summary.source),
        calibration={},
        coverage={},
        classes={},
        languages=facts,
        bootstrap=Bootstrap(level=LEVEL, resamples=resamples, parallel=False),
        notes=notes,
        data=tuple(DataFile.model_validate(file) for file in data),
        seed=seed,
        seeds={"bootstrap": seed},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _drawn(lang: str, counts: SpanCounts, resamples: int, seed: int) -> NDArray[np.float64]:
    """The score in every resample of the items, ``[R]``."""
    rng = generator(seed, "bootstrap", lang)
    items = len(counts.hits)
    step = max(1, _CELLS // items)
    parts = []
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        draws = rng.multinomial(items, np.full(items, 1 / items), size=size).astype(np.float64)
        parts.append(span_f1(counts, draws))
    return np.concatenate(parts)
