"""A scorecard or a comparison as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.table import Table
from rich.text import Text

from interlingua.evaluation.words import (
    between,
    counted,
    headline,
    metric_name,
    points,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from interlingua.evaluation.records import (
        Comparison,
        Difference,
        MeanDifference,
        Scorecard,
        SeedReport,
    )

ROWS = 60
_BAR = 10  # characters
_FIXED = 61  # characters of a row that are not the name of the language, nor the bar
_ROOM_FOR_BARS = 92
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SURE = 0.05
T = TypeVar("T")


def print_scorecard(card: Scorecard, console: Console, *, full: bool = False) -> None:
    """Print a scorecard: one row a language, best first, and the summary below.

    Args:
        card: The scorecard.
        console: Where to.
        full: All languages; else at most 60: the best and the worst.
    """
    console.print(Text(headline(card), style="bold"))
    bars = console.width >= _ROOM_FOR_BARS
    room = max(12, console.width - (_FIXED + _BAR + 2 if bars else _FIXED))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("language", no_wrap=True)
    table.add_column("tag", style="dim", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column(metric_name(card.metric), justify="right", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    table.add_column("interval", style="dim", no_wrap=True)
    table.add_column("gap", justify="right", no_wrap=True)
    table.add_column("ECE", justify="right", no_wrap=True)
    ordered = sorted(card.per_language, key=lambda tag: (-card.per_language[tag].score, tag))
    shown, left_out = _shown(ordered, full=full)
    for tag in shown:
        if tag is None:
            table.add_row(Text(f"… {left_out:,} more", style="dim"))
        else:
            name, code, rows, score, drawn, *rest = _language_row(card, tag)
            name.truncate(room, overflow="ellipsis")
            table.add_row(name, code, rows, score, *([drawn] if bars else []), *rest)
    console.print(table)
    if left_out:
        console.print(Text(_left_out_line(left_out), style="dim"))
    console.print(Text(_summary_line(card)))


def print_comparison(comparison: Comparison, console: Console, *, full: bool = False) -> None:
    """Print a comparison: one row a language, the largest gain of the second model first.

    Args:
        comparison: The comparison.
        console: Where to.
        full: All languages; else at most 60: the best and the worst.
    """
    paired = counted(comparison.rows, "row")
    languages = counted(len(comparison.per_language), "language")
    console.print(Text(f"A  {comparison.a}\nB  {comparison.b}", style="bold"))
    metric = metric_name(comparison.metric)
    console.print(Text(f"{comparison.task}, {metric}: {paired} paired in {languages}."))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("language", no_wrap=True)
    for name in ("rows", "A", "B", "B\N{MINUS SIGN}A"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("interval", style="dim", no_wrap=True)
    for name in ("p", "p (Holm)"):
        table.add_column(name, justify="right", no_wrap=True)
    found = comparison.per_language
    ordered = sorted(found, key=lambda tag: (-found[tag].difference, tag))
    shown, left_out = _shown(ordered, full=full)
    for tag in shown:
        if tag is None:
            table.add_row(Text(f"… {left_out:,} more", style="dim"))
        else:
            table.add_row(*_difference_row(tag, found[tag]))
    table.add_section()
    table.add_row(*_mean_row("all", comparison.overall))
    if comparison.zero_shot is not None:
        table.add_row(*_mean_row("taught to neither", comparison.zero_shot))
    console.print(table)
    if left_out:
        console.print(Text(_left_out_line(left_out), style="dim"))
    for line in _verdict(comparison):
        console.print(Text(line))


def print_seeds(report: SeedReport, console: Console) -> None:
    """Print the spread over seeds: one row a language, best first, and the summary's figures."""
    console.print(Text(f"{report.task}, {metric_name(report.metric)}: {len(report.cards)} seeds."))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("language", no_wrap=True)
    for name in ("mean", "sd", "least", "most"):
        table.add_column(name, justify="right", no_wrap=True)
    languages = sorted(report.per_language, key=lambda tag: -report.per_language[tag].mean)
    figures = {tag: report.per_language[tag] for tag in languages}
    figures |= {name.replace("_", " "): spread for name, spread in report.summary.items()}
    for i, (name, spread) in enumerate(figures.items()):
        if i == len(languages):
            table.add_section()
        values = (spread.mean, spread.sd, min(spread.values), max(spread.values))
        table.add_row(name, *(f"{100 * value:.1f}" for value in values))
    console.print(table)


