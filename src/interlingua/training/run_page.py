"""A run as one page that needs nothing else: how its losses fell and how fast; see `base.page`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from itertools import chain
from statistics import median
from typing import Any

from interlingua.base.errors import LanguageError
from interlingua.base.markup import Html, element, join, text
from interlingua.base.page import Cell, page, sortable
from interlingua.base.plot import COLOURS, Plot, drawing, even_ticks
from interlingua.languages import parse

Entry = dict[str, Any]
Line = list[tuple[float, float]]
_FLAT = 1e-9
"""Values that differ by less, relatively, are drawn as one."""


def render(steps: Sequence[Entry], validations: Sequence[Entry], *, total: int) -> str:
    """The page of a run, finished or not.

    Args:
        steps: Lines of ``steps.jsonl``.
        validations: Lines of ``train.jsonl``; of a step that was done again, the last counts.
        total: Steps of the whole run.

    Returns:
        A self-contained HTML document.
    """
    validations = list({entry["step"]: entry for entry in validations}.values())
    template = files("interlingua.training").joinpath("data", "run.html")
    done = max((entry["step"] for entry in [*steps, *validations]), default=0)
    headline = f"Step {done:,} of {total:,}" if done < total else f"All {total:,} steps are done"
    if done < total and any(entry.get("ended_early") for entry in validations):
        headline = f"Ended after {done:,} of {total:,} steps: validation got no better"
    losses = _by_kind(steps)
    measured = _measured(validations)
    pieces = {
        "title": text(f"{headline}: an Interlingua run"),
        "headline": text(headline),
        "tiles": _tiles(steps, validations),
        "losses": _chart(losses, "mean loss, nats"),
        "losses_legend": _legend(losses),
        "held_out": join([_held_out(name, group) for name, group in measured.items()]),
        "rate": _chart({"learning rate": _points(steps, "rate")}, "learning rate"),
        "pace": _chart({"tokens a second": _points(steps, "tokens_per_second")}, "tokens a second"),
        "table": _table(measured),
    }
    return page(template.read_text(encoding="utf-8"), pieces)


def measures(validation: Mapping[str, float]) -> dict[str, float]:
    """What a validation measured, by objective and by ``objective/language``; else its score."""
    kinds = {name.partition("/")[0] for name in validation if "/" in name}
    figures = {n: value for n, value in validation.items() if n.partition("/")[0] in kinds}
    return figures or {"score": validation["score"]}


def _points(entries: Sequence[Entry], name: str) -> Line:
    return [(entry["tokens_seen"], entry[name]) for entry in entries if name in entry]


def _by_kind(steps: Sequence[Entry]) -> dict[str, Line]:
    found: dict[str, Line] = {}
    for entry in steps:
        for kind, loss in entry["loss"].items():
            found.setdefault(kind, []).append((entry["tokens_seen"], loss))
    return found


def _measured(validations: Sequence[Entry]) -> dict[str, dict[str, Line]]:
    """What was measured on held-out rows: by objective, of all languages (``""``) and of each."""
    found: dict[str, dict[str, Line]] = {}
    for entry in validations:
        for name, value in measures(entry).items():
            kind, _, lang = name.partition("/")
            found.setdefault(kind, {}).setdefault(lang, []).append((entry["tokens_seen"], value))
    return found


def _tiles(steps: Sequence[Entry], validations: Sequence[Entry]) -> Html:
    tokens = max((entry["tokens_seen"] for entry in [*steps, *validations]), default=0)
    tiles = [("Tokens", _short(tokens), "seen so far, padding not counted")]
    if steps:
        pace = median(entry["tokens_per_second"] for entry in steps)
        tiles.append(("Tokens a second", f"{pace:,.0f}", "median; validation not counted"))
    for name, group in _measured(validations).items():
        if "" in group:
            first, last = group[""][0][1], group[""][-1][1]
            about = f"{first:.3f} at the first validation"
            tiles.append((_measure(name), f"{last:.3f}", about))
    return join(
        [
            element(
                "div",
                element("dt", title),
                element("dd", shown, class_="figure"),
                element("dd", about, class_="about"),
                class_="tile",
            )
            for title, shown, about in tiles
        ]
    )


def _measure(kind: str) -> str:
    return "Validation score" if kind == "score" else f"Bits per byte, {kind}"


def _held_out(kind: str, group: dict[str, Line]) -> Html:
    """One chart: thin lines for languages, a thick one for their mean."""
    lines = {_name(lang): line for lang, line in group.items() if lang}
    unit = "score" if kind == "score" else "bits per byte"
    chart = _chart({"mean": group.get("", [])}, unit, thin=lines)
    return element("div", element("h3", _measure(kind)), chart)


def _chart(lines: dict[str, Line], unit: str, *, thin: dict[str, Line] | None = None) -> Html:
    """Lines against tokens, with the last value of each to hover over."""
    every = {**(thin or {}), **lines}
    values = list(chain.from_iterable(every.values()))
    if not values:
        return element("p", "Nothing was measured yet.", class_="note")
    low, high = min(value for _, value in values), max(value for _, value in values)
    flat = high - low <= _FLAT * abs(high)
    room = abs(high) * 0.1 or 1.0 if flat else (high - low) * 0.06
    low = 0.0 if low >= 0 and low < 0.35 * high else low - room
    last = max(tokens for tokens, _ in values)
    plot = Plot((0.0, float(last or 1)), (low, high + room))
    parts = plot.axes(
        [(tick, _short(tick)) for tick in even_ticks(*plot.across)],
        _named(even_ticks(*plot.up)),
        ("tokens", unit),
    )
    for name, line in (thin or {}).items():
        parts.append(plot.line(line, kind="series thin", title=f"{name}: {line[-1][1]:.4g}"))
    for i, (name, line) in enumerate(lines.items()):
        if line:
            kind = f"series s{i % COLOURS}"
            parts.append(plot.line(line, kind=kind, title=f"{name}: {line[-1][1]:.4g}"))
    return drawing(parts, f"{unit} against tokens: {', '.join(every)}")


def _named(ticks: Sequence[float]) -> list[tuple[float, str]]:
    """Values of an axis with names of few characters, small ones as in ``15e-4``."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    if step >= 0.01:
        return [(tick, _short(tick) if tick >= 1e3 else f"{tick:g}") for tick in ticks]
    power = math.floor(math.log10(step) + 1e-9)
    return [(tick, f"{round(tick / 10.0**power)}e{power}" if tick else "0") for tick in ticks]


def _legend(lines: dict[str, Line]) -> Html:
    marks = [
        element("li", element("i", class_=f"key s{i % COLOURS}"), name)
        for i, name in enumerate(lines)
    ]
    return element("ul", *marks, class_="legend")


def _table(measured: dict[str, dict[str, Line]]) -> Html:
    """First, best and last figure of each language and objective."""
    rows: list[list[Cell]] = []
    for kind, group in measured.items():
        best: Callable[..., float] = max if kind == "score" else min
        for lang, line in group.items():
            values = [value for _, value in line]
            name = _name(lang) if lang else "mean"
            figures = [values[0], best(values), values[-1]]
            shown: list[Cell] = [(f"{value:.4f}", value) for value in figures]
            rows.append([(name, name), (kind, kind), *shown])
    return sortable(["language", "objective", "first", "best", "last"], rows, "languages tall")


def _name(lang: str) -> str:
    """A language's name; of a pair, both."""
    return " and ".join(map(_of_tag, lang.split("-")))


def _of_tag(tag: str) -> str:
    try:
        return parse(tag).name
    except LanguageError:  # of und, and of what a caller made up
        return tag


def _short(count: float) -> str:
    """A number of tokens in few characters."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.3g}"


__all__ = ["measures", "render"]
