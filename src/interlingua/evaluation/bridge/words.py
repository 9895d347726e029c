"""Figures of a bridge report in words, the same on the page and in the terminal."""

from __future__ import annotations

from interlingua.evaluation.bridge.records import MEASURES, Bridge, Change, Figure
from interlingua.evaluation.words import MINUS, between, counted, points, signed

_PARTS = {"retrieval": "retrieval_mean", "same_language_first": "same_language_preference"}
_SURE = 0.05


def value(name: str, number: float) -> str:
    """A figure as its measure is shown: points of 100, or a number."""
    return points(number) if is_share(name) else f"{number:.2f}".replace("-", MINUS)


def span(name: str, ci: tuple[float, float]) -> str:
    """An interval as its measure is shown."""
    return between(ci) if is_share(name) else f"{value(name, ci[0])} to {value(name, ci[1])}"


def shift(name: str, number: float) -> str:
    """A difference with its sign."""
    if is_share(name):
        return signed(number)
    text = value(name, number)
    return f"+{text}" if number > 0 and float(f"{number:.2f}") else text


def shift_span(name: str, ci: tuple[float, float]) -> str:
    """The interval of a difference."""
    return f"{shift(name, ci[0])} to {shift(name, ci[1])}"


def is_share(name: str) -> bool:
    """Whether a measure is a share, shown in points."""
    return MEASURES[_PARTS.get(name, name)].share


def gained(name: str, change: Change) -> bool | None:
    """Whether a change is for the better; None: chance would do as much."""
    if change.p >= _SURE or change.difference == 0:
        return None
    return (change.difference > 0) == (MEASURES[_PARTS.get(name, name)].better == "more")


def headline(report: Bridge) -> str:
    """The report in one sentence."""
    share = f"{points(report.summary['retrieval_mean'].value)}\N{NO-BREAK SPACE}%"
    count = counted(len(report.languages), "language")
    change = report.changes.get("retrieval_mean")
    before = "" if change is None else f", {points(change.before)}\N{NO-BREAK SPACE}% before"
    return f"Across {count}, {share} of translations come first{before}."


def lede(report: Bridge) -> str:
    """What stands out, in sentences."""
    weakest = report.languages[report.weakest]
    preference = report.summary["same_language_preference"]
    return (
        f"Weakest: {weakest.facts.name} with {points(weakest.figures['retrieval'].value)}. "
        f"{_preference(preference)} A linear classifier tells the language of "
        f"{points(report.summary['language_probe'].value)} % of the texts "
        f"(chance {points(report.probe_chance)} %)."
    )


def _preference(figure: Figure) -> str:
    low, high = figure.ci
    if low <= 0 <= high:
        return "In a mixed pool no language is clearly preferred to the query's own."
    if high < 0:
        return "In a mixed pool texts of the query's own language are not preferred."
    return (
        f"In a mixed pool a wrong text of the query's own language gets before the translation "
        f"{points(figure.value)} points more often than one of the translation's."
    )