def _shown(ordered: Sequence[T], *, full: bool) -> tuple[list[T | None], int]:
    """What is shown of a long list, None where something is left out, and how much that is."""
    if full or len(ordered) <= ROWS:
        return list(ordered), 0
    half = ROWS // 2
    return [*ordered[:half], None, *ordered[-half:]], len(ordered) - 2 * half


def _left_out_line(count: int) -> str:
    shown = f"The {ROWS // 2} best and the {ROWS // 2} worst"
    return f"{shown}; {counted(count, 'language')} left out, the whole table is in the files."


def _language_row(card: Scorecard, tag: str) -> list[Text]:
    facts, result = card.languages[tag], card.per_language[tag]
    gap = None if card.summary.source is None else result.score - card.summary.source
    style = "bold green" if facts.taught else ""
    return [
        Text(facts.name, style=style),
        Text(tag),
        Text(f"{result.n:,}"),
        Text(points(result.score), style=style or "bold"),
        Text(bar(result.score), style="green" if facts.taught else "blue"),
        Text(between(result.ci)),
        Text("taught" if facts.taught else signed(gap), style="dim" if facts.taught else ""),
        Text(points(card.calibration[tag].ece if card.calibration else None)),
    ]


def bar(share: float, width: int = _BAR) -> str:
    """A bar of block characters, ``width`` long for 1."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    text = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return text.ljust(width)


def _summary_line(card: Scorecard) -> str:
    summary, intervals = card.summary, card.summary_ci
    worst = card.languages[summary.worst_language].name
    parts = [
        ("taught", summary.source, intervals.source),
        ("zero-shot mean", summary.zero_shot_mean, intervals.zero_shot_mean),
        ("transfer gap", summary.transfer_gap, intervals.transfer_gap),
        (f"worst {worst}", summary.worst, intervals.worst),
        ("low-resource mean", summary.low_resource_mean, intervals.low_resource_mean),
    ]
    told = [f"{name} {points(v)} ({between(ci)})" for name, v, ci in parts if v is not None]
    return " · ".join(told)


def _difference_row(tag: str, found: Difference) -> list[Text]:
    sure = found.p_holm < _SURE
    return [
        Text(tag),
        Text(f"{found.n:,}"),
        Text(points(found.a)),
        Text(points(found.b)),
        Text(signed(found.difference), style=_colour(found.difference) if sure else ""),
        Text(_signed_interval(found.ci)),
        Text(_p(found.p)),
        Text(_p(found.p_holm), style="bold" if sure else "dim"),
    ]


def _mean_row(name: str, mean: MeanDifference) -> list[Text]:
    style = f"bold {_colour(mean.difference)}" if mean.p < _SURE else "bold"
    return [
        Text(f"{name} ({len(mean.languages)})", style="bold"),
        Text(""),
        Text(points(mean.a)),
        Text(points(mean.b)),
        Text(signed(mean.difference), style=style),
        Text(_signed_interval(mean.ci)),
        Text(_p(mean.p)),
        Text(""),
    ]


def _verdict(comparison: Comparison) -> list[str]:
    sure = {t: d.difference for t, d in comparison.per_language.items() if d.p_holm < _SURE}
    better = sum(difference > 0 for difference in sure.values())
    tested = counted(len(comparison.per_language), "language")
    lines = [
        f"Of {tested}, B is better in {better} and worse in {len(sure) - better} "
        f"at p < {_SURE} after Holm's correction."
    ]
    for name, tags in (("A", comparison.only_a), ("B", comparison.only_b)):
        if tags:
            lines.append(f"Only in {name}, left out: {', '.join(tags)}.")
    return lines


def _signed_interval(ci: tuple[float, float]) -> str:
    return f"{signed(ci[0])} to {signed(ci[1])}"


def _colour(difference: float) -> str:
    return "green" if difference > 0 else "red"


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"
