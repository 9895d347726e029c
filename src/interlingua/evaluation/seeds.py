"""Several seeds of one recipe: the mean and the spread of what their scorecards say.

An interval of one scorecard tells how far other test rows would move a score; the spread over seeds
tells how far another order and another start would. Neither stands for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

from interlingua.base.errors import UsageError
from interlingua.evaluation.records import Scorecard, SeedReport, Spread
from interlingua.evaluation.scorecard import read

_FIGURES = ("source", "zero_shot_mean", "transfer_gap", "worst", "low_resource_mean")


def over_seeds(cards: Sequence[str | Path]) -> SeedReport:
    """Mean and standard deviation of every language and of the summary.

    Args:
        cards: Two or more ``scorecard.json`` of the same task, tested on the same files.

    Raises:
        UsageError: There are fewer than two, or they are of different tasks or test rows.
    """
    if len(cards) < 2:
        raise UsageError("a spread needs two scorecards or more")
    found = [read(card) for card in cards]
    for path, card in zip(cards, found, strict=True):
        if _tested(card) != _tested(found[0]):
            raise UsageError(
                f"{path} and {cards[0]} are of different tasks, languages or test files",
                remedy="Give scorecards that differ in the seed of the training alone",
            )
    summaries = [card.summary.model_dump() for card in found]
    return SeedReport(
        task=found[0].task,
        metric=found[0].metric,
        cards=tuple(str(card) for card in cards),
        per_language={
            tag: _spread([card.per_language[tag].score for card in found])
            for tag in found[0].per_language
        },
        summary={
            name: _spread([summary[name] for summary in summaries])
            for name in _FIGURES
            if all(summary[name] is not None for summary in summaries)
        },
    )


def _tested(card: Scorecard) -> tuple[object, ...]:
    files = sorted(file.sha256 for file in card.data)
    return card.task, card.metric, sorted(card.per_language), files


def _spread(values: list[float]) -> Spread:
    return Spread(mean=fmean(values), sd=stdev(values), values=tuple(values))
