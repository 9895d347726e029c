"""Training texts that are translations of benchmark texts, which share no word with them.

Both sides are cut into sentences, and every training sentence takes its best benchmark sentence of
another language by margin (see `mining`). Most training sentences are no translations, so that the
margins themselves show what chance gives (an empirical null; Efron, JASA 2004): a normal
distribution with their median and, so that what translations there are do not widen it, with the
spread ``(q75 - q50) / 0.6745`` of the middle. A sentence is told as a translation where the chance
of its margin, times the benchmark languages it was compared with, is at most ``rate``.

Legend: N training sentences, M benchmark sentences, D features.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.config import Config
from interlingua.base.errors import DataError
from interlingua.base.files import atomic_folder, refuse_others, write_json, write_manifest
from interlingua.corpus.decontaminate import benchmark_files, benchmark_texts, text_sha256
from interlingua.corpus.documents import Input, read_documents
from interlingua.corpus.formats import input_sha256, read_rows
from interlingua.corpus.rows import Faults
from interlingua.corpus.writing import write_rows
from interlingua.inference.encode import Encoder
from interlingua.languages import UND, identify
from interlingua.languages.paths import language_of_path, scripts_agree
from interlingua.languages.segmentation import count_units, unit_of
from interlingua.languages.sentences import sentence_spans
from interlingua.models.folder import open_model
from interlingua.retrieval.mining import NEIGHBOURS, Floats, mine

REPORT, PAIRS, DROP = "contamination.json", "pairs.jsonl", "drop.jsonl"
RATE = 0.001
"""How many of a thousand innocent sentences may be told as translations: one."""
_LEAST = {"word": 5, "syllable": 10, "character": 10}
"""A shorter sentence says too little to be a benchmark's: half of what `decontaminate` searches."""
_BODY = 0.75
_ENOUGH = 200
_TABLES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".txt")

Doubles = NDArray[np.float64]


class Group(Config):
    """Training sentences of one language against benchmark sentences of another."""

    train: str
    benchmark: str
    sentences: int
    """Training sentences compared."""
    benchmark_sentences: int
    median: float
    """Of the best margins: the middle of what chance gives."""
    scale: float
    """Its standard deviation."""
    threshold: float
    """The margin from which a sentence is told as a translation."""
    found: int
    """Training sentences that are."""


class Contamination(Config):
    """What was found of a benchmark in training texts."""

    model: str
    rate: float
    given_threshold: float | None
    """The margin asked for, where the null was not used."""
    documents: dict[str, int]
    """Training documents read, by language."""
    contaminated: dict[str, int]
    """Those with a sentence that is a translation of a benchmark's, by language."""
    sentences: int
    """Different training sentences that were long enough."""
    benchmark_sentences: int
    benchmark_hit: int
    """Those of which a translation was found."""
    expected_false: float | None
    """Sentences that the null expects by chance; null for a given threshold."""
    groups: tuple[Group, ...]
    rejected: int
    data: tuple[dict[str, str], ...]


@dataclass(slots=True)
class _Side:
    """Sentences by language, each with the numbers of the texts it stands in."""

    places: dict[str, dict[str, list[int]]] = field(default_factory=lambda: defaultdict(dict))
    names: list[dict[str, str]] = field(default_factory=list)

    def add(self, text: str, lang: str, name: dict[str, str]) -> None:
        """Cut a text into sentences and keep those that are long enough."""
        number = len(self.names)
        self.names.append(name)
        least, unit = _LEAST[unit_of(lang)], unit_of(lang)
        for line in text.splitlines():
            for start, end in sentence_spans(line, lang):
                sentence = " ".join(line[start:end].split())
                if count_units(sentence, unit) >= least:
                    self.places[lang].setdefault(sentence, []).append(number)

    def count(self) -> int:
        """Different sentences."""
        return sum(map(len, self.places.values()))


