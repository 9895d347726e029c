"""Figures and names in words, the same on the page and in the terminal."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.evaluation.records import LanguageFacts, Scorecard

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
METRIC_NAMES = {
    "f1": "F1",
    "span_f1": "span F1",
    "exact_match": "exact match",
    "map_at_20": "mAP@20",
    "ndcg_at_10": "nDCG@10",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "average_precision": "average precision",
}


def points(value: float | None, digits: int = 1) -> str:
    """A figure of 0 to 1 as 0 to 100: ``81.3``; a dash for none."""
    if value is None:
        return NOTHING
    text = f"{abs(value) * 100:.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) > 0 else text


def signed(value: float | None, digits: int = 1) -> str:
    """A difference in points with its sign: ``+1.5``, ``0.0``."""
    text = points(value, digits)
    return f"+{text}" if value is not None and value > 0 and float(text) > 0 else text


def between(ci: tuple[float, float] | None) -> str:
    """An interval in points: ``79.2 to 83.5``; a dash for none."""
    return NOTHING if ci is None else f"{points(ci[0])} to {points(ci[1])}"


def listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def counted(count: int, noun: str) -> str:
    """``1 language``, ``40 languages``, ``5,010 rows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def metric_name(metric: str) -> str:
    """The metric as people write it."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


@cache
def script_name(code: str) -> str:
    """The English name of a script: ``Latin`` for ``Latn``; the code itself if nobody knows."""
    import langcodes

    name = str(langcodes.Language.make(script=code).script_name())
    return code if name.startswith("Unknown") else name


def headline(card: Scorecard) -> str:
    """The card in one sentence.

    Example: ``Taught in English, tested in 40 languages: 88.1 % right in English, 81.3 % on
    average in the 39 others.``
    """
    if tuple(card.per_language) == card.source_languages and len(card.per_language) == 1:
        ((tag, result),) = card.per_language.items()
        return f"Taught and tested in {_name_of(card, tag)}: {_right(card, result.score)}."
    return f"{_taught(card)}, {_tested(card)}: {_figures(card)}."


def _taught(card: Scorecard) -> str:
    sources = card.source_languages
    if not card.labels and not sources:
        return "As it is"
    if not sources:
        return "Taught in languages unknown"
    if len(sources) > 3:
        return f"Taught in {counted(len(sources), 'language')}"
    return f"Taught in {listed([_name_of(card, tag) for tag in sources])}"


def _tested(card: Scorecard) -> str:
    tested = list(card.per_language)
    if len(tested) == 1:
        return f"tested in {_name_of(card, tested[0])}"
    return f"tested in {counted(len(tested), 'language')}"


def _figures(card: Scorecard) -> str:
    taught = [lang for lang, fact in card.languages.items() if fact.taught]
    others = [lang for lang in card.per_language if lang not in taught]
    parts = []
    if card.summary.source is not None:
        where = (
            f" in {card.languages[taught[0]].name}"
            if len(taught) == 1
            else f" on average in the {len(taught)} taught"
        )
        parts.append(_right(card, card.summary.source) + where)
    if card.summary.zero_shot_mean is not None:
        where = " on average"
        if len(others) == 1:
            where = f" in {card.languages[others[0]].name}"
        elif taught:
            where = f" on average in the {len(others)} others"
        parts.append(_right(card, card.summary.zero_shot_mean, short=bool(parts)) + where)
    return ", ".join(parts)


def _right(card: Scorecard, score: float, *, short: bool = False) -> str:
    if card.metric == "accuracy":
        return f"{points(score)}{' %' if short else ' % right'}"
    return points(score) if short else f"{metric_name(card.metric)} {points(score)}"


def _name_of(card: Scorecard, tag: str) -> str:
    fact: LanguageFacts | None = card.languages.get(tag)
    if fact is not None:
        return fact.name
    from interlingua.languages import UND, parse

    return "an undetermined language" if tag == UND else parse(tag).name
