"""Compare two models on the same rows: a paired bootstrap per language and over all of them.

Both predictions files are read, rows are paired by language and id, and every resample draws the
same rows for both models, so that what is hard for both cancels out. Differences are ``b - a``:
above zero, the second model is better. Where few rows differ, an interval may leave out zero though
``p`` is above 0.05: ``p`` is the more careful of the two.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import DataError, UserError, quoted
from interlingua.evaluation.bootstrap import (
    LEVEL,
    Sample,
    blocks,
    holm,
    interval,
    replicates,
    two_sided_p,
)
from interlingua.evaluation.records import Comparison, Difference, MeanDifference, Scorecard
from interlingua.evaluation.scorecard import PREDICTIONS, read
from interlingua.tasks.metrics.resampled import of_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlingua.evaluation.bootstrap import Replicates

__all__ = ["Comparison", "compare"]


@dataclass(slots=True)
class _Rows:
    """The rows of one language in a predictions file."""

    index: dict[str, int] = field(default_factory=dict)
    gold: list[int] = field(default_factory=list)
    predicted: list[int] = field(default_factory=list)
    texts: list[int | None] = field(default_factory=list)


def compare(a: str | Path, b: str | Path, *, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare two scorecards by the predictions that lie beside them.

    Args:
        a: The first ``scorecard.json``, or its folder.
        b: The second.
        resamples: Bootstrap resamples.
        seed: Same seed, same figures.

    Raises:
        UserError: Task, metric, label set, ids, texts or gold labels differ.
        DataError: A file is missing or cannot be read, or predictions and scorecard disagree.
    """
    cards = read(a), read(b)
    _same_task(*cards)
    labels = cards[0].labels
    rows_a, rows_b = (
        _read_predictions(_beside(path), card, labels)
        for path, card in zip((a, b), cards, strict=True)
    )
    common = sorted(rows_a.keys() & rows_b.keys())
    if not common:
        raise UserError(
            f"the scorecards share no language: {', '.join(rows_a)} and {', '.join(rows_b)}",
            remedy="Evaluate both models on the same files",
        )
    samples = {lang: _pair(lang, rows_a[lang], rows_b[lang]) for lang in common}
    metric = cards[0].metric
    drawn = replicates(samples, metric=metric, classes=len(labels), resamples=resamples, seed=seed)
    scores = {
        lang: [of_rows(metric, sample.gold, row, classes=len(labels)) for row in sample.predicted]
        for lang, sample in samples.items()
    }
    taught = {lang for card in cards for lang in card.source_languages}
    zero_shot = [lang for lang in common if lang not in taught]
    return Comparison(
        task=cards[0].task,
        metric=metric,
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


def _read_predictions(path: Path, card: Scorecard, labels: Sequence[str]) -> dict[str, _Rows]:
    """Rows by language, checked against the scorecard they lie beside."""
    index = {label: i for i, label in enumerate(labels)}
    languages: dict[str, _Rows] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                _read_row(line, number, path, index, languages)
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            remedy="Keep predictions.jsonl beside its scorecard.json",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8", path=path) from error
    for lang in sorted(card.per_language.keys() | languages.keys()):
        if not _agrees(card, lang, languages.get(lang)):
            raise DataError(
                f"does not give the scorecard's figures for {lang}",
                path=path,
                remedy="Run interlingua evaluate again: the two files are of different runs",
            )
    return languages


def _agrees(card: Scorecard, lang: str, rows: _Rows | None) -> bool:
    told = card.per_language.get(lang)
    if told is None or rows is None or told.n != len(rows.gold):
        return False
    gold, predicted = np.asarray(rows.gold), np.asarray(rows.predicted)
    score = of_rows(card.metric, gold, predicted, classes=len(card.labels))
    return abs(score - told.score) < 1e-6


def _read_row(
    line: str, number: int, path: Path, index: Mapping[str, int], languages: dict[str, _Rows]
) -> None:
    try:
        row = json.loads(line)
        name, lang = str(row["id"]), str(row["lang"])
        gold, predicted = index[str(row["gold"])], index[str(row["label"])]
        text, pair = row.get("text"), row.get("text_pair")
    except KeyError as error:
        raise DataError(
            f"{quoted(error.args[0])} is missing, or a label outside the label set",
            path=path,
            line=number,
        ) from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DataError("is not a prediction as JSON", path=path, line=number) from None
    rows = languages.setdefault(lang, _Rows())
    if name in rows.index:
        raise DataError(f"id {quoted(name)} stands twice in {lang}", path=path, line=number)
    rows.index[name] = len(rows.index)
    rows.gold.append(gold)
    rows.predicted.append(predicted)
    rows.texts.append(None if text is None else hash((str(text), str(pair))))


def _pair(lang: str, a: _Rows, b: _Rows) -> Sample:
    """The rows of a language as both models answered them.

    Raises:
        UserError: Ids, texts or gold labels differ.
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
    predicted = np.array([a.predicted, [b.predicted[j] for j in place]])
    return Sample(ids, np.asarray(a.gold), predicted)
