"""Scorecards on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scorecard_toys import LABELS, card_of, predictions_of

from interlingua.evaluation.scorecard import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def save(tmp_path):
    """Write results as an evaluation would; returns the folder."""

    def save_results(name, results, *, labels=LABELS, **facts) -> Path:
        folder = tmp_path / name
        write(folder, card_of(results, labels=labels, **facts), predictions_of(results, labels))
        return folder

    return save_results
