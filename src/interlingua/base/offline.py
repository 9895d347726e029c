"""Switches that keep libraries from telling anybody what is done here."""

from __future__ import annotations

import os

_SWITCHES = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "true",
    "TRANSFORMERS_VERBOSITY": "error",
}


def quiet_libraries() -> None:
    """Set each switch that the environment has not set already."""
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
