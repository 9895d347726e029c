"""A benchmark's tables: ours by language, published averages beside them, and what differs.

The report is put together once, as sections of sentences and tables, and written twice: as a page
(`base.page`) and as Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.files import write_json, write_text
from interlingua.base.markup import Html, element, join, text
from interlingua.base.page import page, sortable
from interlingua.evaluation.suite.published import Published, differences, of_task
from interlingua.evaluation.suite.summary import (
    SUMMARY,
    figure,
    mean_of,
    overall,
    summary,
)
from interlingua.evaluation.words import NOTHING, between, counted, listed, metric_name, points
from interlingua.languages import parse

if TYPE_CHECKING:
    from interlingua.evaluation.suite.plan import PartPlan
    from interlingua.evaluation.suite.records import Benchmark
    from interlingua.evaluation.suite.run import Done

PAGE = "report.html"
MARKDOWN = "report.md"
COMPARABLE = "comparable"
NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of a table; a cell is what is shown."""

    kind: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class Section:
    """A heading, sentences and tables."""

    title: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


def write_report(
    out: Path,
    benchmark: Benchmark,
    plans: Sequence[PartPlan],
    done: Sequence[Done],
    *,
    model: str,
    official: Mapping[str, Any],
) -> dict[str, object]:
    """Write ``summary.json``, ``report.html`` and ``report.md``.

    Args:
        out: The folder of all tasks.
        benchmark: The record.
        plans: What was planned.
        done: What was run.
        model: What it was run with.
        official: What the official scorers gave, as `submission.submit` returns it.

    Returns:
        The summary.
    """
    document = summary(benchmark, plans, done, model=model)
    sections = report(benchmark, plans, done, model=model)
    if official:
        sections.insert(2, _official(benchmark, done, official))
    write_text(out / MARKDOWN, markdown(sections))
    write_text(out / PAGE, html(sections))
    write_json(out / SUMMARY, document)
    return document


def report(
    benchmark: Benchmark, plans: Sequence[PartPlan], done: Sequence[Done], *, model: str
) -> list[Section]:
    """The report's sections: all tasks, what is missing, then every task."""
    first = Section(f"{benchmark.name} with {model}")
    first.sentences.append(
        f"{len(done)} of {counted(len(benchmark.parts), 'task')} were run. "
        f"Figures are times 100. {benchmark.summary[0].upper()}{benchmark.summary[1:]};"
        f" {benchmark.citation}."
    )
    mean, words = overall(benchmark, done)
    told = words if mean is None else f"{words}: {points(mean)}"
    first.sentences.append(f"{told[0].upper()}{told[1:]}.")
    first.tables.append(_overview(benchmark, done))
    return [first, _missing(plans), *(_task(benchmark, one) for one in done)]


def _overview(benchmark: Benchmark, done: Sequence[Done]) -> Table:
    rows = []
    for one in done:
        reference = _reference(benchmark, one)
        metrics = one.plan.part.metrics
        beside = " / ".join(points(p.score) for p in reference)
        rows.append(
            (
                one.plan.part.name,
                " / ".join(metric_name(metric) for metric in metrics),
                " / ".join(points(mean_of(one, metric)) for metric in metrics),
                f"{len(one.plan.languages) - len(one.plan.missing)} of {len(one.plan.languages)}",
                points(one.card.summary.zero_shot_mean),
                f"{reference[0].model} {beside}" if reference else NOTHING,
                _verdict(one) if reference else NOTHING,
            )
        )
    columns = ("task", "figure", "mean", "languages", "not taught", "published", "beside ours")
    return Table("tasks", columns, tuple(rows))


def _reference(benchmark: Benchmark, done: Done) -> list[Published]:
    """The published figures of the first model, in the order of the task's metrics."""
    found = of_task(benchmark.name, done.plan.part.name)
    return [one for one in found if one.model == found[0].model]


def _verdict(done: Done) -> str:
    return NOT_COMPARABLE if differences(done) else COMPARABLE


def _missing(plans: Sequence[PartPlan]) -> Section:
    section = Section("What is missing")
    for plan in plans:
        if plan.problem:
            section.sentences.append(f"{plan.part.name} was not run: {plan.problem}.")
        elif plan.missing:
            names = ", ".join(f"{parse(tag).name} ({tag})" for tag in plan.missing)
            section.sentences.append(f"{plan.part.name} was not tested on {names}.")
    if not section.sentences:
        section.sentences.append("Nothing: every task has every official language.")
    return section


