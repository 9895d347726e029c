"""How far off a prediction was: what a run's logs say beside what was said of it.

A run that is not finished is compared with as much of the prediction as it has done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import DataError
from interlingua.training.cost.forecast import PREDICTION

LOG = Path("logs/train.jsonl")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has taken so far.

    Attributes:
        steps: Updates.
        seconds: Of training and validation, over all times it was resumed.
        tokens: Tokens that are no padding; None: the log does not tell.
        peak_bytes: The largest memory.
    """

    steps: int
    seconds: float
    tokens: int | None
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A quantity as it was predicted and as it came; ``off`` is predicted / actual - 1."""

    name: str
    predicted: float | None
    early: float | None
    actual: float | None

    @property
    def off(self) -> float | None:
        """How far the prediction from the recipe is off."""
        return _off(self.predicted, self.actual)

    @property
    def early_off(self) -> float | None:
        """How far the run's own prediction, made at its start, is off."""
        return _off(self.early, self.actual)

    def facts(self) -> dict[str, float | str | None]:
        """All of it, as JSON values."""
        return {
            "quantity": self.name,
            "predicted": self.predicted,
            "predicted_at_start": self.early,
            "actual": self.actual,
            "off": None if self.off is None else round(self.off, 4),
            "off_at_start": None if self.early_off is None else round(self.early_off, 4),
        }


def _off(said: float | None, came: float | None) -> float | None:
    return None if said is None or not came else said / came - 1


def spent(out: Path) -> Spent:
    """Read the log of a run.

    Raises:
        DataError: There is none, or it does not tell seconds.
    """
    path = out / LOG
    try:
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        remedy = "Give the folder of a run that has been validated at least once"
        raise DataError(f"no log of a run: {error}", path=path, remedy=remedy) from error
    if not entries or any("seconds" not in entry for entry in entries):
        raise DataError("the log does not tell seconds", path=path, remedy="Run it anew")
    # Seconds and tokens count from the start of a process: where they fall, it was resumed.
    last = [
        entry
        for entry, after in zip(entries, [*entries[1:], None], strict=True)
        if after is None or after["seconds"] < entry["seconds"]
    ]
    tokens = [entry["tokens"] for entry in last if "tokens" in entry]
    return Spent(
        steps=int(entries[-1]["step"]),
        seconds=sum(float(entry["seconds"]) for entry in last),
        tokens=int(sum(tokens)) if len(tokens) == len(last) else None,
        peak_bytes=max(int(entry.get("peak_bytes", 0)) for entry in entries) or None,
    )


def compare(facts: dict[str, Any], out: Path) -> list[Compared]:
    """A prediction beside what a run took.

    Args:
        facts: What was predicted, as `predict.Prediction.facts` gives it.
        out: The folder of the run.

    Raises:
        DataError: The folder has no log of a run.
    """
    real = spent(out)
    early = _early(out)
    part = min(1.0, real.steps / max(1, facts["steps"]))
    here = facts.get("here")
    seconds = None if here is None else part * here["hours"] * 3600
    soon = early.get("seconds")
    rate = None if real.tokens is None else real.tokens / real.seconds
    return [
        Compared("tokens", part * facts["tokens"], _times(part, early.get("tokens")), real.tokens),
        Compared("seconds", seconds, _times(part, soon), real.seconds),
        Compared(
            "tokens per second",
            None if here is None else here["tokens_per_second"],
            None if soon is None else early["tokens"] / soon,
            rate,
        ),
        Compared(
            "peak memory, bytes",
            facts["memory"]["total"],
            early.get("memory", {}).get("total"),
            real.peak_bytes,
        ),
        Compared(
            "operations per second",
            None if here is None else here["flops_per_second"],
            None if soon is None else early["flops"]["total"] / soon,
            part * facts["flops"]["total"] / real.seconds,
        ),
    ]


def _times(part: float, value: float | None) -> float | None:
    return None if value is None else part * value


def _early(out: Path) -> dict[str, Any]:
    """What the run said of itself at its start; nothing if it did not."""
    path = out / PREDICTION
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", path=path) from error
    return document if isinstance(document, dict) else {}


__all__ = ["Compared", "Spent", "compare", "spent"]
