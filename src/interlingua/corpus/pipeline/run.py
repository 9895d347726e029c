"""``corpus build``: a recipe becomes a folder of shards, a card and a manifest.

    inputs -> documents -> prepare (any process) -> spool -> decide -> plan -> shards
                                                                   -> card.json, card.html

The folder takes its name when all is there; until then nobody sees it. The same inputs and recipe
give the same bytes, with one worker or many.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from interlingua.base.config import dump_recipe
from interlingua.base.errors import DataError
from interlingua.base.files import (
    atomic_folder,
    refuse_others,
    sha256_file,
    write_json,
    write_manifest,
    write_text,
)
from interlingua.base.progress import track
from interlingua.base.workers import ordered_map
from interlingua.corpus.decontaminate import benchmark_files, index_benchmarks, texts_to_drop
from interlingua.corpus.documents import read_documents
from interlingua.corpus.formats import input_sha256
from interlingua.corpus.pipeline.card import (
    CARD,
    BenchmarkCard,
    CorpusCard,
    Dropped,
    InputCard,
    language_cards,
)
from interlingua.corpus.pipeline.decide import decide
from interlingua.corpus.pipeline.page import render
from interlingua.corpus.pipeline.prepare import Setup, prepare
from interlingua.corpus.pipeline.recipe import CorpusRecipe, CorpusSettings
from interlingua.corpus.pipeline.shards import plan, write_shards
from interlingua.corpus.pipeline.spool import Spool
from interlingua.corpus.records import Document
from interlingua.corpus.rows import Faults, Rejected

PAGE, RECIPE, REJECTED = "card.html", "recipe.yaml", "rejected.jsonl"
_SPOOL = ".spool"
_BATCH_DOCUMENTS = 512
_BATCH_CHARACTERS = 2_000_000
_SHOWN_REJECTED = 100_000


def build_corpus(recipe: CorpusRecipe, *, out: str | Path) -> CorpusCard:
    """Build a corpus.

    Args:
        recipe: What to read and what to do with it.
        out: The folder to make; a corpus that stands there is replaced.

    Raises:
        UsageError: ``out`` holds something else.
        DataError: An input is missing or cannot be read.
        MissingExtraError: A package is missing.
        DiskError: The disk refused a write; ``out`` is as it was before.
    """
    settings = recipe.corpus
    target = Path(out)
    refuse_others(target, mark=CARD)
    reading = _Reading(settings)
    benchmarks = benchmark_files(settings.decontamination.benchmarks)
    searched = index_benchmarks(benchmarks, settings.decontamination)
    drops = texts_to_drop(settings.decontamination.drop)
    with atomic_folder(target) as folder:
        dropped = Dropped()
        spool = Spool(folder / _SPOOL)
        setup = Setup(settings, searched, drops)
        with spool, track("Reading", unit="documents") as progress:
            for batch in ordered_map(prepare, reading.batches(), setup, workers=settings.workers):
                dropped.add(batch)
                spool.put(batch)
                progress.advance(len(batch.facts) + batch.dropped.total())
        facts = spool.facts()
        fates = decide(facts, spool.signatures(), spool.names, settings)
        drawn = plan(facts, fates, spool.names, settings)
        write_shards(spool, facts, fates, drawn, folder, settings.shards)
        card = CorpusCard(
            languages=language_cards(facts, spool.names, fates, drawn, dropped),
            inputs=tuple(reading.inputs),
            benchmarks=BenchmarkCard(
                files={str(file): sha256_file(file) for file in benchmarks},
                texts=searched.texts,
                short=searched.short,
            ),
            rejected=sum(one.rejected for one in reading.inputs),
            version=version("interlingua"),
            settings=recipe.model_dump(mode="json", exclude={"corpus": {"workers"}})["corpus"],
        )
        del facts
        shutil.rmtree(folder / _SPOOL)
        _write(folder, card, recipe, reading.rejected)
    return card


def _write(folder: Path, card: CorpusCard, recipe: CorpusRecipe, rejected: Rejected) -> None:
    write_json(folder / CARD, card.model_dump(mode="json"))
    write_text(folder / PAGE, render(card))
    same = recipe.corpus.model_copy(update={"workers": 1})
    write_text(folder / RECIPE, dump_recipe(CorpusRecipe(corpus=same)))
    if rejected.faults:
        rejected.write(folder / REJECTED)
    write_manifest(folder, kind="corpus")


class _Reading:
    """Batches of documents out of the inputs, and what was read of each file.

    Raises:
        DataError: An input is missing.
    """

    def __init__(self, settings: CorpusSettings) -> None:
        self.settings = settings
        self.files = [(file, given) for given in settings.inputs for file in given.files()]
        self.inputs: list[InputCard] = []
        self.rejected = Rejected()

    def batches(self) -> Iterator[list[Document]]:
        """Batches of so many documents or characters, whatever the number of workers."""
        batch: list[Document] = []
        characters = 0
        for document in self._documents():
            batch.append(document)
            characters += len(document.text)
            if len(batch) == _BATCH_DOCUMENTS or characters >= _BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
        if batch:
            yield batch

    def _documents(self) -> Iterator[Document]:
        for path, given in self.files:
            faults = Faults(self.settings.on_error)
            count = 0
            for document in read_documents(path, given, faults):
                count += 1
                yield document
            self.inputs.append(
                InputCard(
                    path=str(path),
                    sha256=input_sha256(path),
                    documents=count,
                    rejected=len(faults.rejected),
                    replaced=faults.replaced,
                )
            )
            room = _SHOWN_REJECTED - len(self.rejected)
            self.rejected.faults += faults.rejected.faults[: max(0, room)]
        if not any(one.documents for one in self.inputs):
            names = ", ".join(str(path) for path, _ in self.files[:3])
            raise DataError(f"no document in {len(self.files)} files, such as {names}")


__all__ = ["PAGE", "RECIPE", "REJECTED", "build_corpus"]
