"""Retrieval of documents across languages, on the descriptions of Debian's packages.

A query is the one-line synopsis of a package in one language, the relevant document its long
description in another; descriptions of other packages are in the way. Packages that share their
text form a cluster, which is one document and belongs to one part in all languages, so that
nothing is tested on a text that something was tuned or taught on.

Legend: Q queries, N documents, D width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError
from interlingua.base.files import sha256_file
from interlingua.base.optional import available
from interlingua.base.progress import say
from interlingua.corpus.rows import read_table
from interlingua.evaluation.measured import Measured, mean_of
from interlingua.inference.encode import Encoder
from interlingua.retrieval import fusion
from interlingua.retrieval.bm25 import BM25
from interlingua.retrieval.mining import nearest
from interlingua.retrieval.records import Passage
from interlingua.tasks.datasets import DataFile
from interlingua.tasks.metrics.ranking import ndcg

Part = Literal["tune", "teach", "test"]
Ranked = list[tuple[str, float]]
"""Documents by name with their scores, best first."""
DEPTH = 10
"""Ranks that nDCG looks at."""
DOCUMENTS = 500
"""Of a language at most, the first by the hash of their cluster's name."""
QUERIES = 200
"""Of two languages at most, likewise."""
LEAST = 20
"""Documents of a language; among fewer there is nothing to find."""
CHARACTERS = 1500
"""Of a document at most."""
_ENGLISH = "eng_Latn"


@dataclass(frozen=True, slots=True)
class Described:
    """One cluster of packages in one language: a line, and the text it is the head of."""

    synopsis: str
    text: str


def part_of(cluster: str) -> Part:
    """The part of a cluster, by its hash: a tenth tunes, four tenths teach, half of them test."""
    digit = hashlib.sha256(cluster.encode()).digest()[0] % 10
    return "tune" if digit == 0 else "teach" if digit < 5 else "test"


def read_described(path: Path, part: Part) -> dict[str, Described]:
    """The clusters of one part in one language, by name.

    Args:
        path: A file of ``corpus fetch debian``, below ``documents``.
        part: Which clusters.

    Raises:
        DataError: A row cannot be read.
    """
    found: dict[str, Described] = {}
    for row in read_table(path):
        try:
            cluster = str(row.values["cluster"])
            synopsis = str(row.values["meta"]["synopsis"])
            _, _, body = str(row.values["text"]).partition("\n\n")
        except (KeyError, TypeError) as error:
            problem = f"no description of a package: {error} is missing"
            raise DataError(problem, path=path, line=row.line) from None
        if body and part_of(cluster) == part:
            found.setdefault(cluster, Described(synopsis, body[:CHARACTERS]))
    return found


