"""BM25 over passages of any script.

The score of a passage d for a query q is the sum over the query's terms t of::

    idf(t) * f / (f + k1 * (1 - b + b * |d| / avgdl))
    idf(t) = ln(1 + (N - n + 0.5) / (n + 0.5))

with f the occurrences of t in d, n the passages that hold t (Robertson and Zaragoza 2009, in the
form of Lucene that leaves the factor k1 + 1 out, which changes no ranking). No passage scores more
than the sum of the idf, so that the share of it is a figure in [0, 1] that can be fused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from interlingua.base.errors import DataError
from interlingua.base.files import atomic_folder, read_json_file, write_json
from interlingua.base.optional import require
from interlingua.languages.segmentation import search_terms
from interlingua.retrieval.records import EVERYTHING, Filter, Passage

K1 = 1.2
"""How soon more occurrences count no more."""
B = 0.75
"""How much a long passage has to hold to be found."""
_RULES = {"k1": K1, "b": B, "terms_version": 2}
"""What scores depend on besides the passages; the version counts changes of `search_terms`."""
_ROWS, _ABOUT = "rows.parquet", "bm25.json"


class BM25:
    """An index of terms over passages.

    Args:
        scorer: The index of ``bm25s``; None where there is no term at all.
        rows: Columns id, lang, path and tags of the passages [N].
    """

    def __init__(self, scorer: Any | None, rows: pa.Table) -> None:  # noqa: ANN401 - untyped
        self._scorer = scorer
        self._rows = rows
        self._ids: list[str] = rows["id"].to_pylist()

    @classmethod
    def build(cls, passages: Iterable[Passage]) -> BM25:
        """Index passages.

        Raises:
            MissingExtraError: The package ``bm25s`` is not installed.
        """
        bm25s = require("bm25s", extra="index")
        columns: dict[str, list[Any]] = {name: [] for name in ("id", "lang", "path", "tags")}
        terms = []
        for passage in sorted(passages, key=lambda passage: passage.id):
            for name, values in columns.items():
                values.append(getattr(passage, name))
            terms.append(search_terms(passage.text))
        kinds = {"id": pa.string(), "lang": pa.string(), "path": pa.string()}
        schema = pa.schema([*kinds.items(), ("tags", pa.list_(pa.string()))])
        rows = pa.table(columns, schema=schema)
        if not any(terms):
            return cls(None, rows)
        scorer = bm25s.BM25(method="lucene", k1=K1, b=B)
        scorer.index(_numbered(terms), show_progress=False, create_empty_token=False)
        return cls(scorer, rows)

    def save(self, folder: Path, *, state: str) -> None:
        """Write it to a folder, whole or not at all.

        Args:
            folder: The folder.
            state: `VectorStore.state` of the passages it is of.
        """
        from pyarrow import parquet

        with atomic_folder(folder) as temporary:
            if self._scorer is not None:
                self._scorer.save(str(temporary), show_progress=False)
            parquet.write_table(self._rows, temporary / _ROWS)
            facts = {"state": state, **_RULES, "terms": self._scorer is not None}
            write_json(temporary / _ABOUT, facts)

    @classmethod
    def load(cls, folder: Path, *, state: str) -> BM25 | None:
        """Open it, if it was saved for the same state of the passages.

        Raises:
            DataError: It is damaged.
            MissingExtraError: The package ``bm25s`` is not installed.
        """
        if not (folder / _ABOUT).is_file():
            return None
        about = read_json_file(folder / _ABOUT)
        if {**about, **_RULES, "state": state} != about:
            return None
        from pyarrow import parquet

        bm25s = require("bm25s", extra="index")
        try:
            rows = parquet.read_table(folder / _ROWS)
            scorer = bm25s.BM25.load(str(folder), mmap=True) if about.get("terms") else None
        except Exception as error:  # the libraries raise many classes
            raise DataError(
                f"damaged: {error}", path=folder, remedy="Delete the folder; it is made anew"
            ) from error
        return cls(scorer, rows)

    def search(
        self, queries: Sequence[str], *, k: int, where: Filter = EVERYTHING
    ) -> list[list[tuple[str, float]]]:
        """Ids of the ``k`` best passages of each query, with BM25's score; none that scores 0."""
        allowed = self._allowed(where) if where else None
        found = []
        for query in queries:
            scores = self._scores(search_terms(query))
            if allowed is not None:
                scores = np.where(allowed, scores, 0.0)
            count = min(k, int(np.count_nonzero(scores > 0)))
            best = np.argpartition(-scores, count - 1)[:count] if count else np.zeros(0, np.int64)
            ranked = sorted(best.tolist(), key=lambda row: (-scores[row], row))
            found.append([(self._ids[row], float(scores[row])) for row in ranked])
        return found

    def ceiling(self, query: str) -> float:
        """The score no passage can reach: the sum of idf of the query's terms, unknown ones too."""
        total = 0.0
        count = len(self._ids)
        for term in search_terms(query):
            n = self._holding(term)
            total += math.log(1 + (count - n + 0.5) / (n + 0.5))
        return total

    def _holding(self, term: str) -> int:
        """How many passages hold a term."""
        number = None if self._scorer is None else self._scorer.vocab_dict.get(term)
        if number is None:
            return 0
        starts = self._scorer.scores["indptr"]  # type: ignore[union-attr]
        return int(starts[number + 1] - starts[number])

    def _scores(self, terms: Sequence[str]) -> NDArray[np.float32]:
        known = [] if self._scorer is None else [t for t in terms if self._holding(t)]
        if not known:
            return np.zeros(len(self._ids), dtype=np.float32)
        numbers = [self._scorer.vocab_dict[term] for term in known]  # type: ignore[union-attr]
        return np.asarray(self._scorer.get_scores_from_ids(numbers))  # type: ignore[union-attr]

    def _allowed(self, where: Filter) -> NDArray[np.bool_]:
        """Which passages a filter takes [N]."""
        from pyarrow import compute

        allowed = np.ones(len(self._ids), dtype=np.bool_)
        if where.languages:
            among = pa.array(where.languages)
            allowed &= compute.is_in(self._rows["lang"], among).to_numpy()
        if where.path is not None:
            allowed &= compute.equal(self._rows["path"], where.path).to_numpy()
        parents = compute.list_parent_indices(self._rows["tags"]).to_numpy()
        flat = compute.list_flatten(self._rows["tags"])
        for tag in where.tags:
            holds = np.zeros(len(allowed), dtype=np.bool_)
            holds[parents[compute.equal(flat, tag).to_numpy()]] = True
            allowed &= holds
        return allowed


def _numbered(terms: Sequence[Sequence[str]]) -> tuple[list[list[int]], dict[str, int]]:
    """Terms as numbers, and the numbers: what bm25s takes without cutting texts itself."""
    vocabulary: dict[str, int] = {}
    numbered = [[vocabulary.setdefault(t, len(vocabulary)) for t in part] for part in terms]
    return numbered, vocabulary
