"""``corpus fetch catalogues``: the messages of programs and their translations.

    this machine's locale folders, packages by apt-get download
        -> pairs/eng_Latn-xxx_Xxxx.jsonl.zst, snapshot.json

A message recurs in many programs: its cluster is the message itself, without placeholders and
accelerators, so that it lies in one split for all programs and all languages.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from interlingua.base.errors import DataError
from interlingua.base.files import atomic_folder, refuse_others, write_manifest
from interlingua.base.progress import say, track
from interlingua.corpus.fetch.apt import Apt
from interlingua.corpus.fetch.archive import catalogue_members
from interlingua.corpus.fetch.debian import Fetched
from interlingua.corpus.fetch.licences import UNKNOWN, package_licence
from interlingua.corpus.fetch.packages import DEFAULT
from interlingua.corpus.fetch.snapshot import SNAPSHOT, Snapshot
from interlingua.corpus.readers.gettext import (
    MAX_CATALOGUE_BYTES,
    catalogue_locale,
    catalogue_pairs,
    parse_mo,
)
from interlingua.corpus.rows import Faults
from interlingua.corpus.ui_text import message_cluster
from interlingua.corpus.writing import Shelf, pair_row

LOCAL_FOLDERS = (
    Path("/usr/share/locale"),
    Path("/usr/share/locale-langpack"),
    Path("/usr/local/share/locale"),
)
_DPKG_SECONDS = 300


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A catalogue in memory, and where it came from."""

    path: PurePosixPath
    data: bytes
    package: str
    licence: str


def fetch_catalogues(
    out: Path,
    *,
    languages: Sequence[str] = (),
    packages: Sequence[str] = DEFAULT,
    max_packages: int | None = None,
    local: Sequence[Path] = LOCAL_FOLDERS,
    pinned: Path | None = None,
    apt: Apt | None = None,
) -> Fetched:
    """Gather message catalogues and write them as pairs.

    Args:
        out: The folder to make.
        languages: Tags of the languages translated into; all if empty.
        packages: Debian packages to download and read; nothing is installed.
        max_packages: How many of them to take, from the first; all if None.
        local: Locale folders of this machine.
        pinned: A ``snapshot.json`` of an earlier run, whose files are insisted on.
        apt: A private apt; one in the cache of this package if not given.

    Raises:
        UserError: Packages are named, and this machine has no apt.
        DataError: Files differ from the snapshot.
        MachineError: apt failed.
        DiskError: The disk refused a write; ``out`` is as it was before.
    """
    refuse_others(out, mark=SNAPSHOT)
    snapshot = Snapshot(pinned)
    archives = _download(packages[:max_packages], apt, snapshot)
    files = [file for folder in local for file in sorted(folder.glob("*/LC_MESSAGES/*.mo"))]
    for file in files:
        snapshot.add(f"local/{'/'.join(file.parts[-4:])}", file)
    snapshot.check()
    with atomic_folder(out) as folder:
        with Shelf(folder / "pairs") as shelf:
            gather = _Gather(shelf, languages)
            with track("Reading", total=len(archives) + 1, unit="packages") as progress:
                for package, archive in sorted(archives.items()):
                    for found in _of_archive(package, archive):
                        gather.add(found)
                    progress.advance(note=package)
                for found in _of_machine(files):
                    gather.add(found)
                progress.advance(note="this machine")
        fetched = gather.finish(out)
        snapshot.write(folder)
        write_manifest(folder, source="catalogues", **fetched.facts())
    return fetched


def _download(names: Sequence[str], apt: Apt | None, snapshot: Snapshot) -> dict[str, Path]:
    if not names:
        return {}
    private = apt or Apt()
    private.update()
    known, unknown = private.known(names)
    if unknown:
        say(f"not in this machine's archive: {', '.join(unknown)}")
    archives = private.download(known)
    for archive in archives.values():
        snapshot.add(f"packages/{archive.name}", archive)
    return archives


