"""The drawings of a scorecard page: bars with intervals, map of gaps, calibration.

Drawings are inline SVG with attributes only (no style attributes, which the page's content policy
refuses); colours are classes of the style sheet.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from interlingua.base.markup import Html, element
from interlingua.base.plot import Plot, dot_name, drawing
from interlingua.evaluation.words import between, counted, points, script_name, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.evaluation.records import LanguageFacts, Scorecard

MANY = 60  # languages from which on bars are small and stand in columns
_WIDE = 18  # scripts from which on the map shows whole points in small cells
_STEPS = (0.02, 0.05, 0.10, 0.20, 0.30)


def by_score(card: Scorecard) -> list[str]:
    """The languages, best first; equals by tag."""
    return sorted(card.per_language, key=lambda tag: (-card.per_language[tag].score, tag))


def native_name(tag: str, facts: LanguageFacts) -> Html | None:
    """A language's own name, marked up for its direction and its font; None when unknown."""
    if not facts.autonym or facts.autonym.casefold() == facts.name.casefold():
        return None
    return element("bdi", facts.autonym, class_="native", dir="auto", lang=tag.replace("_", "-"))


def language_bars(card: Scorecard) -> Html:
    """One bar a language, best first, with its interval and the mark of the languages taught."""
    languages = by_score(card)
    return element(
        "ol",
        *[_bar(card, tag) for tag in languages],
        class_="bars many" if len(languages) > MANY else "bars",
    )


def _bar(card: Scorecard, tag: str) -> Html:
    facts, result = card.languages[tag], card.per_language[tag]
    kind = " taught" if facts.taught else ""
    name = element(
        "span",
        element("span", facts.name, class_="name", title=tag),
        element("i", class_="low-mark", title="low-resource") if facts.low_resource else None,
        native_name(tag, facts),
        class_="who",
    )
    drawing = element(
        "svg",
        element("rect", class_="rail", width="100%", height="100%"),
        *[upright(x, "grid") for x in (0.25, 0.5, 0.75)],
        element("rect", class_="fill", width=percent(result.score), height="100%"),
        None if card.summary.source is None else upright(card.summary.source, "home"),
        whisker(result.ci),
        class_="bar",
        role="img",
        aria_label=f"{facts.name}: {points(result.score)}, interval {between(result.ci)}",
    )
    score = element("span", points(result.score), class_="score")
    return element(
        "li",
        name,
        drawing,
        score,
        element("span", between(result.ci), class_="ci"),
        class_=f"row{kind}",
    )


def whisker(ci: tuple[float, float]) -> Html:
    """The mark of an interval in a bar whose whole width is 1."""
    low, high = map(percent, ci)
    line = element("line", x1=low, x2=high, y1="50%", y2="50%")
    caps = [element("line", x1=x, x2=x, y1="28%", y2="72%") for x in (low, high)]
    return element("g", line, *caps, class_="whisker")


def upright(share: float, kind: str) -> Html:
    """A line across a bar, at a share of its width."""
    x = percent(share)
    return element("line", class_=kind, x1=x, x2=x, y1="0", y2="100%")


def percent(share: float) -> str:
    """A share as SVG writes lengths: ``12.50%``."""
    return f"{share * 100:.2f}%"


def gap_map(card: Scorecard) -> Html:
    """Mean points lost, by family (rows) and script (columns), largest groups first."""
    reference, languages = _reference(card)
    groups: dict[tuple[str | None, str | None], list[str]] = {}  # None: all
    for tag in languages:
        facts = card.languages[tag]
        for family in (None, facts.family):
            for script in (None, facts.script):
                groups.setdefault((family, script), []).append(tag)
    families = _largest_first([card.languages[tag].family for tag in languages])
    scripts = _largest_first([card.languages[tag].script for tag in languages])
    digits = 0 if len(scripts) > _WIDE else 1
    head = element(
        "tr",
        element("th", "family", scope="col", class_="corner"),
        element("th", "all", scope="col"),
        *[element("th", element("abbr", s, title=script_name(s)), scope="col") for s in scripts],
    )
    rows = [
        element(
            "tr",
            element("th", "all" if family is None else family, scope="row"),
            *[
                _cell(
                    card,
                    groups.get((family, script), []),
                    reference,
                    digits,
                    "total" if None in (family, script) else "",
                )
                for script in (None, *scripts)
            ],
        )
        for family in (None, *families)
    ]
    return element(
        "table",
        element("thead", head),
        element("tbody", *rows),
        class_="map" if digits else "map wide",
    )


