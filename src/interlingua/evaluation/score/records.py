"""What a suite asks of a submission: tasks, file names, languages, definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from interlingua.base.config import Config


def codes(text: str) -> tuple[str, ...]:
    """Language codes that stand in a line with spaces between."""
    return tuple(text.split())


class ScoredTask(Config):
    """One task of a suite, as its official script scores it."""

    name: str
    """The official key."""
    measure: str
    """The function that reads and measures one language, by its name in `suites.MEASURES`."""
    metrics: tuple[str, ...]
    """Official keys of its figures; the first is the main one."""
    languages: tuple[str, ...]
    """Official codes, in official order; the official average is over all of these."""
    predictions: tuple[str, ...]
    """Names of the files with predictions, with ``{lang}`` and other places of `layout`."""
    labels: tuple[str, ...]
    """Names of the files with labels."""
    closed: bool = False
    """Whether the definition knows its official languages only."""
    definition: str
    """What the official figure is, in words, quirks included."""
    others: Mapping[str, str]
    """Other definitions that are computed beside it, under another name, in words."""
    unlike: str = ""
    """Figures of the same name elsewhere that cannot be compared."""
    source: str
    """Address of the official script."""
    licence: str
    """Of the data."""
    citation: str
    """Who to cite for the data."""


class Suite(Config):
    """A benchmark with its tasks and averages; or a single task, which may be given as files."""

    name: str
    """The name on the command line."""
    summary: str
    """One line for a person."""
    tasks: tuple[ScoredTask, ...]
    """In official order."""
    shape: Literal["xtreme", "xglue", "single"]
    """Which official script's document is written."""
    groups: Mapping[str, tuple[str, ...]] = {}
    """Averages over tasks: official key and tasks; given only when all of them are complete."""
    averages: str
    """The averages in words."""


@dataclass(slots=True)
class Measured:
    """One task in one language.

    Attributes:
        figures: Official figures by key, on the official scale.
        others: Figures by other definitions, on the same scale.
        items: Lines, sentences or questions.
        missing: What the predictions lack, by name.
        remarks: What a reader should know about the figure.
    """

    figures: dict[str, float]
    others: dict[str, float]
    items: int
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job:
    """Two files to be measured.

    Attributes:
        task: The task they are of.
        key: The language's official code; ``context-question`` for a pair of MLQA.
        lang: The language of the text, which the measure may depend on.
        predictions: The file to be scored.
        labels: The file with what is right.
    """

    task: ScoredTask
    key: str
    lang: str
    predictions: Path
    labels: Path


Measure = Callable[[Job], Measured]