def _official(benchmark: Benchmark, done: Sequence[Done], official: Mapping[str, Any]) -> Section:
    """What the official scorers gave for our predictions, on their own scale."""
    section = Section("By the official scorers")
    section.sentences.append(
        "The figures of official.json: predictions in the benchmark's own layout (the folder"
        f" submission), scored as interlingua score {benchmark.scored} does, on the official scale."
    )
    rows = []
    for one in done:
        task = benchmark.official(one.plan.part)
        if one.plan.part.name != task.name:  # MLQA's questions in other languages
            continue
        figures = official if task.metrics[0] in official else official.get(task.name, {})
        languages = [code for code in task.languages if code in _first(figures, task.metrics)]
        if not languages:
            continue
        told = [figures] if benchmark.scored == "xglue" else [figures[m] for m in task.metrics]
        means = (sum(by[code] for code in languages) / len(languages) for by in told)
        values = " / ".join(f"{mean:.4g}" for mean in means)
        row = (task.name, " / ".join(map(metric_name, task.metrics)), values)
        rows.append((*row, f"{len(languages)} of {len(task.languages)}"))
    columns = ("task", "figures", "means", "languages")
    section.tables.append(Table("official", columns, tuple(rows)))
    return section


def _first(figures: Mapping[str, Any], metrics: Sequence[str]) -> Mapping[str, Any]:
    """Figures by language: those of the first metric, where several are told apart."""
    found = figures.get(metrics[0], figures)
    return found if isinstance(found, Mapping) else figures


def _task(benchmark: Benchmark, done: Done) -> Section:
    plan, card = done.plan, done.card
    official = benchmark.official(plan.part)
    section = Section(plan.part.name)
    section.sentences.append(f"{official.definition} Data: {plan.dataset.citation}.")
    section.sentences.append(_taught(done))
    if official.unlike:
        section.sentences.append(f"Elsewhere: {official.unlike}")
    metrics = plan.part.metrics
    rows = [
        (
            parse(lang).name,
            lang,
            f"{card.per_language[lang].n:,}",
            *(points(figure(done, lang, metric)) for metric in metrics),
            between(card.per_language[lang].ci),
        )
        for lang in card.per_language
    ]
    tested = [lang for lang in plan.languages if lang in card.per_language]
    means = (points(mean_of(done, metric)) for metric in metrics)
    rows.append((f"mean of {counted(len(tested), 'official language')}", "", "", *means, ""))
    columns = ("language", "tag", "rows", *map(metric_name, metrics), "interval")
    section.tables.append(Table("languages", columns, tuple(rows)))
    section.tables += _beside(benchmark, done)
    return section


def _taught(done: Done) -> str:
    if not done.plan.taught:
        return "No model was taught: vectors alone are compared."
    rows = "an unknown number of" if done.train_rows is None else f"{done.train_rows:,}"
    names = listed([path.name for path in done.plan.train]) if done.plan.train else ""
    return f"Taught with {rows} rows{f' of {names}' if names else ''}."


def _beside(benchmark: Benchmark, done: Done) -> list[Table]:
    """Published averages beside ours."""
    found = of_task(benchmark.name, done.plan.part.name)
    if not found:
        return []
    reasons = differences(done)
    metrics = done.plan.part.metrics
    rows = []
    for model in dict.fromkeys(one.model for one in found):
        own = {one.metric: one for one in found if one.model == model}
        one = next(iter(own.values()))
        why = "; ".join([*reasons, *([one.note] if one.note else [])])
        rows.append(
            (
                model,
                *(points(own[metric].score) if metric in own else NOTHING for metric in metrics),
                str(one.languages),
                f"{NOT_COMPARABLE}: {why}" if why else COMPARABLE,
                f"{one.source}, {one.place}",
            )
        )
    columns = ("model", *map(metric_name, metrics), "languages", "beside ours", "source")
    return [Table("published", columns, tuple(rows))]


def markdown(sections: Sequence[Section]) -> str:
    """The report as Markdown."""
    parts = []
    for level, section in enumerate(sections):
        parts.append(f"{'#' if level == 0 else '##'} {section.title}")
        parts += section.sentences
        for table in section.tables:
            lines = ["| " + " | ".join(table.columns) + " |", "|---" * len(table.columns) + "|"]
            lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table.rows]
            parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _cell(value: str) -> str:
    return value.replace("|", "\\|")


def html(sections: Sequence[Section]) -> str:
    """The report as a page that needs nothing else."""
    first, rest = sections[0], sections[1:]
    pieces = {
        "title": text(f"{first.title}, an Interlingua report"),
        "headline": text(first.title),
        "lede": text(" ".join(first.sentences)),
        "overview": join([_table(table) for table in first.tables]),
        "links": join([element("a", s.title, href=f"#{_anchor(s.title)}") for s in rest]),
        "sections": join([_section(section) for section in rest]),
    }
    template = files("interlingua.evaluation").joinpath("data", "suite.html")
    return page(template.read_text(encoding="utf-8"), pieces)


def _section(section: Section) -> Html:
    return element(
        "section",
        element("h2", section.title),
        *(element("p", sentence, class_="note") for sentence in section.sentences),
        *(_table(table) for table in section.tables),
        id=_anchor(section.title),
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _table(table: Table) -> Html:
    rows = [[(cell, _sort_key(cell)) for cell in row] for row in table.rows]
    return sortable(table.columns, rows, table.kind)


def _sort_key(cell: str) -> float | str:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return cell


__all__ = ["MARKDOWN", "PAGE", "html", "markdown", "report", "write_report"]
