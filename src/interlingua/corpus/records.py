"""What travels between the steps of a corpus: the document and the pair of sentences.

A reader yields them, a filter drops or keeps them, a writer puts them into shards; each step is a
function from stream to stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Document:
    r"""A text and where it came from.

    Attributes:
        text: The text, NFC, with ``\n`` between its lines.
        lang: Language tag such as ``eng_Latn``; ``und`` where nobody knows yet.
        id: Unique within its source.
        source: The name of its source, such as ``debian``.
        licence: SPDX identifier or expression; empty where unknown.
        cluster: What keeps near-duplicates and translations in one split; empty: the id.
        meta: Anything else a reader found, such as ``url`` and ``timestamp``; JSON values.
    """

    text: str
    lang: str
    id: str
    source: str
    licence: str = ""
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Pair:
    """A text and its translation.

    Attributes:
        source_text: The text in ``source_lang``.
        target_text: The text in ``target_lang``.
        source_lang: Language tag such as ``eng_Latn``.
        target_lang: Language tag.
        id: Unique within its source.
        source: The name of its source, such as ``debian``.
        licence: SPDX identifier or expression; empty where unknown.
        cluster: What keeps near-duplicates in one split; empty: the id.
        meta: Anything else a reader found; JSON values.
        negatives: Texts that look alike and are no translations: hard negatives.
    """

    source_text: str
    target_text: str
    source_lang: str
    target_lang: str
    id: str
    source: str
    licence: str = ""
    cluster: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    negatives: tuple[str, ...] = ()


__all__ = ["Document", "Pair"]
