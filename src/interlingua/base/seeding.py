"""One seed for a run, and independent streams of random numbers derived from it by name."""

from __future__ import annotations

import hashlib
import random
import sys

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed ``random``, NumPy's old interface and, where it is loaded, torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A stream of its own for a purpose: the same seed and names give the same numbers.

    Names keep streams apart, so that drawing more from one never shifts another.
    """
    digest = hashlib.sha256("/".join([str(seed), *map(str, names)]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