def _reference(card: Scorecard) -> tuple[float, list[str]]:
    """What gaps are measured from, and the languages measured."""
    zero_shot = [tag for tag in sorted(card.languages) if not card.languages[tag].taught]
    source = card.summary.source
    best = max(result.score for result in card.per_language.values())
    return best if source is None else source, zero_shot or sorted(card.languages)


def _largest_first(names: Sequence[str]) -> list[str]:
    return sorted(set(names), key=lambda name: (-names.count(name), name))


def _cell(card: Scorecard, tags: Sequence[str], reference: float, digits: int, kind: str) -> Html:
    """Points relative to the reference, for the languages of one cell."""
    if not tags:
        return element("td", class_="none")
    gap = reference - math.fsum(card.per_language[tag].score for tag in tags) / len(tags)
    names = [card.languages[tag].name for tag in tags]
    who = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return element(
        "td",
        element("span", signed(-gap, digits), title=f"{counted(len(tags), 'language')}: {who}"),
        class_=f"{gap_class(gap)} {kind}".strip(),
    )


def gap_class(gap: float) -> str:
    """The colour of a gap: ``better``, then ``g0`` (under 2 points) to ``g5`` (30 and more)."""
    if gap <= -_STEPS[0]:
        return "better"
    return f"g{sum(gap >= step for step in _STEPS)}"


def gap_legend() -> Html:
    """What the colours of the map mean, in points lost."""
    marks = [f"{step * 100:.0f}" for step in _STEPS]
    spans = [f"under {marks[0]}", *[f"{a} to {b}" for a, b in pairwise(marks)]]
    entries = [("better", f"{marks[0]} or more better")]
    entries += [(f"g{i}", span) for i, span in enumerate([*spans, f"{marks[-1]} and more"])]
    return element(
        "ul",
        *[element("li", element("i", class_=kind), span) for kind, span in entries],
        class_="legend",
    )


def calibration_plot(card: Scorecard) -> Html:
    """Score against calibration error, one dot a language; the least calibrated are named."""
    languages = by_score(card)
    lowest = min(card.per_language[tag].score for tag in languages)
    highest_error = max(calibration.ece for calibration in card.calibration.values())
    left = max(0.0, math.floor(lowest * 10 - 0.25) / 10)
    top = max(0.1, math.ceil(highest_error * 20 + 0.25) / 20)

    plot = Plot((left, 1.0), (0.0, top))
    dots, labels = [], []
    worst = sorted(languages, key=lambda tag: -card.calibration[tag].ece)[:4]
    placed: list[tuple[float, float]] = []
    for tag in languages:
        score, error = card.per_language[tag].score, card.calibration[tag].ece
        facts = card.languages[tag]
        title = f"{facts.name}: score {points(score)}, calibration error {points(error)}"
        dots.append(
            element(
                "circle",
                element("title", title),
                cx=plot.x(score),
                cy=plot.y(error),
                r=4 if len(languages) > MANY else 5.5,
                class_="dot taught" if facts.taught else "dot",
            )
        )
    for tag in [*worst, *[t for t in languages if card.languages[t].taught][:1]]:
        place = plot.x(card.per_language[tag].score), plot.y(card.calibration[tag].ece)
        if all(abs(place[1] - b) > 15 or abs(place[0] - a) > 110 for a, b in placed):
            placed.append(place)
            labels.append(dot_name(card.languages[tag].name, *place))
    step_x = 0.1 if left >= 0.5 else 0.2
    step_y = 0.05 if top <= 0.3 else 0.1 if top <= 0.6 else 0.2
    scores = [1 - i * step_x for i in range(math.floor((1 - left) / step_x + 1e-9) + 1)]
    errors = [i * step_y for i in range(math.floor(top / step_y + 1e-9) + 1)]
    axes = plot.axes(
        [(score, points(score, 0)) for score in scores],
        [(error, points(error, 0)) for error in errors],
        ("score", "calibration error"),
    )
    label = "Calibration error against score, one dot a language; figures in the table"
    return drawing([*axes, *dots, *labels], label)
