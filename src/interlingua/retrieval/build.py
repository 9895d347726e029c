"""Files into an index: cut, embedded, stored; what is there already is not embedded again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from interlingua.base.errors import DataError, DiskError, InterlinguaError, ModelError, UserError
from interlingua.base.files import disk_errors, file_lock
from interlingua.base.optional import available
from interlingua.base.progress import say
from interlingua.inference.encode import Encoder
from interlingua.retrieval.bm25 import BM25
from interlingua.retrieval.index import Index, VectorStore, create_index, is_milvus
from interlingua.retrieval.passages import Cut, Sources, cut_file, find_sources, is_table
from interlingua.retrieval.records import Passage

EXACT_BYTES = 10_000_000
"""Of all files; a larger index is kept by LanceDB where that is installed."""
_BATCH = 4096


@dataclass(slots=True)
class Built:
    """What became of some files.

    Attributes:
        files: Files that were read.
        passages: Passages in the index afterwards.
        added: Passages that were embedded and added.
        kept: Passages that were there already.
        deleted: Passages of these files, and of files gone from these folders, that are there no
            more.
        rejected: Files and rows that could not be read.
        left_out: Files of unknown endings in folders, by ending.
        languages: Passages of these files by language, most frequent first.
    """

    files: int
    passages: int = 0
    added: int = 0
    kept: int = 0
    deleted: int = 0
    rejected: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)


def build_index(
    inputs: Sequence[str | Path],
    place: str | Path,
    *,
    model: str,
    encoder: Encoder,
    store: str = "auto",
    cut: Cut | None = None,
) -> Built:
    """Make an index of files and folders; nothing is left where an input cannot be read.

    A run that was killed leaves an index with the passages stored so far: `add_files` goes on.

    Args:
        inputs: Files and folders.
        place: A new folder, ``milvus://host[:port]/collection`` or ``FILE.db``.
        model: The model's name, as the index is to remember it.
        encoder: The model.
        store: ``exact``, ``lance``, or ``auto``: exact for a few files.
        cut: How to cut them.

    Raises:
        UsageError: There is something at the place.
        DataError: An input is missing or cannot be read.
    """
    sources = find_sources(inputs)
    name = _store(sources) if store == "auto" else store
    folder = encoder.folder
    made = create_index(
        place, store=name, model=model, fingerprint=folder.fingerprint, dim=folder.features
    )
    with made as index:
        try:
            return add_files(index, sources, encoder=encoder, cut=cut)
        except UserError:
            try:
                index.drop()
            except InterlinguaError as fault:
                say(f"what was made of the index is left: {fault}")
            raise


def _store(sources: Sources) -> str:
    size = sum(path.stat().st_size for path in sources.files)
    return "lance" if size > EXACT_BYTES and available("lancedb") else "exact"


def add_files(index: Index, sources: Sources, *, encoder: Encoder, cut: Cut | None = None) -> Built:
    """Bring files into an index; passages they no longer hold are taken out.

    So are those of files that are gone from a folder. What cannot be read stays as it was. It may
    be killed and run again: passages that were stored are not embedded again.

    Raises:
        UsageError: The encoder's model is not the index's, or another process is writing.
        DataError: A file cannot be read.
    """
    index.check_model(encoder.folder)
    cut = cut or Cut()
    done = Built(len(sources.files), left_out=sources.left_out)
    languages: Counter[str] = Counter()
    with index.writing() as store:
        there = _there(store, sources)
        batch: list[Passage] = []
        changed: list[Passage] = []
        for passage in _all(sources, cut):
            languages[passage.lang] += 1
            before = there.pop(passage.id, None)
            if before == _facts(passage):
                done.kept += 1
                continue
            (batch if before is None else changed).append(passage)
            if len(batch) + len(changed) == _BATCH:
                done.added += _store_batch(store, encoder, batch, changed)
                batch, changed = [], []
        done.added += _store_batch(store, encoder, batch, changed)
        unread = {(Path(str(f.path)), f.line) for f in cut.faults.rejected.faults}
        gone = [name for name, (path, line, *_) in there.items() if not _unread(path, line, unread)]
        done.deleted = store.delete(sorted(gone))
        done.passages = store.count()
        store.optimize()
        keep_words(index)
    done.rejected = len(cut.faults.rejected)
    done.languages = dict(languages.most_common())
    return done


_Facts: TypeAlias = tuple[str, int, str, tuple[str, ...]]
"""What of a passage can change while its id stays: path, line, language and metadata."""


def _facts(passage: Passage) -> _Facts:
    return passage.path, passage.line, passage.lang, tuple(passage.tags)


def _there(store: VectorStore, sources: Sources) -> dict[str, _Facts]:
    """The passages in the index by id, of these files and of those gone from these folders."""
    if not store.count():
        return {}
    paths = {path.as_posix(): True for path in sources.files}
    found = {}
    for passage in store.passages():
        if passage.path not in paths:
            path = Path(passage.path)
            inside = any(folder in path.parents for folder in sources.folders)
            paths[passage.path] = inside and not path.exists()
        if paths[passage.path]:
            found[passage.id] = _facts(passage)
    return found


def _unread(path: str, line: int, faults: set[tuple[Path, int | None]]) -> bool:
    """Whether a passage is of a file or row that cannot be read any more."""
    place = Path(path)
    if is_table(place):
        return (place, None) in faults or (place, line) in faults
    return any(place == of for of, _ in faults)


def _all(sources: Sources, cut: Cut) -> Iterator[Passage]:
    for path in sources.files:
        try:
            yield from cut_file(path, cut)
        except DataError as fault:
            cut.faults.report(fault)


def _store_batch(
    store: VectorStore, encoder: Encoder, new: Sequence[Passage], changed: Sequence[Passage]
) -> int:
    """Embed passages, add the new ones and replace the others; returns how many they are."""
    if new or changed:
        prefix = encoder.folder.info.prefixes.get("passage")
        texts = [passage.text for passage in (*new, *changed)]
        vectors = encoder.encode(texts, prefix=prefix).vectors
        if new:
            store.add(new, vectors[: len(new)])
        if changed:
            store.update(changed, vectors[len(new) :])
        say(f"{store.count():,} passages indexed")
    return len(new) + len(changed)


def keep_words(index: Index) -> None:
    """Bring the BM25 index of a folder's passages up to date, where BM25 is installed."""
    if index.folder is not None and available("bm25s"):
        words_of(index)


def words_of(index: Index) -> BM25:
    """The BM25 index of a folder's passages, made anew if they have changed or it is damaged.

    Where it cannot be written, such as in an index that others keep, or another process is writing
    it, it serves this process alone.

    Raises:
        MissingExtraError: The package ``bm25s`` is not installed.
    """
    assert index.folder is not None and not is_milvus(index.place)
    state = index.store.state
    folder = index.folder / "bm25"
    try:
        found = BM25.load(folder, state=state)
    except (DataError, ModelError) as error:
        say(f"the index of words is made anew: {error.problem}")
        found = None
    if found is None:
        found = BM25.build(index.store.passages())
        try:
            with disk_errors(folder), file_lock(folder.with_name("bm25.lock")) as held:
                if held:
                    found.save(folder, state=state)
        except DiskError as error:
            say(f"the index of words is not kept: {error}")
    return found
