"""Search in any language for passages in any other, and answers cited from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from interlingua.applications.reader import Reader
from interlingua.base.errors import UsageError
from interlingua.base.optional import available
from interlingua.base.registry import did_you_mean
from interlingua.batches.tokens import clean
from interlingua.inference.encode import Encoder
from interlingua.languages.sentences import sentence_spans
from interlingua.models.folder import open_model
from interlingua.retrieval import fusion
from interlingua.retrieval.bm25 import BM25
from interlingua.retrieval.build import words_of
from interlingua.retrieval.index import open_index
from interlingua.retrieval.passages import is_table
from interlingua.retrieval.records import EVERYTHING, Filter, Hit, Passage
from interlingua.retrieval.rerank import Reranker

Mode = Literal["auto", "dense", "bm25", "fused", "rrf"]
MAX_QUERY = 10_000
"""Characters of a query."""
READ = 5
"""Passages that a reader reads for a question."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage for a query.

    Attributes:
        passage: Text, language, file, line and offsets.
        score: What it was ranked by: cosine, BM25, fused score or the reranker's probability.
    """

    passage: Passage
    score: float

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        place = self.passage
        return {
            "score": round(self.score, 6),
            "lang": place.lang,
            "path": place.path,
            "line": place.line,
            "start": place.start,
            "end": place.end,
            "text": place.text,
            "meta": dict(place.meta),
            "id": place.id,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The sentence that answers best, or what a reader cut out, and where it stands.

    Attributes:
        text: The sentence, or the answer.
        score: The sentence's cosine with the question, or the answer's probability.
        line: Its line in the file.
        start: Its first character there (of a table: in the row's text).
        end: The character after its last.
        source: The passage.
    """

    text: str
    score: float
    line: int
    start: int
    end: int
    source: Found

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        place = {"path": self.source.passage.path, "lang": self.source.passage.lang}
        offsets = {"line": self.line, "start": self.start, "end": self.end}
        answer = {"answer": self.text, "score": round(self.score, 6)}
        return {**answer, **place, **offsets, "passage": self.source.record()}


