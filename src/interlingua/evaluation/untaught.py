"""Benchmarks that ask a model's vectors alone: retrieval, mining and word alignment.

Each follows one definition, which the scorecard's notes name: the figures of other definitions of
the same benchmark are not comparable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interlingua.base.errors import DataError
from interlingua.base.files import sha256_file
from interlingua.corpus.rows import Faults, read_lines
from interlingua.evaluation.documents import documents
from interlingua.evaluation.measured import Measured, f1_of, mean_of
from interlingua.inference.encode import Encoder
from interlingua.retrieval.alignment import WordAligner
from interlingua.retrieval.matching import WordMatch
from interlingua.retrieval.mining import Mined, first_of_equals, isotropic, mine, nearest
from interlingua.tasks.datasets import DataFile
from interlingua.tasks.metrics.alignment import Link, count_links
from interlingua.tasks.metrics.mining import bucc_scores, bucc_threshold
from interlingua.tasks.metrics.ranking import average_precision
from interlingua.tasks.metrics.spans import SpanCounts

Predictions = list[dict[str, Any]]
Files = list[dict[str, str | int]]
One = tuple[Measured, Predictions, Files]
"""What became of one language."""
Protocol = Callable[[Encoder, Sequence[DataFile]], Iterator[tuple[str, One]]]
"""Scores the languages of a suite, one after the other."""


def tatoeba(encoder: Encoder, file: DataFile) -> One:
    """XTREME's score: English sentences search the foreign pool by cosine; accuracy.

    The other direction stands in ``metrics``. LASER reports error rates, mteb F1 of foreign
    queries, sentence-transformers the mean of both directions.
    """
    english = file.path.with_suffix(".eng")
    foreign_texts, english_texts = _lines(file.path), _lines(english)
    _parallel(foreign_texts, english_texts, english)
    foreign = encoder.encode(foreign_texts).vectors
    queries = encoder.encode(english_texts).vectors
    right = np.arange(len(queries))
    scores, rows = nearest(queries, foreign, 1)
    back = nearest(foreign, queries, 1)[1]
    hits = (rows[:, 0] == right).astype(np.int64)
    metrics = {
        "english_to_foreign": float(hits.mean()),
        "foreign_to_english": float((back[:, 0] == right).mean()),
    }
    found = [
        {
            "id": str(i + 1),
            "lang": file.lang,
            "text": text,
            "gold": foreign_texts[i],
            "found": foreign_texts[row],
            "found_id": str(row + 1),
            "right": bool(hit),
            "right_back": bool(back[i, 0] == i),
            "score": round(float(score), 6),
        }
        for i, (text, row, hit, score) in enumerate(
            zip(english_texts, rows[:, 0], hits, scores[:, 0], strict=True)
        )
    ]
    note = "English sentences search the foreign pool, as in XTREME (Hu et al. 2020)"
    measured = mean_of(hits.astype(np.float64), metrics, note)
    return measured, found, _files(file.path, english)


def bucc(encoder: Encoder, file: DataFile) -> One:
    """F1 of mined pairs; the threshold of each half of the sources is chosen on the other half.

    Ratio margin, 4 neighbours, best of both directions, repeated sentences taken once, as LASER;
    the gold of the real test part is not public, and a threshold chosen on what it is scored on
    says too much. Each language's vectors are freed of what they share first (`isotropic`), and
    neighbours are compared word by word too (`WordMatch`); ``f1_of_vectors`` is the figure without
    the latter, ``f1_of_plain_vectors`` without both.
    """
    gold_file = file.path.with_suffix(".gold")
    english = file.path.with_suffix(".en")
    foreign, targets = _numbered(file.path), _numbered(english)
    gold = {(row[0], row[1]) for row in _fields(gold_file, 2)}
    sides = [first_of_equals([text for _, text in side]) for side in (foreign, targets)]
    vectors = [encoder.encode(texts).vectors for texts, _ in sides]
    names_of = [
        [rows[i][0] for i in s[1]] for rows, s in zip((foreign, targets), sides, strict=True)
    ]
    match = WordMatch(encoder.folder, sides[0][0], sides[1][0], exact=encoder.exact)
    freed = [isotropic(side) for side in vectors]
    plain, _ = kept_pairs(mine(vectors[0], vectors[1]), names_of, gold)
    wordless, _ = kept_pairs(mine(freed[0], freed[1]), names_of, gold)
    kept, thresholds = kept_pairs(mine(freed[0], freed[1], match=match), names_of, gold)
    names = [name for name, _ in foreign]
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((3, len(names)), dtype=np.int64)
    for i, group in enumerate((gold & kept.keys(), kept.keys(), gold)):
        for source, _ in group:
            counts[i, place[source]] += 1
    hits, found, wanted = counts.sum(axis=1).tolist()
    metrics = {
        "precision": hits / max(found, 1),
        "recall": hits / max(wanted, 1),
        "f1_of_vectors": bucc_scores(gold, wordless).f1,
        "f1_of_plain_vectors": bucc_scores(gold, plain).f1,
    }
    predictions = [
        {"id": a, "target": b, "lang": file.lang, "score": round(s, 6), "right": (a, b) in gold}
        for (a, b), s in sorted(kept.items(), key=lambda item: -item[1])
    ]
    told = " and ".join(f"{threshold:.4f}" for threshold in thresholds)
    note = (
        f"thresholds {told}, each chosen on the other half of the sources; ratio margin, k = 4, "
        "vectors of each language without their mean and top directions, and their words"
    )
    measured = f1_of(SpanCounts(*counts), metrics, note)
    return measured, predictions, _files(file.path, english, gold_file)


def kept_pairs(
    pairs: Mined, names: Sequence[Sequence[str]], gold: set[tuple[str, str]]
) -> tuple[dict[tuple[str, str], float], list[float]]:
    """Pairs of each half of the sources from the threshold of the other on, and both thresholds."""
    candidates = {
        (names[0][a], names[1][b]): float(score)
        for a, b, score in zip(pairs.source, pairs.target, pairs.score, strict=True)
    }
    kept: dict[tuple[str, str], float] = {}
    thresholds = []
    for half in (0, 1):
        tuned: dict[tuple[str, ...], float] = {
            pair: s for pair, s in candidates.items() if _half(pair[0]) != half
        }
        threshold = bucc_threshold(tuned, [pair for pair in gold if _half(pair[0]) != half])
        thresholds.append(threshold)
        kept |= {p: s for p, s in candidates.items() if _half(p[0]) == half and s >= threshold}
    return kept, thresholds


def alignment(encoder: Encoder, file: DataFile) -> One:
    """F1 of word links, which is one less the error rate where all gold links are sure ones."""
    aligner = WordAligner(encoder.folder)
    rows = _fields(file.path, 3)
    sources, targets = ([row[i].split() for row in rows] for i in (0, 1))
    found = aligner.align(sources, targets)
    counts = [
        count_links(links, gold_links(row[2])) for row, links in zip(rows, found, strict=True)
    ]
    columns = [
        np.array(values, dtype=np.int64)
        for values in zip(*((c.hits_sure, c.found, c.sure) for c in counts), strict=True)
    ]
    hits, made, wanted_all = (int(column.sum()) for column in columns)
    precision, recall = hits / max(made, 1), hits / max(wanted_all, 1)
    rate = 1 - 2 * hits / max(made + wanted_all, 1)
    metrics = {"precision": precision, "recall": recall, "alignment_error_rate": rate}
    predictions = [
        {
            "id": str(i + 1),
            "lang": file.lang,
            "text": row[0],
            "text_pair": row[1],
            "gold": row[2],
            "links": " ".join(f"{a}-{b}" for a, b in sorted(links)),
        }
        for i, (row, links) in enumerate(zip(rows, found, strict=True))
    ]
    note = f"states of layer {aligner.layer}, {aligner.method}"
    return f1_of(SpanCounts(*columns), metrics, note), predictions, _files(file.path)


def read_aligned(path: Path) -> list[tuple[list[str], list[str], set[Link]]]:
    """Words of both sides and their links, of a file of XL-WA.

    Raises:
        DataError: A line has not three fields.
    """
    return [(row[0].split(), row[1].split(), gold_links(row[2])) for row in _fields(path, 3)]


def gold_links(told: str) -> set[Link]:
    """Links as XL-WA writes them: ``0-0 1-2``."""
    return {(int(a), int(b)) for a, _, b in (link.partition("-") for link in told.split())}


def lareqa(encoder: Encoder, files: Sequence[DataFile]) -> Iterator[tuple[str, One]]:
    """mAP@20 of questions over the sentences of all languages, as XTREME-R.

    Every language's sentence that holds the answer is relevant (Roy et al., EMNLP 2020). A sentence
    is embedded alone. ``same_language_first`` is the share of questions whose first hit is in their
    own language: near 1 the pool falls apart into languages.
    """
    asked: dict[str, list[tuple[str, str, int]]] = {}  # question: id, text, row of its answer
    pool: list[str] = []
    language: list[str] = []
    for file in files:
        asked[file.lang] = []
        for sentences, questions in _paragraphs(file.path):
            first = len(pool)
            pool += sentences
            language += [file.lang] * len(sentences)
            asked[file.lang] += [(name, text, first + row) for name, text, row in questions]
    relevant: dict[str, set[int]] = {}
    for questions_ in asked.values():
        for name, _, row in questions_:
            relevant.setdefault(name, set()).add(row)
    prefixes = encoder.folder.info.prefixes
    vectors = encoder.encode(pool, prefix=prefixes.get("passage")).vectors
    note = f"mAP@20 over {len(pool):,} sentences of {len(files)} languages (XTREME-R)"
    for file in files:
        rows = asked[file.lang]
        queries = encoder.encode([text for _, text, _ in rows], prefix=prefixes.get("query"))
        found = nearest(queries.vectors, vectors, 20)[1]
        gains = [
            [float(row in relevant[name]) for row in ranked.tolist()]
            for (name, _, _), ranked in zip(rows, found, strict=True)
        ]
        values = [
            average_precision(gain, relevant=len(relevant[name]), depth=20)
            for gain, (name, _, _) in zip(gains, rows, strict=True)
        ]
        own = np.mean([language[ranked[0]] == file.lang for ranked in found])
        predictions = [
            {"id": name, "lang": file.lang, "text": text, "found": pool[ranked[0]], "score": value}
            for (name, text, _), ranked, value in zip(rows, found, values, strict=True)
        ]
        measured = mean_of(np.array(values), {"same_language_first": float(own)}, note)
        yield file.lang, (measured, predictions, _files(file.path))


def _paragraphs(path: Path) -> Iterator[tuple[list[str], list[tuple[str, str, int]]]]:
    """Sentences of every paragraph, and its questions: id, text, the sentence with the answer.

    Raises:
        DataError: The file is not XQuAD-R.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for article in document["data"]:
            for paragraph in article["paragraphs"]:
                text, breaks = paragraph["context"], paragraph["sentence_breaks"]
                questions = []
                for question in paragraph["qas"]:
                    place = question["answers"][0]["answer_start"]
                    row = max(i for i, (start, _) in enumerate(breaks) if start <= place)
                    questions.append((str(question["id"]), str(question["question"]), row))
                yield [text[start:end] for start, end in breaks], questions
    except json.JSONDecodeError as error:
        raise DataError(f"is not XQuAD-R: {error.msg}", path=path, line=error.lineno) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"is not XQuAD-R: {error!r}", path=path) from error


