"""Where things are kept that can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """The cache folder; it is not created here.

    It is ``$INTERLINGUA_CACHE``, else ``$XDG_CACHE_HOME/interlingua``, else
    ``~/.cache/interlingua``; without a home folder it lies in the current one.
    """
    given = os.environ.get("INTERLINGUA_CACHE")
    if given:
        return Path(given)
    shared = os.environ.get("XDG_CACHE_HOME")
    if shared:
        return Path(shared) / "interlingua"
    try:
        return Path.home() / ".cache" / "interlingua"
    except RuntimeError:
        return Path.cwd() / ".interlingua-cache"
