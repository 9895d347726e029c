"""Compare two models on the same rows: a paired bootstrap per language and over all of them.

Both predictions files are read, rows (texts, sentences, questions) are paired by language and id,
and every resample draws the same rows for both models, so that what is hard for both cancels out.
A row gives its class, the counts of its spans, or the F1 of its answer. Differences are ``b - a``:
above zero, the second model is better. Where few rows differ, an interval may leave out zero though
``p`` is above 0.05: ``p`` is the more careful of the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import UserError, quoted
from interlingua.evaluation.bootstrap import (
    LEVEL,
    blocks,
    holm,
    interval,
    replicates,
    two_sided_p,
)
from interlingua.evaluation.predictions import Rows, read_predictions, sample_of
from interlingua.evaluation.records import Comparison, Difference, MeanDifference, Scorecard
from interlingua.evaluation.scorecard import PREDICTIONS, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlingua.evaluation.bootstrap import Replicates, Sample

__all__ = ["Comparison", "compare"]


def compare(a: str | Path, b: str | Path, *, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare two scorecards by the predictions that lie beside them.

    Args:
        a: The first ``scorecard.json``, or its folder.
        b: The second.
        resamples: Bootstrap resamples.
        seed: Same seed, same figures.

    Raises:
        UserError: Task, metric, label set, ids, texts or gold labels differ, or the task is not one
            whose rows are scored one by one.
        DataError: A file is missing or cannot be read, or predictions and scorecard disagree.
    """
    cards = read(a), read(b)
    _same_task(*cards)
    rows_a, rows_b = (
        read_predictions(_beside(path), card) for path, card in zip((a, b), cards, strict=True)
    )
    common = sorted(rows_a.keys() & rows_b.keys())
    if not common:
        raise UserError(
            f"the scorecards share no language: {', '.join(rows_a)} and {', '.join(rows_b)}",
            remedy="Evaluate both models on the same files",
        )
    samples = {lang: _pair(cards[0], lang, rows_a[lang], rows_b[lang]) for lang in common}
    drawn = replicates(samples, resamples=resamples, seed=seed)
    scores = {lang: sample.scores for lang, sample in samples.items()}
    taught = {lang for card in cards for lang in card.source_languages}
    zero_shot = [lang for lang in common if lang not in taught]
    return Comparison(
        task=cards[0].task,
        metric=cards[0].metric,
        a=cards[0].model,
        b=cards[1].model,
        rows=sum(len(sample.ids) for sample in samples.values()),
        per_language=_per_language(samples, scores, drawn),
        overall=_mean_difference(common, scores, drawn),
        zero_shot=_mean_difference(zero_shot, scores, drawn) if zero_shot else None,
        only_a=tuple(sorted(rows_a.keys() - rows_b.keys())),
        only_b=tuple(sorted(rows_b.keys() - rows_a.keys())),
        parallel=len(blocks(samples)) == 1,
        level=LEVEL,
        resamples=resamples,
        seed=seed,
    )


def _per_language(
    samples: Mapping[str, Sample],
    scores: Mapping[str, Sequence[float]],
    drawn: Mapping[str, Replicates],
) -> dict[str, Difference]:
    p_values = {
        lang: two_sided_p(drawn[lang][1] - drawn[lang][0], scores[lang][1] - scores[lang][0])
        for lang in samples
    }
    corrected = holm(p_values)
    differences = {}
    for lang, sample in samples.items():
        score_a, score_b = scores[lang]
        difference = score_b - score_a
        differences[lang] = Difference(
            n=len(sample.ids),
            a=score_a,
            b=score_b,
            difference=difference,
            ci=interval(drawn[lang][1] - drawn[lang][0], difference),
            p=p_values[lang],
            p_holm=corrected[lang],
        )
    return differences


def _mean_difference(
    languages: Sequence[str],
    scores: Mapping[str, Sequence[float]],
    drawn: Mapping[str, Replicates],
) -> MeanDifference:
    mean_a, mean_b = np.mean([scores[lang] for lang in languages], axis=0).tolist()
    resampled_a, resampled_b = np.mean([drawn[lang] for lang in languages], axis=0)
    difference = mean_b - mean_a
    return MeanDifference(
        languages=tuple(languages),
        a=mean_a,
        b=mean_b,
        difference=difference,
        ci=interval(resampled_b - resampled_a, difference),
        p=two_sided_p(resampled_b - resampled_a, difference),
    )


def _same_task(a: Scorecard, b: Scorecard) -> None:
    remedy = "Compare scorecards of the same task on the same files"
    for name in ("task", "metric"):
        if getattr(a, name) != getattr(b, name):
            raise UserError(
                f"the scorecards have different {name}s: {quoted(getattr(a, name))} and "
                f"{quoted(getattr(b, name))}",
                remedy=remedy,
            )
    odd = sorted(set(a.labels) ^ set(b.labels))
    if odd:
        owner = "first" if odd[0] in a.labels else "second"
        raise UserError(
            f"the scorecards have different label sets: only the {owner} has {quoted(odd[0])}",
            remedy=remedy,
        )


def _beside(path: str | Path) -> Path:
    given = Path(path)
    return (given if given.is_dir() else given.parent) / PREDICTIONS


def _pair(card: Scorecard, lang: str, a: Rows, b: Rows) -> Sample:
    """The rows of a language as both models answered them.

    Raises:
        UserError: Ids, texts or what is right differ.
    """
    remedy = "Evaluate both models on the same files"
    odd = sorted(a.index.keys() ^ b.index.keys())
    if odd:
        owner = "first" if odd[0] in a.index else "second"
        raise UserError(
            f"the ids of {lang} do not match: {len(odd)} rows stand in one file only, such as "
            f"{quoted(odd[0])} in the {owner}",
            remedy=remedy,
        )
    ids = list(a.index)
    place = [b.index[name] for name in ids]
    for i, j in enumerate(place):
        if a.gold[i] != b.gold[j]:
            raise UserError(
                f"row {quoted(ids[i])} of {lang} has two different gold labels", remedy=remedy
            )
        if None not in (a.texts[i], b.texts[j]) and a.texts[i] != b.texts[j]:
            raise UserError(f"row {quoted(ids[i])} of {lang} has two texts", remedy=remedy)
    found = [a.found, [b.found[j] for j in place]]
    return sample_of(card, lang, ids, gold=a.gold, found=found)
