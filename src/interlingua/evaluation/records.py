"""The records a scorecard is made of.

Every figure is between 0 and 1; what cannot be said is null, and ``Scorecard.notes`` says why.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from interlingua.base.config import Config

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Gap = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]

Breakdown = Literal["script", "family", "resource"]
BREAKDOWNS: tuple[Breakdown, ...] = ("script", "family", "resource")


class LanguageFacts(Config):
    """What a language is, so that a scorecard can be read without a table of languages."""

    name: str
    """English name."""
    autonym: str
    """The name in the language itself; empty when unknown."""
    script: str
    """ISO 15924 code."""
    family: str
    """Language family."""
    direction: str
    """``ltr`` or ``rtl``."""
    low_resource: bool
    """Whether little text of the language exists."""
    taught: bool
    """Whether the model was taught the task in it."""


class LanguageScore(Config):
    """How well the model works in one language."""

    n: Annotated[int, Field(gt=0)]
    """Rows."""
    score: Share
    """The task's metric."""
    ci: tuple[Share, Share]
    """Interval of the score."""
    metrics: dict[str, Share | None]
    """Every metric that applies, by name."""
    average_precision_ci: tuple[Share, Share] | None = None
    """Interval of the average precision, for two labels."""


class Summary(Config):
    """The whole card in six figures."""

    source: Share | None
    """Mean score over the languages taught."""
    zero_shot_mean: Share | None
    """Mean score over the languages not taught."""
    transfer_gap: Gap | None
    """``source - zero_shot_mean``."""
    worst_language: str
    """The language with the lowest score of all tested; the first by tag of equals."""
    worst: Share
    """Its score."""
    low_resource_mean: Share | None
    """Mean score over all low-resource languages tested."""


class SummaryIntervals(Config):
    """Intervals of the summary figures."""

    source: tuple[Share, Share] | None
    zero_shot_mean: tuple[Share, Share] | None
    transfer_gap: tuple[Gap, Gap] | None
    worst: tuple[Share, Share]
    """Interval of the score of the language that came out worst."""
    low_resource_mean: tuple[Share, Share] | None


class Group(Config):
    """Languages that have something in common."""

    languages: tuple[str, ...]
    """Their tags, sorted."""
    mean: Share
    """Mean score."""
    ci: tuple[Share, Share]
    """Its interval."""
    gap: Gap | None
    """``summary.source - mean``."""


class Calibration(Config):
    """Whether the model's probabilities can be believed."""

    ece: Share
    """Expected calibration error, 10 bins of equal mass."""
    confidence: Share
    """Mean probability of the predicted class; above accuracy: the model is too sure of itself."""


class Coverage(Config):
    """What the tokenizer makes of a language."""

    unknown_rate: Share | None
    """Unknown pieces per piece."""
    tokens_per_character: Amount | None
    """Pieces per code point."""
    truncated: Share | None
    """Share of texts that were cut."""


class ClassScores(Config):
    """How well the model knows one class in one language."""

    precision: Share | None
    recall: Share | None
    f1: Share | None
    support: Count
    predicted: Count


class DataFile(Config):
    """A file that was tested on."""

    path: str
    sha256: str
    rows: Count
    rows_outside_task: Count = 0


class Bootstrap(Config):
    """How the intervals were made."""

    level: Share
    resamples: Annotated[int, Field(gt=0)]
    parallel: bool
    """Whether all languages hold the same items, so that all were resampled together."""


class Scorecard(Config):
    """How well a model works in each language."""

    task: str
    metric: str
    model: str
    source_languages: tuple[str, ...]
    split: str | None
    labels: tuple[str, ...]
    per_language: Annotated[dict[str, LanguageScore], Field(min_length=1)]
    summary: Summary
    summary_ci: SummaryIntervals
    breakdown: dict[str, dict[str, Group]]
    """By ``script``, ``family`` and ``resource``: the languages not taught; all if all were."""
    calibration: dict[str, Calibration]
    coverage: dict[str, Coverage]
    classes: dict[str, dict[str, ClassScores]]
    """By language, then by label."""
    languages: dict[str, LanguageFacts]
    bootstrap: Bootstrap
    notes: dict[str, str]
    """Why a figure is null, by its place."""
    data: tuple[DataFile, ...]
    seed: int
    seeds: dict[str, int]
    checkpoint: str = ""
    """Which of the training's parameters were tested, and on which rows they were chosen: for all
    languages together, or for each by itself."""
    """Every seed that is known, by what it was for."""
    created: str


class Difference(Config):
    """How two models differ in one language."""

    n: Annotated[int, Field(gt=0)]
    """Rows that were paired."""
    a: Share
    """Score of the first model."""
    b: Share
    """Score of the second."""
    difference: Gap
    """``b - a``."""
    ci: tuple[Gap, Gap]
    """Its interval."""
    p: Share
    """Two-sided, of the paired bootstrap."""
    p_holm: Share
    """The same, corrected for the number of languages (Holm 1979)."""


class MeanDifference(Config):
    """How two models differ in the mean over languages."""

    languages: tuple[str, ...]
    a: Share
    b: Share
    difference: Gap
    ci: tuple[Gap, Gap]
    p: Share


class Comparison(Config):
    """Two scorecards, compared row by row."""

    task: str
    metric: str
    a: str
    """Name of the first model."""
    b: str
    """Name of the second."""
    rows: Annotated[int, Field(gt=0)]
    """Rows that were paired, over all languages."""
    per_language: dict[str, Difference]
    overall: MeanDifference
    """Over all languages compared."""
    zero_shot: MeanDifference | None
    """Over those that neither model was taught; null when there are none."""
    only_a: tuple[str, ...]
    """Languages that only the first scorecard has."""
    only_b: tuple[str, ...]
    """Languages that only the second has."""
    parallel: bool
    """Whether all languages hold the same items, so that all were resampled together."""
    level: Share
    resamples: Annotated[int, Field(gt=0)]
    seed: int


class Spread(Config):
    """One figure over several seeds."""

    mean: float
    """Mean over the seeds."""
    sd: float
    """Standard deviation over the seeds, with one degree of freedom taken off."""
    values: tuple[float, ...]
    """The figure of each seed."""


class SeedReport(Config):
    """Scorecards of one recipe that differ in the seed alone."""

    task: str
    metric: str
    cards: tuple[str, ...]
    """The models, in the order of the values."""
    per_language: dict[str, Spread]
    summary: dict[str, Spread]
    """Of the summary's figures those that every card has."""


def group_of(facts: LanguageFacts, kind: Breakdown) -> str:
    """Which group of a breakdown a language belongs to."""
    if kind == "resource":
        return "low" if facts.low_resource else "high"
    return facts.script if kind == "script" else facts.family