def _of_archive(package: str, archive: Path) -> Iterator[CatalogueFile]:
    found: list[tuple[PurePosixPath, bytes]] = []
    licence = UNKNOWN
    for path, data in catalogue_members(archive):
        if path.name == "copyright":
            licence = package_licence(data.decode("utf-8", "replace"))
        else:
            found.append((path, data))
    for path, data in sorted(found):
        yield CatalogueFile(path, data, package, licence)


def _of_machine(files: Sequence[Path]) -> Iterator[CatalogueFile]:
    owners = _owners({file.name: file for file in files})
    licences: dict[str, str] = {}
    for file in files:
        package = owners.get(file.name, "")
        if package not in licences:
            licences[package] = _local_licence(package)
        with file.open("rb") as stream:
            data = stream.read(MAX_CATALOGUE_BYTES)
        yield CatalogueFile(PurePosixPath(file), data, package or "local", licences[package])


def _owners(files: dict[str, Path]) -> dict[str, str]:
    """The package that owns each catalogue, asked of dpkg by one file of each name."""
    if not files or shutil.which("dpkg-query") is None:
        return {}
    done = subprocess.run(
        ["dpkg-query", "--search", *map(str, files.values())],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_DPKG_SECONDS,
        check=False,  # it fails when one of many has no owner
    )
    owners = {}
    for line in done.stdout.splitlines():
        package, _, path = line.partition(": ")
        owners[Path(path).name] = package.partition(",")[0].partition(":")[0]
    return owners


def _local_licence(package: str) -> str:
    file = Path("/usr/share/doc") / package / "copyright"
    try:
        return package_licence(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return UNKNOWN


class _Gather:
    """Pairs by language; of equal ones the first is kept."""

    def __init__(self, shelf: Shelf, languages: Sequence[str]) -> None:
        self.shelf = shelf
        self.languages = frozenset(languages)
        self.dropped: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.licences: Counter[str] = Counter()
        self._seen: set[bytes] = set()
        self._clusters: set[str] = set()

    def add(self, file: CatalogueFile) -> None:
        faults = Faults("skip")
        path = Path(file.path)
        try:
            catalogue = parse_mo(file.data, path, faults)
        except DataError:
            self.dropped["broken catalogue"] += 1
            return
        self.dropped["unreadable message"] += len(faults.rejected)
        language = Faults("skip")
        for pair in catalogue_pairs(catalogue, path, language):
            if self.languages and pair.target_lang not in self.languages:
                break
            reason = self._reason(
                pair.source_text, pair.target_text, pair.source_lang, pair.target_lang
            )
            if reason:
                self.dropped[reason] += 1
                continue
            licence = "" if file.licence == UNKNOWN else file.licence
            cluster = message_cluster(pair.source_text)
            self._clusters.add(cluster)
            self.licences[file.licence] += 1
            made = replace(
                pair,
                id=f"{file.package}/{pair.id}",
                source="catalogues",
                licence=licence,
                cluster=cluster,
                meta={**pair.meta, "package": file.package},
            )
            self.shelf.put(f"{pair.source_lang}-{pair.target_lang}", pair_row(made))
        if len(language.rejected):
            self.unknown[catalogue_locale(catalogue.header, path)] += 1

    def _reason(self, source: str, target: str, source_lang: str, target_lang: str) -> str:
        """Why a pair is left out already here; the rest is for `clean_pairs`."""
        if source_lang == target_lang:
            return "same language"
        if source == target:
            return "untranslated"
        key = hashlib.blake2b(
            f"{target_lang}\0{source}\0{target}".encode("utf-8", "replace"), digest_size=8
        ).digest()
        if key in self._seen:
            return "duplicate pair"
        self._seen.add(key)
        return ""

    def finish(self, out: Path) -> Fetched:
        return Fetched(
            out,
            pairs=self.shelf.counts(),
            dropped=self.dropped,
            clusters=len(self._clusters),
            licences=dict(self.licences.most_common()),
            unknown=dict(sorted(self.unknown.items())),
        )


__all__ = ["LOCAL_FOLDERS", "CatalogueFile", "fetch_catalogues"]
