"""The scorecard as one page that needs nothing else; see `base.page`.

The page is filled from ``data/scorecard.html``.
"""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING

from interlingua.base.markup import Html, element, join, text
from interlingua.base.page import Cell, page, sortable
from interlingua.evaluation.figures import (
    MANY,
    by_score,
    calibration_plot,
    gap_legend,
    gap_map,
    language_bars,
    native_name,
)
from interlingua.evaluation.words import (
    NOTHING,
    between,
    counted,
    headline,
    listed,
    metric_name,
    points,
    script_name,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.evaluation.records import ClassScores, Scorecard


def render(scorecard: Scorecard) -> str:
    """The whole page of a scorecard.

    Args:
        scorecard: Any scorecard, of one language or of hundreds.

    Returns:
        A self-contained HTML document.
    """
    pieces = {
        "title": text(f"{scorecard.task}: {scorecard.model}, an Interlingua scorecard"),
        "task": text(scorecard.task),
        "headline": text(headline(scorecard).replace("-F1", "\N{NON-BREAKING HYPHEN}F1")),
        "lede": _lede(scorecard),
        "facts": _facts(scorecard),
        "tiles": _tiles(scorecard),
        "bars_note": _bars_note(scorecard),
        "bars": language_bars(scorecard),
        "alone": Html(" hidden" if len(scorecard.per_language) == 1 else ""),
        "map_note": text(_map_note(scorecard)),
        "map": gap_map(scorecard),
        "legend": gap_legend(),
        "ungraded": Html("" if scorecard.calibration else " hidden"),
        "calibration": calibration_plot(scorecard) if scorecard.calibration else Html(),
        "calibration_note": _calibration_note(scorecard) if scorecard.calibration else Html(),
        "classes": _classes(scorecard),
        "table": _languages_table(scorecard),
        "data": _data(scorecard),
        "notes": _notes(scorecard),
        "metric": text(metric_name(scorecard.metric)),
        "level": text(f"{scorecard.bootstrap.level * 100:.0f}"),
        "resamples": text(f"{scorecard.bootstrap.resamples:,}"),
        "drawn": text(
            "The same items were drawn in all languages"
            if scorecard.bootstrap.parallel
            else "Languages with the same items were drawn together, others on their own"
        ),
    }
    template = files("interlingua.evaluation").joinpath("data", "scorecard.html")
    return page(template.read_text(encoding="utf-8"), pieces)


def _lede(card: Scorecard) -> Html:
    summary, sentences = card.summary, []
    if summary.transfer_gap is not None:
        verb = "cost" if summary.transfer_gap >= 0 else "gained"
        sentences.append(
            f"Crossing languages {verb} {points(abs(summary.transfer_gap))} points "
            f"(interval {between(card.summary_ci.transfer_gap)})."
        )
    if len(card.per_language) > 1:
        worst = card.languages[summary.worst_language].name
        sentences.append(f"Weakest: {worst} with {points(summary.worst)}{_left_behind(card)}.")
    return text(" ".join(sentences))


def _left_behind(card: Scorecard) -> str:
    mean = card.summary.zero_shot_mean
    if mean is None:
        return ""
    under = sum(result.score < mean - 0.1 for result in card.per_language.values())
    verb = "falls" if under == 1 else "fall"
    below = f"; {counted(under, 'language')} {verb} more than 10 points below the zero-shot mean"
    return below if under > 1 else ""


def _facts(card: Scorecard) -> Html:
    rows = sum(result.n for result in card.per_language.values())
    facts: list[tuple[str, Html | str]] = [
        ("Model", element("bdi", card.model)),
        ("Metric", metric_name(card.metric)),
        ("Split", card.split or "not told"),
        ("Rows", f"{rows:,}"),
        ("Labels", f"{len(card.labels)}" if card.labels else "none"),
        ("Created", card.created.replace("T", " ")),
    ]
    return join(
        [element("div", element("dt", name), element("dd", value)) for name, value in facts]
    )


def _tiles(card: Scorecard) -> Html:
    """The figures of the summary; of a single language only its score."""
    taught = [facts.name for facts in card.languages.values() if facts.taught]
    low = sum(facts.low_resource for facts in card.languages.values())
    others = counted(len(card.languages) - len(taught), "language")
    home = listed(taught) if 0 < len(taught) <= 2 else counted(len(taught), "language")
    worst = card.languages[card.summary.worst_language].name
    tiles = [
        ("Taught", "source", home),
        ("Zero-shot mean", "zero_shot_mean", others),
        ("Transfer gap", "transfer_gap", "points lost on the way"),
        ("Weakest language", "worst", worst),
        ("Low-resource mean", "low_resource_mean", counted(low, "language")),
    ]
    if len(card.languages) == 1:
        name = "source" if taught else "zero_shot_mean"
        tiles = [("Score", name, worst)]
    return join([_tile(card, *tile) for tile in tiles])


def _tile(card: Scorecard, title: str, name: str, about: str) -> Html:
    ci = getattr(card.summary_ci, name)
    return element(
        "div",
        element("dt", title),
        element("dd", points(getattr(card.summary, name)), class_="figure"),
        element("dd", between(ci) if ci else "\N{NO-BREAK SPACE}", class_="ci"),
        element("dd", card.notes.get(f"summary.{name}", about), class_="about"),
        class_=f"tile {name}",
    )


def _bars_note(card: Scorecard) -> Html:
    """What the colours and marks of the bars mean, as far as they occur."""
    facts = card.languages.values()
    keys = [
        (any(not f.taught for f in facts), "key zero", "not taught"),
        (any(f.taught for f in facts), "key taught", "taught"),
        (True, "key whisker", f"{card.bootstrap.level * 100:.0f} % interval"),
        (card.summary.source is not None, "key home", "score of the languages taught"),
        (any(f.low_resource for f in facts), "low-mark", "low-resource"),
    ]
    shown = [element("li", element("i", class_=kind), name) for used, kind, name in keys if used]
    return element("ul", *shown, class_="legend")


def _map_note(card: Scorecard) -> str:
    whom = "the languages taught" if card.summary.source is not None else "the best language"
    which = "not taught" if any(not f.taught for f in card.languages.values()) else "tested"
    return f"Mean points relative to {whom}, over the languages {which}."


def _calibration_note(card: Scorecard) -> Html:
    sure = {
        tag: card.calibration[tag].confidence - (card.per_language[tag].metrics["accuracy"] or 0)
        for tag in card.per_language
    }
    too_sure = [tag for tag, excess in sure.items() if excess > 0.05]
    too_shy = [tag for tag, excess in sure.items() if excess < -0.05]
    worst = max(sorted(card.calibration), key=lambda tag: card.calibration[tag].ece)
    name, calibration = card.languages[worst].name, card.calibration[worst]
    right = card.per_language[worst].metrics["accuracy"]
    sentences = []
    if too_sure:
        sentences.append(f"Too sure of itself by over 5 points in {_of(too_sure, card)}.")
    if too_shy:
        sentences.append(f"Not sure enough by over 5 points in {_of(too_shy, card)}.")
    if not too_sure and not too_shy:
        sentences.append("On average the model is as sure as it is right, within 5 points.")
    sentences.append(
        f"Furthest off is {name}: mean confidence {points(calibration.confidence)}, right "
        f"{points(right)}, calibration error {points(calibration.ece)}."
    )
    return element("p", " ".join(sentences))


def _of(tags: Sequence[str], card: Scorecard) -> str:
    if len(tags) <= 3:
        return listed([card.languages[tag].name for tag in tags])
    return f"{len(tags)} of {counted(len(card.per_language), 'language')}"


def _classes(card: Scorecard) -> Html:
    columns = [
        "label",
        "F1 where taught",
        "F1 elsewhere",
        "hardest language",
        "its F1",
        "precision",
        "recall",
        "rows",
    ]
    rows = [_class_row(card, label) for label in card.labels]
    return sortable(columns, rows, "classes")


def _class_row(card: Scorecard, label: str) -> list[Cell]:
    scores = {tag: card.classes[tag][label] for tag in sorted(card.per_language)}
    taught = [s for tag, s in scores.items() if card.languages[tag].taught]
    others = [s for tag, s in scores.items() if not card.languages[tag].taught]
    f1 = {tag: s.f1 for tag, s in scores.items() if s.f1 is not None and s.support}
    hardest = min(f1, key=lambda tag: (f1[tag], tag)) if f1 else None
    return [
        (element("bdi", label), label),
        _figure(_mean(taught, "f1")),
        _meter(_mean(others, "f1")),
        (NOTHING, "") if hardest is None else (card.languages[hardest].name,) * 2,
        _figure(None if hardest is None else f1[hardest]),
        _figure(_mean(list(scores.values()), "precision")),
        _figure(_mean(list(scores.values()), "recall")),
        _whole(sum(s.support for s in scores.values())),
    ]


def _mean(scores: Sequence[ClassScores], name: str) -> float | None:
    values = [value for s in scores if (value := getattr(s, name)) is not None]
    return math.fsum(values) / len(values) if values else None


def _languages_table(card: Scorecard) -> Html:
    metrics = sorted({m for result in card.per_language.values() for m in result.metrics})
    columns = [
        "language",
        "tag",
        "script",
        "family",
        "resource",
        "rows",
        "score",
        "interval",
        "gap",
        *[metric_name(m) for m in metrics if m != card.metric],
        *(["cal. error", "confidence"] if card.calibration else []),
        *(["unknown %", "pieces/char", "cut %"] if card.coverage else []),
    ]
    extra = [m for m in metrics if m != card.metric]
    rows = [_language_row(card, tag, extra) for tag in by_score(card)]
    return sortable(columns, rows, "languages tall" if len(rows) > MANY // 2 else "languages")


def _language_row(card: Scorecard, tag: str, metrics: Sequence[str]) -> list[Cell]:
    facts, result = card.languages[tag], card.per_language[tag]
    name = join(
        [
            element("span", facts.name, class_="name"),
            element("i", class_="taught-mark", title="taught") if facts.taught else Html(),
            native_name(tag, facts) or Html(),
        ]
    )
    gap = None if card.summary.source is None else result.score - card.summary.source
    return [
        (name, facts.name),
        (element("code", tag), tag),
        (element("span", script_name(facts.script), title=facts.script), script_name(facts.script)),
        (facts.family, facts.family),
        ("low", "low") if facts.low_resource else (NOTHING, "high"),
        _whole(result.n),
        (element("b", points(result.score)), result.score),
        (between(result.ci), result.ci[0]),
        (signed(gap), gap),
        *[_figure(result.metrics.get(metric)) for metric in metrics],
        *_answer_cells(card, tag),
    ]


def _answer_cells(card: Scorecard, tag: str) -> list[Cell]:
    """What is known of the model's confidence and of the tokenizer, where it was counted."""
    cells: list[Cell] = []
    if card.calibration:
        calibration = card.calibration[tag]
        cells += [_figure(calibration.ece), _figure(calibration.confidence)]
    if card.coverage:
        coverage = card.coverage[tag]
        rate = coverage.tokens_per_character
        shown = NOTHING if rate is None else f"{rate:.2f}"
        cells += [_figure(coverage.unknown_rate, 2), (shown, rate), _figure(coverage.truncated)]
    return cells


def _figure(value: float | None, digits: int = 1) -> Cell:
    return points(value, digits), value


def _whole(value: int) -> Cell:
    return f"{value:,}", value


def _meter(value: float | None) -> Cell:
    if value is None:
        return NOTHING, None
    drawing = element(
        "svg",
        element("rect", class_="rail", width="100%", height="100%"),
        element("rect", class_="fill", width=f"{value * 100:.2f}%", height="100%"),
        class_="meter",
        aria_hidden="true",
    )
    return join([points(value), drawing]), value


def _data(card: Scorecard) -> Html:
    rows: list[list[Cell]] = [
        [
            (element("bdi", file.path), file.path),
            _whole(file.rows),
            (element("code", file.sha256), file.sha256),
        ]
        for file in card.data
    ]
    seeds = ", ".join(f"{name} {seed}" for name, seed in card.seeds.items())
    chosen = f" Parameters: {card.checkpoint}." if card.checkpoint else ""
    told = element("p", f"Seeds: {seeds}.{chosen}")
    return join([sortable(["file", "rows", "sha256"], rows, "files"), told])


def _notes(card: Scorecard) -> Html:
    if not card.notes:
        return Html()
    entries = [
        element("div", element("dt", element("code", place)), element("dd", why))
        for place, why in sorted(card.notes.items())
    ]
    return element(
        "details",
        element("summary", f"Why {counted(len(entries), 'figure')} cannot be told"),
        element("dl", *entries),
    )
