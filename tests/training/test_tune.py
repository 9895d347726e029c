"""A search finds what is there, and one that was killed ends with the same best trial."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.config import make
from interlingua.base.errors import ConfigError, NonFiniteError
from interlingua.training.settings import FinetuneRecipe
from interlingua.training.tune import TRIALS, Range, TuneRecipe, search, tune, with_values

pytest.importorskip("optuna")
RATE, EPOCHS = "training.full.learning_rate", "training.full.epochs"
SPACE = {RATE: {"low": 1e-5, "high": 1e-2, "log": True}, EPOCHS: {"choices": [1, 3, 5]}}


class Killed(Exception):
    """Stands for a kill."""


def recipe(trials: int = 14, **changes: Any) -> TuneRecipe:
    document: dict[str, Any] = {
        "data": {"task": "topic", "train": ["train.tsv"]},
        "training": {"strategy": "full"},
        "search": {"trials": trials, "space": SPACE, **changes},
    }
    return make(TuneRecipe, document)


def score(given: FinetuneRecipe, folder: Path) -> float:
    """Best at a rate of 1e-3 and three epochs."""
    folder.mkdir(parents=True, exist_ok=True)
    full = given.training.full
    return -abs(math.log10(full.learning_rate) + 3) - (full.epochs != 3)


def test_a_search_killed_and_resumed_ends_with_the_same_trials(tmp_path: Path) -> None:
    asked = recipe()
    whole = search(asked, asked.search.space, tmp_path / "whole", score)
    calls = 0

    def dying(given: FinetuneRecipe, folder: Path) -> float:
        nonlocal calls
        calls += 1
        if calls in (3, 9):
            raise Killed
        return score(given, folder)

    for _ in range(2):
        with pytest.raises(Killed):
            search(asked, asked.search.space, tmp_path / "killed", dying)
    found = search(asked, asked.search.space, tmp_path / "killed", dying)
    assert [(t.values, t.score) for t in found] == [(t.values, t.score) for t in whole]
    assert calls == 14 + 2


def test_a_search_learns_from_its_trials(tmp_path: Path) -> None:
    asked = recipe(40)
    trials = search(asked, asked.search.space, tmp_path, score)
    scores = [tried.score or 0.0 for tried in trials]
    assert max(scores) > -0.1
    assert sum(scores[-10:]) > sum(
        scores[:10]
    )  # later trials are better than the first, random ones


def test_only_the_best_folder_stays(tmp_path: Path) -> None:
    asked = recipe(8)
    trials = search(asked, asked.search.space, tmp_path, score)
    best = max(trials, key=lambda tried: tried.score or -99.0)
    assert [folder.name for folder in (tmp_path / "trials").iterdir()] == [f"{best.number:04d}"]


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on(tmp_path: Path) -> None:
    def diverging(given: FinetuneRecipe, folder: Path) -> float:
        if given.training.full.learning_rate > 1e-3:
            raise NonFiniteError("the loss is not finite")
        return score(given, folder)

    asked = recipe(12)
    trials = search(asked, asked.search.space, tmp_path, diverging)
    assert len(trials) == 12
    assert any(tried.score is None for tried in trials)
    assert any(tried.score is not None for tried in trials)


def test_no_trial_begins_after_the_time_is_over(tmp_path: Path) -> None:
    asked = recipe(minutes=1)
    done = {"number": 0, "values": {RATE: 1e-4, EPOCHS: 3}, "score": 0.5, "seconds": 61.0}
    (tmp_path / TRIALS).write_text(json.dumps(done) + "\n")
    assert len(search(asked, asked.search.space, tmp_path, score)) == 1


def test_values_are_put_where_they_belong() -> None:
    changed = with_values(recipe(), {RATE: 0.5, EPOCHS: 5})
    assert (changed.training.full.learning_rate, changed.training.full.epochs) == (0.5, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"low": 1.0}, "low and high"),
        ({"low": 2.0, "high": 1.0}, "low first"),
        ({"low": 0.0, "high": 1.0, "log": True}, "above zero"),
        ({"low": 0.0, "high": 1.0, "choices": [1]}, "or choices"),
    ],
)
def test_a_range_that_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(Range, values)


def test_an_unknown_setting_is_named_before_anything_is_written(tmp_path: Path) -> None:
    asked = recipe().model_copy(
        update={
            "search": recipe().search.model_copy(
                update={"space": {"training.ful": Range(low=0, high=1)}}
            )
        }
    )
    with pytest.raises(ConfigError, match=r"training\.ful"):
        tune(asked, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
