"""Tagging through the doors that users take: taught, saved, scored, benchmarked, asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import interlingua
from interlingua.base.errors import ConfigError, DataError, LabelError, ModelError
from interlingua.models.folder import open_model
from interlingua.tasks.metrics.spans import span_counts, span_scores
from interlingua.tasks.tagging import repaired
from interlingua.training.settings import Strategy

NAMES = {"PER": ["Anna", "Boris", "Chidi"], "LOC": ["Lagos", "Paris", "Quito"]}
QUICK: dict[str, object] = {
    "training.full.epochs": 6,
    "training.full.learning_rate": 0.01,
    "training.full.head_learning_rate": 0.05,
    "training.lora.epochs": 6,
    "training.lora.learning_rate": 0.02,
    "training.lora.head_learning_rate": 0.05,
}


def sentences(count: int) -> list[tuple[list[str], list[str]]]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        tokens, tags = ["we", "met"], ["O", "O"]
        for kind in rng.permutation(["PER", "LOC"]):
            tokens += [str(rng.choice(NAMES[kind])), str(rng.choice(NAMES[kind])), "and"]
            tags += [f"B-{kind}", f"I-{kind}", "O"]
        found.append((tokens, tags))
    return found


def conll(path: Path, rows: list[tuple[list[str], list[str]]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(
        "".join(f"{token}\t{tag}\n" for token, tag in zip(*row, strict=True)) for row in rows
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagged") / "panx"
    conll(folder / "train-en.tsv", sentences(80))
    for lang in ("en", "de"):
        conll(folder / f"dev-{lang}.tsv", sentences(20))
    return folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, data: Path, small: Path) -> Path:
    out = tmp_path_factory.mktemp("taught") / "ner"
    interlingua.finetune(
        task="ner", train=data / "train-en.tsv", model=small, out=out, settings=QUICK
    )
    return out


@pytest.mark.parametrize("strategy", ["probe", "lora"])
def test_other_strategies_teach(
    tmp_path: Path, data: Path, small: Path, strategy: Strategy
) -> None:
    found = interlingua.finetune(
        task="ner",
        train=data / "train-en.tsv",
        validation=[data / "dev-en.tsv"],
        model=small,
        out=tmp_path / "m",
        strategy=strategy,
        settings=QUICK,
    )
    assert found.info.labels == ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
    card = interlingua.evaluate(tmp_path / "m", test=[data / "dev-en.tsv"], out=tmp_path / "card")
    score = card.per_language["eng_Latn"].score
    assert score == pytest.approx(found.info.scores["validation"]["score"], abs=0.03)
    assert score > 0.5  # six names tell the type


def test_scorecard_predictions_and_page_of_a_benchmark(
    tmp_path: Path, data: Path, taught: Path
) -> None:
    card = interlingua.benchmark("panx", model=taught, data_dir=data, out=tmp_path)
    assert set(card.per_language) == {"eng_Latn", "deu_Latn"}
    assert card.source_languages == ("eng_Latn",) and card.labels == ("LOC", "PER")
    rows = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text().splitlines()]
    for lang, told in card.per_language.items():
        own = [row for row in rows if row["lang"] == lang]
        counts = span_counts([r["gold"] for r in own], [r["tags"] for r in own])
        assert told.score == pytest.approx(span_scores(counts).f1, abs=1e-9)
        assert told.ci[0] <= told.score <= told.ci[1]
        assert set(told.metrics) >= {"accuracy", "precision", "recall", "span_f1"}
    for row in rows:
        assert len(row["tokens"]) == len(row["tags"]) == len(row["gold"])
        for entity in row["entities"]:
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]
    assert "span F1" in (tmp_path / "scorecard.html").read_text(encoding="utf-8")


def test_transformers_opens_the_folder_with_the_same_tags(taught: Path) -> None:
    import transformers

    from interlingua.batches.words import WordTokenizer
    from interlingua.inference.tag import SentenceTagger

    peer, report = transformers.AutoModelForTokenClassification.from_pretrained(
        taught, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    folder = open_model(taught)
    words = [tokens for tokens, _ in sentences(5)]
    tagger = SentenceTagger(folder, exact=True)
    found = tagger.tag(words)
    read = WordTokenizer(folder.tokenizer(), max_length=512).windows(words)
    for window, tags, scores in zip(read.windows, found.tags, found.scores, strict=True):
        with torch.inference_mode():
            logits = peer.eval()(torch.from_numpy(window.input_ids[None].astype(np.int64))).logits
        own = logits[0][torch.from_numpy(window.places)].softmax(-1)
        np.testing.assert_allclose(scores, own.max(dim=-1).values.numpy(), atol=1e-5)
        assert repaired([peer.config.id2label[i] for i in own.argmax(-1).tolist()]) == tags


def test_engines_agree(taught: Path) -> None:
    pytest.importorskip("openvino")
    from interlingua.inference.tag import SentenceTagger

    words = [tokens for tokens, _ in sentences(12)]
    folder = open_model(taught)
    torch_scores = SentenceTagger(folder, engine="torch", precision="float32").tag(words)
    other = SentenceTagger(folder, engine="openvino", precision="float32").tag(words)
    assert other.tags == torch_scores.tags
    for ours, theirs in zip(torch_scores.scores, other.scores, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_a_run_is_resumed_and_goes_on_from_its_head(
    tmp_path: Path, data: Path, small: Path, taught: Path
) -> None:
    again = interlingua.finetune(
        task="ner",
        train=data / "train-en.tsv",
        model=taught,
        out=tmp_path / "again",
        settings={"training.full.epochs": 1, "training.full.learning_rate": 1e-6},
    )
    assert again.info.scores["validation"]["score"] > 0.5


def test_mistakes_are_named(tmp_path: Path, data: Path, small: Path, taught: Path) -> None:
    broken = tmp_path / "train-en.tsv"
    broken.write_text("Anna\tB-PER\n\nBoris\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train-en\.tsv, line 3"):
        interlingua.finetune(task="ner", train=broken, model=small, out=tmp_path / "m")
    one = conll(tmp_path / "one.tsv", [(["a", "b"], ["O", "O"])])
    with pytest.raises(LabelError, match="all words"):
        interlingua.finetune(task="ner", train=one, model=small, out=tmp_path / "m", lang="en")
    with pytest.raises(ConfigError, match="head"):
        interlingua.finetune(
            task="ner", train=data / "train-en.tsv", model=small, out=tmp_path, strategy="head"
        )
    other = conll(tmp_path / "other.tsv", [(["a", "b"], ["O", "B-DATE"])])
    with pytest.raises(LabelError, match=r"B-DATE.*token 2"):
        interlingua.evaluate(taught, test=[other], out=tmp_path / "card", lang="en")
    with pytest.raises(ModelError, match="no head that tags"):
        from interlingua.inference.tag import SentenceTagger

        SentenceTagger(open_model(small))


def test_the_tagger_answers_for_every_text_and_token(taught: Path) -> None:
    tagger = interlingua.Tagger(taught, engine="torch")
    long = ["Anna"] * 1500
    texts = ["we met Anna Boris and Lagos Paris and", "", "北京\ud800", long, ["", "\u200d", "x"]]
    found = tagger.predict(texts)
    assert [len(row.tags) for row in found] == [8, 0, 3, 1500, 3]
    for row in found:
        assert len(row.tokens) == len(row.tags) == len(row.scores) == len(row.offsets)
        assert [row.text[start:end] for start, end in row.offsets] == row.tokens
        for entity in row.entities:
            assert row.text[entity.start : entity.end] == entity.text
    assert [(e.type, e.text) for e in found[0].entities] == [
        ("PER", "Anna Boris"),
        ("LOC", "Lagos Paris"),
    ]


def test_the_command_tags_texts_and_tokens(
    tmp_path: Path, taught: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from interlingua.cli.main import main

    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "a", "tokens": ["we", "met", "Anna"]}\n{"text": "Quito"}\n')
    with pytest.raises(SystemExit) as left:
        main(["tag", "--model", str(taught), "--input", str(source), "--json", "--quiet"])
    assert left.value.code == 0
    rows = json.loads(capsys.readouterr().out)["predictions"]
    assert [(row["id"], len(row["tags"])) for row in rows] == [("a", 3), ("2", 1)]
    source.write_text('{"id": "a"}\n')
    with pytest.raises(SystemExit) as left:
        main(["tag", "--model", str(taught), "--input", str(source)])
    assert left.value.code == 2 and "line 1" in capsys.readouterr().err


def test_the_command_projects_tags(tmp_path: Path, data: Path, small: Path) -> None:
    from interlingua.retrieval.projection import project_files

    texts = tmp_path / "de.txt"
    texts.write_text(
        "".join(" ".join(tokens) + "\n" for tokens, _ in sentences(20)), encoding="utf-8"
    )
    out = tmp_path / "de.jsonl"
    done = project_files(data / "dev-en.tsv", texts, out, lang="de", model=small)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert done.sentences == len(rows) and done.sentences + done.dropped == 20
    assert all(len(row["tokens"]) == len(row["tags"]) for row in rows)
    texts.write_text("one\n", encoding="utf-8")
    with pytest.raises(DataError, match="1 translations of 20"):
        project_files(data / "dev-en.tsv", texts, out, lang="de", model=small)
