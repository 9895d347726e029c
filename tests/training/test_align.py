"""Alignment: every objective, resumed anywhere, split over processes, refused where it must be."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from interlingua.base.config import make, read_recipe
from interlingua.base.errors import CheckpointError, ConfigError, DataError
from interlingua.base.files import sha256_file
from interlingua.corpus import phrasebook
from interlingua.models.scratch import NewModel, write_new
from interlingua.training.align.data import ParentVectors, write_parent_vectors
from interlingua.training.align.run import align
from interlingua.training.align.settings import AlignRecipe
from interlingua.training.checkpoint import checkpoints

COMMAND = [sys.executable, "-m", "interlingua.cli.main", "align"]
LANGUAGES = ("deu_Latn", "jpn_Jpan", "ita_Latn")


def rows_of(lang: str) -> list[str]:
    file = next(file for file in phrasebook.test_files() if lang in file.name)
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


PAIR = {"source": "a", "target": "b", "source_lang": "eng_Latn", "target_lang": "deu_Latn"}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory, tokenizer_folder: Path) -> Path:
    """A small random encoder."""
    folder = tmp_path_factory.mktemp("parent") / "parent"
    new = {"shape": "xlm-roberta", "tokenizer": str(tokenizer_folder), "max_length": 48}
    write_new(folder, make(NewModel, {**new, "layers": 2, "width": 32, "heads": 2}), seed=1)
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phrasebook's sentences in three languages with English ones; German comes first."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    english = rows_of("eng_Latn")
    with path.open("w", encoding="utf-8") as out:
        for lang in LANGUAGES:
            for i, (source, target) in enumerate(zip(english, rows_of(lang), strict=True)):
                row = {"source": source, "source_lang": "eng_Latn"}
                row |= {"target": target, "target_lang": lang}
                if lang == "deu_Latn":
                    row = {"source": target, "source_lang": lang}
                    row |= {"target": source, "target_lang": "eng_Latn"}
                row |= {"id": f"{lang}-{i}", "cluster": str(i)}
                if i % 3:  # some have hard negatives, of either language
                    row["negatives"] = [english[i - 1], rows_of(lang)[i - 2]]
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def test_pairs_of_two_languages_lie_the_same_way_round(
    tmp_path: Path, tokenizer_folder: Path
) -> None:
    from interlingua.batches.framing import frame_of
    from interlingua.batches.token_store import Text, build_store
    from interlingua.models.tokenizer import load_tokenizer
    from interlingua.training.align.data import PairRows

    tokenizer = load_tokenizer(tokenizer_folder)
    german, english = "das Wetter", "the weather"
    texts = [
        Text(german, "deu_Latn", "0", second=english, second_lang="eng_Latn"),
        Text(english, "eng_Latn", "1", second=german, second_lang="deu_Latn"),
        Text(german, "deu_Latn", "2", second="il tempo", second_lang="ita_Latn"),
        Text("il tempo", "ita_Latn", "3", second=german, second_lang="deu_Latn"),
    ]
    store = build_store(texts, tokenizer, tmp_path / "s", max_tokens=40)
    for anchor, second in (("eng_Latn", english), ("deu_Latn", german), (None, english)):
        rows = PairRows(store, frame_of(tokenizer, pad=1), anchor)
        assert len(rows.languages) == 2
        assert rows.groups[0] == rows.groups[1] != rows.groups[2] == rows.groups[3]
        assert rows.anchored.tolist() == [anchor in (text.lang, text.second_lang) for text in texts]
        for row in (0, 1):
            assert rows.ids(row, 1).tolist() == tokenizer.encode(second).ids
            assert rows.ids(row, 0).tolist() != rows.ids(row, 1).tolist()
        assert (rows.numbers[0] == rows.numbers[1]).all()
        assert (rows.numbers[2] == rows.numbers[3]).all()


def test_hard_negatives_belong_to_their_pair(
    tmp_path: Path, pairs: Path, tokenizer_folder: Path
) -> None:
    """Also where pairs are held out, and texts are known again by their number."""
    from interlingua.batches.framing import frame_of
    from interlingua.models.tokenizer import load_tokenizer
    from interlingua.training.align.data import NegativeRows, PairRows, number_of
    from interlingua.training.pretrain_data import find, make_stores, open_stores
    from interlingua.training.pretrain_settings import CorpusData

    tokenizer = load_tokenizer(tokenizer_folder)
    frame = frame_of(tokenizer, pad=1)
    files, data = find([str(pairs)], []), make(CorpusData, {"held_out": 0.3})
    options = {"max_tokens": 600, "joint": None, "pairs": True}
    make_stores(files, data, tokenizer, tmp_path / "s", **options)  # type: ignore[arg-type]
    stores = open_stores(tmp_path / "s")
    assert stores.negatives is not None
    rows = PairRows(stores.train, frame, None, NegativeRows(stores.negatives, frame))
    told = [json.loads(line) for line in pairs.read_text(encoding="utf-8").splitlines()]
    negatives = {row["id"]: row.get("negatives", []) for row in told}
    for row in range(len(stores.train)):
        found = rows.drawn_negatives(row, 9, np.random.default_rng(0))
        wanted = [tokenizer.encode(text).ids for text in negatives[stores.train.name(row)]]
        assert sorted(ids.tolist() for _, ids in found) == sorted(wanted)
        for number, ids in found:
            assert number == number_of(ids[len(frame.before) : len(ids) - len(frame.after)])


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences of six words, and a language that has one German word for each English one."""
    rng = np.random.default_rng(0)
    known = [
        sorted({word for text in rows_of(lang) for word in text.split() if word.isalpha()})[:40]
        for lang in ("eng_Latn", "deu_Latn")
    ]
    rows = []
    for _ in range(600):
        chosen = rng.integers(0, 40, 6)
        source, target = (" ".join(side[i] for i in chosen) for side in known)
        rows.append({**PAIR, "source": source, "target": target})
    return write(tmp_path_factory.mktemp("words") / "words.jsonl", rows)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of several sentences, in a language that has pairs and in one that has none."""
    path = tmp_path_factory.mktemp("texts") / "documents.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for lang in ("deu_Latn", "arb_Arab"):
            sentences = rows_of(lang)
            for i in range(0, len(sentences) - 4, 4):
                row = {"text": " ".join(sentences[i : i + 4]), "lang": lang, "id": f"{lang}-{i}"}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def values(parent: Path, pairs: Path, **training: Any) -> dict[str, Any]:
    return {
        "model": {"name": str(parent)},
        "objectives": [{"kind": "infonce"}],
        "data": {"pairs": [str(pairs)], "held_out": 0.2},
        "training": {
            "steps": 12,
            "validate_every": 5,
            "checkpoint_steps": 4,
            "token_budget": 2048,
            "max_rows": 16,
            "max_length": 24,
            "dropout": 0.1,
            "learning_rate": 1e-3,
            **training,
        },
    }


def recipe(
    *args: Any, objectives: Any = None, data: Any = None, centre: bool = False, **training: Any
) -> AlignRecipe:
    given = values(*args, **training)
    given["model"]["centre"] = centre
    given["objectives"] = objectives or given["objectives"]
    given["data"] |= data or {}
    return make(AlignRecipe, given)


def weights(folder: Path) -> str:
    return sha256_file(folder / "model.safetensors")


def log_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "logs/train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_from_the_command_line_the_loss_falls_and_translations_are_found(
    tmp_path: Path, parent: Path, words: Path
) -> None:
    path, out = tmp_path / "recipe.yaml", tmp_path / "m"
    given = values(parent, words, steps=120, validate_every=60, embeddings="rows", dropout=0.0)
    given["training"] |= {"learning_rate": 1e-2, "max_rows": 32}
    path.write_text(yaml.safe_dump(given))
    command = [*COMMAND, str(path), "--out", str(out), "--json", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    log = log_of(out)
    assert log[-1]["loss"] < log[0]["loss"]
    before, after = report["retrieval_accuracy_before"], report["retrieval_accuracy"]
    assert set(after) == {"mean", "eng_Latn-deu_Latn", "deu_Latn-eng_Latn"}
    assert after["mean"] > before["mean"] + 0.4
    assert after["mean"] == pytest.approx(log[-1]["score"], abs=1e-4)
    assert not (out / ".work").exists()

    from interlingua import Embedder
    from interlingua.models.folder import open_model

    folder = open_model(out)
    assert folder.info.parent == "parent"
    assert folder.info.source_languages == ("deu_Latn", "eng_Latn")
    assert folder.info.data[0].sha256 == sha256_file(words)
    assert folder.info.seed == 3
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "German" in card
    assert sha256_file(words) in card
    sentence_transformers = pytest.importorskip("sentence_transformers")
    texts = [rows_of("ita_Latn")[0], "hello"]
    theirs = sentence_transformers.SentenceTransformer(str(out), device="cpu").encode(texts)
    np.testing.assert_allclose(Embedder(out).encode(texts), theirs, atol=2e-2)


KINDS: dict[str, list[dict[str, Any]]] = {
    "plain": [{"kind": "infonce", "symmetric": False}],
    "everything": [
        {
            "kind": "infonce",
            "margin": 0.1,
            "learned_temperature": True,
            "false_negatives": {"rule": "ratio", "value": 0.95},
            "dimensions": [8, 32],
        }
    ],
    "queue": [{"kind": "infonce", "queue": 20, "momentum": 0.9}],
    "xcl": [{"kind": "xcl", "layer": 1, "pooling": "cls", "queue": 24, "momentum": 0.5}],
    "known": [
        {
            "kind": "infonce",
            "anchor_negatives": 16,
            "hard_negatives": 2,
            "distance_weight": 5,
            "false_negatives": {"rule": "parent", "value": 0.999},
            "dimensions": [8, 32],
        },
        {"kind": "distill"},
    ],
    "guesses": [
        {"kind": "infonce"},
        {"kind": "mlm"},
        {"kind": "tlm", "weight": 2, "whole_words": True},
    ],
    "all": [
        {"kind": "infonce", "learned_temperature": True, "queue": 16},
        {"kind": "cpc", "head": True, "horizon": 2},
        {"kind": "preserve"},
    ],
}


@pytest.mark.parametrize(
    ("kind", "anchor"),
    [
        (kind, anchor)
        for kind in KINDS
        for anchor in (None, "eng_Latn")
        if kind != "known" or anchor
    ],
)
def test_every_objective_runs_and_a_stopped_run_ends_with_the_same_bytes(
    tmp_path: Path, parent: Path, pairs: Path, documents: Path, kind: str, anchor: str | None
) -> None:
    """Stopped after a checkpoint: queue, encoder that follows, temperature and heads come back."""
    from interlingua.training.align.learner import AlignLearner

    data = {"train": [str(documents)]} if kind in ("all", "guesses") else {}
    changes: dict[str, Any] = {"anchor": anchor, "micro_rows": 7, "steps": 11}
    changes["centre"] = kind in ("queue", "known")
    changes["parent_share"] = 0.5 if kind == "xcl" else 0.0
    given = recipe(parent, pairs, objectives=KINDS[kind], data=data, **changes)
    align(given, out=tmp_path / "whole")
    assert np.isfinite([line["loss"] for line in log_of(tmp_path / "whole")]).all()
    plain = AlignLearner.loss

    def dying(self: Any, rows: Any, part: Any, step: int) -> Any:
        if step == 6:
            raise KeyboardInterrupt
        return plain(self, rows, part, step)

    monkey = pytest.MonkeyPatch()
    monkey.setattr(AlignLearner, "loss", dying)
    with pytest.raises(KeyboardInterrupt):
        align(given, out=tmp_path / "stopped")
    monkey.undo()
    align(given, out=tmp_path / "stopped", resume=True)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    assert weights(tmp_path / "whole") != sha256_file(parent / "model.safetensors")


def test_tokens_are_guessed_beside_and_all_losses_fall(
    tmp_path: Path, parent: Path, words: Path, documents: Path
) -> None:
    """The head that guesses is left behind: what is written is the bare encoder again."""
    changes: dict[str, Any] = {"steps": 200, "validate_every": 200}
    changes |= {"dropout": 0.0, "learning_rate": 1e-2}
    objectives = [{"kind": "infonce", "weight": 2}, {"kind": "mlm"}, {"kind": "tlm"}]
    changes |= {"embeddings": "rows", "max_rows": 32}
    data = {"train": [str(documents)]}
    given = recipe(parent, words, objectives=objectives, data=data, **changes)
    align(given, out=tmp_path / "m")
    lines = (tmp_path / "m/logs/steps.jsonl").read_text(encoding="utf-8").splitlines()
    losses: dict[str, list[float]] = {}
    for line in map(json.loads, lines):
        for kind, loss in line["loss"].items():
            losses.setdefault(kind, []).append(loss)
    assert set(losses) == {"infonce", "mlm", "tlm"}
    for kind, found in losses.items():
        third = len(found) // 3
        assert third > 3
        assert np.mean(found[-third:]) < np.mean(found[:third]) - 0.2, kind
    # An untaught head guesses among all pieces alike.
    vocabulary = json.loads((parent / "config.json").read_text())["vocab_size"]
    assert losses["mlm"][0] == pytest.approx(np.log(vocabulary), rel=0.1)
    align(recipe(parent, words, steps=1), out=tmp_path / "plain")
    assert learned(tmp_path / "m").keys() == learned(tmp_path / "plain").keys()


def test_what_is_never_guessed_changes_nothing(
    tmp_path: Path, parent: Path, pairs: Path, documents: Path
) -> None:
    """An objective on tokens whose turn does not come: the bytes of the run without it."""
    data = {"train": [str(documents)]}
    for name, more in (("plain", []), ("never", [{"kind": "mlm", "weight": 1e-12}])):
        objectives = [{"kind": "infonce"}, *more]
        align(
            recipe(parent, pairs, objectives=objectives, data=data, dropout=0.0),
            out=tmp_path / name,
        )
    assert weights(tmp_path / "plain") == weights(tmp_path / "never")


def learned(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("kind", ["everything", "queue", "guesses"])
def test_parts_of_a_batch_give_the_weights_of_the_whole(
    tmp_path: Path, parent: Path, pairs: Path, documents: Path, kind: str
) -> None:
    data = {"train": [str(documents)]} if kind == "guesses" else {}
    for name, micro_rows in (("whole", 1_000_000), ("parts", 3)):
        changes = {"steps": 5, "dropout": 0.0, "precision": "float32", "micro_rows": micro_rows}
        given = recipe(parent, pairs, objectives=KINDS[kind], data=data, **changes)
        align(given, out=tmp_path / name)
    whole, parts = learned(tmp_path / "whole"), learned(tmp_path / "parts")
    for name, tensor in whole.items():
        np.testing.assert_allclose(parts[name], tensor, atol=2e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["everything", "all"])
def test_two_processes_see_the_negatives_of_both(
    tmp_path: Path, parent: Path, pairs: Path, documents: Path, torchrun: list[str], kind: str
) -> None:
    given = values(parent, pairs, steps=6, dropout=0.0, precision="float32", anchor="eng_Latn")
    given["objectives"] = KINDS[kind]
    given["data"]["train"] = [str(documents)]
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(given))
    align(make(AlignRecipe, given), out=tmp_path / "one")
    command = [*torchrun, *COMMAND[1:], str(path), "--out", str(tmp_path / "two")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = learned(tmp_path / "one"), learned(tmp_path / "two")
    for name, tensor in one.items():
        np.testing.assert_allclose(two[name], tensor, atol=2e-4, err_msg=name)


@pytest.mark.slow
def test_killed_and_resumed_ends_with_the_same_bytes(
    tmp_path: Path, parent: Path, pairs: Path
) -> None:
    given = values(parent, pairs, steps=40, validate_every=10, checkpoint_steps=2)
    given["objectives"] = KINDS["queue"]
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(given))

    def finish(folder: Path, *more: str) -> None:
        command = [*COMMAND, str(path), "--out", str(folder), "--quiet", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr[-2000:]

    finish(tmp_path / "whole")
    folder, after = tmp_path / "killed", random.Random(7).randrange(2, 20)
    process = subprocess.Popen(
        [*COMMAND, str(path), "--out", str(folder), "--quiet"], start_new_session=True
    )
    for _ in range(2400):
        names = [c.name for c in checkpoints(folder / "checkpoints")] if folder.exists() else []
        if process.poll() is not None or (names and int(names[0][5:]) >= after):
            break
        time.sleep(0.02)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finish(folder, "--resume")
    assert weights(folder) == weights(tmp_path / "whole")


def test_what_is_frozen_stays(tmp_path: Path, parent: Path, pairs: Path) -> None:
    align(recipe(parent, pairs, layers=1), out=tmp_path / "m")
    before, after = learned(parent), learned(tmp_path / "m")
    changed = {name for name in after if not after[name].equal(before[f"roberta.{name}"])}
    assert changed
    assert all("layer.1." in name for name in changed), changed


def test_the_anchor_is_encoded_by_the_parent_and_the_rest_is_drawn_to_it(
    tmp_path: Path, parent: Path, pairs: Path
) -> None:
    from interlingua import Embedder

    changes = {"steps": 60, "validate_every": 60, "learning_rate": 3e-3, "embeddings": "rows"}
    align(recipe(parent, pairs, anchor="en", dropout=0.0, **changes), out=tmp_path / "m")
    english, italian = rows_of("eng_Latn"), rows_of("ita_Latn")
    still = Embedder(parent).encode(english)

    def beside(model: Path) -> float:
        """How much nearer a text is to its translation's place than to others'."""
        similar = Embedder(model).encode(italian) @ still.T
        return float(np.diag(similar).mean() - similar.mean())

    assert beside(tmp_path / "m") > beside(parent) + 0.02


def test_a_share_of_the_parent_is_in_the_model(tmp_path: Path, parent: Path, pairs: Path) -> None:
    from interlingua.models.encoder import load_encoder
    from interlingua.models.folder import open_model

    for name, share in (("trained", 0.0), ("mixed", 0.25)):
        align(recipe(parent, pairs, steps=4, parent_share=share), out=tmp_path / name)
    was = load_encoder(open_model(parent)).state_dict()
    trained, mixed = learned(tmp_path / "trained"), learned(tmp_path / "mixed")
    for name, tensor in mixed.items():
        expected = 0.25 * was[name] + 0.75 * trained[name]
        np.testing.assert_allclose(tensor, expected, atol=1e-6, err_msg=name)
    assert any(not torch.equal(was[name], trained[name]) for name in trained)
    loss = [log_of(tmp_path / name)[-1]["loss"] for name in ("trained", "mixed")]
    assert loss[0] == loss[1]  # the run itself is the same


def test_preserving_keeps_texts_in_place(
    tmp_path: Path, parent: Path, pairs: Path, documents: Path
) -> None:
    from interlingua import Embedder

    texts = rows_of("arb_Arab")
    still = Embedder(parent).encode(texts)
    moved = {}
    for name, objectives in (
        ("without", [{"kind": "infonce"}]),
        ("with", [{"kind": "infonce"}, {"kind": "preserve"}]),
    ):
        changes = {"steps": 60, "validate_every": 60, "dropout": 0.0, "anchor": "eng_Latn"}
        given = recipe(
            parent, pairs, objectives=objectives, data={"train": [str(documents)]}, **changes
        )
        align(given, out=tmp_path / name)
        moved[name] = 1 - float((Embedder(tmp_path / name).encode(texts) * still).sum(1).mean())
    assert moved["with"] < 0.5 * moved["without"]


def test_the_parent_encodes_a_text_once_for_all_objectives_that_pool_alike(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parent: Path, pairs: Path, documents: Path
) -> None:
    """Pairs draw English texts as negatives, not those that others want to be kept in place."""
    told: list[set[int]] = []
    given_to: list[tuple[int, set[int], set[int]]] = []

    class Spied(ParentVectors):
        def __init__(self, folder: Path, own: Any) -> None:
            super().__init__(folder, own)
            drawn = self.drawn(10**6, np.random.default_rng(0))[0]
            given_to.append((len(told) - 1, set(own.tolist()), set(drawn.tolist())))

    def spied(folder: Path, numbers: Any, texts: Any, encode: Any) -> None:
        told.append(set(numbers.tolist()))
        write_parent_vectors(folder, numbers, texts, encode)

    monkeypatch.setattr("interlingua.training.align.build.ParentVectors", Spied)
    monkeypatch.setattr("interlingua.training.align.build.write_parent_vectors", spied)
    first, other = {"kind": "infonce"}, {"kind": "xcl", "layer": 1}
    objectives = [first, other, {"kind": "preserve"}]
    data = {"train": [str(documents)]}
    align(recipe(parent, pairs, objectives=objectives, data=data, anchor="en"), out=tmp_path / "m")
    (place, english, drawn), (same, kept, _), (apart, lower, _) = given_to
    assert (place, same, apart) == (0, 0, 1)
    assert told == [english | kept, lower]
    assert english == drawn and english & kept and kept - english


def test_batches_of_one_pair_of_languages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parent: Path, pairs: Path
) -> None:
    from interlingua.training.align.objectives import PairObjective

    seen: list[int] = []
    plain = PairObjective.ask

    def ask(self: Any, rows: Any, rng: Any) -> Any:
        seen.append(len(np.unique(self.rows.groups[rows])))
        return plain(self, rows, rng)

    monkeypatch.setattr(PairObjective, "ask", ask)
    align(recipe(parent, pairs), out=tmp_path / "mixed")
    assert max(seen) > 1
    seen.clear()
    align(recipe(parent, pairs, one_pair_a_batch=True), out=tmp_path / "m")
    assert len(seen) == 12
    assert set(seen) == {1}


def test_held_out_clusters_are_in_no_batch(tmp_path: Path, parent: Path, pairs: Path) -> None:
    """A cluster is held out in all languages at once."""
    from interlingua.training.align.objectives import PairObjective

    trained: set[str] = set()
    plain = PairObjective.ask
    monkey = pytest.MonkeyPatch()

    def ask(self: Any, rows: Any, rng: Any) -> Any:
        trained.update(self.name(int(row)).partition("-")[2] for row in rows)
        return plain(self, rows, rng)

    monkey.setattr(PairObjective, "ask", ask)
    align(recipe(parent, pairs, steps=40, validate_every=40), out=tmp_path / "m")
    monkey.undo()
    from interlingua.training.pretrain_data import held_out

    clusters = {str(i) for i in range(len(rows_of("eng_Latn")))}
    aside = {cluster for cluster in clusters if held_out(cluster, 0.2)}
    assert aside
    assert trained == clusters - aside


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "no pairs to train on"),
        ([PAIR, {**PAIR, "target": None}], "line 2"),
        ([{**PAIR, "target_lang": "xx"}], "xx"),
        ([PAIR], "no batch of 2 rows can be made of 1"),
    ],
)
def test_bad_pairs_are_refused(
    tmp_path: Path, parent: Path, rows: list[dict[str, Any]], told: str
) -> None:
    path = write(tmp_path / "bad.jsonl", rows)
    with pytest.raises(DataError, match=told):
        align(recipe(parent, path, data={"held_out": 0.0}), out=tmp_path / "m")


def test_the_card_tells_the_licences_of_the_rows(tmp_path: Path, parent: Path, pairs: Path) -> None:
    rows = [json.loads(line) for line in pairs.read_text(encoding="utf-8").splitlines()]
    for i, row in enumerate(rows):
        row["licence"] = "GPL-2.0-or-later" if i % 4 else ""
    path = write(tmp_path / "licensed.jsonl", rows)
    done = align(recipe(parent, path, data={"held_out": 0.0}, steps=1), out=tmp_path / "m")
    without = -(-len(rows) // 4)
    told = {"GPL-2.0-or-later": len(rows) - without, "": without}
    assert done.info.data_licences == told
    card = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert f"GPL-2.0-or-later {len(rows) - without}, not told {without}." in card


@pytest.mark.parametrize("more", [[{"kind": "preserve"}], [{"kind": "mlm"}, {"kind": "tlm"}]])
def test_what_a_run_encodes_is_what_was_told(
    tmp_path: Path, parent: Path, pairs: Path, documents: Path, more: list[dict[str, Any]]
) -> None:
    """`cost` and the run's own log, which counts the tokens of every step."""
    from interlingua.training.cost.predict import CostSettings, predict

    objectives, data = [{"kind": "infonce"}, *more], {"train": [str(documents)]}
    given = recipe(parent, pairs, objectives=objectives, data=data, anchor="en", steps=10)
    said = predict(given, CostSettings(measure="none", devices=("A100 80GB",))).facts()
    assert (said["command"], said["steps"]) == ("align", 10)
    align(given, out=tmp_path / "m")
    assert said["tokens"] == pytest.approx(log_of(tmp_path / "m")[-1]["tokens_seen"], rel=0.15)
    if more[0]["kind"] == "mlm":
        assert 0.05 * said["tokens"] < said["labelled_tokens"] < 0.15 * said["tokens"]
        return
    both = recipe(parent, pairs, steps=10)
    free = predict(both, CostSettings(measure="none", devices=("A100 80GB",))).facts()
    assert free["flops"]["training"] > 1.5 * said["flops"]["training"]


