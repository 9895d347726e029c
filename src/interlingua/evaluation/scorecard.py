"""The scorecard: how well a model works in each language, and how sure we are.

One JSON document per task. Every figure is between 0 and 1; what cannot be said is null, and
``notes`` says why.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.config import make
from interlingua.base.errors import ConfigError, DataError
from interlingua.base.files import atomic_path
from interlingua.base.seeding import generator
from interlingua.evaluation.bootstrap import LEVEL, Labelled, blocks, interval, replicates
from interlingua.evaluation.records import (
    BREAKDOWNS,
    Bootstrap,
    Calibration,
    ClassScores,
    Coverage,
    DataFile,
    Group,
    LanguageFacts,
    LanguageScore,
    Scorecard,
    Summary,
    SummaryIntervals,
    group_of,
)
from interlingua.languages import UND, parse, tag_of
from interlingua.tasks.metrics.classification import (
    accuracy,
    average_precision,
    expected_calibration_error,
    macro_f1,
    per_class,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from interlingua.evaluation.bootstrap import Replicates
    from interlingua.evaluation.results import LanguageResult

SCORECARD = "scorecard.json"
PREDICTIONS = "predictions.jsonl"
PAGE = "scorecard.html"
_PRECISION_RESAMPLES = 1000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def build(  # noqa: PLR0913 - the head of a scorecard is all of these
    results: Sequence[LanguageResult],
    *,
    task: str,
    metric: str,
    labels: Sequence[str],
    model: str,
    source_languages: Iterable[str],
    data: Iterable[DataFile | dict[str, str | int]],
    seed: int,
    resamples: int = 1000,
    split: str | None = None,
    seeds: dict[str, int] | None = None,
    checkpoint: str = "",
    created: str | None = None,
) -> Scorecard:
    """Score what a model answered in each language.

    Args:
        results: One per language.
        task: Name of the task.
        metric: ``accuracy`` or ``macro_f1``: the score.
        labels: ``C`` labels, in the order of the classes; of two, the last is the positive one.
        model: What was tested.
        source_languages: The languages the model was taught the task in.
        data: The files tested on.
        seed: Of the bootstrap.
        resamples: Bootstrap resamples.
        split: Which part of the data was tested on.
        seeds: Other seeds of the run, by what they were for, such as ``training``.
        checkpoint: Which of the training's parameters were tested, and how they were chosen.
        created: When, in ISO 8601; None: now.

    Raises:
        LanguageError: A tag names no language.
        UnknownNameError: No such metric.
    """
    by_lang = {tag_of(result.lang): result for result in sorted(results, key=lambda r: r.lang)}
    assert by_lang and len(by_lang) == len(results), "one result per language"
    assert len(set(labels)) == len(labels), labels
    assert all(r.probabilities.shape[1] == len(labels) for r in results), labels
    sources = tuple(sorted({tag_of(source) for source in source_languages}))
    samples = {
        lang: Labelled(
            result.ids, result.gold, result.predicted[None], metric=metric, classes=len(labels)
        )
        for lang, result in by_lang.items()
    }
    drawn = replicates(samples, resamples=resamples, seed=seed)
    notes: dict[str, str] = {}
    scores = {
        lang: _score(lang, result, metric, labels, drawn[lang][0], notes, seed=seed)
        for lang, result in by_lang.items()
    }
    means = Means(
        {lang: score.score for lang, score in scores.items()},
        {lang: values[0] for lang, values in drawn.items()},
    )
    facts = {lang: facts_of(lang, taught=lang in sources) for lang in by_lang}
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
        calibration={lang: _calibration(result) for lang, result in by_lang.items()},
        coverage={lang: _coverage(lang, result, notes) for lang, result in by_lang.items()},
        classes={lang: _classes(result, labels, notes) for lang, result in by_lang.items()},
        languages=facts,
        bootstrap=Bootstrap(level=LEVEL, resamples=resamples, parallel=len(blocks(samples)) == 1),
        notes=notes,
        data=tuple(DataFile.model_validate(file) for file in data),
        seed=seed,
        seeds={"bootstrap": seed, **(seeds or {})},
        checkpoint=checkpoint,
        created=created or datetime.now(UTC).isoformat(timespec="seconds"),
    )


class Means:
    """Means of scores over languages, with the replicates they have in every resample."""

    def __init__(self, scores: dict[str, float], drawn: dict[str, Replicates]) -> None:
        self.scores = scores
        self.drawn = drawn

    def of(self, languages: Sequence[str]) -> float | None:
        """The mean over some languages; None over none."""
        if not languages:
            return None
        return math.fsum(self.scores[lang] for lang in languages) / len(languages)

    def in_resamples(self, languages: Sequence[str]) -> Replicates:
        """The mean over some languages in every resample, ``[R]``."""
        return np.asarray(np.mean([self.drawn[lang] for lang in languages], axis=0))

    def interval(self, languages: Sequence[str]) -> tuple[float, float] | None:
        """The interval of the mean over some languages; None over none."""
        mean = self.of(languages)
        return None if mean is None else interval(self.in_resamples(languages), mean)


def facts_of(tag: str, *, taught: bool) -> LanguageFacts:
    """What a language is, from the shipped table."""
    if tag == UND:
        return LanguageFacts(
            name="Undetermined",
            autonym="",
            script="Zzzz",
            family="unknown",
            direction="ltr",
            low_resource=False,
            taught=taught,
        )
    language = parse(tag)
    return LanguageFacts(
        name=language.name,
        autonym=language.autonym or "",
        script=language.script,
        family=language.family or "unknown",
        direction=language.direction,
        low_resource=language.low_resource,
        taught=taught,
    )


def _score(
    lang: str,
    result: LanguageResult,
    metric: str,
    labels: Sequence[str],
    drawn: Replicates,
    notes: dict[str, str],
    *,
    seed: int,
) -> LanguageScore:
    metrics: dict[str, float | None] = {
        "accuracy": accuracy(result.gold, result.predicted),
        "macro_f1": macro_f1(result.gold, result.predicted, classes=len(labels)),
    }
    if len(labels) == 2:
        precision = average_precision(result.gold, result.probabilities[:, 1])
        metrics["average_precision"] = None if math.isnan(precision) else precision
        if math.isnan(precision):
            place = f"per_language.{lang}.metrics.average_precision"
            notes[place] = f"no row is labelled {labels[1]}"
    score = metrics[metric]
    assert score is not None, metric
    return LanguageScore(
        n=len(result.ids),
        score=score,
        ci=interval(drawn, score),
        metrics=metrics,
        average_precision_ci=_precision_interval(result, metrics.get("average_precision"), seed),
    )


def _precision_interval(
    result: LanguageResult, estimate: float | None, seed: int
) -> tuple[float, float] | None:
    """Interval of the average precision; resamples without a positive row are left out."""
    if estimate is None:
        return None
    rng = generator(seed, "average precision", result.lang)
    values = []
    for _ in range(_PRECISION_RESAMPLES):
        rows = rng.integers(0, len(result.gold), size=len(result.gold))
        if result.gold[rows].any():
            values.append(average_precision(result.gold[rows], result.probabilities[rows, 1]))
    return interval(np.asarray(values), estimate)


def summarised(
    means: Means,
    facts: dict[str, LanguageFacts],
    scores: dict[str, LanguageScore],
    notes: dict[str, str],
) -> tuple[Summary, SummaryIntervals]:
    """The card in six figures, with intervals; what cannot be told is noted."""
    taught = [lang for lang, fact in facts.items() if fact.taught]
    zero_shot = [lang for lang, fact in facts.items() if not fact.taught]
    low_resource = [lang for lang, fact in facts.items() if fact.low_resource]
    worst = min(scores, key=lambda lang: (scores[lang].score, lang))
    source, zero_shot_mean = means.of(taught), means.of(zero_shot)
    gap = None if source is None or zero_shot_mean is None else source - zero_shot_mean
    gap_ci = None
    if gap is not None:
        gap_ci = interval(means.in_resamples(taught) - means.in_resamples(zero_shot), gap)
    if source is None:
        notes["summary.source"] = "no language taught was tested"
    if zero_shot_mean is None:
        notes["summary.zero_shot_mean"] = "every language tested was taught"
    if gap is None:
        both = notes.get("summary.source") or notes["summary.zero_shot_mean"]
        notes["summary.transfer_gap"] = both
    if not low_resource:
        notes["summary.low_resource_mean"] = "no low-resource language was tested"
    return Summary(
        source=source,
        zero_shot_mean=zero_shot_mean,
        transfer_gap=gap,
        worst_language=worst,
        worst=scores[worst].score,
        low_resource_mean=means.of(low_resource),
    ), SummaryIntervals(
        source=means.interval(taught),
        zero_shot_mean=means.interval(zero_shot),
        transfer_gap=gap_ci,
        worst=scores[worst].ci,
        low_resource_mean=means.interval(low_resource),
    )


def breakdown_of(
    means: Means, facts: dict[str, LanguageFacts], source: float | None
) -> dict[str, dict[str, Group]]:
    """Means by script, family and resource, of the languages not taught; of all if all were."""
    zero_shot = [lang for lang, fact in facts.items() if not fact.taught]
    breakdown: dict[str, dict[str, Group]] = {}
    for kind in BREAKDOWNS:
        members: dict[str, list[str]] = {}
        for lang in zero_shot or facts:
            members.setdefault(group_of(facts[lang], kind), []).append(lang)
        breakdown[kind] = {}
        for name, languages in sorted(members.items()):
            mean, ci = means.of(languages), means.interval(languages)
            assert mean is not None and ci is not None
            gap = None if source is None else source - mean
            breakdown[kind][name] = Group(languages=tuple(languages), mean=mean, ci=ci, gap=gap)
    return breakdown


def _calibration(result: LanguageResult) -> Calibration:
    confidence = float(result.probabilities.max(axis=1).mean(dtype=np.float64))
    return Calibration(
        ece=min(1.0, expected_calibration_error(result.gold, result.probabilities)),
        confidence=min(1.0, confidence),  # a sum of float32 may end a rounding above one
    )


def _coverage(lang: str, result: LanguageResult, notes: dict[str, str]) -> Coverage:
    tokens = None if result.tokens is None else int(result.tokens.sum())
    unknown = rate = None
    if tokens and result.unknown is not None:
        unknown = int(result.unknown.sum()) / tokens
    if tokens is not None and result.characters is not None and result.characters.any():
        rate = tokens / int(result.characters.sum())
    truncated = None if result.truncated is None else float(result.truncated.mean())
    if None in (unknown, rate, truncated):
        notes[f"coverage.{lang}"] = "null: was not counted"
    return Coverage(unknown_rate=unknown, tokens_per_character=rate, truncated=truncated)


def _classes(
    result: LanguageResult, labels: Sequence[str], notes: dict[str, str]
) -> dict[str, ClassScores]:
    reports = per_class(result.gold, result.predicted, classes=len(labels))
    if any(None in (report.precision, report.recall) for report in reports):
        notes["classes"] = (
            "null precision: never predicted; null recall: no row has the label; null f1: both"
        )
    return {
        label: ClassScores(
            precision=report.precision,
            recall=report.recall,
            f1=report.f1,
            support=report.support,
            predicted=report.predicted,
        )
        for label, report in zip(labels, reports, strict=True)
    }


def write(
    out_dir: str | Path, scorecard: Scorecard, predictions: Iterable[Mapping[str, Any]]
) -> None:
    """Write ``scorecard.json``, ``predictions.jsonl`` and ``scorecard.html``, whole or not at all.

    All three are complete before the first takes its name; the scorecard takes its name last.

    Args:
        out_dir: A folder, made if it is missing; other files in it are left alone.
        scorecard: The scorecard.
        predictions: One JSON object per row, streamed.

    Raises:
        DiskError: The disk refused a write; the folder is as it was before.
    """
    from interlingua.evaluation.html import render

    folder = Path(out_dir)
    with (
        atomic_path(folder / SCORECARD) as card_file,
        atomic_path(folder / PAGE) as page_file,
        atomic_path(folder / PREDICTIONS) as predictions_file,
    ):
        with predictions_file.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_json(prediction) + "\n" for prediction in predictions)
        page_file.write_text(render(scorecard), encoding="utf-8", newline="\n")
        document = _json(scorecard.model_dump(mode="json"), indent=2)
        card_file.write_text(document + "\n", encoding="utf-8", newline="\n")


def read(path: str | Path) -> Scorecard:
    """Read a scorecard.

    Args:
        path: A ``scorecard.json``, or the folder it is in.

    Raises:
        DataError: The file is missing, not JSON, or not a scorecard.
    """
    file = Path(path)
    if file.is_dir():
        file /= SCORECARD
    remedy = "Give the scorecard.json that interlingua evaluate wrote"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise DataError(reason, path=file, remedy=remedy) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON: {error}", path=file, remedy=remedy) from error
    try:
        return make(Scorecard, document)
    except ConfigError as error:
        reason = f"is not a scorecard: {error.problem}"
        raise DataError(reason, path=file, remedy=remedy) from None


def _json(document: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON that is readable in any script; characters that are not text are escaped."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    if text.isascii() or not _LONE_SURROGATE.search(text):
        return text
    return json.dumps(document, allow_nan=False, indent=indent)
