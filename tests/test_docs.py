"""The documentation is whole: every page can be found from the first one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


def pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [
        page for part in (nav.values() if isinstance(nav, dict) else nav) for page in pages(part)
    ]


def test_every_page_is_in_the_navigation_and_on_the_first_page() -> None:
    files = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    told = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(told) == sorted(files)
    first = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert [page for page in told if page != "index.md" and f"({page})" not in first] == []