def in_order(described: Mapping[str, Described]) -> list[str]:
    """Names of clusters by their hash: an order that has nothing to do with what they are."""
    return sorted(described, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Pool:
    """Documents of one language, indexed by vectors and, where ``bm25s`` is installed, by words.

    Attributes:
        texts: Documents by the name of their cluster [N].
        vectors: Of the documents, float32 [N, D].
        words: Their words.
    """

    texts: dict[str, str]
    vectors: NDArray[np.float32]
    words: BM25 | None

    @classmethod
    def of(cls, encoder: Encoder, described: Mapping[str, Described], names: Sequence[str]) -> Pool:
        """Index some clusters of a language, by their names [N]."""
        texts = {name: described[name].text for name in names}
        prefix = encoder.folder.info.prefixes.get("passage")
        words = None
        if available("bm25s"):
            words = BM25.build(Passage(name, text) for name, text in texts.items())
        return cls(texts, encoder.encode(list(texts.values()), prefix=prefix).vectors, words)

    def rankings(
        self, encoder: Encoder, queries: Sequence[str], *, weight: float = fusion.WORDS_WEIGHT
    ) -> dict[str, list[Ranked]]:
        """What each method finds for queries [Q]: ``dense``, and ``bm25``, ``rrf`` and ``fused``.

        Args:
            encoder: The model that made the vectors.
            queries: Texts in any language.
            weight: Of words in the fused score.
        """
        names = list(self.texts)
        vectors = encoder.encode(queries, prefix=encoder.folder.info.prefixes.get("query")).vectors
        scores, rows = nearest(vectors, self.vectors, min(fusion.CANDIDATES, len(names)))
        dense = [
            [(names[row], float(score)) for row, score in zip(some, of, strict=True)]
            for some, of in zip(rows.tolist(), scores.tolist(), strict=True)
        ]
        if self.words is None:
            return {"dense": dense}
        words = self.words.search(queries, k=fusion.CANDIDATES)
        both = list(zip(dense, words, strict=True))
        return {
            "bm25": words,
            "dense": dense,
            "rrf": [fusion.reciprocal_rank([a, b]) for a, b in both],
            "fused": [
                fusion.of_both(a, b, ceiling=self.words.ceiling(text), weight=weight)
                for text, (a, b) in zip(queries, both, strict=True)
            ],
        }


def figures(ranked: Sequence[Ranked], wanted: Sequence[str]) -> NDArray[np.float64]:
    """The nDCG@10 of every query, of which one document is relevant [Q]."""
    return np.array(
        [
            ndcg([float(name == right) for name, _ in some[:DEPTH]], ideal=[1.0], depth=DEPTH)
            for some, right in zip(ranked, wanted, strict=True)
        ]
    )


def documents(
    encoder: Encoder, files: Sequence[DataFile]
) -> Iterator[tuple[str, tuple[Measured, list[dict[str, object]], list[dict[str, str | int]]]]]:
    """nDCG@10 of English synopses that search the descriptions in another language by cosine.

    ``metrics`` holds the same of words (``bm25``) and of both (``fused``), and of synopses in the
    language that search the English descriptions (``foreign_to_english``). The test part alone is
    read. Languages with few documents are left out, and said to be.

    Raises:
        DataError: A file cannot be read, there is no English one, or too little in any other.
    """
    others = [file for file in files if file.lang != _ENGLISH]
    if not others:
        raise DataError("no file of Debian's descriptions in another language than English")
    english_file = others[0].path.with_name(others[0].path.name.replace(others[0].lang, _ENGLISH))
    if not english_file.is_file():
        raise DataError("no descriptions in English to search with", path=english_file)
    english = read_described(english_file, "test")
    anchor = Pool.of(encoder, english, in_order(english)[:DOCUMENTS])
    of_english = _facts(english_file, english)
    measured = 0
    for file in others:
        foreign = read_described(file.path, "test")
        if len(foreign.keys() & english.keys()) < LEAST:
            say(f"{file.lang} is left out: it has {len(foreign)} documents")
            continue
        measured += 1
        pool = Pool.of(encoder, foreign, in_order(foreign)[:DOCUMENTS])
        found = _both_ways(encoder, file.lang, (pool, foreign), (anchor, english))
        yield file.lang, (*found, [_facts(file.path, foreign), of_english])
    if not measured:
        raise DataError(f"no language has {LEAST} documents", path=others[0].path)


def _facts(path: Path, described: Mapping[str, Described]) -> dict[str, str | int]:
    """What a scorecard tells of a file."""
    return {"path": str(path), "sha256": sha256_file(path), "rows": len(described)}


def _both_ways(
    encoder: Encoder,
    lang: str,
    foreign: tuple[Pool, Mapping[str, Described]],
    english: tuple[Pool, Mapping[str, Described]],
) -> tuple[Measured, list[dict[str, object]]]:
    """The figures of a language, and what was found for every English query."""
    pool, anchor = foreign[0], english[0]
    names, queries = _asked(pool, english[1])
    found = pool.rankings(encoder, queries)
    values = {name: figures(ranked, names) for name, ranked in found.items() if name != "rrf"}
    dense = values.pop("dense")
    metrics = {name: float(one.mean()) for name, one in values.items()}
    back_names, back_queries = _asked(anchor, foreign[1])
    if back_names:
        back = anchor.rankings(encoder, back_queries)["dense"]
        metrics["foreign_to_english"] = float(figures(back, back_names).mean())
    rows: list[dict[str, object]] = [
        {"id": name, "lang": lang, "text": text, "found": ranked[0][0], "score": float(value)}
        for name, text, ranked, value in zip(names, queries, found["dense"], dense, strict=True)
    ]
    note = f"nDCG@{DEPTH} of English synopses over {len(pool.texts)} descriptions, by cosine"
    return mean_of(dense, metrics, note), rows


def _asked(pool: Pool, described: Mapping[str, Described]) -> tuple[list[str], list[str]]:
    """Documents of a pool that another language has a synopsis of: their names, the synopses."""
    names = [name for name in pool.texts if name in described][:QUERIES]
    return names, [described[name].synopsis for name in names]
