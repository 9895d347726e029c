"""What a run says about itself while it runs: two logs and a page, below its folder ``logs``.

``steps.jsonl`` has a line every few steps with what the steps since the line before were: mean
loss by kind, learning rate, tokens so far, tokens a second. ``train.jsonl`` has a line a
validation, and after each ``run.html`` is drawn anew, whole or not at all.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from interlingua.base.files import write_text
from interlingua.base.progress import say
from interlingua.training.run_page import measures, render

_STEPS, _VALIDATIONS = "steps.jsonl", "train.jsonl"
_WIDTH = 11  # of a column, in characters
_LINES = 200
"""Lines that the steps of a whole run make, about."""


class RunLog:
    """The logs of one run, written by one process.

    Args:
        folder: Where they lie; made with the first line.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.total = 0
        self._every = 1
        self._losses: dict[str, list[float]] = {}
        self._tokens, self._seconds = 0, 0.0
        self._told = False

    def begin(self, step: int, tokens: int, *, total: int) -> None:
        """Start, or go on after ``step``: what ``steps.jsonl`` says of later steps is forgotten.

        Validations stay, since they tell what a run that was stopped has cost.

        Args:
            step: Steps done.
            tokens: Tokens seen.
            total: Steps of the whole run.
        """
        self.total, self._every = total, max(1, total // _LINES)
        self._tokens = tokens
        file = self.folder / _STEPS
        if file.is_file():
            kept = [entry for entry in read_log(file) if entry["step"] <= step]
            write_text(file, "".join(json.dumps(entry) + "\n" for entry in kept))

    def step(
        self, step: int, *, kind: str, loss: float, rate: float, tokens: int, seconds: float
    ) -> None:
        """Note a step, and write a line if one is due.

        Args:
            step: Steps done.
            kind: Name of the step's loss.
            loss: Its mean.
            rate: The highest learning rate of the step.
            tokens: Tokens seen so far.
            seconds: How long the step took.
        """
        self._losses.setdefault(kind, []).append(loss)
        self._seconds += seconds
        if step % self._every and step != self.total:
            return
        pace = (tokens - self._tokens) / max(self._seconds, 1e-9)
        losses = {name: round(fmean(values), 5) for name, values in self._losses.items()}
        told = {"step": step, "tokens_seen": tokens, "loss": losses, "rate": rate}
        self._write(_STEPS, {**told, "tokens_per_second": round(pace, 1)})
        self._losses, self._tokens, self._seconds = {}, tokens, 0.0

    def validation(self, **values: float) -> None:
        """Write the line of a validation, say it as a row of a table, and draw the page."""
        self._write(_VALIDATIONS, {**values, "time": round(time.time(), 3)})
        steps, validations = (read_log(self.folder / name) for name in (_STEPS, _VALIDATIONS))
        shown = _shown(values, steps[-1]["tokens_per_second"] if steps else 0.0)
        if not self._told:
            say("  ".join(f"{name:>{_WIDTH}}" for name in shown))
        self._told = True
        say("  ".join(f"{value:>{_WIDTH}}" for value in shown.values()))
        write_text(self.folder / "run.html", render(steps, validations, total=self.total))

    def _write(self, name: str, values: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def _shown(values: dict[str, float], pace: float) -> dict[str, str]:
    """The columns of a validation's row: what was measured of each objective, else the score."""
    measured = {name: value for name, value in measures(values).items() if "/" not in name}
    return {
        "step": f"{values['step']:,.0f}",
        "tokens": f"{values['tokens_seen']:,.0f}",
        "tokens/s": f"{pace:,.0f}",
        "loss": f"{values['loss']:.4f}",
        **{name: f"{value:.4f}" for name, value in measured.items()},
    }


def read_log(file: Path) -> list[dict[str, Any]]:
    """The lines of a log that are whole; a crash may have cut the last."""
    found = []
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
