"""``corpus fetch debian``: package descriptions of Debian as documents and pairs.

    apt-get update -> Packages, Translation-en, Translation-xx -> documents/, pairs/, snapshot.json

A cluster is a source package together with near-duplicates of its English texts; one cluster lies
in one split for all languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlingua.base.errors import LanguageError, UserError
from interlingua.base.files import atomic_folder, refuse_others, write_manifest
from interlingua.base.progress import track
from interlingua.corpus.fetch.apt import Apt, IndexFile
from interlingua.corpus.fetch.clusters import clusters
from interlingua.corpus.fetch.licences import UNKNOWN
from interlingua.corpus.fetch.snapshot import SNAPSHOT, Snapshot
from interlingua.corpus.locales import locale_tag
from interlingua.corpus.readers.debian import (
    Description,
    Package,
    description_document,
    description_pairs,
    read_descriptions,
    read_packages,
)
from interlingua.corpus.rows import Faults
from interlingua.corpus.writing import Shelf, document_row, pair_row

_ENGLISH = "eng_Latn"  # Debian's originals are English by its Policy, section 5.6.13


@dataclass(slots=True)
class Fetched:
    """What a fetch has made.

    Attributes:
        out: The folder.
        documents: Rows by language.
        pairs: Rows by ``eng_Latn-xxx_Xxxx``.
        dropped: What was left out, by reason.
        clusters: How many clusters.
        licences: Rows by licence.
        unknown: Locales that nobody knows the language of, with their counts.
    """

    out: Path
    documents: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    clusters: int = 0
    licences: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Everything but the folder, as JSON values."""
        return {
            "documents": self.documents,
            "pairs": self.pairs,
            "dropped": dict(sorted(self.dropped.items())),
            "clusters": self.clusters,
            "licences": self.licences,
            "unknown_locales": self.unknown,
        }


def wanted_locales(
    locales: Iterable[str], languages: Sequence[str]
) -> tuple[list[str], dict[str, int]]:
    """The locales whose language is wanted, all if none is named, and those nobody knows.

    Raises:
        UserError: A language is wanted that no locale has.
    """
    chosen, unknown, found = [], {}, set()
    for locale in locales:
        try:
            tag = locale_tag(locale)
        except LanguageError:
            unknown[locale] = 1
            continue
        found.add(tag)
        if not languages or tag in languages:
            chosen.append(locale)
    absent = [tag for tag in languages if tag not in found]
    if absent:
        raise UserError(
            f"no descriptions in {', '.join(absent)}",
            remedy=f"There are: {', '.join(sorted(found))}",
        )
    return chosen, unknown


def fetch_debian(
    out: Path,
    *,
    languages: Sequence[str] = (),
    max_packages: int | None = None,
    pinned: Path | None = None,
    apt: Apt | None = None,
) -> Fetched:
    """Fetch descriptions and write them as documents and pairs.

    Args:
        out: The folder to make.
        languages: Language tags; all that the archive has if empty. English always comes.
        max_packages: Packages to keep, the first by name; all if None.
        pinned: A ``snapshot.json`` of an earlier run, whose files are insisted on.
        apt: A private apt; one in the cache of this package if not given.

    Raises:
        UserError: No apt on this machine, or a language that the archive lacks.
        DataError: Files differ from the snapshot, or cannot be read.
        MachineError: apt failed.
        DiskError: The disk refused a write; ``out`` is as it was before.
    """
    refuse_others(out, mark=SNAPSHOT)
    snapshot = Snapshot(pinned)
    private = apt or Apt()
    private.update()
    locales, unknown = wanted_locales(
        private.locales(), [*languages, _ENGLISH] if languages else []
    )
    private.update(locales)
    files = [
        file  # apt keeps what earlier runs asked for
        for file in private.indexes()
        if file.kind != "Translations" or file.locale in locales
    ]
    for file in files:
        snapshot.add(file.name, file.path)
    snapshot.check()
    with atomic_folder(out) as folder:
        fetched = join_descriptions(files, folder, max_packages=max_packages)
        fetched.unknown = unknown
        snapshot.write(folder)
        write_manifest(folder, source="debian", **fetched.facts())
    fetched.out = out
    return fetched


