"""What is saved opens again, here and in the libraries it is meant for, with the same vectors."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from interlingua.base.errors import ModelError
from interlingua.base.files import atomic_folder, check_manifest
from interlingua.models.folder import DataFile, ModelInfo, open_model
from interlingua.models.heads import Head
from interlingua.models.save import save_model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from interlingua.models.encoder import PooledEncoder, load_encoder  # noqa: E402 - needs torch

TEXTS = ["ab q a ", "猫 a<mask> b", "é", "", "  a\tb  "]
E5 = {"query": "ab: ", "passage": "q: "}


def _save(out, source, *, encoder=None, info=None, head=None, **more):
    with atomic_folder(out) as temporary:
        save_model(
            temporary, encoder=encoder, source=source, info=info or source.info, head=head, **more
        )
    return open_model(out)


def _encode(folder, texts, prefix=None) -> np.ndarray:
    module = PooledEncoder.for_folder(load_encoder(folder), folder)
    tokenizer, rows = folder.tokenizer(), []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(folder.info.prefix(prefix) + text).ids])
        with torch.inference_mode():
            rows.append(module(ids, torch.ones_like(ids))[0].numpy())
    return np.array(rows)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "distilbert", "modernbert", "mt5"])
@pytest.mark.parametrize("copied", [True, False])
def test_saved_and_opened_gives_the_same_vectors(tiny_folder, tmp_path, kind, copied) -> None:
    source = open_model(tiny_folder(kind))
    encoder = None if copied else load_encoder(source)
    info = ModelInfo(prefixes=E5, default_prefix="query", max_length=30, seed=3)
    saved = _save(tmp_path / "out", source, encoder=encoder, info=info)
    assert check_manifest(saved.path) == []
    assert saved.info.prefixes == E5 and saved.info.seed == 3 and saved.info.version
    assert (saved.width, saved.pad_id) == (source.width, source.pad_id)
    expected = _encode(source, ["ab: " + text for text in TEXTS])
    np.testing.assert_array_equal(_encode(saved, TEXTS), expected)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_transformers_opens_it(tiny_folder, tmp_path, kind) -> None:
    source = open_model(tiny_folder(kind))
    saved = _save(tmp_path / "out", source, encoder=load_encoder(source))
    model = transformers.AutoModel.from_pretrained(saved.path).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved.path)
    assert tokenizer.model_max_length == saved.info.max_length
    for text, expected in zip(TEXTS, _encode(saved, TEXTS), strict=True):
        batch = tokenizer(text, return_tensors="pt")
        assert batch["input_ids"][0].tolist() == saved.tokenizer().encode(text).ids
        with torch.inference_mode():
            vector = model(**batch).last_hidden_state[0].mean(dim=0).numpy()
        assert np.dot(vector, expected) / np.linalg.norm(vector) >= 1 - 1e-6


@pytest.mark.parametrize(
    ("kind", "pooling", "normalize"), [("bert", "mean", True), ("xlm-roberta", "cls", False)]
)
def test_sentence_transformers_gives_the_same_vectors(
    tiny_folder, tmp_path, kind, pooling, normalize
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    source = open_model(tiny_folder(kind))
    info = ModelInfo(
        pooling=pooling, normalize=normalize, prefixes=E5, default_prefix="query", max_length=30
    )
    saved = _save(tmp_path / "out", source, encoder=load_encoder(source), info=info)
    theirs = sentence_transformers.SentenceTransformer(
        str(saved.path), device="cpu", local_files_only=True, trust_remote_code=False
    )
    assert theirs.max_seq_length == 30
    for prefix in (None, "query", "passage"):
        ours = _encode(saved, TEXTS, prefix)
        vectors = theirs.encode(TEXTS, prompt_name=prefix)
        np.testing.assert_allclose(vectors, ours, atol=1e-5)
        lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(vectors, axis=1)
        assert ((vectors * ours).sum(axis=1) / lengths).min() >= 1 - 1e-6


def test_a_head_travels_with_its_labels(tiny_folder, tmp_path) -> None:
    source = open_model(tiny_folder())
    rng = np.random.default_rng(0)
    head = Head(
        rng.normal(size=(3, 64)).astype(np.float32),
        rng.normal(size=3).astype(np.float32),
        ("sport", "art", "π | math"),
        rng.normal(size=64).astype(np.float32),
    )
    info = ModelInfo(task="topic", labels=head.labels, layers=(1, 2), max_length=38)
    saved = _save(tmp_path / "out", source, info=info, head=head)
    assert saved.info.labels == head.labels
    features = _encode(saved, TEXTS)
    assert features.shape == (5, 64)
    np.testing.assert_array_equal(saved.head().logits(features), head.logits(features))
    with pytest.raises(ModelError, match="3 labels, the model 2"):
        _save(tmp_path / "bad", source, info=ModelInfo(labels=("a", "b")), head=head)
    assert not (tmp_path / "bad").exists()


def test_saving_a_saved_model_again_keeps_its_bytes(tiny_folder, tmp_path) -> None:
    source = open_model(tiny_folder())
    first = _save(tmp_path / "first", source, encoder=load_encoder(source))
    second = _save(tmp_path / "second", first)
    third = _save(tmp_path / "third", first, encoder=load_encoder(first))
    assert first.fingerprint == second.fingerprint == third.fingerprint
    names = {p.relative_to(first.path) for p in first.path.rglob("*") if p.is_file()}
    for name in names:
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes(), name


def test_nothing_saved_names_a_place_on_this_machine(tiny_folder, tmp_path) -> None:
    source = open_model(tiny_folder())
    saved = _save(tmp_path / "out", source, encoder=load_encoder(source))
    for file in saved.path.rglob("*"):
        if file.is_file():
            assert str(tmp_path).encode() not in file.read_bytes(), file.name


def test_sharded_weights_are_copied_whole(tiny_folder, tmp_path) -> None:
    path = tiny_folder()
    load_encoder(open_model(path)).save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "shards" / name).write_bytes((path / name).read_bytes())
    saved = _save(tmp_path / "out", open_model(tmp_path / "shards"))
    assert len(saved.weights) > 1
    np.testing.assert_array_equal(_encode(saved, TEXTS), _encode(open_model(path), TEXTS))


def test_another_tokenizer_may_be_given(tiny_folder, tmp_path) -> None:
    source = open_model(tiny_folder())
    tokenizer = source.tokenizer()
    tokenizer.normalizer = None
    saved = _save(tmp_path / "out", source, tokenizer=tokenizer)
    assert saved.tokenizer().normalizer is None and source.tokenizer().normalizer is not None


def test_files_may_be_read_by_others(tiny_folder, tmp_path) -> None:
    source = open_model(tiny_folder())
    saved = _save(tmp_path / "out", source, encoder=load_encoder(source))
    modes = {file.stat().st_mode & 0o777 for file in saved.path.rglob("*") if file.is_file()}
    assert len(modes) == 1


def test_licence_and_citation_are_inherited(tiny_folder, tmp_path) -> None:
    path = tiny_folder()
    (path / "interlingua.json").write_text(
        json.dumps({"licence": "CC-BY-SA-4.0", "citation": "Somebody, 2020", "parent": "who/what"})
    )
    saved = _save(tmp_path / "out", open_model(path), info=ModelInfo(task="topic", max_length=9))
    assert saved.info.licence == "CC-BY-SA-4.0" and saved.info.parent == "who/what"
    card = (saved.path / "README.md").read_text()
    assert "Licence of the weights: CC-BY-SA-4.0." in card and "Somebody, 2020" in card


def test_the_card_says_what_was_taught_and_reached(tiny_folder, tmp_path) -> None:
    info = ModelInfo(
        task="topic",
        labels=("a", "b"),
        source_languages=("eng_Latn",),
        data=(DataFile(path="train|1.tsv", sha256="f" * 64, rows=1234),),
        scores={"accuracy": {"deu_Latn": 0.91239, "eng_Latn": 0.95}, "zero_shot_mean": 0.9},
        licence="MIT",
        max_length=38,
        seed=5,
    )
    source = open_model(tiny_folder())
    saved = _save(tmp_path / "out", source, info=info)
    card = (saved.path / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---")[1])
    assert front["license"] == "mit" and front["pipeline_tag"] == "text-classification"
    assert "| `train\\|1.tsv` | 1,234 | `" + "f" * 64 + "` |" in card
    assert "0.912" in card and "0.950" in card and "`deu_Latn`" in card
    assert "| zero_shot_mean | all languages | 0.900 |" in card
    assert "Labels: `a`, `b`." in card and "`eng_Latn`" in card and "seed 5" in card
    assert "was not tested" in card
    plain = (_save(tmp_path / "plain", source).path / "README.md").read_text()
    assert "No figures were recorded" in plain
