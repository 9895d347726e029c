"""From estimates to the report: intervals, summary, gap to English, differences of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlingua.evaluation.bootstrap import interval, two_sided_p
from interlingua.evaluation.bridge.measure import Estimate, Layout, Measured, average
from interlingua.evaluation.bridge.records import (
    MEASURES,
    Change,
    Direction,
    Figure,
    LanguageBridge,
)
from interlingua.evaluation.records import LanguageFacts

ENGLISH = "eng_Latn"


def english_gaps(measured: Measured) -> dict[str, Estimate]:
    """By language, what retrieval loses when the language stands where English stood.

    The mean over third languages of retrieval between it and English, less that between it and the
    language, both directions; languages without such a third are left out.
    """
    gaps = {}
    for tag in measured.languages:
        others = [
            other
            for other in measured.languages
            if other not in (tag, ENGLISH)
            and (ENGLISH, other) in measured.directions
            and (tag, other) in measured.directions
        ]
        if tag != ENGLISH and others:
            gaps[tag] = average([_both(measured, ENGLISH, other) for other in others]) - average(
                [_both(measured, tag, other) for other in others]
            )
    return gaps


def _both(measured: Measured, a: str, b: str) -> Estimate:
    return average([measured.directions[pair]["retrieval"] for pair in ((a, b), (b, a))])


def weakest_language(measured: Measured) -> str:
    """The language with the lowest mean retrieval; the first of equals."""
    return min(measured.languages, key=lambda t: (measured.languages[t]["retrieval"].value, t))


def summarise(
    measured: Measured, facts: Mapping[str, LanguageFacts], weakest: str
) -> dict[str, Estimate]:
    """The figures of the whole report, by the names of `records.MEASURES`."""
    directions, languages = measured.directions.values(), measured.languages

    def over(found: Sequence[Mapping[str, Estimate]], name: str) -> Estimate:
        return average([figures[name] for figures in found])

    summary = {
        "retrieval_mean": over(list(directions), "retrieval"),
        "retrieval_worst": languages[weakest]["retrieval"],
    }
    low = [figures for tag, figures in languages.items() if facts[tag].low_resource]
    if low:
        summary["low_resource_mean"] = over(low, "retrieval")
    gapped = [figures for figures in languages.values() if "english_gap" in figures]
    if gapped:
        summary["english_gap"] = over(gapped, "english_gap")
    for name in ("same_language_preference", "csls_gain", "hub_skewness", "orphans"):
        summary[name] = over(list(directions), name)
    for name in ("language_probe", "mean_cosine", "partition"):
        summary[name] = over(list(languages.values()), name)
    return {name: summary[name] for name in MEASURES if name in summary}


def figures_of(estimates: Mapping[str, Estimate]) -> dict[str, Figure]:
    """Estimates with their intervals."""
    return {
        name: Figure(value=found.value, ci=interval(found.drawn, found.value))
        for name, found in estimates.items()
    }


def changes_of(
    after: Mapping[str, Estimate], before: Mapping[str, Estimate] | None
) -> dict[str, Change]:
    """What became of every figure that both have; nothing where there is no before."""
    changes = {}
    for name in after.keys() & (before or {}).keys():
        assert before is not None
        gained = after[name] - before[name]
        changes[name] = Change(
            before=before[name].value,
            difference=gained.value,
            ci=interval(gained.drawn, gained.value),
            p=two_sided_p(gained.drawn, gained.value),
        )
    return {name: changes[name] for name in after if name in changes}


def directions_of(
    layout: Layout, after: Measured, before: Measured | None
) -> tuple[Direction, ...]:
    """Every direction, by query and pool."""
    sizes = layout.pairs | {(b, a): rows for (a, b), rows in layout.pairs.items()}
    return tuple(
        Direction(
            query=pair[0],
            pool=pair[1],
            items=len(sizes[pair]),
            figures=figures_of(after.directions[pair]),
            changes=changes_of(
                after.directions[pair], None if before is None else before.directions[pair]
            ),
        )
        for pair in sorted(after.directions)
    )


def languages_of(
    layout: Layout, facts: Mapping[str, LanguageFacts], after: Measured, before: Measured | None
) -> dict[str, LanguageBridge]:
    """Every language, by tag."""
    return {
        tag: LanguageBridge(
            facts=facts[tag],
            items=len(layout.numbers[tag]),
            figures=figures_of(figures),
            changes=changes_of(figures, None if before is None else before.languages[tag]),
        )
        for tag, figures in sorted(after.languages.items())
    }
