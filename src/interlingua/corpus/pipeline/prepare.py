"""What can be said of a document by itself: cleaned, checked, scrubbed and measured.

    Document -> repaired, normalised -> language -> benchmark texts -> measures, signature
             -> personal data -> line of a shard

A batch of documents is worked on at a time, by any process; what comes out depends on the batch
alone. Whoever is dropped here is dropped with a reason; the rest waits for what only all documents
together can tell.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from interlingua.corpus.decontaminate import Searched, text_sha256
from interlingua.corpus.language_check import Checked, check
from interlingua.corpus.near_duplicates import NearDuplicates, Signatures, signatures
from interlingua.corpus.normalise import looks, normalise, repair
from interlingua.corpus.personal_data import RULES, region_of, scrub
from interlingua.corpus.pipeline.recipe import CorpusSettings
from interlingua.corpus.quality import MEASURES, measure
from interlingua.corpus.records import Document
from interlingua.corpus.tokens import Rows, hash_tokens
from interlingua.corpus.writing import document_row
from interlingua.languages import script_of

TOO_LONG, EMPTY, NOT_WANTED, BENCHMARK, LISTED = (
    "too long",
    "empty",
    "language not wanted",
    "benchmark text",
    "listed to drop",
)

FACTS = np.dtype(
    [
        ("lang", np.int32),  # names are numbers of a `Names`
        ("script", np.int32),
        ("licence", np.int32),
        ("source", np.int32),
        ("bytes_in", np.int64),  # of the text as it was read
        ("bytes", np.int64),  # of the text as it is written
        ("key", np.uint64),  # hash of the text
        ("group", np.uint64),  # hash of the cluster that the source names; 0: none
        ("tokens", np.int32),
        ("lines", np.int32),  # taken out, being in another language
        ("repaired", np.bool_),
        ("personal", np.int32, (len(RULES),)),
        ("measures", np.float32, (len(MEASURES),)),
    ]
)
"""What is kept of every document that is not dropped yet."""

Facts = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Setup:
    """What every process needs: the settings, the benchmarks' runs, and texts to leave out."""

    settings: CorpusSettings
    searched: Searched
    drops: frozenset[str] = frozenset()


@dataclass(slots=True)
class Prepared:
    """A batch of documents, worked on.

    Attributes:
        facts: Of the documents that stay, ``[N]``; names are numbers of ``names``.
        names: Tags, scripts, licences and sources.
        signatures: uint32 ``[N, P]``; no columns where none are wanted.
        lines: JSON lines of the documents, without cluster and closing brace.
        dropped: Documents by language and reason.
        bytes_dropped: Bytes of their texts by language.
    """

    facts: Facts
    names: list[str]
    signatures: Signatures
    lines: list[bytes]
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    bytes_dropped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Draft:
    """A document on its way."""

    document: Document
    text: str
    lang: str
    bytes_in: int
    reason: str = ""
    script: str = ""
    lines: int = 0
    repaired: bool = False


def prepare(documents: Sequence[Document], setup: Setup) -> Prepared:
    """Clean, check, scrub and measure documents.

    Args:
        documents: A batch.
        setup: Settings and benchmarks.
    """
    settings = setup.settings
    drafts = [_draft(document, setup) for document in documents]
    _clean([draft for draft in drafts if not draft.reason])
    _check([draft for draft in drafts if not draft.reason], settings)
    kept = [draft for draft in drafts if not draft.reason]
    tokens = hash_tokens([draft.text for draft in kept])
    for draft, hit in zip(kept, setup.searched.found(tokens), strict=True):
        draft.reason = BENCHMARK if hit else ""
    if any(draft.reason for draft in kept):
        kept = [draft for draft in kept if not draft.reason]
        tokens = hash_tokens([draft.text for draft in kept])
    facts = np.zeros(len(kept), FACTS)
    facts["tokens"] = tokens.counts()
    facts["measures"] = measure([draft.text for draft in kept], tokens)
    near = settings.near_duplicates
    prepared = Prepared(facts, [], _signatures(tokens, near), [])
    for draft in drafts:
        if draft.reason:
            prepared.dropped[draft.lang, draft.reason] += 1
            prepared.bytes_dropped[draft.lang] += draft.bytes_in
    numbers: dict[str, int] = {}
    for place, draft in enumerate(kept):
        prepared.lines.append(_finish(draft, settings, facts[place : place + 1], numbers))
    prepared.names = list(numbers)
    return prepared


def _draft(document: Document, setup: Setup) -> _Draft:
    size = len(document.text.encode("utf-8", "surrogatepass"))
    draft = _Draft(document, document.text, document.lang, size)
    if setup.drops and text_sha256(document.text) in setup.drops:
        draft.reason = LISTED
    if len(document.text) > setup.settings.max_characters:
        draft.reason, draft.text = TOO_LONG, ""
    return draft


def _clean(drafts: Sequence[_Draft]) -> None:
    mojibake, odd = looks([draft.text for draft in drafts])
    for draft, broken, uneven in zip(drafts, mojibake, odd, strict=True):
        if broken or uneven:
            made = repair(draft.text) if broken else draft.text
            draft.repaired = made != draft.text
            draft.text = normalise(made, script_of(made))
        if not draft.text:
            draft.reason = EMPTY


def _check(drafts: Sequence[_Draft], settings: CorpusSettings) -> None:
    texts, langs = [draft.text for draft in drafts], [draft.lang for draft in drafts]
    found: list[Checked] = check(texts, langs, settings.language)
    for draft, checked in zip(drafts, found, strict=True):
        draft.text, draft.lang = checked.text, checked.lang
        draft.reason, draft.lines = checked.reason, checked.lines
        draft.script = checked.script
        if not draft.reason and settings.languages and draft.lang not in settings.languages:
            draft.reason = NOT_WANTED


def _signatures(tokens: Rows, near: NearDuplicates | None) -> Signatures:
    if near is None:
        return np.empty((len(tokens), 0), np.uint32)
    return signatures(tokens, near)


def _finish(
    draft: _Draft, settings: CorpusSettings, facts: Facts, numbers: dict[str, int]
) -> bytes:
    """Scrub a document, note the rest of what is known of it, and make its line."""
    document, text = draft.document, draft.text
    if settings.personal_data.scrub:
        own = region_of(draft.lang)
        regions = dict.fromkeys([*settings.personal_data.regions, *([own] if own else [])])
        text, counts = scrub(text, tuple(regions))
        facts["personal"] = [counts[rule] for rule in RULES]
    data = text.encode()
    for column, name in (
        ("lang", draft.lang),
        ("script", draft.script),
        ("licence", document.licence),
        ("source", document.source),
    ):
        facts[column] = numbers.setdefault(name, len(numbers))
    facts["bytes_in"], facts["bytes"] = draft.bytes_in, len(data)
    facts["lines"], facts["repaired"] = draft.lines, draft.repaired
    facts["key"] = hash64(data)
    facts["group"] = hash64(document.cluster.encode()) if document.cluster else 0
    row = document_row(document) | {"text": text, "lang": draft.lang}
    del row["cluster"]
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode()[:-1]


def hash64(data: bytes) -> int:
    """Eight bytes of BLAKE2b as a number; never 0."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little") or 1


__all__ = [
    "BENCHMARK",
    "EMPTY",
    "FACTS",
    "LISTED",
    "NOT_WANTED",
    "TOO_LONG",
    "Facts",
    "Prepared",
    "Setup",
    "hash64",
    "prepare",
]
