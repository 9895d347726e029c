"""Learning rates by hand, at the ends and in the middle of every schedule."""

from __future__ import annotations

import math

import pytest

from interlingua.training.schedule import share_of_peak
from interlingua.training.settings import LoopSettings


def shares(**given: object) -> list[float]:
    settings = LoopSettings.model_validate({"warmup": 0.1, **given})
    return [share_of_peak(settings, step, 100) for step in range(100)]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "wsd", "constant"])
def test_every_schedule_warms_up_to_the_peak_and_never_passes_it(schedule: str) -> None:
    found = shares(schedule=schedule)
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert max(found) == found[10] == 1.0
    after = found[10:]
    assert after == sorted(after, reverse=True)


def test_ends_and_middles_by_hand() -> None:
    linear, cosine, wsd = (shares(schedule=name) for name in ("linear", "cosine", "wsd"))
    assert (linear[55], linear[99]) == pytest.approx((45 / 90, 1 / 90))
    assert cosine[55] == pytest.approx(0.1 + 0.9 / 2)
    assert cosine[25] == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 6)) / 2)
    assert 0.1 < cosine[99] < 0.101
    assert wsd[80] == 1.0
    assert (wsd[81], wsd[90], wsd[99]) == pytest.approx((19 / 20, 10 / 20, 1 / 20))
    assert shares(schedule="wsd", decay=0.5)[75] == pytest.approx(0.5)
    assert shares(schedule="constant")[99] == 1.0


def test_runs_of_one_step_have_a_rate() -> None:
    for schedule in ("linear", "cosine", "wsd", "constant"):
        settings = LoopSettings.model_validate({"schedule": schedule, "warmup": 0.0})
        assert share_of_peak(settings, 0, 1) == 1.0
