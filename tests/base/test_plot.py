"""Values lie where the axes say."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.plot import HEIGHT, WIDTH, Plot, dot_name, drawing, even_ticks


def test_values_lie_within_the_axes() -> None:
    plot = Plot((0.0, 10.0), (1.0, 3.0))
    assert 0 < plot.x(0) < plot.x(5) < plot.x(10) < WIDTH
    assert plot.x(5) == pytest.approx((plot.x(0) + plot.x(10)) / 2)
    assert HEIGHT > plot.y(1) > plot.y(2) > plot.y(3) > 0
    assert plot.y(2) == pytest.approx((plot.y(1) + plot.y(3)) / 2)


def test_ticks_stand_at_their_values_and_titles_are_escaped() -> None:
    plot = Plot((0.0, 10.0), (0.0, 1.0))
    parts = plot.axes([(5.0, "five")], [(0.5, "half")], ("<tokens>", "loss"))
    page = drawing([*parts, plot.line([(0, 0), (10, 1)], kind="series", title="a & b")], "label")
    assert f'y1="{plot.y(0.5):g}"' in page
    assert re.search(rf'x="{plot.x(5):g}"[^>]*>five', page)
    assert "&lt;tokens&gt; →" in page
    assert "<title>a &amp; b</title>" in page
    assert f'points="{plot.x(0):.1f},{plot.y(0):.1f} {plot.x(10):.1f},{plot.y(1):.1f}"' in page
    assert "style=" not in page  # the page's content policy refuses it
    assert "<circle" in plot.line([(1, 1)], kind="series", title="one point")


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_few(low: float, size: float) -> None:
    ticks = even_ticks(low, low + size)
    assert 2 <= len(ticks) <= 7
    assert min(ticks) >= low - size * 1e-6
    assert max(ticks) <= low + size * (1 + 1e-6)
    steps = {f"{b - a:.3g}" for a, b in pairwise(ticks)}
    assert len(steps) == 1
    assert f"{ticks[1] - ticks[0]:.3e}"[0] in "125"


def test_names_stand_where_there_is_room() -> None:
    assert 'text-anchor="end"' in dot_name("a", WIDTH - 20, 5)
    assert "text-anchor" not in dot_name("a", 60, 5)
