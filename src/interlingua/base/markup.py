"""HTML that cannot be broken by what stands in it: text is escaped unless it is already HTML."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """A piece of text that is HTML already."""

    __slots__ = ()


def text(value: str) -> Html:
    """Escape plain text; characters that HTML or UTF-8 cannot hold become U+FFFD."""
    return Html(escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)))


def join(children: list[Html] | list[Html | str]) -> Html:
    """Put pieces side by side."""
    return Html("".join(c if isinstance(c, Html) else text(c) for c in children))


def element(
    name: str, *children: Html | str | None, **attributes: str | float | bool | None
) -> Html:
    """An element; ``class_`` is written ``class``, ``aria_label`` is written ``aria-label``.

    Args:
        name: Tag name.
        children: Text is escaped, HTML is not; None is left out.
        attributes: None and False are left out, True stands without a value.
    """
    head = name
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        head += f" {attribute}" if value is True else f' {attribute}="{text(_plain(value))}"'
    inside = join([child for child in children if child is not None])
    return Html(f"<{head}>{inside}</{name}>")


def fill(template: str, pieces: Mapping[str, Html]) -> Html:
    """Put pieces into the places ``{{name}}`` of a template, in one pass.

    What stands in a piece is never looked at again, so a piece that holds ``{{name}}`` is harmless.
    """
    return Html(_PLACE.sub(lambda place: pieces[place[1]], template))


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
