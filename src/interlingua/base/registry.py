"""Names for things, resolved on first use, with near names when one is wrong."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Generic, TypeVar, cast

from interlingua.base.errors import UnknownNameError, quoted

T = TypeVar("T")


def near_names(name: str, names: Iterable[str], *, count: int = 3) -> list[str]:
    """Names that look like ``name``, best first."""
    folded = {known.casefold(): known for known in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=count, cutoff=0.5)
    return [folded[match] for match in close]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The remedy for a wrong name: near names, or all of them when none is near."""
    known = sorted(names)
    close = near_names(name, known)
    return f"Did you mean {', '.join(close)}?" if close else f"Known: {', '.join(known)}"


class Registry(Generic[T]):
    """A table from names to objects; an object may be given as ``"module:attribute"``.

    Example:
        >>> strategies = Registry[type]("strategy")
        >>> strategies.add("counter", "collections:Counter")
        >>> strategies.get("counter").__name__
        'Counter'
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T | str] = {}

    def add(self, name: str, entry: T | str) -> None:
        """Register ``entry`` under ``name``; a name is given once."""
        assert name not in self._entries, f"{self.kind} {name!r} is registered twice"
        self._entries[name] = entry

    def get(self, name: str) -> T:
        """The object called ``name``, imported now if it was given as a path.

        Raises:
            UnknownNameError: No such name; the remedy names near ones.
        """
        if name not in self._entries:
            raise UnknownNameError(
                f"unknown {self.kind} {quoted(name)}", remedy=did_you_mean(name, self._entries)
            )
        entry = self._entries[name]
        if isinstance(entry, str):
            module, _, attribute = entry.partition(":")
            entry = cast("T", getattr(importlib.import_module(module), attribute))
            self._entries[name] = entry
        return entry

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._entries)

    def __contains__(self, name: str) -> bool:
        """Whether ``name`` is registered."""
        return name in self._entries