@dataclass(frozen=True, slots=True)
class _Found:
    """A training sentence and its best benchmark sentence."""

    sentence: str
    lang: str
    benchmark: str
    benchmark_lang: str
    margin: float
    chance: float


def find_contamination(
    train: Sequence[str],
    benchmark: Sequence[str],
    out: str | Path,
    *,
    model: str,
    rate: float = RATE,
    threshold: float | None = None,
    faults: Faults | None = None,
    engine: str = "auto",
) -> Contamination:
    """Write which training texts are translations of benchmark texts.

    Args:
        train: Files, folders or patterns of training texts, read as ``corpus build`` does.
        benchmark: Files, folders or patterns of benchmarks.
        out: Folder for ``contamination.json``, ``pairs.jsonl`` and ``drop.jsonl``.
        model: The model that embeds.
        rate: Innocent sentences that may be told as translations, a share of all.
        threshold: A margin to use instead of what the rate gives.
        faults: What to do with a row that cannot be read.
        engine: ``auto``, ``torch`` or ``openvino``.

    Raises:
        DataError: A file cannot be read, or one side has no sentence.
        UsageError: ``out`` holds something else.
    """
    target = Path(out)
    refuse_others(target, mark=REPORT)
    reading = faults or Faults()
    ours, files = _read_train(train, reading)
    theirs, paths = _Side(), benchmark_files(benchmark)
    for path in paths:
        _read_benchmark(path, theirs)
    for side, names in ((ours, train), (theirs, benchmark)):
        if not side.count():
            raise DataError("no sentence is long enough to be compared", path=names[0])
    encoder = Encoder(open_model(model), engine=engine)
    found, groups = _compare(ours, theirs, encoder, rate, threshold)
    found.sort(key=lambda one: (one.chance, -one.margin, one.sentence))
    bad = sorted({number for one in found for number in ours.places[one.lang][one.sentence]})
    report = Contamination(
        model=model,
        rate=rate,
        given_threshold=threshold,
        documents=_counted(name["lang"] for name in ours.names),
        contaminated=_counted(ours.names[number]["lang"] for number in bad),
        sentences=ours.count(),
        benchmark_sentences=theirs.count(),
        benchmark_hit=len({(one.benchmark_lang, one.benchmark) for one in found}),
        expected_false=None if threshold is not None else rate * ours.count(),
        groups=tuple(groups),
        rejected=len(reading.rejected),
        data=tuple({"path": str(path), "sha256": input_sha256(path)} for path in [*files, *paths]),
    )
    with atomic_folder(target) as folder:
        write_rows(folder / PAIRS, _pair_rows(found, ours, theirs))
        write_rows(folder / DROP, (ours.names[number] for number in bad))
        if reading.rejected.faults:
            reading.rejected.write(folder / "rejected.jsonl")
        write_json(folder / REPORT, report.model_dump(mode="json"))
        write_manifest(folder, kind="contamination")
    return report


def null_of(margins: Floats) -> tuple[float, float]:
    """Median and standard deviation of what chance gives, by the middle of the margins.

    Args:
        margins: Of sentences most of which are no translations, ``[N]``.
    """
    median, high = np.quantile(margins.astype(np.float64), [0.5, _BODY]).tolist()
    return median, max((high - median) / NormalDist().inv_cdf(_BODY), 1e-6)


