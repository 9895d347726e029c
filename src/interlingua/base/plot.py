"""A drawing with two axes, as inline SVG.

Drawings have attributes only (no style attributes, which a page's content policy refuses); colours
are classes of the style sheet in `base.page`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from interlingua.base.markup import Html, element

WIDTH, HEIGHT = 620, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 16, 34, 46
COLOURS = 6
"""Classes ``s0``, ``s1``, ... that the style sheet has colours for."""

Ticks = Sequence[tuple[float, str]]
"""Values of an axis that are named, with their names."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Where values lie in a drawing.

    Attributes:
        across: The values at the left and the right edge.
        up: The values at the lower and the upper edge.
    """

    across: tuple[float, float]
    up: tuple[float, float]

    def x(self, value: float) -> float:
        """The place of a value from the left."""
        first, last = self.across
        return _LEFT + (value - first) / (last - first) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """The place of a value from the top."""
        first, last = self.up
        return HEIGHT - _BOTTOM - (value - first) / (last - first) * (HEIGHT - _TOP - _BOTTOM)

    def axes(self, across: Ticks, up: Ticks, titles: tuple[str, str]) -> list[Html]:
        """Grid lines, what stands beside them, and the titles of both axes."""
        parts = []
        for value, name in up:
            at = self.y(value)
            parts += [
                element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=at, y2=at, class_="grid"),
                element("text", name, x=_LEFT - 8, y=at + 4.5, text_anchor="end"),
            ]
        for value, name in across:
            parts.append(
                element("text", name, x=self.x(value), y=HEIGHT - 24, text_anchor="middle")
            )
        right = WIDTH - _RIGHT
        return [
            *parts,
            element(
                "text", f"{titles[0]} →", x=right, y=HEIGHT - 4, text_anchor="end", class_="axis"
            ),
            element("text", f"{titles[1]} ↑", x=2, y=16, class_="axis"),
        ]

    def line(self, points: Sequence[tuple[float, float]], *, kind: str, title: str) -> Html:
        """A line through points, with a title to hover over; a single point becomes a dot."""
        told = element("title", title)
        if len(points) == 1:
            (a, b) = points[0]
            return element(
                "circle", told, cx=self.x(a), cy=self.y(b), r=3.5, class_=f"{kind} point"
            )
        path = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in points)
        return element("polyline", told, points=path, class_=kind)


def drawing(parts: Sequence[Html], label: str) -> Html:
    """A drawing of its parts; ``label`` says what it shows to those who cannot see it."""
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *parts, class_="plot", viewBox=box, role="img", aria_label=label)


def dot_name(name: str, x: float, y: float) -> Html:
    """A name beside a dot, on the side where there is room."""
    late = x > WIDTH * 0.72
    return element(
        "text",
        name,
        x=x - 9 if late else x + 9,
        y=y + 4.5,
        text_anchor="end" if late else None,
        class_="dot-label",
    )


def even_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Round values from ``low`` to ``high``: multiples of 1, 2 or 5 times a power of ten."""
    assert high > low
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]
