"""The learner of pretraining: what it asks, what it measures, what it trains."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from interlingua.base.config import make
from interlingua.base.seeding import generator
from interlingua.batches.buckets import plan
from interlingua.batches.framing import frame_of, rectangle
from interlingua.batches.token_store import Text, TokenStore, build_store
from interlingua.models.language_model import LanguageModel
from interlingua.models.scratch import NewModel, model_of
from interlingua.models.tokenizer import load_tokenizer
from interlingua.objectives.masked_lm import IGNORE
from interlingua.training.arithmetic import Arithmetic
from interlingua.training.language_modelling import (
    LanguageModelLearner,
    Strand,
    Vocabulary,
    ask,
    phase_steps,
)
from interlingua.training.pretrain_settings import ObjectiveSettings, PretrainSettings

EXACT = Arithmetic(torch.device("cpu"), bfloat16=False)
SENTENCES = ["the weather is fine today", "where is the station", "a cup of tea please"]
PAIRS = [("good morning", "おはよう"), ("thank you", "ありがとう"), ("the water", "水")]


@pytest.fixture
def bench(tmp_path: Path, tokenizer_folder: Path) -> Bench:
    return Bench(tmp_path, tokenizer_folder)


class Bench:
    """Stores, a frame and learners over one small tokenizer."""

    def __init__(self, folder: Path, tokenizer_folder: Path) -> None:
        self.folder = folder
        self.tokenizer = load_tokenizer(tokenizer_folder)
        self.frame = frame_of(self.tokenizer, pad=1)
        self.size = self.tokenizer.get_vocab_size()
        sentinels = np.arange(self.size + 99, self.size - 1, -1)
        self.vocabulary = Vocabulary(self.frame, self.tokenizer.token_to_id("<mask>"), sentinels, 1)

    def store(self, texts: list[Text]) -> TokenStore:
        number = len(list(self.folder.iterdir()))
        return build_store(texts, self.tokenizer, self.folder / f"s{number}", max_tokens=40)

    def texts(self, lines: list[str], lang: str = "eng_Latn") -> TokenStore:
        return self.store([Text(line, lang, f"{lang}-{i}") for i, line in enumerate(lines)])

    def pairs(self) -> TokenStore:
        made = [
            Text(a, "eng_Latn", f"pair-{i}", second=b, second_lang="jpn_Jpan")
            for i, (a, b) in enumerate(PAIRS)
        ]
        return self.store(made)

    def learner(
        self,
        shape: str,
        kinds: dict[str, TokenStore],
        *,
        validation: dict[str, TokenStore] | None = None,
        objective: dict[str, Any] | None = None,
        **settings: Any,
    ) -> LanguageModelLearner:
        new = {"shape": shape, "tokenizer": "-", "layers": 1, "width": 16, "heads": 2}
        torch.manual_seed(0)
        model = model_of(
            make(NewModel, {**new, "max_length": 64}),
            vocabulary=self.size + 100,
            pad=1,
            start=0,
            end=2,
        ).eval()
        measured = validation or {}
        strands = []
        for kind, store in kinds.items():
            held = measured.get(kind)
            chosen = np.arange(0 if held is None else len(held))
            of = make(ObjectiveSettings, {"kind": kind, **(objective or {})})
            strands.append(Strand(of, store, held, chosen))
        values = {"steps": 8, "token_budget": 64, "precision": "float32", **settings}
        return LanguageModelLearner(
            LanguageModel(model),
            strands,
            self.vocabulary,
            settings=make(PretrainSettings, values),
            arithmetic=EXACT,
            learned_positions=shape in ("bert", "xlm-roberta"),
        )

    def ask(self, kind: str, store: TokenStore, *, decoder: bool = False, **given: Any) -> Any:
        return ask(
            make(ObjectiveSettings, {"kind": kind, **given}),
            rectangle(store, range(len(store)), self.frame),
            self.vocabulary,
            np.random.default_rng(3),
            rate=0.3,
            learned_positions=True,
            decoder=decoder,
        )


def quiet(learner: LanguageModelLearner) -> LanguageModelLearner:
    """Weights of zero: every token is as likely as any other."""
    for parameter in learner.trained.values():
        parameter.data.zero_()
    return learner


def test_bytes_behind_unknown_tokens_cost_eight_bits_each(bench: Bench) -> None:
    """A uniform model spends log2 V bits a token, and the text of what it cannot read besides."""
    plain, strange = "the weather", "the ꙮꙮꙮꙮ weather"
    assert bench.frame.unknown in bench.texts([strange]).row(0)
    bits = {}
    for text in (plain, strange):
        store = bench.texts([text])
        learner = quiet(bench.learner("llama", {"clm": store}, validation={"clm": store}))
        learner.score()
        bits[text] = learner.figures()["clm"] * len(text.encode())
        ids = store.row(0)
        told = (len(ids) + 1) * math.log2(bench.size + 100)
        hidden = store.row_bytes(0)[ids == bench.frame.unknown].sum()
        assert bits[text] == pytest.approx(told + 8 * hidden, rel=1e-4)
    assert bits[strange] > bits[plain] + 8 * len("ꙮꙮꙮꙮ".encode())


def test_bits_of_masked_tokens_are_over_their_own_bytes(bench: Bench) -> None:
    store = bench.texts(SENTENCES * 3)
    learner = quiet(bench.learner("bert", {"mlm": store}, validation={"mlm": store}))
    learner.score()
    question = learner.guesser.question(
        learner.strands[0].settings,
        store,
        plan(store.lengths, token_budget=8192)[0],
        generator(0, "validation", "mlm", 0, 0),
    )
    chosen = question.labels != IGNORE
    bits = chosen.sum() * math.log2(bench.size + 100) / question.bytes[chosen].sum()
    assert learner.figures() == {
        "mlm": pytest.approx(bits, rel=1e-4),
        "mlm/eng_Latn": pytest.approx(bits, rel=1e-4),
    }
    assert question.bytes.sum() > 2 * question.bytes[chosen].sum()


def test_unknown_tokens_are_never_hidden_but_stay_in_sequences(bench: Bench) -> None:
    store = bench.texts(["the ꙮ weather ꙮ is ꙮ fine"] * 50)
    masked = bench.ask("mlm", store, rate=0.3)
    assert bench.frame.unknown not in masked.labels
    spans = bench.ask("span-corruption", store, decoder=True)
    kept = (spans.input_ids == bench.frame.unknown).sum()
    hidden = (spans.labels == bench.frame.unknown).sum()
    assert hidden > 0
    assert kept + hidden == sum((store.row(i) == bench.frame.unknown).sum() for i in range(50))


def test_positions_of_translations_reach_the_model(bench: Bench) -> None:
    """The loss of a pair is that of the library with positions counted by hand."""
    store = bench.pairs()
    for reset in (True, False):
        given = {"objective": {"reset_positions": reset}}
        learner = bench.learner("xlm-roberta", {"tlm": store}, **given)
        rows = np.array([0])
        found = float(learner.loss(rows, rows, 0).detach())
        question = learner.question(rows, 0)
        cut = len(bench.frame.before) + int(store.second[0]) + len(bench.frame.between)
        length = question.input_ids.shape[1]
        begin = len(bench.frame.before)
        positions = (
            [*range(cut), *range(begin, begin + length - cut)] if reset else [*range(length)]
        )
        positions = [
            place if seen else 0
            for place, seen in zip(positions, question.attention_mask[0], strict=True)
        ]
        plain = learner.model.plain()
        logits = plain(
            input_ids=torch.from_numpy(question.input_ids),
            attention_mask=torch.from_numpy(question.attention_mask),
            position_ids=torch.tensor([positions]) + 2,  # after the padding's id
        ).logits
        labels = torch.from_numpy(question.labels)
        expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        assert found == pytest.approx(float(expected.detach()), abs=1e-5)


def test_whole_words_are_hidden_where_they_are_asked_for(bench: Bench) -> None:
    store = bench.texts(["unforeseeable circumstances notwithstanding"] * 60)
    row = store.row(0)
    starts = bench.frame.starts[row]
    words = np.cumsum(starts)
    assert len(row) > words.max()  # some words have several pieces
    for whole in (True, False):
        question = bench.ask("mlm", store, whole_words=whole)
        begin = len(bench.frame.before)
        chosen = question.labels[:, begin : begin + len(row)] != IGNORE
        split = [
            0 < chosen[i, words == word].mean() < 1
            for i in range(len(chosen))
            for word in range(words.max() + 1)
            if (words == word).any()
        ]
        assert any(split) != whole


def test_where_a_script_has_no_spaces_every_piece_is_a_word(bench: Bench) -> None:
    store = bench.texts(["今日は天気がいいですね"] * 60, lang="jpn_Jpan")
    question = bench.ask("mlm", store, whole_words=True)
    begin = len(bench.frame.before)
    chosen = question.labels[:, begin : begin + len(store.row(0))] != IGNORE
    assert len(store.row(0)) > 4
    assert 0.2 < chosen.mean() < 0.4
    assert all(0 < share < 1 for share in chosen.mean(axis=1)[chosen.any(axis=1)])


def test_causal_labels_cover_the_bytes_of_what_they_name(bench: Bench) -> None:
    store = bench.texts(SENTENCES)
    question = bench.ask("clm", store)
    for i in range(len(store)):
        known = question.labels[i] != IGNORE
        assert question.labels[i][known].tolist() == [*store.row(i), 2]
        assert question.bytes[i][known].tolist() == [*store.row_bytes(i), 0]


def test_hidden_spans_cover_their_bytes(bench: Bench) -> None:
    store = bench.texts(SENTENCES)
    question = bench.ask("span-corruption", store, decoder=True)
    special = {*bench.vocabulary.sentinels.tolist(), 2, IGNORE}
    for i in range(len(store)):
        sizes = dict(zip(store.row(i).tolist(), store.row_bytes(i).tolist(), strict=True))
        for label, covered in zip(question.labels[i], question.bytes[i], strict=True):
            assert covered == (0 if int(label) in special else sizes[int(label)])
    assert question.bytes.sum() > 0


def test_translation_reads_the_source_and_writes_the_target(bench: Bench) -> None:
    store = bench.pairs()
    both = bench.ask("translation", store, decoder=True)
    alone = bench.ask("translation", store)
    for i, (source, target) in enumerate(PAIRS):
        first, second = (
            bench.tokenizer.encode(text, add_special_tokens=False).ids for text in (source, target)
        )
        assert both.input_ids[i][both.attention_mask[i] > 0].tolist() == [*first, 2]
        for question in (both, alone):
            known = question.labels[i] != IGNORE
            assert question.labels[i][known].tolist() == [*second, 2]
            assert question.bytes[i][known].sum() == len(target.encode())
        assert both.decoder_ids[i][: len(second) + 1].tolist() == [1, *second]


def test_questions_differ_by_step_and_not_by_validation(bench: Bench) -> None:
    store = bench.texts(SENTENCES * 4)
    learner = bench.learner("bert", {"mlm": store}, validation={"mlm": store})
    rows = np.arange(12)
    masks = [learner.question(rows, step).labels for step in (0, 1, 0)]
    assert np.array_equal(masks[0], masks[2])
    assert not np.array_equal(masks[0], masks[1])
    first = learner.score()
    learner.loss(rows, rows, 5)
    learner.model.zero_grad(set_to_none=True)
    assert learner.score() == first
    assert all(p.grad is None for p in learner.trained.values())  # to measure is not to learn


def test_phases_have_their_steps_and_rates(bench: Bench) -> None:
    phases = [{"share": 0.25, "rate": 0.6}, {"share": 0.75, "rate": 0.1}]
    store = bench.texts(SENTENCES * 20)
    learner = bench.learner("bert", {"mlm": store}, phases=phases, steps=8)
    assert learner.phase_steps == [2, 6]
    rows = np.arange(60)
    shares = []
    for step in range(8):
        question = learner.question(rows, step)
        tokens = rectangle(store, rows, bench.frame).text.sum()
        shares.append(question.labelled / tokens)
    assert min(shares[:2]) > 0.45
    assert max(shares[2:]) < 0.25
    assert phase_steps(make(PretrainSettings, {"steps": 7, "phases": phases})) == [2, 5]


def test_rows_are_of_their_own_objective(bench: Bench) -> None:
    texts, pairs = bench.texts(SENTENCES), bench.pairs()
    learner = bench.learner("bert", {"mlm": texts, "tlm": pairs})
    assert learner.row_ids(np.array([1, 2])) == ["eng_Latn-1", "eng_Latn-2"]
    assert learner.row_ids(np.array([3, 5])) == ["pair-0", "pair-2"]
    seen = {int(i) for batch in learner.batches(0, 0) for i in batch}
    assert seen == set(range(6))
    assert _lengths(learner) == [
        [int(n) + 2 for n in texts.lengths],
        [int(n) + 4 for n in pairs.lengths],
    ]


def _lengths(learner: LanguageModelLearner) -> list[list[int]]:
    return [source.lengths.tolist() for source in learner.mixture.sources]


def test_parts_of_a_batch_divide_by_all_its_labels(bench: Bench) -> None:
    learner = bench.learner("llama", {"clm": bench.texts(SENTENCES)})
    rows = np.arange(3)
    whole = float(learner.loss(rows, rows, 0).detach())
    parts = [float(learner.loss(rows, np.array([i]), 0).detach()) for i in range(3)]
    assert sum(parts) == pytest.approx(whole, abs=1e-5)


def test_vectors_do_not_decay(bench: Bench) -> None:
    learner = bench.learner("bert", {"mlm": bench.texts(SENTENCES)}, weight_decay=0.3)
    decays = {
        id(p): group["weight_decay"]
        for group in learner.parameter_groups()
        for p in group["params"]
    }
    for parameter in learner.trained.values():
        assert decays[id(parameter)] == (0.3 if parameter.ndim > 1 else 0.0)
