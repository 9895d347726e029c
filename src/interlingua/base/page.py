"""One page that needs nothing else: no network, no font, no library.

A page's style sheet and its script (which only sorts and filters tables) are the same for all
pages; they are named by their sha256 in the page's content security policy, and nothing else may
load or run. Every text from outside is escaped by `markup`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files

from interlingua.base.markup import Html, element, fill, text

Cell = tuple[Html | str, float | str | None]
"""What is shown, and what it is sorted by."""


def page(template: str, pieces: Mapping[str, Html]) -> str:
    """A page with a filled template for its body, and the piece ``title`` above it."""
    style, script = _package_file("page.css"), _package_file("page.js")
    policy = (
        f"default-src 'none'; style-src '{_source_hash(style)}'; "
        f"script-src '{_source_hash(script)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    frame = {"policy": text(policy), "style": Html(style), "script": Html(script)}
    frame |= {"title": pieces["title"], "body": fill(template, pieces)}
    return str(fill(_package_file("page.html"), frame))


def sortable(columns: Sequence[str], rows: Sequence[Sequence[Cell]], kind: str) -> Html:
    """A table in a box that scrolls; figures stand right, and cells say what they sort by."""
    numeric = [
        any(isinstance(row[i][1], (int, float)) for row in rows) for i in range(len(columns))
    ]
    head = [
        element(
            "th",
            element("button", name, type="button"),
            scope="col",
            class_="number" if number else None,
        )
        for name, number in zip(columns, numeric, strict=True)
    ]
    body = []
    for row in rows:
        cells = [
            element(
                "th" if i == 0 else "td",
                shown,
                scope="row" if i == 0 else None,
                class_="number" if numeric[i] else None,
                data_sort="" if key is None else str(key),
            )
            for i, (shown, key) in enumerate(row)
        ]
        body.append(element("tr", *cells))
    table = element(
        "table", element("thead", element("tr", *head)), element("tbody", *body), class_="sortable"
    )
    return element(
        "div",
        table,
        class_=f"scroll {kind}",
        tabindex="0",
        role="region",
        aria_label=f"Table of {kind.split(maxsplit=1)[0]}",
    )


def _package_file(name: str) -> str:
    return files("interlingua.base").joinpath("data", name).read_text(encoding="utf-8")


def _source_hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