def _compare(
    ours: _Side, theirs: _Side, encoder: Encoder, rate: float, threshold: float | None
) -> tuple[list[_Found], list[Group]]:
    """The translations found, and what was compared."""
    vectors = {
        id(side): {lang: _unit(encoder, list(texts)) for lang, texts in side.places.items()}
        for side in (ours, theirs)
    }
    mined = {
        (a, b): mine(
            vectors[id(ours)][a], vectors[id(theirs)][b], k=NEIGHBOURS, retrieval="forward"
        )
        for a in ours.places
        for b in theirs.places
        if a != b or a == UND
    }
    if not mined:
        raise DataError(
            "training and benchmark texts are of one language",
            remedy="Copies are found by corpus build, with decontamination.benchmarks",
        )
    pooled = null_of(np.concatenate([pairs.score for pairs in mined.values()]))
    best: dict[tuple[str, str], _Found] = {}
    groups = []
    for (a, b), pairs in mined.items():
        median, scale = null_of(pairs.score) if len(pairs) >= _ENOUGH else pooled
        tests = sum(other == a for other, _ in mined)
        limit = median + scale * NormalDist().inv_cdf(1 - rate / tests)
        if threshold is not None:
            limit = threshold
        kept = pairs.above(limit)
        ours_texts, their_texts = list(ours.places[a]), list(theirs.places[b])
        for row, column, margin in zip(
            kept.source.tolist(), kept.target.tolist(), kept.score.tolist(), strict=True
        ):
            chance = min(1.0, 0.5 * tests * math.erfc((margin - median) / scale / math.sqrt(2)))
            one = _Found(ours_texts[row], a, their_texts[column], b, margin, chance)
            old = best.get((a, one.sentence))
            if old is None or one.chance < old.chance:
                best[a, one.sentence] = one
        groups.append(
            Group(
                train=a,
                benchmark=b,
                sentences=len(ours_texts),
                benchmark_sentences=len(their_texts),
                median=median,
                scale=scale,
                threshold=limit,
                found=len(kept),
            )
        )
    return list(best.values()), groups


def _unit(encoder: Encoder, texts: list[str]) -> Floats:
    vectors = encoder.encode(texts).vectors
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def _counted(langs: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(langs).items()))


def _pair_rows(rows: Sequence[_Found], ours: _Side, theirs: _Side) -> Iterator[dict[str, Any]]:
    for one in rows:
        first = ours.places[one.lang][one.sentence]
        other = theirs.names[theirs.places[one.benchmark_lang][one.benchmark][0]]
        yield {
            "id": ours.names[first[0]]["id"],
            "source": ours.names[first[0]]["source"],
            "documents": len(set(first)),
            "text": one.sentence,
            "lang": one.lang,
            "benchmark_text": one.benchmark,
            "benchmark_lang": one.benchmark_lang,
            "benchmark": other["source"],
            "benchmark_id": other["id"],
            "margin": round(one.margin, 6),
            "chance": float(f"{one.chance:.3g}"),
        }


def _read_train(train: Sequence[str], faults: Faults) -> tuple[_Side, list[Path]]:
    """Sentences of training documents, and the files they stand in."""
    side = _Side()
    files = {file: given for given in map(_input, train) for file in given.files()}
    for path, given in files.items():
        for document in read_documents(path, given, faults):
            lang = document.lang
            if lang == UND:
                lang = identify([document.text])[0].tag
            name = {"id": document.id, "source": document.source, "lang": lang}
            side.add(document.text, lang, name | {"text_sha256": text_sha256(document.text)})
    return side, list(files)


def _input(path: str) -> Input:
    return Input(path=path)


def _read_benchmark(path: Path, side: _Side) -> None:
    """All texts of a benchmark file, with the language of its path, or their own."""
    told = language_of_path(path)
    texts = list(_named_texts(path))
    if told is not None and texts and not scripts_agree(told, [text for text, _ in texts[:200]]):
        told = None
    for text, name in texts:
        lang = told or identify([text])[0].tag
        side.add(text, lang, {"id": name, "source": path.name})


def _named_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Texts of a table with the ids of their rows; of any other file with their number."""
    endings = [ending for ending in path.suffixes if ending not in (".gz", ".zst")]
    if endings and endings[-1] in _TABLES:
        for row in read_rows(path):
            name = row.values.get("id") or row.values.get("index_id") or row.line
            for value in row.values.values():
                if isinstance(value, str) and value.strip():
                    yield value, str(name)
        return
    for number, text in enumerate(benchmark_texts(path), 1):
        yield text, str(number)


__all__ = ["Contamination", "Group", "find_contamination", "null_of"]