class Searcher:
    """An index, ready to be searched with the model that made it.

    Args:
        index: Its folder, ``milvus://host[:port]/collection`` or ``FILE.db``.
        model: Where the model is now; None: where it was when the index was made.
        rerank: A model taught pairs (`rerank.JUDGES`) that scores the best passages again.
        reader: A model taught ``qa`` that cuts answers from the best passages.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        exact: float32 without padding: a vector does not depend on its companions.

    Raises:
        DataError: There is no index, or it is damaged.
        UsageError: The model is another than the index was made with.

    Example:
        >>> Searcher("my.index").search(["Wie backe ich Brot?"], k=3)  # doctest: +SKIP
    """

    def __init__(
        self,
        index: str | Path,
        *,
        model: str | Path | None = None,
        rerank: str | Path | None = None,
        reader: str | Path | None = None,
        engine: str = "auto",
        exact: bool = False,
    ) -> None:
        self.reader = None if reader is None else Reader(reader, engine=engine, exact=exact)
        self.index = open_index(index)
        folder = open_model(self.index.info.model if model is None else model)
        self.index.check_model(folder)
        self.encoder = Encoder(folder, engine=engine, exact=exact)
        self._reranker: Reranker | None = None
        if rerank is not None:
            self._reranker = Reranker(open_model(rerank), engine=engine, exact=exact)

    @cached_property
    def _words(self) -> BM25:
        if self.index.folder is None:
            raise UsageError(
                f"{self.index.place} has vectors only", remedy="Search it with --mode dense"
            )
        return words_of(self.index)

    def mode(self, asked: str = "auto") -> Mode:
        """What a mode means here: ``auto`` is ``fused``, or ``dense`` where there are no words.

        Raises:
            UsageError: There is no such mode.
        """
        if asked == "auto":
            return "fused" if self.index.folder is not None and available("bm25s") else "dense"
        for known in get_args(Mode):
            if asked == known:
                return known  # type: ignore[no-any-return]
        raise UsageError(f"--mode {asked} is unknown", remedy=did_you_mean(asked, get_args(Mode)))

    def search(
        self,
        queries: Sequence[str],
        *,
        k: int = 10,
        mode: str = "auto",
        where: Filter = EVERYTHING,
    ) -> list[list[Found]]:
        """The best passages for each query, best first.

        Args:
            queries: Texts in any language.
            k: Passages for a query.
            mode: ``dense``: cosine of vectors; ``bm25``: words; ``fused``: weighted mean of both;
                ``rrf``: reciprocal ranks of both.
            where: Languages and metadata of the passages wanted.

        Raises:
            UsageError: A query is empty or too long, or there is no such mode.
        """
        chosen = self.mode(mode)
        texts = [_checked(query) for query in queries]
        depth = max(k, fusion.CANDIDATES) if chosen in ("fused", "rrf") or self._reranker else k
        dense: list[list[Hit]] = [[] for _ in texts]
        words: list[list[tuple[str, float]]] = [[] for _ in texts]
        if texts and chosen != "bm25":
            dense = self.index.store.search(self._embed(texts, "query"), k=depth, where=where)
        if texts and chosen != "dense":
            words = self._words.search(texts, k=depth, where=where)
        found = []
        for text, hits, ranked in zip(texts, dense, words, strict=True):
            fused = hits if chosen == "dense" else self._fused(text, hits, ranked, chosen)
            best = fused[:depth] if self._reranker is None else self._again(text, fused[:depth])
            found.append([Found(hit.passage, hit.score) for hit in best[:k]])
        return found

    def answer(
        self, question: str, *, mode: str = "auto", where: Filter = EVERYTHING
    ) -> Answer | None:
        """The best sentence of the best passage, or None where nothing is found.

        With a reader: what it cuts from one of the best passages, which it reads all, and is surest
        of.

        Raises:
            UsageError: The question is empty or too long.
        """
        k = 1 if self.reader is None else READ
        found = self.search([question], k=k, mode=mode, where=where)[0]
        if not found:
            return None
        if self.reader is not None:
            readings = self.reader.read(
                [_checked(question)] * len(found), [hit.passage.text for hit in found]
            )
            best_of = [reading.best for reading in readings]
            row = max(range(len(found)), key=lambda i: (best_of[i].text != "", best_of[i].score))
            cut = best_of[row]
            return _cited(found[row], (cut.start, cut.end), cut.score)
        best = found[0]
        passage = best.passage
        spans = sentence_spans(passage.text, passage.lang) or [(0, len(passage.text))]
        sentences = [passage.text[start:end] for start, end in spans]
        vectors = self._embed(sentences, "passage")
        query = self._embed([_checked(question)], "query")[0]
        scores = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
        row = int(scores.argmax())
        return _cited(best, spans[row], float(scores[row]))

    def _embed(self, texts: Sequence[str], prefix: str) -> NDArray[np.float32]:
        named = self.encoder.folder.info.prefixes.get(prefix)
        return self.encoder.encode(texts, prefix=named).vectors

    def _fused(
        self, text: str, hits: Sequence[Hit], words: Sequence[tuple[str, float]], mode: Mode
    ) -> list[Hit]:
        """One ranking of passages from vectors and words; the passages of words are fetched."""
        known = {hit.passage.id: hit.passage for hit in hits}
        missing = [name for name, _ in words if name not in known]
        known |= {passage.id: passage for passage in self.index.store.fetch(missing)}
        vectors = [(hit.passage.id, hit.score) for hit in hits]
        if mode == "bm25":
            ranked = list(words)
        elif mode == "rrf":
            ranked = fusion.reciprocal_rank([vectors, words])
        else:
            ranked = fusion.of_both(vectors, words, ceiling=self._words.ceiling(text))
        return [Hit(known[name], score) for name, score in ranked if name in known]

    def _again(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        assert self._reranker is not None
        return self._reranker.rerank(text, hits)


def _cited(source: Found, span: tuple[int, int], score: float) -> Answer:
    """A stretch of a passage, with its place in the file."""
    passage = source.passage
    start, end = span
    before = 0 if is_table(passage.path) else passage.text.count("\n", 0, start)
    place = (passage.start + start, passage.start + end)
    return Answer(passage.text[start:end], score, passage.line + before, *place, source)


def _checked(query: str) -> str:
    """A query that can be searched for.

    Raises:
        UsageError: It is empty or too long.
    """
    if not query.strip():
        raise UsageError("the query is empty", remedy="Give some words to search for")
    if len(query) > MAX_QUERY:
        raise UsageError(
            f"the query has {len(query):,} characters, at most {MAX_QUERY:,} are searched for",
            remedy="Give a question or a paragraph",
        )
    return clean(query)
