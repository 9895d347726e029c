"""Files into an index: cut, embedded, stored; what is there already is not embedded again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interlingua.base.errors import DataError, DiskError, ModelError, UserError
from interlingua.base.optional import available
from interlingua.base.progress import say
from interlingua.inference.encode import Encoder
from interlingua.retrieval.bm25 import BM25
from interlingua.retrieval.index import Index, VectorStore, create_index, is_milvus
from interlingua.retrieval.passages import Cut, Sources, cut_file, find_sources
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
        deleted: Passages of these files that are there no more.
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
            if index.folder is not None:
                shutil.rmtree(index.folder)
            raise


def _store(sources: Sources) -> str:
    size = sum(path.stat().st_size for path in sources.files)
    return "lance" if size > EXACT_BYTES and available("lancedb") else "exact"


def add_files(index: Index, sources: Sources, *, encoder: Encoder, cut: Cut | None = None) -> Built:
    """Bring files into an index; passages they no longer hold are taken out.

    It may be killed and run again: passages that were stored are not embedded again.

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
        for passage in _all(sources, cut):
            languages[passage.lang] += 1
            if passage.id in there:
                there.discard(passage.id)
                done.kept += 1
                continue
            batch.append(passage)
            if len(batch) == _BATCH:
                _store_batch(store, encoder, batch)
                done.added += len(batch)
                batch = []
        _store_batch(store, encoder, batch)
        done.added += len(batch)
        done.deleted = store.delete(sorted(there))
        done.passages = store.count()
        if done.added or done.deleted:
            store.optimize()
        if index.folder is not None and available("bm25s"):
            words_of(index)
    done.rejected = len(cut.faults.rejected)
    done.languages = dict(languages.most_common())
    return done


def _there(store: VectorStore, sources: Sources) -> set[str]:
    """Ids of the passages of these files that are in the index."""
    if not store.count():
        return set()
    paths = {path.as_posix() for path in sources.files}
    return {passage.id for passage in store.passages() if passage.path in paths}


def _all(sources: Sources, cut: Cut) -> Iterator[Passage]:
    for path in sources.files:
        try:
            yield from cut_file(path, cut)
        except DataError as fault:
            cut.faults.report(fault)


def _store_batch(store: VectorStore, encoder: Encoder, batch: Sequence[Passage]) -> None:
    if not batch:
        return
    prefix = encoder.folder.info.prefixes.get("passage")
    texts = [passage.text for passage in batch]
    store.add(batch, encoder.encode(texts, prefix=prefix).vectors)
    say(f"{store.count():,} passages indexed")


def words_of(index: Index) -> BM25:
    """The BM25 index of a folder's passages, made anew if they have changed or it is damaged.

    Where it cannot be written, such as in an index that others keep, it serves this process alone.

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
            found.save(folder, state=state)
        except DiskError as error:
            say(f"the index of words is not kept: {error}")
    return found
