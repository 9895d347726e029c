"""The task record, and the tasks this package knows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from interlingua.base.config import Config
from interlingua.base.registry import Registry


class Task(Config):
    """What a task asks of a text, before any code: columns, labels, metric and strategy."""

    name: str
    """The name on the command line."""
    kind: Literal["classification"]
    """Which reader, head and decoder serve it."""
    summary: str
    """One line for a person."""
    text_columns: tuple[str, ...] = ("text", "tweet_text", "sentence")
    """Columns that may hold the text; the first that a file has is taken."""
    label_columns: tuple[str, ...] = ("label",)
    """Columns that may hold the label; the first that a file has is taken."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Rows belong to the task only if these columns, where a file has them, hold these values."""
    labels: tuple[str, ...] = ()
    """The label space; empty: the sorted labels of the training file."""
    metric: Literal["accuracy", "macro_f1"]
    """The score of the scorecard; every other metric stands beside it."""
    strategy: Literal["probe", "full"]
    """What ``--strategy auto`` means."""


TASKS: Registry[Task] = Registry("task")

for _task in (
    Task(
        name="topic",
        kind="classification",
        summary="what a text is about",
        label_columns=("label", "topic", "category"),
        metric="accuracy",
        strategy="probe",
    ),
    Task(
        name="sentiment",
        kind="classification",
        summary="how a text feels about its subject",
        label_columns=("label", "sentiment"),
        metric="macro_f1",
        strategy="probe",
    ),
    Task(
        name="fake-news",
        kind="classification",
        summary="whether a checkable claim is false (NLP4IF question 2, asked where 1 is yes)",
        label_columns=("label", "q2_label"),
        where={"q1_label": ("yes",), "q2_label": ("yes", "no")},
        metric="macro_f1",
        strategy="probe",
    ),
    Task(
        name="claim",
        kind="classification",
        summary="whether a text contains a checkable claim (NLP4IF question 1)",
        label_columns=("label", "q1_label"),
        where={"q1_label": ("yes", "no")},
        metric="macro_f1",
        strategy="probe",
    ),
    Task(
        name="classification",
        kind="classification",
        summary="any label set of your own",
        label_columns=("label", "category", "class"),
        metric="macro_f1",
        strategy="probe",
    ),
):
    TASKS.add(_task.name, _task)
