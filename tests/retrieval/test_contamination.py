"""Translated contamination: what was planted is found, innocents stay, a corpus drops it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from interlingua.base.config import make
from interlingua.base.errors import DataError, UsageError
from interlingua.corpus.pipeline.recipe import CorpusRecipe
from interlingua.corpus.pipeline.run import build_corpus
from interlingua.retrieval import contamination
from interlingua.retrieval.contamination import find_contamination, null_of

GERMAN = "Dieser Satz handelt heute nur von der Sache"
ENGLISH = "This sentence is today only about the matter"


class Fake:
    """Puts a text at the place its number says; every text a little beside it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.places = (
            np.random.default_rng(0).normal(size=(2000, 48)) + 1.5
        )  # a cone, as models have

    def encode(self, texts: list[str]) -> Any:
        rows = []
        for text in texts:
            number = int("".join(c for c in text if c.isdigit()))
            rng = np.random.default_rng([number, len(text)])
            rows.append(self.places[number] + 0.5 * rng.normal(size=48))
        return SimpleNamespace(vectors=np.array(rows, dtype=np.float32))


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contamination, "Encoder", Fake)
    monkeypatch.setattr(contamination, "open_model", lambda name: name)


def jsonl(path: Path, rows: list[dict[str, str]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def texts(path: Path, innocent: int = 900, planted: int = 40) -> str:
    """German documents of two sentences; of some the second is a translation of a benchmark's."""
    rows = []
    for i in range(innocent):
        second = f"{GERMAN} {1000 + i}." if i < planted else f"{GERMAN} hier {500 + i % 400}."
        text = f"{GERMAN} und jener Lage {200 + i % 700}. {second}"
        rows.append({"id": f"d{i}", "lang": "deu_Latn", "text": text})
    return jsonl(path, rows)


def benchmark(path: Path) -> str:
    return jsonl(path, [{"id": f"q{i}", "text": f"{ENGLISH} {1000 + i}."} for i in range(100)])


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_planted_translations_are_found_and_dropped_from_a_corpus(tmp_path: Path) -> None:
    train, test = texts(tmp_path / "train.jsonl"), benchmark(tmp_path / "test.eng_Latn.jsonl")
    out = tmp_path / "found"
    report = find_contamination([train], [test], out, model="fake")
    pairs, drops = rows_of(out / "pairs.jsonl"), rows_of(out / "drop.jsonl")
    planted = {f"d{i}" for i in range(40)}
    told = {row["id"] for row in drops}
    assert len(told & planted) >= 36 and len(told - planted) <= 5
    assert report.contaminated == {"deu_Latn": len(told)}
    assert report.documents == {"deu_Latn": 900}
    right = {row["id"] for row in pairs if row["benchmark_id"] == "q" + row["id"][1:]}
    assert len(right & planted) >= 36
    assert all(row["chance"] <= report.rate for row in pairs)
    (group,) = report.groups
    assert group.threshold > group.median and group.found == len(pairs)
    assert report.expected_false == pytest.approx(0.001 * report.sentences)

    rules = {"quality": None, "near_duplicates": None, "personal_data": {"scrub": False}}
    settings = {"inputs": [{"path": train}], **rules}
    settings["decontamination"] = {"drop": [str(out / "drop.jsonl")]}
    card = build_corpus(make(CorpusRecipe, {"corpus": settings}), out=tmp_path / "corpus")
    assert card.dropped["listed to drop"] == len(told)


def test_innocent_texts_are_told_at_the_rate_and_a_threshold_is_taken(tmp_path: Path) -> None:
    train = texts(tmp_path / "train.jsonl", planted=0)
    test = benchmark(tmp_path / "test.eng_Latn.jsonl")
    report = find_contamination([train], [test], tmp_path / "a", model="fake", rate=0.01)
    assert sum(report.contaminated.values()) <= 2 * 0.01 * report.sentences
    given = find_contamination([train], [test], tmp_path / "b", model="fake", threshold=0.0)
    assert given.contaminated == {"deu_Latn": 900} and given.expected_false is None
    with pytest.raises(UsageError, match="holds other files"):
        find_contamination([train], [test], tmp_path, model="fake")


def test_the_null_is_that_of_the_innocent() -> None:
    rng = np.random.default_rng(0)
    innocent = rng.normal(1.0, 0.02, size=200_000)
    median, spread = null_of(np.concatenate([innocent, np.full(4000, 1.3)]).astype(np.float32))
    assert median == pytest.approx(1.0, abs=1e-3) and spread == pytest.approx(0.02, rel=0.06)
    threshold = median + spread * 3.0902  # one of a thousand is beyond
    assert (innocent > threshold).mean() == pytest.approx(0.001, rel=0.5)


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    test = benchmark(tmp_path / "test.eng_Latn.jsonl")
    short = jsonl(tmp_path / "short.jsonl", [{"lang": "de", "text": "Zu kurz."}])
    with pytest.raises(DataError, match="no sentence is long enough"):
        find_contamination([short], [test], tmp_path / "out", model="fake")
    same = jsonl(tmp_path / "same.jsonl", [{"lang": "en", "text": f"{ENGLISH} 3."}])
    with pytest.raises(DataError, match="of one language"):
        find_contamination([same], [test], tmp_path / "out", model="fake")
    assert not (tmp_path / "out").exists()
    bad = jsonl(tmp_path / "bad.jsonl", [{"id": "x"}])
    recipe = {"inputs": [{"path": same}], "decontamination": {"drop": [bad]}}
    with pytest.raises(DataError, match="'text_sha256' is missing"):
        build_corpus(make(CorpusRecipe, {"corpus": recipe}), out=tmp_path / "corpus")
