"""What travels through search: the passage, the filter, the hit.

Legend: Q queries, N passages, D features.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError, UsageError, quoted
from interlingua.languages import UND, tag_of

MAX_ID = 512
"""Bytes of an id."""
MAX_TEXT = 60_000
"""Bytes of a passage's text; what a Milvus field holds."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text and where it stands.

    Attributes:
        id: Unique in its index.
        text: The text.
        lang: Its language tag, or ``und``.
        path: The file it is from, as it was given.
        line: Its first line there, counted from 1; 0 where there is no file.
        start: Its first character: in the file, or in the row's text where the file is a table.
        end: The character after its last.
        meta: Anything else to filter by; names hold no ``=``.
    """

    id: str
    text: str
    lang: str = UND
    path: str = ""
    line: int = 0
    start: int = 0
    end: int = 0
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> list[str]:
        """The metadata as ``name=value``, sorted."""
        return sorted(f"{name}={value}" for name, value in self.meta.items())


def meta_of(tags: Sequence[str]) -> dict[str, str]:
    """The metadata that `Passage.tags` spelled out."""
    return dict(tag.split("=", 1) for tag in tags)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which passages may be found; empty: all.

    Attributes:
        languages: Tags, one of which a passage must have.
        meta: Values a passage must have, by name; ``path`` is its file.
    """

    languages: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, languages: Sequence[str] = (), where: Sequence[str] = ()) -> Filter:
        """A filter as the command line spells it.

        Args:
            languages: Languages in any spelling.
            where: Conditions ``NAME=VALUE``; of ``lang`` a language like the others.

        Raises:
            LanguageError: A language is unknown.
            UsageError: A condition has no ``=``, or a name is given two values.
        """
        meta: dict[str, str] = {}
        languages = list(languages)
        for condition in where:
            name, sign, value = condition.partition("=")
            if not sign or not name:
                raise UsageError(
                    f"the condition {quoted(condition)} is not NAME=VALUE",
                    remedy="As in --where path=docs/guide.md",
                )
            if name == "lang":
                languages.append(value)
                continue
            if name == "path":
                value = PurePath(value).as_posix()
            if meta.setdefault(name, value) != value:
                raise UsageError(
                    f"{quoted(name)} cannot be both {quoted(meta[name])} and {quoted(value)}",
                    remedy="Every condition has to hold; ask twice for one or the other",
                )
        tags = (tag if tag == UND else tag_of(tag) for tag in languages)
        return cls(tuple(dict.fromkeys(tags)), meta)

    @property
    def path(self) -> str | None:
        """The file asked for, if any."""
        return self.meta.get("path")

    @property
    def tags(self) -> list[str]:
        """The other conditions as ``name=value``, sorted."""
        return sorted(f"{name}={value}" for name, value in self.meta.items() if name != "path")

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.languages or self.meta)

    def takes(self, passage: Passage) -> bool:
        """Whether a passage may be found."""
        return (
            (not self.languages or passage.lang in self.languages)
            and (self.path is None or passage.path == self.path)
            and all(tag in passage.tags for tag in self.tags)
        )


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, and its cosine with the query."""

    passage: Passage
    score: float


def checked_vectors(vectors: NDArray[np.float32], *, rows: int, dim: int) -> NDArray[np.float32]:
    """Vectors of length one, float32 [N, D]; one of zeros stays as it is.

    Raises:
        DataError: There are too few or too many, of another width, or not finite.
    """
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dim:
        raise DataError(
            f"vectors of shape {list(array.shape)}, the index holds vectors of {dim} features",
            remedy="Embed with the index's own model",
        )
    if len(array) != rows:
        raise DataError(f"{rows} texts and {len(array)} vectors do not belong together")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise DataError(f"vector {row} holds a value that is not finite")
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    return np.asarray(array / np.where(norms > 0, norms, 1), dtype=np.float32)


def check_passages(passages: Sequence[Passage]) -> None:
    """Refuse ids that are empty, too long or given twice, and texts that are too long.

    Raises:
        DataError: With the file and line of the passage.
    """
    seen: set[str] = set()
    for passage in passages:
        problem = ""
        if not passage.id or len(passage.id.encode()) > MAX_ID:
            problem = f"the id {quoted(passage.id)} has to have 1 to {MAX_ID} bytes"
        elif passage.id in seen:
            problem = f"the id {quoted(passage.id)} is given twice"
        elif len(passage.text.encode("utf-8", "replace")) > MAX_TEXT:
            problem = f"a text of more than {MAX_TEXT:,} bytes"
        elif any("=" in name or not name for name in passage.meta):
            problem = "a name of metadata is empty or holds '='"
        if problem:
            raise DataError(problem, path=passage.path or None, line=passage.line or None)
        seen.add(passage.id)


def refuse_known(passages: Sequence[Passage], there: Collection[str]) -> None:
    """Refuse to add a passage whose id is in the index.

    Raises:
        DataError: With the file and line of the passage.
    """
    for passage in passages:
        if passage.id in there:
            raise DataError(
                f"the id {quoted(passage.id)} is in the index",
                path=passage.path or None,
                line=passage.line or None,
                remedy="Update the passage instead",
            )
