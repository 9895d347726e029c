"""A trimmed or extended model gives the same vectors wherever its pieces are the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InterlinguaError
from interlingua.corpus import phrasebook
from interlingua.inference.encode import Encoder
from interlingua.models.folder import ModelFolder, open_model
from interlingua.models.vocabulary import extend_model, trim_model
from interlingua.vocab.texts import open_texts


def file_of(tag: str) -> Path:
    return next(file for file in phrasebook.test_files() if tag in file.name)


def texts_of(tag: str) -> list[str]:
    lines = file_of(tag).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def vectors(folder: ModelFolder, texts: list[str]) -> np.ndarray:
    return Encoder(folder, engine="torch", exact=True).encode(texts).vectors


def test_trimmed_texts_whose_pieces_stay_have_the_same_vectors(
    tmp_path: Path, starter: ModelFolder
) -> None:
    tags = ["eng_Latn", "deu_Latn", "zho_Hans"]
    texts = open_texts([file_of(tag) for tag in tags])
    trim_model("starter", texts, out=tmp_path / "small", languages=tags, coverage=1.0)
    small = open_model(tmp_path / "small")
    assert small.config["vocab_size"] < 40_000
    before, after = starter.tokenizer(), small.tokenizer()
    same = 0
    for tag in tags:
        kept = [
            text
            for text in texts_of(tag)
            if before.encode(text).tokens == after.encode(text).tokens
        ]
        same += len(kept)
        np.testing.assert_allclose(vectors(small, kept), vectors(starter, kept), atol=1e-6)
    assert same > 100
    import transformers

    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "small")
    assert theirs("Guten Tag").input_ids == after.encode("Guten Tag").ids


def test_new_pieces_shorten_a_language_and_leave_others_alone(
    tmp_path: Path, starter: ModelFolder
) -> None:
    rows = tmp_path / "text.jsonl"
    words = ["ndzhelelo", "vhuimo", "mushumo", "tshikolo", "vhathu", "zwiliwa"]
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(words, size=8)) for _ in range(400)]
    rows.write_text("".join(json.dumps({"text": t, "lang": "ven_Latn"}) + "\n" for t in lines))
    extend_model("starter", open_texts([rows]), out=tmp_path / "big", lang="ven_Latn", add=5)
    big = open_model(tmp_path / "big")
    text = " ".join(words)
    before, after = starter.tokenizer(), big.tokenizer()
    assert len(after.encode(text).ids) < len(before.encode(text).ids)
    assert after.decode(after.encode(text).ids) == text
    untouched = texts_of("jpn_Jpan")[:20]
    np.testing.assert_allclose(vectors(big, untouched), vectors(starter, untouched), atol=1e-6)


def test_what_cannot_be_trimmed_is_refused(tmp_path: Path, starter: ModelFolder) -> None:
    texts = open_texts([file_of("eng_Latn")])
    with pytest.raises(InterlinguaError, match="xyz"):
        trim_model("starter", texts, out=tmp_path / "m", languages=["xyz_Latn"], coverage=0.9)
    assert not (tmp_path / "m").exists()
