"""Data sets of the hub, or any folder that the library ``datasets`` opens, row by row.

    hub:OWNER/NAME:SPLIT            hub:OWNER/NAME:CONFIG:SPLIT
    hub:OWNER/NAME@REVISION:CONFIG:SPLIT

Only what is written out like this is asked for, and nothing is kept but what the library caches.
Code of a data set is never run. Fix a revision where a run is to be repeated: the hub's files are
not hashed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex

from interlingua.base.errors import DataError, LanguageError, quoted
from interlingua.base.optional import require
from interlingua.corpus.rows import Faults, Row
from interlingua.languages import tag_of

SCHEME = "hub:"
_LANGUAGE = regex.compile(r"(?:.*\.)?([a-z]{2,3}(?:[_-][A-Z][a-z]{3})?)")


def is_hub(name: str | Path) -> bool:
    """Whether a name asks for a data set of the hub."""
    return str(name).startswith(SCHEME)


def read_hub(path: Path, faults: Faults) -> Iterator[Row]:
    """The rows of a split, as they come; a row's line is its number from 1.

    Where a row has no ``lang`` and the configuration is called by a language, as in
    ``20231101.cy``, it gets one.

    Raises:
        DataError: The name is not of this form, or the data set cannot be opened or breaks off.
        MissingExtraError: ``datasets`` is not installed.
    """
    del faults  # a row of a table with types is whole or not there
    name, revision, config, split = _parts(path)
    datasets = require("datasets", extra="hub")
    lang = _lang(config)
    number = 0
    try:
        opened = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
        for values in opened:
            number += 1
            told = {"lang": lang, **values} if lang else dict(values)
            yield Row(told, path, number)
    except Exception as error:  # the library's and the network's errors come in many classes
        place = f" after row {number}" if number else ""
        raise DataError(
            f"cannot be read{place}: {type(error).__name__}: {quoted(error, 200)}",
            path=path,
            remedy="Check name, configuration, split and network",
        ) from error


def _parts(path: Path) -> tuple[str, str | None, str | None, str]:
    name, *rest = str(path).removeprefix(SCHEME).split(":")
    if not name or len(rest) not in (1, 2) or not all(rest):
        raise DataError(
            f"{quoted(path)} names no split of a data set",
            remedy="Write hub:NAME:SPLIT or hub:NAME:CONFIG:SPLIT",
        )
    plain, _, revision = name.partition("@")
    return plain, revision or None, rest[0] if len(rest) == 2 else None, rest[-1]


def _lang(config: str | None) -> str | None:
    match = _LANGUAGE.fullmatch(config or "")
    try:
        return None if match is None else tag_of(match[1])
    except LanguageError:
        return None


def translation_of(values: dict[str, Any]) -> dict[str, Any] | None:
    """The columns of a pair out of ``translation: {"en": ..., "de": ...}``, the hub's own form."""
    sides = values.get("translation")
    if not isinstance(sides, dict) or len(sides) != 2:
        return None
    (source_lang, source), (target_lang, target) = sides.items()
    told = {"source": source, "target": target}
    told |= {"source_lang": source_lang, "target_lang": target_lang}
    return {**{key: values[key] for key in ("id", "licence", "cluster") if key in values}, **told}


__all__ = ["SCHEME", "is_hub", "read_hub", "translation_of"]
