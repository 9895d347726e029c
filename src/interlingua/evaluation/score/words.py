"""What a suite's figures mean, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.evaluation.score.records import ScoredTask, Suite


def explain(suite: Suite, tasks: tuple[ScoredTask, ...]) -> list[str]:
    """The definitions that some tasks of a suite follow, as paragraphs."""
    paragraphs = [f"{suite.summary}. {suite.averages}"]
    for task in tasks:
        parts = [f"{task.name} ({len(task.languages)} languages). {task.definition}"]
        parts += [f"Beside it, {name}: {words}." for name, words in task.others.items()]
        parts += [f"Not comparable: {task.unlike}"] if task.unlike else []
        parts.append(f"After {task.source}. Data: {task.licence}; cite {task.citation}.")
        paragraphs.append(" ".join(parts))
    return paragraphs


def definitions(tasks: tuple[ScoredTask, ...]) -> dict[str, dict[str, object]]:
    """The same as values, for a JSON document."""
    return {
        task.name: {
            "definition": task.definition,
            "others": dict(task.others),
            "not_comparable": task.unlike,
            "source": task.source,
            "licence": task.licence,
            "citation": task.citation,
        }
        for task in tasks
    }
