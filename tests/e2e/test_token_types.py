"""Models that tell two texts apart by token types, against transformers fed by its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.config import make
from interlingua.batches.tokens import pad
from interlingua.corpus.phrasebook import question_files
from interlingua.inference.encode import Encoder
from interlingua.inference.read import ContextReader
from interlingua.models.folder import ModelFolder, in_pairs, open_model
from interlingua.models.heads import Head
from interlingua.models.save import save_model
from interlingua.models.tokenizer import SecondText, second_text
from interlingua.tasks.questions import Questions
from interlingua.tasks.record import TASKS
from interlingua.training.lesson import prepare
from interlingua.training.settings import FinetuneRecipe

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from interlingua.models.encoder import (  # noqa: E402 - needs torch
    load_encoder,
    pool_pair,
    token_types,
)
from interlingua.models.native import ANSWER_LABELS, with_head  # noqa: E402
from interlingua.training.distributed import Processes  # noqa: E402

ENGLISH = next(file for file in question_files() if "eng_Latn" in file.name)
WORDS = st.lists(st.sampled_from(["the", "dog", "runs", "Rome", "?"]), min_size=1, max_size=9)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with random weights, and a tokenizer of its kind: ``[CLS] a [SEP] b [SEP]``."""
    from tokenizers import BertWordPieceTokenizer

    rows = [json.loads(line) for line in ENGLISH.read_text(encoding="utf-8").splitlines()]
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    texts = [row[name] for row in rows for name in ("question", "context")]
    tokenizer.train_from_iterator(texts, vocab_size=400, show_progress=False)
    folder = tmp_path_factory.mktemp("bert")
    tokenizer.save_model(str(folder))
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(
        folder
    )
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=160,
    )
    torch.manual_seed(0)
    model = transformers.BertModel(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def reader(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """The same with a head that says where an answer is, at random."""
    source, out = open_model(bert), tmp_path_factory.mktemp("reader")
    rng = np.random.default_rng(0)
    weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((2, 32), 2))
    model = with_head(load_encoder(source), Head(weight, bias, ANSWER_LABELS), "question-answering")
    info = source.info.model_copy(update={"task": "qa", "max_length": 160})
    save_model(out, encoder=model, source=source, info=info, head=None)
    return open_model(out)


def official(folder: Path, texts: list[str], seconds: list[str]) -> Any:
    """What the tokenizer of transformers feeds a model with."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    fed = tokenizer(texts, seconds, padding=True, return_tensors="pt")
    assert fed["token_type_ids"].any()
    return fed


def logits_of(model: Any, fed: Any) -> np.ndarray:
    with torch.inference_mode():
        out = model.eval()(**fed)
    return torch.stack([out.start_logits, out.end_logits], dim=-1).numpy()


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_a_reader_gives_the_logits_of_transformers(reader: ModelFolder, engine: str) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    rows = Questions.read([ENGLISH], TASKS.get("qa")).rows
    questions, contexts = [row.question for row in rows], [row.context for row in rows]
    ours = ContextReader(reader, engine=engine, precision="float32")
    windows = ours.windows(questions, contexts)
    assert len(windows.input_ids) == len(rows)
    ids, mask = pad(windows.input_ids, reader.pad_id)
    fed = official(reader.path, questions, contexts)
    assert fed["input_ids"].tolist() == ids.tolist()
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(reader.path)
    wanted, there = logits_of(model, fed), mask.astype(bool)
    found = ours.engine().run(ids, mask)
    np.testing.assert_allclose(found[there], wanted[there], atol=2e-4)
    without = logits_of(model, {**fed, "token_type_ids": torch.zeros_like(fed["input_ids"])})
    assert np.abs(without - wanted)[there].max() > 0.01


@pytest.mark.parametrize("strategy", ["full", "lora", "head"])
def test_a_reader_is_trained_on_the_same_logits(reader: ModelFolder, strategy: str) -> None:
    recipe = make(
        FinetuneRecipe,
        {
            "model": {"name": str(reader.path)},
            "data": {"task": "qa", "train": [str(ENGLISH)]},
            "training": {
                "strategy": strategy,
                "reading": {"window": 160},
                strategy: {"precision": "float32"},
            },
        },
    )
    lesson = prepare(recipe)
    learner = lesson.learner(
        getattr(recipe.training, strategy),
        lesson.train,
        lesson.train,
        group=Processes(0, 1, torch.device("cpu")),
    )
    learner.training_mode(False)
    rows = lesson.train.rows
    with torch.inference_mode():
        found = learner._logits(learner.train, np.arange(len(rows))).numpy()
    fed = official(reader.path, [row.question for row in rows], [row.context for row in rows])
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(reader.path)
    there = fed["attention_mask"].numpy().astype(bool)
    wanted = logits_of(model, fed)
    np.testing.assert_allclose(found[:, : there.shape[1]][there], wanted[there], atol=2e-4)


def test_vectors_of_pairs_are_pooled_from_the_states_of_transformers(bert: Path) -> None:
    folder = in_pairs(open_model(bert))
    texts, seconds = ["the dog runs", "the dog"], ["the dog", "the dog runs in Rome ?"]
    found = Encoder(folder, exact=True).encode(texts, pairs=seconds).vectors
    fed = official(bert, texts, seconds)
    separator = folder.info.separator
    assert separator is not None
    with torch.inference_mode():
        hidden = transformers.BertModel.from_pretrained(bert).eval()(**fed).last_hidden_state
        ids, mask = fed["input_ids"], fed["attention_mask"]
        wanted = pool_pair(hidden, ids, mask, separator, normalize=folder.info.normalize)
    np.testing.assert_allclose(found, wanted.numpy(), atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(WORDS, WORDS | st.none()), min_size=1, max_size=5))
def test_types_are_those_of_the_tokenizer(bert: Path, pairs: list[tuple[Any, Any]]) -> None:
    tokenizer = open_model(bert).tokenizer()
    encodings = [
        tokenizer.encode(" ".join(a)) if b is None else tokenizer.encode(" ".join(a), " ".join(b))
        for a, b in pairs
    ]
    ids, mask = pad([np.array(encoding.ids) for encoding in encodings], 0)
    second = open_model(bert).second
    assert second is not None
    found = token_types(torch.from_numpy(ids), torch.from_numpy(mask), second).numpy()
    for row, encoding in zip(found, encodings, strict=True):
        assert row[: len(encoding)].tolist() == encoding.type_ids
        assert not row[len(encoding) :].any()


def test_only_models_and_tokenizers_that_count_types_have_them(
    bert: Path, tmp_path: Path, tokenizer_folder: Path, starter: ModelFolder
) -> None:
    folder = open_model(bert)
    separator = folder.tokenizer().token_to_id("[SEP]")
    assert folder.second == SecondText(separator, 1)
    assert starter.second is None and second_text(starter.tokenizer()) is None
    template = open_model(_copy(bert, tmp_path / "template", tokenizer_folder))
    assert template.second == SecondText(template.tokenizer().token_to_id("</s>"), 2)
    one = _copy(bert, tmp_path / "one")
    _change(one / "config.json", type_vocab_size=1)
    assert open_model(one).second is None
    silent = _copy(bert, tmp_path / "silent")
    _change(silent / "tokenizer_config.json", model_input_names=["input_ids", "attention_mask"])
    assert open_model(silent).second is None


def _copy(folder: Path, out: Path, tokenizer: Path | None = None) -> Path:
    import shutil

    shutil.copytree(folder, out)
    if tokenizer is not None:
        shutil.copyfile(tokenizer / "tokenizer.json", out / "tokenizer.json")
    return out


def _change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
