"""What a benchmark came to, as one document: means with their languages, and what lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from interlingua.evaluation.suite.plan import PartPlan
from interlingua.evaluation.suite.published import differences, of_task
from interlingua.evaluation.suite.records import Benchmark
from interlingua.evaluation.suite.run import Done

SUMMARY = "summary.json"


def mean_of(done: Done, metric: str) -> float | None:
    """The plain mean of a figure over the official languages that were tested."""
    languages = [lang for lang in done.plan.languages if lang in done.card.per_language]
    values = [figure(done, lang, metric) for lang in languages]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(languages) else None


def figure(done: Done, lang: str, metric: str) -> float | None:
    """A figure of one language; the score by its own name too."""
    score = done.card.per_language[lang]
    return score.score if metric == done.card.metric else score.metrics.get(metric)


def main_of(done: Done) -> float | None:
    """XTREME's figure of a task: of questions the mean of F1 and exact match, else the score."""
    values = [mean_of(done, metric) for metric in done.plan.part.metrics]
    known = [value for value in values if value is not None]
    if "exact_match" in done.plan.part.metrics and len(known) == len(values):
        return sum(known) / len(known)
    return values[0]


def overall(benchmark: Benchmark, done: Sequence[Done]) -> tuple[float | None, str]:
    """The mean over tasks, given only when every task is there with all its languages.

    Returns:
        The mean, and in words why there is none, or of what it is.
    """
    names = [one.plan.part.name for one in done]
    lacking = [part.name for part in benchmark.parts if part.name not in names]
    if lacking:
        return None, f"no mean over tasks: {', '.join(lacking)} were not run"
    partial = [one.plan.part.name for one in done if one.plan.missing]
    if partial:
        return None, f"no mean over tasks: {', '.join(partial)} lack official languages"
    values = [main_of(one) for one in done]
    known = [value for value in values if value is not None]
    return sum(known) / len(known), f"mean over the {len(known)} tasks"


def summary(
    benchmark: Benchmark, plans: Sequence[PartPlan], done: Sequence[Done], *, model: str
) -> dict[str, Any]:
    """The document ``summary.json``.

    Args:
        benchmark: The record.
        plans: What was planned.
        done: What was run.
        model: What it was run with.
    """
    mean, words = overall(benchmark, done)
    return {
        "benchmark": benchmark.name,
        "model": model,
        "tasks": {one.plan.part.name: _task(benchmark, one) for one in done},
        "missing": {plan.part.name: _missing(plan) for plan in plans if _missing(plan)},
        "mean_over_tasks": mean,
        "mean_over_tasks_note": words,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _missing(plan: PartPlan) -> Mapping[str, object]:
    if plan.problem:
        return {"problem": plan.problem}
    return {"languages": plan.missing} if plan.missing else {}


def _task(benchmark: Benchmark, done: Done) -> dict[str, Any]:
    plan, card = done.plan, done.card
    return {
        "scorecard": f"{plan.part.name}/scorecard.json",
        "means": {metric: mean_of(done, metric) for metric in plan.part.metrics},
        "zero_shot_mean": card.summary.zero_shot_mean,
        "worst_language": card.summary.worst_language,
        "worst": card.summary.worst,
        "languages": [lang for lang in plan.languages if lang in card.per_language],
        "official_languages": len(plan.languages),
        "split": card.split,
        "train": [str(path) for path in plan.train],
        "train_rows": done.train_rows,
        "comparable": not differences(done),
        "differences": differences(done),
        "published": [one.facts() for one in of_task(benchmark.name, plan.part.name)],
        "seconds": done.seconds,
    }
