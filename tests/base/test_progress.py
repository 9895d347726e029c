"""What a piece of work says of itself."""

from __future__ import annotations

import pytest

from interlingua.base import progress
from interlingua.base.progress import Track


def test_work_that_goes_on_tells_the_pace_since_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 of 400 were done before; 20 in 40 s are 2 s each, and the 80 that are left take 160."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    work = Track("Training", 400, "steps", 300)
    now[0] += 40
    assert "left" not in work._line()
    work.advance(20)
    assert work._line() == "Training: 320/400 steps, 2.0 s each, 160 s left"
    work.advance(79)
    assert work._line() == "Training: 399/400 steps, 2.5 steps/s, 0 s left"
