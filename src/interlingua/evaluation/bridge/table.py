"""A bridge report as tables in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from interlingua.evaluation.bridge.records import MEASURES, Bridge, Change
from interlingua.evaluation.bridge.words import (
    gained,
    headline,
    lede,
    shift,
    shift_span,
    span,
    value,
)
from interlingua.evaluation.table import bar

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = ("retrieval", "english_gap", "same_language_preference", "language_probe", "mean_cosine")


def print_bridge(report: Bridge, console: Console) -> None:
    """Print the summary, then one row a language, best first."""
    console.print(Text(headline(report), style="bold"))
    console.print(Text(lede(report)))
    console.print(_summary(report))
    console.print(_languages(report))
    for place, note in report.notes.items():
        console.print(Text(f"{place}: {note}", style="dim"))


def _summary(report: Bridge) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("measure", no_wrap=True)
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("interval", style="dim", no_wrap=True)
    if report.changes:
        for name in ("before", "change"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("its interval", style="dim", no_wrap=True)
    table.add_column("better", style="dim", no_wrap=True)
    for name, measure in MEASURES.items():
        if name not in report.summary:
            continue
        figure = report.summary[name]
        title = measure.title
        if name == "retrieval_worst":
            title = f"{title}: {report.languages[report.weakest].facts.name}"
        row = [title, value(name, figure.value), span(name, figure.ci)]
        if report.changes:
            change = report.changes[name]
            row += [value(name, change.before), "", shift_span(name, change.ci)]
        cells = [Text(text) for text in [*row, measure.better]]
        if report.changes:
            cells[4] = _change(name, report.changes[name])
        table.add_row(*cells)
    return table


def _languages(report: Bridge) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("language", no_wrap=True)
    table.add_column("tag", style="dim", no_wrap=True)
    for name in ("items", "retrieval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("interval", style="dim", no_wrap=True)
    if report.changes:
        table.add_column("change", justify="right", no_wrap=True)
    names = ["to English", "own first", "readable", *([] if report.changes else ["cosine"])]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for tag, one in sorted(
        report.languages.items(), key=lambda i: (-i[1].figures["retrieval"].value, i[0])
    ):
        retrieval, *others = (one.figures.get(name) for name in _COLUMNS)
        assert retrieval is not None
        cells = [
            Text(one.facts.name),
            Text(tag),
            Text(f"{one.items:,}"),
            Text(value("retrieval", retrieval.value), style="bold"),
            Text(bar(retrieval.value), style="blue"),
            Text(span("retrieval", retrieval.ci)),
        ]
        if report.changes:
            cells.append(_change("retrieval", one.changes["retrieval"]))
        for name, figure in zip(_COLUMNS[1 : len(names) + 1], others, strict=False):
            cells.append(Text("–" if figure is None else value(name, figure.value)))
        table.add_row(*cells)
    return table


def _change(name: str, change: Change) -> Text:
    better = gained(name, change)
    style = "" if better is None else "green" if better else "red"
    return Text(shift(name, change.difference), style=style)
