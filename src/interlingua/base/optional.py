"""Optional dependencies: imported where they are used, with the pip line when missing."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from interlingua.base.errors import MissingExtraError


def available(module: str) -> bool:
    """Whether ``module`` could be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def require(module: str, *, extra: str) -> Any:  # noqa: ANN401 - a module of any shape
    """Import ``module``, which the extra ``extra`` installs.

    Raises:
        MissingExtraError: It is not installed; the remedy is the pip line.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        if missing != module.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"this needs the package '{missing}', which is not installed",
            remedy=f"Run: pip install 'interlingua[{extra}]'",
        ) from None
