"""The records a bridge report is made of; ``docs/concepts/bridge.md`` defines every measure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from interlingua.base.config import Config
from interlingua.evaluation.records import Bootstrap, Count, DataFile, LanguageFacts, Share

Finite = Annotated[float, Field(allow_inf_nan=False)]
Better = Literal["more", "less"]


class Figure(Config):
    """An estimate and its interval."""

    value: Finite
    ci: tuple[Finite, Finite]


class Change(Config):
    """What became of a figure, after minus before, on the same items."""

    before: Finite
    difference: Finite
    ci: tuple[Finite, Finite]
    """Of the difference, from paired resamples."""
    p: Share
    """Two-sided, of the paired bootstrap."""


class Measure(Config):
    """What a figure of the report is called and how it is read."""

    title: str
    better: Better
    share: bool = True
    """Whether it is shown in points of 100; else as a plain number."""
    about: str
    """One line for a reader who does not know it."""


MEASURES: dict[str, Measure] = {
    "retrieval_mean": Measure(
        title="Retrieval",
        better="more",
        about="queries whose translation comes first, mean over pairs and directions",
    ),
    "retrieval_worst": Measure(
        title="Weakest language",
        better="more",
        about="the same for the language with the lowest mean",
    ),
    "low_resource_mean": Measure(
        title="Low-resource retrieval",
        better="more",
        about="the same over the languages with little text in the world",
    ),
    "english_gap": Measure(
        title="Gap to English",
        better="less",
        about="retrieval lost when a language stands where English stood, mean over languages",
    ),
    "same_language_preference": Measure(
        title="Same-language preference",
        better="less",
        about="how much more often a wrong text of the own language outranks the right one than a "
        "wrong text of the other language does",
    ),
    "language_probe": Measure(
        title="Language readable",
        better="less",
        about="languages told by a linear classifier, balanced accuracy",
    ),
    "csls_gain": Measure(
        title="CSLS gain",
        better="less",
        about="retrieval won by a correction for hubs: what hubs cost",
    ),
    "hub_skewness": Measure(
        title="Hub skewness",
        better="less",
        share=False,
        about="skewness of how often a text is among the nearest; 0: no hubs",
    ),
    "orphans": Measure(
        title="Orphans",
        better="less",
        about="texts that are among the nearest of no query",
    ),
    "mean_cosine": Measure(
        title="Mean cosine",
        better="less",
        share=False,
        about="of unrelated texts of one language; 0: all directions are used",
    ),
    "partition": Measure(
        title="Partition isotropy",
        better="more",
        share=False,
        about="1: no direction of the space is preferred",
    ),
}
"""Every figure of the summary, in the order it is shown."""


class Direction(Config):
    """Queries of one language and a pool of another."""

    query: str
    pool: str
    items: Annotated[int, Field(gt=0)]
    """Items in common, repeated and copied texts left out: the size of the pool."""
    figures: dict[str, Figure]
    """``retrieval``, ``same_language_preference``, ``same_language_first``, ``csls_gain``,
    ``hub_skewness`` and ``orphans``."""
    changes: dict[str, Change]


class LanguageBridge(Config):
    """One language among the others."""

    facts: LanguageFacts
    items: Annotated[int, Field(gt=0)]
    figures: dict[str, Figure]
    """``retrieval``, ``same_language_preference``, ``language_probe``, ``mean_cosine``,
    ``partition``, and ``english_gap`` where English was compared with a third language."""
    changes: dict[str, Change]


class Bridge(Config):
    """How well a model joins languages."""

    model: str
    against: str | None
    """The model before, where there is one."""
    summary: dict[str, Figure]
    """By the names of `MEASURES`; what cannot be said is missing, and ``notes`` say why."""
    changes: dict[str, Change]
    """Of the summary's figures."""
    languages: dict[str, LanguageBridge]
    """By tag."""
    directions: tuple[Direction, ...]
    weakest: str
    """Tag of the language with the lowest retrieval."""
    probe_chance: Share
    """What the probe of languages gets by guessing."""
    neighbours: Count
    """K of the measures of hubs, at most."""
    items: Annotated[int, Field(gt=1)]
    repeated: Count
    """Texts left out of a pair because an earlier item has the same text."""
    copied: Count
    """Items left out of a pair because both languages have the same text."""
    bootstrap: Bootstrap
    notes: dict[str, str]
    data: tuple[DataFile, ...]
    seed: int
    created: str