def join_descriptions(
    files: Sequence[IndexFile], folder: Path, *, max_packages: int | None = None
) -> Fetched:
    """Join translations to their English originals and write documents and pairs.

    Args:
        files: ``Packages`` and ``Translation-*`` files.
        folder: Where ``documents/`` and ``pairs/`` are written.
        max_packages: Packages to keep, the first by name; all if None.
    """
    faults = Faults("skip")
    fetched = Fetched(folder)
    packages: dict[str, Package] = {}
    for file in files:
        if file.kind == "Packages":
            for package in read_packages(file.path, faults):
                packages.setdefault(package.name, package)
    kept = set(sorted(packages)[:max_packages])
    translations = [file for file in files if file.kind == "Translations"]
    english: dict[tuple[str, str], Description] = {}
    for file in translations:
        if locale_tag(file.locale) == _ENGLISH:
            for found in read_descriptions(file.path, faults):
                if found.package in kept:
                    english.setdefault((found.package, found.md5), found)
    originals = [english[key] for key in sorted(english)]
    names = clusters(
        [original.text for original in originals],
        [packages[original.package].source for original in originals],
    )
    cluster_of = {(o.package, o.md5): name for o, name in zip(originals, names, strict=True)}
    fetched.clusters = len(set(names))
    with Shelf(folder / "documents") as documents, Shelf(folder / "pairs") as pairs:
        join = _Join(documents, pairs, packages, cluster_of)
        for original in originals:
            join.document(original)
        with track("Joining", total=len(translations), unit="files") as progress:
            for file in translations:
                if locale_tag(file.locale) != _ENGLISH:
                    told = read_descriptions(file.path, faults)
                    join.translations(told, english, fetched.dropped)
                progress.advance(note=file.name)
    fetched.dropped["unreadable"] += len(faults.rejected)
    fetched.documents, fetched.pairs = documents.counts(), pairs.counts()
    # The archive's lists say nothing of the licence; each package's own copyright file does.
    fetched.licences = {UNKNOWN: sum(fetched.pairs.values()) + sum(fetched.documents.values())}
    return fetched


class _Join:
    """Documents and pairs by language; the first of equal translations is kept."""

    def __init__(
        self,
        documents: Shelf,
        pairs: Shelf,
        packages: dict[str, Package],
        cluster_of: dict[tuple[str, str], str],
    ) -> None:
        self.documents = documents
        self.pairs = pairs
        self._packages = packages
        self._cluster_of = cluster_of
        self._seen: set[tuple[str, str, str]] = set()
        self._done: set[tuple[str, str, str]] = set()

    def document(self, found: Description) -> None:
        package = self._packages[found.package]
        cluster = self._cluster_of[found.package, found.md5]
        document = description_document(found, package, cluster=cluster)
        self.documents.put(found.lang, document_row(document))

    def translations(
        self,
        found: Iterable[Description],
        english: dict[tuple[str, str], Description],
        dropped: Counter[str],
    ) -> None:
        for other in found:
            key = (other.package, other.md5)
            original = english.get(key)
            if original is None:
                dropped["no original"] += 1  # of another release, or beyond max_packages
            elif (*key, other.lang) in self._done:
                dropped["another locale has it"] += 1  # pt_BR and pt are one language
            elif other.text == original.text:
                dropped["untranslated"] += 1
            else:
                self._done.add((*key, other.lang))
                self.document(other)
                self._pairs(original, other, dropped)

    def _pairs(self, original: Description, other: Description, dropped: Counter[str]) -> None:
        package = self._packages[other.package]
        meta = {"package": package.name, "section": package.section}
        cluster = self._cluster_of[other.package, other.md5]
        for pair in description_pairs(original, other, cluster=cluster, meta=meta):
            row = (pair.source_text, pair.target_text, pair.target_lang)
            if row in self._seen:
                dropped["duplicate pair"] += 1
                continue
            self._seen.add(row)
            self.pairs.put(f"{pair.source_lang}-{pair.target_lang}", pair_row(pair))


__all__ = ["Fetched", "fetch_debian", "join_descriptions", "wanted_locales"]
