"""A scored submission as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from interlingua.evaluation.score.run import group_means, task_mean
from interlingua.evaluation.words import NOTHING, counted

if TYPE_CHECKING:
    from rich.console import Console

    from interlingua.evaluation.score.run import Report, TaskReport

_SHOWN = 12


def print_report(report: Report, console: Console) -> None:
    """Print what is missing, then the figures: a row a task, or a row a language of one task."""
    for title, lines in (("missing", report.missing), ("remark", report.remarks)):
        for line in lines[:_SHOWN]:
            console.print(Text(f"{title}: {line}", style="dim"))
        if len(lines) > _SHOWN:
            console.print(Text(f"{title}: {len(lines) - _SHOWN} more, all in --json", style="dim"))
    if len(report.suite.tasks) > 1:
        _print_tasks(report, console)
    else:
        _print_languages(report.tasks[0], console)


def _print_tasks(report: Report, console: Console) -> None:
    table = _table("task", "figure", "languages", "mean", "worst")
    for t in report.tasks:
        key = t.task.metrics[0] if t.task.metrics != ("score",) else ""
        measured = len(t.task.languages) - sum(c not in t.measured for c in t.task.languages)
        of = f"{measured} of {len(t.task.languages)}"
        name = "(exact_match + f1) / 2" if "exact_match" in t.task.metrics else key
        worst = min(t.figures()[t.task.metrics[0]].items(), key=lambda item: item[1])
        digits = 4 if report.suite.shape == "xglue" else 2
        lowest = f"{worst[0]} {worst[1]:.{digits}f}"
        table.add_row(t.task.name, name, of, _mean(t, digits), lowest)
    console.print(table)
    for name, value in group_means(report).items() if report.suite.shape == "xtreme" else ():
        console.print(f"{name} {value:.2f}", highlight=False)
    mean = task_mean(report) if report.suite.shape == "xglue" else None
    if mean is not None:
        console.print(f"average across all tasks {mean:.4f}", highlight=False)
    if not all(t.complete for t in report.tasks):
        console.print(Text("* over the languages at hand only, not the official mean", style="dim"))


def _print_languages(report: TaskReport, console: Console) -> None:
    task = report.task
    figures = {**report.figures(), **report.figures(others=True)}
    table = _table("language", "items", *figures)
    for lang, measured in report.measured.items():
        values = (_figure(figures[key][lang]) for key in figures)
        table.add_row(lang, f"{measured.items:,}", *values)
    means = {**report.averages(), **report.averages(others=True)}
    if len(report.measured) > 1 and means:
        star = "" if report.complete else " *"
        table.add_row(f"mean{star}", "", *(_figure(means[key]) for key in figures), style="bold")
    console.print(table)
    if len(report.measured) > 1 and not report.complete:
        lacking = [code for code in task.languages if code not in report.measured]
        console.print(
            Text(f"* not the official mean: {counted(len(lacking), 'language')} lack", style="dim")
        )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=name in {"mean", "worst"})
    return table


def _mean(report: TaskReport, digits: int) -> str:
    if report.main is None:
        return NOTHING
    return f"{report.main:.{digits}f}" + ("" if report.complete else " *")


def _figure(value: float) -> str:
    return f"{value:.2f}"
