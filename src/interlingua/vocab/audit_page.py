"""An audit as one page that needs nothing else; see `base.page`."""

from __future__ import annotations

import statistics
from importlib.resources import files
from typing import TYPE_CHECKING

from interlingua.base.markup import Html, element, join, text
from interlingua.base.page import Cell, page, sortable
from interlingua.base.plot import Plot, dot_name, drawing
from interlingua.vocab.audit import LEVEL, MAX_UNKNOWN, RESAMPLES
from interlingua.vocab.audit_words import (
    NOTHING,
    between,
    figure,
    headline,
    percent,
    reference_name,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua.vocab.audit import Audit, LanguageAudit

_MANY = 60  # languages from which on bars are small and stand in columns
_NAMED = 6  # languages of the plot that are named


def render(audit: Audit, *, against: Audit | None = None) -> str:
    """The whole page of an audit.

    Args:
        audit: Any audit.
        against: Another tokenizer on the same texts, to set beside it.

    Returns:
        A self-contained HTML document.
    """
    template = files("interlingua.vocab").joinpath("data", "audit.html")
    told = [found for found in audit.languages.values() if found.parity is not None]
    note = "Each bar is the tokens spent where the reference spends one."
    pieces = {
        "title": text(f"{audit.tokenizer}: an Interlingua vocabulary audit"),
        "kind": text(audit.kind),
        "headline": text(headline(audit)),
        "lede": _lede(audit),
        "tiles": _tiles(audit),
        "facts": _facts(audit, against),
        "premium_note": text(note if told else "No text has a translation in the reference."),
        "premium_legend": _legend(audit, against),
        "premium": _bars(audit, against),
        "pieces": _plot(audit),
        "table": _table(audit, against),
        "data": _data(audit),
        "reference": text(reference_name(audit)),
        "resamples": text(f"{RESAMPLES:,}"),
        "level": text(f"{LEVEL * 100:.0f}"),
    }
    return page(template.read_text(encoding="utf-8"), pieces)


def _lede(audit: Audit) -> Html:
    premiums = [f.premium for f in audit.languages.values() if f.premium is not None]
    lost = [f.name for f in audit.languages.values() if f.unknown_characters > MAX_UNKNOWN]
    sentences = []
    if premiums:
        half = sum(premium > 0.5 for premium in premiums)
        sentences.append(
            f"The median of {len(premiums)} languages pays {signed(statistics.median(premiums))}"
            f"; {half or 'none'} of them more than half as much again."
        )
    if lost:
        names = ", ".join(lost[:_NAMED]) + (
            f" and {len(lost) - _NAMED} more" if lost[_NAMED:] else ""
        )
        sentences.append(f"Over a tenth of the characters is unknown in {names}.")
    return text(" ".join(sentences))


def _tiles(audit: Audit) -> Html:
    told = [found for found in audit.languages.values() if found.premium is not None]
    tiles = []
    if told:
        median = statistics.median([found.premium or 0.0 for found in told])
        tiles += [
            ("Highest premium", signed(told[0].premium), between(told[0].premium_ci), told[0].name),
            ("Median premium", signed(median), "", f"{len(told)} languages"),
            (
                "Lowest premium",
                signed(told[-1].premium),
                between(told[-1].premium_ci),
                told[-1].name,
            ),
        ]
    worst = max(audit.languages.values(), key=lambda found: found.unknown_characters)
    tiles.append(
        ("Most unknown", percent(worst.unknown_characters, 2), "of characters", worst.name)
    )
    return join(
        [
            element(
                "div",
                element("dt", title),
                element("dd", shown, class_="figure"),
                element("dd", ci or "\N{NO-BREAK SPACE}", class_="ci"),
                element("dd", about, class_="about"),
                class_="tile",
            )
            for title, shown, ci, about in tiles
        ]
    )


def _facts(audit: Audit, against: Audit | None) -> Html:
    facts: list[tuple[str, Html | str]] = [
        ("Tokenizer", element("bdi", audit.tokenizer)),
        ("Kind", audit.kind),
        ("Pieces", f"{audit.size:,}"),
        ("Languages", f"{len(audit.languages):,}"),
        ("Reference", audit.reference),
    ]
    if against is not None:
        facts.append(("Against", f"{against.tokenizer}, {against.size:,} pieces"))
    return join(
        [element("div", element("dt", name), element("dd", value)) for name, value in facts]
    )


def _legend(audit: Audit, against: Audit | None) -> Html:
    keys = [
        (True, "key zero", "tokens"),
        (True, "key whisker", f"{LEVEL * 100:.0f} % interval"),
        (True, "key home", f"as many as {reference_name(audit)}"),
        (against is not None, "key taught", against.tokenizer if against is not None else ""),
        (any(f.low_resource for f in audit.languages.values()), "low-mark", "low-resource"),
    ]
    shown = [element("li", element("i", class_=kind), name) for used, kind, name in keys if used]
    return element("ul", *shown, class_="legend")


def _bars(audit: Audit, against: Audit | None) -> Html:
    """One bar a language that has parity, the highest first."""
    told = {tag: found for tag, found in audit.languages.items() if found.parity is not None}
    others = {} if against is None else against.languages
    ends = [found.premium_ci[1] + 1 for found in told.values() if found.premium_ci]
    ends += [others[tag].parity or 0 for tag in told if tag in others]
    longest = max(ends, default=1.0) * 1.02
    kind = "bars many" if len(told) > _MANY else "bars"
    rows = [
        _bar(tag, found, longest, others[tag].parity if tag in others else None)
        for tag, found in told.items()
    ]
    return element("ol", *rows, class_=kind)


def _bar(tag: str, found: LanguageAudit, longest: float, other: float | None) -> Html:
    def place(parity: float) -> str:
        return f"{parity / longest * 100:.2f}%"

    assert found.parity is not None and found.premium_ci is not None
    low, high = (place(end + 1) for end in found.premium_ci)
    whisker = [element("line", x1=low, x2=high, y1="50%", y2="50%")]
    whisker += [element("line", x1=x, x2=x, y1="28%", y2="72%") for x in (low, high)]
    mark = None
    if other is not None:
        mark = element("circle", cx=place(other), cy="50%", r=5, class_="dot taught")
    drawing = element(
        "svg",
        element("rect", class_="rail", width="100%", height="100%"),
        element("rect", class_="fill", width=place(found.parity), height="100%"),
        element("line", class_="home", x1=place(1), x2=place(1), y1="0", y2="100%"),
        element("g", *whisker, class_="whisker"),
        mark,
        class_="bar",
        role="img",
        aria_label=f"{found.name}: {signed(found.premium)}, {between(found.premium_ci)}",
    )
    return element(
        "li",
        _who(tag, found),
        drawing,
        element("span", signed(found.premium), class_="score"),
        element("span", between(found.premium_ci), class_="ci"),
        class_="row",
    )


def _who(tag: str, found: LanguageAudit) -> Html:
    native = None
    if found.autonym and found.autonym.casefold() != found.name.casefold():
        lang = tag.replace("_", "-")
        native = element("bdi", found.autonym, class_="native", dir="auto", lang=lang)
    return element(
        "span",
        element("span", found.name, class_="name", title=tag),
        element("i", class_="low-mark", title="low-resource") if found.low_resource else None,
        native,
        class_="who",
    )


def _plot(audit: Audit) -> Html:
    """Characters to a token against parity, one dot a language; the ends are named."""
    told = {tag: found for tag, found in audit.languages.items() if found.parity is not None}
    right = max([f.characters_per_token for f in audit.languages.values()] + [1.0]) * 1.08
    top = max([f.parity or 0 for f in told.values()] + [1.2]) * 1.08

    plot = Plot((0.0, right), (0.0, top))
    step = 0.5 if top <= 4 else 1.0 if top <= 8 else 2.0
    parts = plot.axes(
        [(i, str(i)) for i in range(1, int(right) + 1)],
        [(i * step, f"{i * step:g}") for i in range(int(top / step) + 1)],
        ("characters per token", "parity"),
    )
    for found in told.values():
        title = f"{found.name}: {signed(found.premium)}, {figure(found.characters_per_token)}"
        parts.append(
            element(
                "circle",
                element("title", f"{title} characters per token"),
                cx=plot.x(found.characters_per_token),
                cy=plot.y(found.parity or 0),
                r=4 if len(told) > _MANY else 5.5,
                class_="dot taught" if found.low_resource else "dot",
            )
        )
    placed: list[tuple[float, float]] = []
    names = list(told.values())
    for found in [*names[:_NAMED], *names[-2:]]:
        at = plot.x(found.characters_per_token), plot.y(found.parity or 0)
        if all(abs(at[1] - b) > 15 or abs(at[0] - a) > 100 for a, b in placed):
            placed.append(at)
            parts.append(dot_name(found.name, *at))
    label = "Parity against characters per token, one dot a language; figures in the table"
    return drawing(parts, label)


def _table(audit: Audit, against: Audit | None) -> Html:
    columns = [
        "language",
        "tag",
        "script",
        "premium",
        "interval",
        "sentences",
        "fertility",
        "per",
        "chars/token",
        "bytes/token",
        "unknown %",
        "lost %",
        "bytes %",
        "single %",
        "used",
        "tokens",
    ]
    others = {} if against is None else against.languages
    if against is not None:
        columns += ["premium there", "fertility there", "tokens there"]
    rows = []
    for tag, found in audit.languages.items():
        row = _row(tag, found)
        if against is not None:
            other = others.get(tag)
            row += [
                _cell(other.premium if other else None, signed),
                _cell(other.fertility if other else None, figure),
                _cell(float(other.tokens) if other else None, lambda value: f"{value or 0:,.0f}"),
            ]
        rows.append(row)
    return sortable(columns, rows, "languages tall" if len(rows) > _MANY // 2 else "languages")


def _row(tag: str, found: LanguageAudit) -> list[Cell]:
    return [
        (_who(tag, found), found.name),
        (element("code", tag), tag),
        (found.script, found.script),
        _cell(found.premium, signed),
        (between(found.premium_ci), found.premium_ci[0] if found.premium_ci else None),
        (f"{found.shared:,}", found.shared),
        _cell(found.fertility, figure),
        (found.unit, found.unit),
        _cell(found.characters_per_token, figure),
        _cell(found.bytes_per_token, figure),
        _cell(found.unknown_rate, lambda value: f"{(value or 0) * 100:.2f}"),
        _cell(found.unknown_characters, lambda value: f"{(value or 0) * 100:.2f}"),
        _cell(found.byte_rate, lambda value: f"{(value or 0) * 100:.2f}"),
        _cell(found.single_rate, lambda value: f"{(value or 0) * 100:.0f}"),
        (f"{found.used:,}", found.used),
        (f"{found.tokens:,}", found.tokens),
    ]


def _cell(value: float | None, shown: Callable[[float | None], str]) -> Cell:
    return (NOTHING, None) if value is None else (shown(value), value)


def _data(audit: Audit) -> Html:
    rows: list[list[Cell]] = [
        [
            (element("bdi", str(file["path"])), str(file["path"])),
            (f"{file['rows']:,}", int(file["rows"])),
            (element("code", str(file["sha256"])), str(file["sha256"])),
        ]
        for file in audit.data
    ]
    return sortable(
        ["file", "rows", "sha256"], rows, "files tall" if len(rows) > _MANY else "files"
    )
