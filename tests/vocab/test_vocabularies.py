"""Vocabularies: trained alike twice, audited rightly, trimmed and extended without harm."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.config import make
from interlingua.base.errors import InterlinguaError
from interlingua.base.files import sha256_file
from interlingua.corpus import phrasebook
from interlingua.corpus.sampling import by_temperature, by_unimax
from interlingua.corpus.texts import open_texts
from interlingua.vocab.audit import audit, parity
from interlingua.vocab.train import VocabSettings, train_vocabulary
from interlingua.vocab.vocabulary import read_vocabulary


def settings(**changes: object) -> VocabSettings:
    return make(VocabSettings, {"size": 1500, "coverage": 0.99, **changes})


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_training_twice_gives_the_same_bytes_and_agrees_with_sentencepiece(
    tmp_path: Path, kind: str
) -> None:
    import sentencepiece
    import transformers

    files = phrasebook.test_files()
    for name in ("a", "b"):
        report = train_vocabulary(open_texts(files), settings(kind=kind), out=tmp_path / name)
    assert report.size == 1500
    names = ["tokenizer.json", *[p.name for p in (tmp_path / "a").glob("*.model")]]
    assert len(names) == 2
    for name in names:
        assert sha256_file(tmp_path / "a" / name) == sha256_file(tmp_path / "b" / name)
    tokenizer = read_vocabulary(tmp_path / "a")
    model = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "a" / names[1]))
    texts = [
        json.loads(line)["text"]
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    for text in [*texts, "  two  spaces ", "ﬁ ① 😀 x\u200dy", ""]:
        mine = tokenizer.encode(text, add_special_tokens=False).tokens
        assert mine == model.encode(text, out_type=str), text
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "a")
    assert theirs("a b").input_ids == tokenizer.encode("a b").ids
    assert theirs.mask_token_id is not None


def test_more_pieces_than_the_text_gives_is_refused(tmp_path: Path) -> None:
    texts = open_texts(phrasebook.test_files()[:1])
    with pytest.raises(InterlinguaError, match="size"):
        train_vocabulary(texts, settings(size=100_000, byte_fallback=False), out=tmp_path / "v")
    assert not (tmp_path / "v").exists()


def test_parity_by_hand() -> None:
    found = parity({"a": 4, "b": 9, "x": 5}, {"a": 2, "b": 3, "y": 1}, seed=0, names=("t",))
    assert found is not None
    shared, mean, (low, high) = found
    assert (shared, mean) == (2, 2.5)
    assert 2.0 <= low <= high <= 3.0
    assert parity({"a": 1}, {"b": 1}, seed=0, names=("t",)) is None


def test_an_audit_counts_what_the_tokenizer_does(tmp_path: Path) -> None:
    train_vocabulary(open_texts(phrasebook.test_files()), settings(), out=tmp_path / "v")
    tokenizer = read_vocabulary(tmp_path / "v")
    files = [f for f in phrasebook.test_files() if "eng_" in f.name or "deu_" in f.name]
    found = audit(tokenizer, open_texts(files), name="v", reference="eng_Latn")
    german = found.languages["deu_Latn"]
    texts = {
        file.name: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in files
    }
    lengths = {
        name: {
            row["id"]: len(tokenizer.encode(row["text"], add_special_tokens=False).ids)
            for row in rows
        }
        for name, rows in texts.items()
    }
    deu, eng = (next(v for k, v in lengths.items() if tag in k) for tag in ("deu_", "eng_"))
    assert german.tokens == sum(deu.values())
    rows = next(v for k, v in texts.items() if "deu_" in k)
    words = sum(len(row["text"].split()) for row in rows)
    assert german.fertility == pytest.approx(sum(deu.values()) / words, rel=0.05)
    ratios = [deu[i] / eng[i] for i in deu]
    assert german.premium == pytest.approx(np.mean(ratios) - 1, abs=1e-6)
    assert found.languages["eng_Latn"].premium is None


SIZES = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.integers(1, 10**6), min_size=1, max_size=4
)


@given(sizes=SIZES, budget=st.integers(1, 10**7))
def test_unimax_gives_all_the_same_as_far_as_there_is_text(
    sizes: dict[str, int], budget: int
) -> None:
    taken = by_unimax(sizes, budget=budget, epochs=2.0)
    assert sum(taken.values()) == pytest.approx(min(budget, sum(sizes.values())))
    for lang, size in sizes.items():
        assert taken[lang] <= 2 * size * (1 + 1e-9)
        short = taken[lang] < max(taken.values()) * (1 - 1e-9)
        assert not short or taken[lang] == pytest.approx(2 * size)


@given(sizes=SIZES)
def test_temperature_one_keeps_shares_and_zero_levels_them(sizes: dict[str, int]) -> None:
    kept = by_temperature(sizes, budget=10**9, temperature=1.0)
    assert all(kept[lang] == pytest.approx(size) for lang, size in sizes.items())
    level = by_temperature(sizes, budget=min(sizes.values()), temperature=0.0)
    assert max(level.values()) == pytest.approx(min(level.values()))
