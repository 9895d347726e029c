"""Figures of an audit in words, the same on the page and in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.vocab.audit import Audit

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
_PERCENT = "\N{NO-BREAK SPACE}%"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as ``12.3 %``; a dash for none."""
    return NOTHING if value is None else f"{value * 100:.{digits}f}{_PERCENT}".replace("-", MINUS)


def signed(value: float | None, digits: int = 0) -> str:
    """A premium as ``+35 %``; a dash for none."""
    return NOTHING if value is None else f"{value * 100:+.{digits}f}{_PERCENT}".replace("-", MINUS)


def between(ci: tuple[float, float] | None) -> str:
    """An interval as ``+30 to +41``; a dash for none."""
    if ci is None:
        return NOTHING
    return " to ".join(f"{value * 100:+.0f}".replace("-", MINUS) for value in ci)


def figure(value: float | None, digits: int = 2) -> str:
    """A plain figure; a dash for none."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def reference_name(audit: Audit) -> str:
    """The name of the language that parity is against."""
    from interlingua.languages import parse

    return parse(audit.reference).name


def headline(audit: Audit) -> str:
    """The audit in one sentence.

    Example: ``For the same message Yoruba pays 135 % more tokens than English; Malay 5 % fewer.``
    """
    told = [found for found in audit.languages.values() if found.premium is not None]
    if not told:
        count = len(audit.languages)
        return f"{audit.tokenizer}: {count} language{'s' * (count != 1)}, none of them parallel"
    most, least = told[0], told[-1]
    text = f"For the same message {most.name} pays {_more(most.premium)} tokens than "
    text += reference_name(audit)
    return f"{text}; {least.name} {_more(least.premium)}." if len(told) > 1 else f"{text}."


def _more(premium: float | None) -> str:
    premium = premium or 0.0
    return f"{abs(premium) * 100:.0f}{_PERCENT} {'more' if premium >= 0 else 'fewer'}"
