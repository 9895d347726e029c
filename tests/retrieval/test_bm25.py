"""BM25 against its formula, in words and in scripts without spaces."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import DataError
from interlingua.base.optional import available
from interlingua.languages.segmentation import search_terms
from interlingua.retrieval.bm25 import BM25, K1, B
from interlingua.retrieval.records import Filter, Passage

pytestmark = pytest.mark.skipif(not available("bm25s"), reason="bm25s is not installed")

TEXTS = {
    "a": ("eng_Latn", "The cat sat on the mat, the CAT."),
    "b": ("eng_Latn", "A dog and a cat."),
    "c": ("jpn_Jpan", "猫が好きです。犬も好きです。"),
    "d": ("tha_Thai", "แมวกินปลา"),
    "e": ("zho_Hans", "我喜欢猫"),
    "f": ("und", "..."),
}


def index() -> BM25:
    return BM25.build(
        Passage(name, text, lang, path=f"{lang}.txt", meta={"first": text[0]})
        for name, (lang, text) in TEXTS.items()
    )


def formula(query: str) -> dict[str, float]:
    documents = {name: Counter(search_terms(text)) for name, (_, text) in TEXTS.items()}
    mean = sum(d.total() for d in documents.values()) / len(documents)
    scores = {}
    for name, document in documents.items():
        total = 0.0
        for term in search_terms(query):
            n = sum(term in other for other in documents.values())
            idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
            f = document[term]
            total += idf * f / (f + K1 * (1 - B + B * document.total() / mean))
        scores[name] = total
    return {name: score for name, score in scores.items() if score > 0}


def test_terms() -> None:
    assert search_terms("Straße ＡＢＣ, don't 3") == ["strasse", "abc", "don", "t", "3"]
    assert search_terms("我喜欢 cats猫") == ["我", "喜", "欢", "我喜", "喜欢", "cats", "猫"]
    assert search_terms("กินปลา")[:2] == ["กิ", "น"]  # a letter goes with its vowel sign
    assert search_terms("コーヒー")[4:] == ["コー", "ーヒ", "ヒー"]
    assert search_terms("re\u00advi\u200eew\ufeff") == ["review"]
    assert search_terms("") == []


@pytest.mark.parametrize("query", ["the cat", "cat cat dog", "好き", "猫", "ปลา", "喜欢猫 dog"])
def test_scores_are_the_formula(query: str) -> None:
    found = dict(index().search([query], k=10)[0])
    assert found == pytest.approx(formula(query), rel=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert all(score < index().ceiling(query) for score in found.values())


def test_unknown_words_raise_the_ceiling() -> None:
    assert index().ceiling("cat zebra") > index().ceiling("cat") > 0
    assert index().search(["zebra", ""], k=3) == [[], []]


def test_filters() -> None:
    found = index().search(["cat 猫"], k=10, where=Filter(("eng_Latn",)))[0]
    assert [name for name, _ in found] == ["a", "b"] or {n for n, _ in found} == {"a", "b"}
    assert [n for n, _ in index().search(["cat"], k=9, where=Filter((), {"first": "A"}))[0]] == [
        "b"
    ]
    where = Filter((), {"path": "zho_Hans.txt"})
    assert [n for n, _ in index().search(["喜欢 cat"], k=9, where=where)[0]] == ["e"]


def test_saved_and_loaded(tmp_path: Path) -> None:
    made = index()
    made.save(tmp_path / "bm25", state="1")
    loaded = BM25.load(tmp_path / "bm25", state="1")
    assert loaded is not None
    assert loaded.search(["cat 好き"], k=5) == made.search(["cat 好き"], k=5)
    assert BM25.load(tmp_path / "bm25", state="2") is None
    (tmp_path / "bm25/rows.parquet").write_bytes(b"rubbish")
    with pytest.raises(DataError, match="made anew"):
        BM25.load(tmp_path / "bm25", state="1")


def test_no_terms_at_all(tmp_path: Path) -> None:
    empty = BM25.build([Passage("x", "...")])
    assert empty.search(["cat"], k=5) == [[]]
    empty.save(tmp_path / "bm25", state="1")
    loaded = BM25.load(tmp_path / "bm25", state="1")
    assert loaded is not None
    assert loaded.search(["cat"], k=5) == [[]]
    assert np.isclose(loaded.ceiling("cat"), math.log(1 + 1.5 / 0.5))
