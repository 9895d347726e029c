"""Learning rates over the steps of a run, as a share of the peak.

With T steps, of which the first w T warm up,

    linear     r(t) = (T - t) / (T - w T)
    cosine     r(t) = f + (1 - f) (1 + cos(pi (t - w T) / (T - w T))) / 2
    wsd        r(t) = 1, and over the last d T steps (T - t) / (d T)
    constant   r(t) = 1

after r(t) = (t + 1) / (w T) while t < w T. Cosine is that of Loshchilov and Hutter, ICLR 2017,
section 3, without restarts, down to the share f = 0.1; wsd (warm-up, stable, decay) that of Hu
et al., MiniCPM, COLM 2024, section 4, with a linear end: whoever goes on branches off before it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.training.settings import LoopSettings

_COSINE_FLOOR = 0.1


def share_of_peak(settings: LoopSettings, step: int, total: int) -> float:
    """The share of the peak rate at a step (from 0) of ``total``, in [0, 1]."""
    warmup = max(1, round(settings.warmup * total))
    if step < warmup:
        return (step + 1) / warmup
    left = max(0, total - step)
    after = max(1, total - warmup)
    if settings.schedule == "cosine":
        fallen = (1 + math.cos(math.pi * min(1.0, (step - warmup) / after))) / 2
        return _COSINE_FLOOR + (1 - _COSINE_FLOOR) * fallen
    if settings.schedule == "wsd":
        return min(1.0, left / max(1, round(settings.decay * total)))
    return 1.0 if settings.schedule == "constant" else left / after