def test_nothing_is_left_where_rows_cannot_be_read(tmp_path: Path, parent: Path) -> None:
    path = write(tmp_path / "bad.jsonl", [PAIR, {**PAIR, "target": None}])
    with pytest.raises(DataError):
        align(recipe(parent, path), out=tmp_path / "m")
    assert [file.name for file in tmp_path.iterdir()] == ["bad.jsonl"]


def test_rows_set_aside_are_kept_with_the_model(tmp_path: Path, parent: Path, pairs: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(pairs.read_text(encoding="utf-8") + "broken\n", encoding="utf-8")
    align(recipe(parent, path, data={"on_error": "skip"}, steps=2), out=tmp_path / "m")
    (line,) = (tmp_path / "m" / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["path"].endswith("some.jsonl")


def test_two_parallel_files_are_pairs_if_their_sides_are_as_long(
    tmp_path: Path, parent: Path
) -> None:
    english, german = (tmp_path / f"talk.en-de.{lang}" for lang in ("en", "de"))
    english.write_text("\n".join(rows_of("eng_Latn")) + "\n", encoding="utf-8")
    german.write_text("\n".join(rows_of("deu_Latn")) + "\n", encoding="utf-8")
    done = align(recipe(parent, english, steps=2), out=tmp_path / "m")
    assert set(done.info.scores["retrieval_accuracy"]) == {
        "mean",
        "deu_Latn-eng_Latn",
        "eng_Latn-deu_Latn",
    }
    german.write_text("\n".join(rows_of("deu_Latn")[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="the sides differ in length"):
        align(recipe(parent, english, steps=2), out=tmp_path / "n")


def test_what_does_not_fit_is_refused(tmp_path: Path, parent: Path, pairs: Path) -> None:
    out = tmp_path / "m"
    with pytest.raises(DataError, match=r"no row is in cym_Latn.*eng_Latn"):
        align(recipe(parent, pairs, data={"languages": ["en", "de", "cy"]}), out=out)
    out = tmp_path / "m2"
    with pytest.raises(DataError, match="no row is in fra_Latn"):
        align(recipe(parent, pairs, anchor="fr"), out=out)
    with pytest.raises(ConfigError, match="layer 3, parent has 2"):
        align(recipe(parent, pairs, objectives=[{"kind": "xcl", "layer": 3}]), out=tmp_path / "x")
    with pytest.raises(ConfigError, match="dimensions name 64, vectors have 32"):
        objectives = [{"kind": "infonce", "dimensions": [16, 64]}]
        align(recipe(parent, pairs, objectives=objectives), out=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    short = write(tmp_path / "short.jsonl", [{"text": "hi", "lang": "eng_Latn"}] * 4)
    with pytest.raises(DataError, match="two segments"):
        data = {"train": [str(short)], "held_out": 0.0}
        align(recipe(parent, pairs, objectives=[{"kind": "cpc"}], data=data), out=tmp_path / "y")
    for objective, told in (
        ({"kind": "cpc"}, r"cpc needs data\.train"),
        ({"kind": "preserve"}, "preserve needs"),
        ({"kind": "infonce", "queue": 8, "symmetric": False}, "queue suits"),
        ({"kind": "distill", "distance_weight": 1}, "distance_weight suits"),
        ({"kind": "nce"}, "objectives.0.kind"),
        ({"kind": "mlm"}, r"draw nothing together.*pretrain"),
        ({"kind": "infonce", "rate": 0.2}, r"unknown key 'objectives\.0\.rate'"),
    ):
        with pytest.raises(ConfigError, match=told):
            recipe(parent, pairs, objectives=[objective])


def test_tokens_cannot_be_guessed_of_nothing(tmp_path: Path, parent: Path, pairs: Path) -> None:
    plain = {"kind": "infonce"}
    with pytest.raises(ConfigError, match=r"mlm needs data\.train"):
        recipe(parent, pairs, objectives=[plain, {"kind": "mlm"}])
    with pytest.raises(ConfigError, match=r"centre moves the states"):
        recipe(parent, pairs, objectives=[plain, {"kind": "tlm"}], centre=True)
    with pytest.raises(ConfigError, match=r"objectives\.1\.rate.*less than 1"):
        recipe(parent, pairs, objectives=[plain, {"kind": "tlm", "rate": 1.5}])


def test_another_run_is_not_resumed(tmp_path: Path, parent: Path, pairs: Path) -> None:
    from interlingua.training.align.learner import AlignLearner

    def dying(self: Any, rows: Any, part: Any, step: int) -> Any:
        raise KeyboardInterrupt

    monkey = pytest.MonkeyPatch()
    monkey.setattr(AlignLearner, "loss", dying)
    with pytest.raises(KeyboardInterrupt):
        align(recipe(parent, pairs), out=tmp_path / "m")
    monkey.undo()
    with pytest.raises(CheckpointError, match=r"learning_rate: 0.001 then, 0.002 now"):
        align(recipe(parent, pairs, learning_rate=2e-3), out=tmp_path / "m", resume=True)
    other = [{"kind": "infonce", "temperature": 0.1}]
    with pytest.raises(CheckpointError, match="objectives"):
        align(recipe(parent, pairs, objectives=other), out=tmp_path / "m", resume=True)


def test_a_prefix_is_framed_as_the_tokenizer_would(starter: Any) -> None:
    from interlingua.batches.framing import frame_of
    from interlingua.training.align.data import with_prefix

    tokenizer = starter.tokenizer()
    frame = with_prefix(frame_of(tokenizer, pad=1), tokenizer, "query: ")
    for text in ("Hello, world", "今日は暑いです", "مرحبا بالعالم", "ສະບາຍດີ"):
        inner = tokenizer.encode(text, add_special_tokens=False).ids
        whole = tokenizer.encode(f"query: {text}").ids
        assert [*frame.before, *inner, *frame.after] == whole


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "recipes/align").glob("*.yaml"))
)
def test_every_shipped_recipe_can_be_read(path: Path) -> None:
    assert make(AlignRecipe, read_recipe(path)).objectives