def each(one: Callable[[Encoder, DataFile], One]) -> Protocol:
    """A protocol whose languages have nothing to do with each other."""

    def run(encoder: Encoder, files: Sequence[DataFile]) -> Iterator[tuple[str, One]]:
        for file in files:
            yield file.lang, one(encoder, file)

    return run


PROTOCOLS: dict[str, tuple[Protocol, str]] = {
    "tatoeba": (each(tatoeba), "accuracy"),
    "bucc": (each(bucc), "f1"),
    "alignment": (each(alignment), "f1"),
    "lareqa": (lareqa, "map_at_20"),
    "documents": (documents, "ndcg_at_10"),
}
"""By name: the protocol, and what its score is."""


def _half(name: str) -> int:
    """Which half of the sources a sentence belongs to: by its id, so that it never changes."""
    return hashlib.sha256(name.encode()).digest()[0] % 2


def _lines(path: Path) -> list[str]:
    return [line for _, line in read_lines(path, Faults())]


def _parallel(a: Sequence[str], b: Sequence[str], path: Path) -> None:
    if len(a) != len(b):
        problem = f"{len(b)} lines for {len(a)} of the other language"
        raise DataError(problem, path=path, line=min(len(a), len(b)) + 1)
    if not a:
        raise DataError("no lines", path=path)


def _fields(path: Path, count: int) -> list[list[str]]:
    rows = []
    for number, line in read_lines(path, Faults()):
        fields = line.rstrip("\t").split("\t")
        if not line.strip():
            continue
        if len(fields) != count:
            problem = f"{len(fields)} fields, expected {count}"
            raise DataError(problem, path=path, line=number)
        rows.append(fields)
    return rows


def _numbered(path: Path) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in _fields(path, 2)]


def _files(*paths: Path) -> Files:
    def rows(path: Path) -> int:
        return path.read_bytes().count(b"\n")

    return [{"path": str(path), "sha256": sha256_file(path), "rows": rows(path)} for path in paths]
