"""The phrasebook: sentences written for this project (CC0), English to learn from, many to test.

It serves the quickstart, the tests and the examples; it is never reported as a benchmark.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def train_files() -> list[Path]:
    """The training sentences, in English."""
    return sorted(_FOLDER.glob("train.*.jsonl"))


def test_files() -> list[Path]:
    """The parallel test sentences, one file a language."""
    return sorted(_FOLDER.glob("test.*.jsonl"))


def question_files() -> list[Path]:
    """The parallel questions with passages, one file a language."""
    return sorted(_FOLDER.glob("qa.*.jsonl"))
