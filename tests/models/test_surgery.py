"""A trimmed or extended model gives the same vectors wherever its pieces are the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import ConfigError, DataError, InterlinguaError, ModelError
from interlingua.base.files import check_manifest
from interlingua.corpus import phrasebook
from interlingua.corpus.texts import open_texts
from interlingua.inference.encode import Encoder
from interlingua.models.folder import ModelFolder, open_model
from interlingua.models.surgery import load_whole, new_rows, revise
from interlingua.models.vocabulary import extend_model, trim_model
from interlingua.vocab.vocabulary import Revision, Vocabulary


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
        some = kept[:12]
        np.testing.assert_allclose(vectors(small, some), vectors(starter, some), atol=1e-6)
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
    untouched = texts_of("jpn_Jpan")[:8]
    np.testing.assert_allclose(vectors(big, untouched), vectors(starter, untouched), atol=1e-6)


def test_what_cannot_be_trimmed_is_refused(tmp_path: Path, starter: ModelFolder) -> None:
    texts = open_texts([file_of("eng_Latn")])
    with pytest.raises(InterlinguaError, match="xyz"):
        trim_model("starter", texts, out=tmp_path / "m", languages=["xyz_Latn"], coverage=0.9)
    assert not (tmp_path / "m").exists()


def _revision(folder: ModelFolder, gone: set[str]) -> Revision:
    vocabulary = Vocabulary.of(folder.tokenizer(), name="tiny")
    return vocabulary.kept(i for i, piece in enumerate(vocabulary.pieces) if piece not in gone)


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("bert", "AutoModel"),
        ("bert", "AutoModelForMaskedLM"),
        ("xlm-roberta", "AutoModelForMaskedLM"),
        ("xlm-roberta", "AutoModelForTokenClassification"),
        ("mt5", "MT5ForConditionalGeneration"),
    ],
)
def test_every_matrix_with_a_row_a_piece_follows(tiny_folder, kind: str, cls: str) -> None:
    """Logits over the pieces that stayed are those of the same pieces before."""
    import torch

    folder = open_model(tiny_folder(kind, cls=cls))
    revision = _revision(folder, {"q", "ab", "c"})
    assert len(revision.origin) == 20
    whole, less = load_whole(folder), load_whole(folder)
    revise(less, revision)
    assert less.config.vocab_size == 20
    new = torch.arange(20)[None]
    old = torch.from_numpy(revision.origin)[None]
    extra = {} if kind != "mt5" else {"decoder_input_ids": old}
    fewer = {} if kind != "mt5" else {"decoder_input_ids": new}
    with torch.inference_mode():
        before = whole(input_ids=old, **extra)[0]
        after = less(input_ids=new, **fewer)[0]
    if before.shape[-1] == 24:
        before = before[..., revision.origin]
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)
    moved = revision.moved()
    for name in ("pad_token_id", "eos_token_id", "decoder_start_token_id"):
        old_id = getattr(whole.config, name, None)
        if old_id in moved:
            assert getattr(less.config, name) == moved[old_id]


def test_new_rows_begin_as_asked(tiny_folder) -> None:
    import torch

    folder = open_model(tiny_folder("bert"))
    vocabulary = Vocabulary.of(folder.tokenizer(), name="tiny")
    revision = vocabulary.with_pieces(["abq", "猫"], [-1.0, -2.0])
    parts = [[vocabulary.pieces.index("ab"), vocabulary.pieces.index("q")], []]
    rows = load_whole(folder).get_input_embeddings().weight.detach()[:23]
    for initialisation in ("decompose", "mean", "random"):
        model = load_whole(folder)
        revise(model, revision, parts=parts, initialisation=initialisation, seed=3)
        made = model.get_input_embeddings().weight.detach()
        torch.testing.assert_close(made[:23], rows)
        first = made[23]
        if initialisation == "decompose":
            torch.testing.assert_close(first, rows[parts[0]].mean(dim=0))
        elif initialisation == "mean":
            torch.testing.assert_close(first, rows.mean(dim=0))
        if initialisation != "mean":
            assert not torch.equal(made[24], rows.mean(dim=0))
    many = new_rows(rows, [[]] * 4000, "random", seed=0)
    torch.testing.assert_close(many.mean(dim=0), rows.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(many.std(dim=0), rows.std(dim=0), atol=0.05, rtol=0)


def test_a_model_with_too_few_rows_is_refused(tiny_folder) -> None:
    folder = open_model(tiny_folder("bert"))
    revision = _revision(folder, {"q"})
    model = load_whole(folder)
    model.resize_token_embeddings(10, mean_resizing=False)
    with pytest.raises(ModelError, match="10 embeddings, its tokenizer 23 pieces"):
        revise(model, revision)


def test_stale_ids_of_added_tokens_do_not_travel(tiny_folder, tmp_path: Path) -> None:
    """Files that number the tokens again would give a trimmed model its old ids back."""
    import transformers

    source = tiny_folder("xlm-roberta")
    config = json.loads((source / "tokenizer_config.json").read_text())
    mask = {"content": "<mask>", "special": True}
    config["added_tokens_decoder"] = {"22": mask}
    (source / "tokenizer_config.json").write_text(json.dumps(config))
    (source / "added_tokens.json").write_text('{"<mask>": 22}')
    rows = tmp_path / "t.jsonl"
    rows.write_text('{"text": "ab a", "lang": "eng_Latn"}\n')
    report = trim_model(
        str(source),
        open_texts([rows]),
        out=tmp_path / "out",
        languages=["en"],
        size=21,
        tests=open_texts([rows]),
    )
    assert report["pieces"] == {"before": 23, "after": 21}
    out = open_model(tmp_path / "out")
    assert out.config["vocab_size"] == 21 and out.info.parent == "model"
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    assert theirs.mask_token_id == out.tokenizer().token_to_id("<mask>") == 20
    assert check_manifest(out.path) == []
    assert transformers.AutoModel.from_pretrained(out.path).config.vocab_size == 21


@pytest.mark.parametrize(("size", "said"), [(3, "alone are"), (400_000, "the vocabulary has")])
def test_a_size_that_cannot_be_is_refused(tiny_folder, tmp_path: Path, size, said) -> None:
    rows = tmp_path / "t.jsonl"
    rows.write_text('{"text": "ab a", "lang": "eng_Latn"}\n')
    with pytest.raises(ConfigError, match=said):
        trim_model(
            str(tiny_folder()),
            open_texts([rows]),
            out=tmp_path / "o",
            languages=["en"],
            size=size,
            tests=open_texts([rows]),
        )


def test_more_new_pieces_than_the_text_gives_are_refused(tmp_path: Path, starter) -> None:
    rows = tmp_path / "t.jsonl"
    rows.write_text('{"text": "mbote na yo"}\n' * 20)
    with pytest.raises(ConfigError, match=r"--add 500 is too many"):
        extend_model(
            "starter", open_texts([rows], lang="lin"), out=tmp_path / "o", lang="lin_Latn", add=500
        )
    with pytest.raises(DataError, match="no text in swh_Latn"):
        extend_model(
            "starter", open_texts([rows], lang="lin"), out=tmp_path / "o", lang="swh_Latn", add=5
        )
