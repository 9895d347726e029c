"""Score a submission, and write the official document."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.evaluation.score.layout import plan
from interlingua.evaluation.score.records import Measured, ScoredTask, Suite
from interlingua.evaluation.score.suites import MEASURES, SUITES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class TaskReport:
    """One task, measured in some languages."""

    task: ScoredTask
    measured: dict[str, Measured]

    @property
    def complete(self) -> bool:
        """Whether every official language was measured, so that the official mean exists."""
        return all(code in self.measured for code in self.task.languages)

    def figures(self, *, others: bool = False) -> dict[str, dict[str, float]]:
        """Figures by key and language, by the official definition or by the others."""
        keys = self.task.others if others else self.task.metrics
        return {
            key: {
                lang: (m.others if others else m.figures)[key] for lang, m in self.measured.items()
            }
            for key in keys
        }

    def averages(self, *, others: bool = False) -> dict[str, float]:
        """Means over the official languages that were measured, by key; empty without any."""
        codes = [code for code in self.task.languages if code in self.measured]
        return {
            key: sum(values[code] for code in codes) / len(codes)
            for key, values in self.figures(others=others).items()
            if codes
        }

    @property
    def main(self) -> float | None:
        """The task's one figure, a mean over languages; None where no official one was measured."""
        means = self.averages()
        if not means:
            return None
        if "exact_match" in means:
            return (means["exact_match"] + means["f1"]) / 2
        return means[self.task.metrics[0]]


@dataclass(slots=True)
class Report:
    """A submission, scored.

    Attributes:
        suite: What was scored.
        tasks: In official order; only those of which something was measured.
        alone: Whether one language was asked for, by its file or by name.
        missing: What the submission or the labels lack, by name.
        remarks: What a reader should know.
    """

    suite: Suite
    tasks: list[TaskReport]
    alone: bool = False
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def score(
    suite: str, *, predictions: str | Path, labels: str | Path, lang: str | None = None
) -> Report:
    """Score predictions by the official definitions of a suite.

    Args:
        suite: Its name, such as ``xtreme``.
        predictions: The folder of a submission; for a suite of one task also a file.
        labels: What is right, laid out likewise.
        lang: Score one language only; needed where a file's name does not tell it.

    Raises:
        UnknownNameError: No such suite.
        DataError: A file is missing, broken, or not as long as its labels.
        UsageError: Files were given where folders are needed, or their language is unknown.
        LanguageError: Nobody knows ``lang``.
        MissingExtraError: BLEU is asked for, and sacrebleu is not installed.
    """
    record = SUITES.get(suite)
    work = plan(record, Path(predictions), Path(labels), lang=lang)
    named = lang is not None or Path(predictions).is_file() or Path(labels).is_file()
    alone = named and len(work.jobs) == 1
    report = Report(record, [], alone, list(work.missing), list(work.remarks))
    for task in record.tasks:
        measured: dict[str, Measured] = {}
        for job in work.jobs:
            if job.task is task:
                found = MEASURES.get(task.measure)(job)
                measured[job.key] = found
                place = f"{task.name}, {job.key}: "
                report.missing += [place + text for text in found.missing]
                report.remarks += [place + text for text in found.remarks]
        if measured:
            report.tasks.append(TaskReport(task, measured))
    return report


def document(report: Report) -> dict[str, Any]:
    """The JSON document: the official keys first, then ours.

    A suite of one task is written as XTREME writes a task; one language alone as the task's own
    script prints it.

    Ours are ``suite``, ``missing``, ``remarks``, ``others`` (figures by other definitions, by task)
    and ``partial`` (means over fewer languages than the official ones, with the languages).
    """
    if report.alone and report.suite.shape == "single":
        ((key, measured),) = report.tasks[0].measured.items()
        official: dict[str, Any] = {**measured.figures, "lang": key}
    elif report.suite.shape == "xglue":
        official = _xglue(report)
    elif report.suite.shape == "xtreme":
        official = _xtreme(report)
    else:
        official = _task(report.tasks[0])
    return {
        **official,
        "suite": report.suite.name,
        "missing": report.missing,
        "remarks": report.remarks,
        "others": {
            t.task.name: {
                **t.figures(others=True),
                **(_prefixed(t.averages(others=True)) if t.complete else {}),
            }
            for t in report.tasks
            if t.task.others
        },
        "partial": {
            t.task.name: {
                **_prefixed(t.averages()),
                "languages": [code for code in t.task.languages if code in t.measured],
            }
            for t in report.tasks
            if not t.complete and not report.alone and t.averages()
        },
    }


def group_means(report: Report) -> dict[str, float]:
    """XTREME's means over tasks; a group of which anything lacks has none."""
    main = {t.task.name: t.main for t in report.tasks if t.complete}
    groups = {"all_task": tuple(task.name for task in report.suite.tasks), **report.suite.groups}
    return {
        key: sum(main[name] or 0.0 for name in names) / len(names)
        for key, names in groups.items()
        if all(name in main for name in names)
    }


def task_mean(report: Report) -> float | None:
    """XGLUE's mean over its tasks; None if anything lacks."""
    main = [t.main for t in report.tasks if t.complete and t.main is not None]
    return float(np.mean(main)) if len(main) == len(report.suite.tasks) else None


def _xtreme(report: Report) -> dict[str, Any]:
    return {**group_means(report), **{t.task.name: _task(t) for t in report.tasks}}


def _task(report: TaskReport) -> dict[str, Any]:
    means = {**_prefixed(report.averages()), "avg_metric": report.main} if report.complete else {}
    return {**report.figures(), **means}


def _xglue(report: Report) -> dict[str, Any]:
    tasks = {}
    for t in report.tasks:
        (values,) = t.figures().values()
        tasks[t.task.name] = {**values, **({"avg": t.main} if t.complete else {})}
    mean = task_mean(report)
    return tasks if mean is None else {**tasks, "Average across all tasks": mean}


def _prefixed(means: Mapping[str, float]) -> dict[str, float]:
    return {f"avg_{key}": value for key, value in means.items()}
