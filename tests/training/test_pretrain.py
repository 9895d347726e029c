"""Pretraining: any mix, any shape, killed anywhere, refused where it must be."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from interlingua.base.config import make, put, read_recipe
from interlingua.base.errors import CheckpointError, ConfigError, DataError, ModelError
from interlingua.base.files import sha256_file
from interlingua.corpus import phrasebook
from interlingua.training.checkpoint import checkpoints
from interlingua.training.corpus_run import Start
from interlingua.training.pretrain import (
    check,
    pretrain,
    stores_of,
    strands,
    vocabulary_of,
)
from interlingua.training.pretrain_settings import PretrainRecipe
from interlingua.training.run_log import read_log

COMMAND = [sys.executable, "-m", "interlingua.cli.main", "pretrain"]
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phrasebook's sentences in English and two other languages, as pairs."""
    texts: dict[str, list[str]] = {}
    for file in phrasebook.test_files():
        lines = file.read_text(encoding="utf-8").splitlines()
        texts[file.name.split(".")[1]] = [json.loads(line)["text"] for line in lines]
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for lang in ("deu_Latn", "jpn_Jpan"):
            for i, (source, target) in enumerate(zip(texts["eng_Latn"], texts[lang], strict=True)):
                row = {"source": source, "target": target, "id": f"{lang}-{i}", "cluster": str(i)}
                row |= {"source_lang": "eng_Latn", "target_lang": lang}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def values(tokenizer: Path, pairs: Path, shape: str = "bert", **training: Any) -> dict[str, Any]:
    kinds = {"mt5": ("span-corruption", "translation"), "llama": ("clm", "translation")}
    return {
        "model": {
            "new": {
                "shape": shape,
                "tokenizer": str(tokenizer),
                "layers": 1,
                "width": 16,
                "heads": 2,
                "max_length": 48,
            }
        },
        "objectives": [{"kind": kind} for kind in kinds.get(shape, ("mlm", "tlm"))],
        "data": {
            "train": [str(phrasebook.test_files()[0].parent / "test.*.jsonl")],
            "pairs": [str(pairs)],
            "held_out": 0.1,
            "languages": ["eng_Latn", "deu_Latn", "jpn_Jpan"],
        },
        "training": {
            "steps": 12,
            "validate_every": 5,
            "checkpoint_steps": 4,
            "token_budget": 512,
            "max_length": 48,
            "dropout": 0.1,
            "learning_rate": 2e-3,
            **training,
        },
    }


def recipe(*args: Any, **changes: Any) -> PretrainRecipe:
    return make(PretrainRecipe, values(*args, **changes))


@pytest.mark.parametrize("shape", ["bert", "xlm-roberta", "modernbert", "mt5", "llama"])
def test_every_shape_learns_and_opens(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path, shape: str
) -> None:
    from interlingua.models.folder import open_model
    from interlingua.models.language_model import load_language_model

    done = pretrain(
        recipe(tokenizer_folder, pairs, shape, steps=40, validate_every=20), out=tmp_path / "m"
    )
    log = [json.loads(line) for line in (tmp_path / "m/logs/train.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == [20, 40]
    assert "All 40 steps are done" in (tmp_path / "m/logs/run.html").read_text()
    steps = read_log(tmp_path / "m/logs/steps.jsonl")
    assert {kind for line in steps for kind in line["loss"]} == set(done.info.scores["objectives"])
    assert steps[-1]["tokens_seen"] == log[-1]["tokens_seen"] > 0
    assert log[1]["score"] > log[0]["score"]
    kinds = {
        objective.kind
        for objective in make(PretrainRecipe, read_recipe(tmp_path / "m/recipe.yaml")).objectives
    }
    assert set(done.info.scores["bits_per_byte"]) == kinds
    assert {name.partition("/")[0] for name in log[0] if "/" in name} == kinds
    model, made = load_language_model(open_model(tmp_path / "m"))
    assert made == []
    assert model.config.vocab_size > 500
    assert not (tmp_path / "m/tokens").exists()
    assert not (tmp_path / "m/.work").exists()


def test_bits_per_byte_of_a_uniform_model_is_known(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    """A decoder that knows nothing spends log2 V bits a token; bytes are those of the texts."""
    from interlingua.models.folder import open_model
    from interlingua.training import pretrain as module

    given = values(tokenizer_folder, pairs, "llama", steps=1, validate_every=1)
    given["training"]["learning_rate"] = 1e-12
    given["objectives"] = [{"kind": "clm"}]
    given["data"] |= {
        "languages": ["jpn_Jpan"],
        "validation": [str(next(f for f in phrasebook.test_files() if "jpn" in f.name))],
    }
    monkey = pytest.MonkeyPatch()
    inner = module.learner_of

    def watched(*args: Any) -> Any:
        learner = inner(*args)
        for parameter in learner.trained.values():
            parameter.data.zero_()
        return learner

    monkey.setattr(module, "learner_of", watched)
    done = pretrain(make(PretrainRecipe, given), out=tmp_path / "m")
    monkey.undo()
    file = given["data"]["validation"][0]
    texts = [json.loads(line)["text"] for line in Path(file).read_text().splitlines()]
    tokenizer = open_model(tmp_path / "m").tokenizer()
    lengths = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
    tokens = sum(n + -(-n // 46) for n in lengths)  # each row of 46 tokens ends with one more
    size = sum(len(text.encode()) for text in texts)
    vocabulary = open_model(tmp_path / "m").config["vocab_size"]
    expected = tokens * np.log2(vocabulary) / size
    assert done.info.scores["bits_per_byte"]["clm"] == pytest.approx(expected, rel=1e-3)


def killed(folder: Path, path: Path, after: int, *, start: list[str] = COMMAND) -> None:
    """Start the command and kill it -9 once a checkpoint of step ``after`` or later is there."""
    command = [*start, str(path), "--out", str(folder), "--quiet"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    for _ in range(2400):
        if process.poll() is not None:
            break
        names = [c.name for c in checkpoints(folder / "checkpoints")] if folder.exists() else []
        if names and int(names[0][5:]) >= after:
            break
        time.sleep(0.05)
    assert process.poll() is None, process.stderr.read() if process.stderr else ""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def weights(folder: Path) -> str:
    return sha256_file(folder / "model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("two", [False, True])
def test_killed_and_resumed_ends_with_the_same_bytes(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path, request: pytest.FixtureRequest, two: bool
) -> None:
    given = values(tokenizer_folder, pairs, steps=30, validate_every=8, checkpoint_steps=2)
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(given))
    start = [*request.getfixturevalue("torchrun"), *COMMAND[1:]] if two else COMMAND

    def finish(folder: Path, *more: str) -> None:
        command = [*start, str(path), "--out", str(folder), "--quiet", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr[-2000:]

    finish(tmp_path / "whole")
    killed(tmp_path / "killed", path, random.Random(7).randrange(2, 20), start=start)
    finish(tmp_path / "killed", "--resume")
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


class Stopped(Exception):
    """Stands for a kill: nothing is caught or cleaned up."""


def test_stopped_at_random_steps_and_resumed(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    """In one process: stopped at seven steps of one run, one after the other."""
    from interlingua.training.language_modelling import LanguageModelLearner

    given = recipe(tokenizer_folder, pairs, steps=25, validate_every=6, checkpoint_steps=3)
    pretrain(given, out=tmp_path / "whole")
    monkey = pytest.MonkeyPatch()
    plain = LanguageModelLearner.loss
    for stop in sorted(random.Random(1).sample(range(25), 7)):

        def loss(self: Any, rows: Any, part: Any, step: int, stop: int = stop) -> Any:
            if step == stop:
                raise Stopped
            return plain(self, rows, part, step)

        monkey.setattr(LanguageModelLearner, "loss", loss)
        begun = (tmp_path / "stopped").exists()
        with pytest.raises(Stopped):
            pretrain(given, out=tmp_path / "stopped", resume=begun)
    monkey.undo()
    pretrain(given, out=tmp_path / "stopped", resume=True)
    logs = [read_log(tmp_path / run / "logs" / "steps.jsonl") for run in ("whole", "stopped")]
    for name in ("step", "tokens_seen", "loss", "rate"):
        assert [line[name] for line in logs[0]] == [line[name] for line in logs[1]]
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


def test_another_tokenizer_corpus_or_setting_is_refused_with_the_difference(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    from interlingua.training.language_modelling import LanguageModelLearner

    def dying(self: Any, rows: Any, part: Any, step: int) -> Any:
        raise Stopped

    monkey = pytest.MonkeyPatch()
    monkey.setattr(LanguageModelLearner, "loss", dying)
    with pytest.raises(Stopped):
        pretrain(recipe(tokenizer_folder, pairs), out=tmp_path / "m")
    monkey.undo()
    with pytest.raises(CheckpointError, match=r"learning_rate: 0.002 then, 0.001 now"):
        pretrain(
            recipe(tokenizer_folder, pairs, learning_rate=1e-3), out=tmp_path / "m", resume=True
        )
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_text("".join(pairs.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(CheckpointError, match="pairs"):
        pretrain(recipe(tokenizer_folder, fewer), out=tmp_path / "m", resume=True)
    other = tmp_path / "tokenizer"
    other.mkdir()
    text = (tokenizer_folder / "tokenizer.json").read_text()
    (other / "tokenizer.json").write_text(text + "\n")
    with pytest.raises(CheckpointError, match="model"):
        pretrain(recipe(other, pairs), out=tmp_path / "m", resume=True)
    changed = values(tokenizer_folder, pairs)
    changed["objectives"][1]["weight"] = 2.0
    with pytest.raises(CheckpointError, match="objectives: "):
        pretrain(make(PretrainRecipe, changed), out=tmp_path / "m", resume=True)
    changed = values(tokenizer_folder, pairs)
    changed["data"]["held_out"] = 0.2
    with pytest.raises(CheckpointError, match=r"held_out: 0\.1 then, 0\.2 now"):
        pretrain(make(PretrainRecipe, changed), out=tmp_path / "m", resume=True)
    with pytest.raises(CheckpointError, match="unfinished"):
        pretrain(recipe(tokenizer_folder, pairs), out=tmp_path / "m")


def test_texts_and_weights_are_compared_by_what_they_hold(
    tmp_path: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names in the recipe stay; what lies there changes."""
    from interlingua.models.scratch import NewModel, write_new
    from interlingua.training.language_modelling import LanguageModelLearner

    def dying(self: Any, rows: Any, part: Any, step: int) -> Any:
        raise Stopped

    monkeypatch.setattr(LanguageModelLearner, "loss", dying)
    texts, model = tmp_path / "t.eng_Latn.txt", tmp_path / "start"
    given = values(tokenizer_folder, tmp_path)
    new = make(NewModel, given["model"]["new"])
    write_new(model, new, seed=0)
    given["model"] = {"name": str(model)}
    given["objectives"] = [{"kind": "mlm"}]
    given["data"] = {"train": [str(texts)], "held_out": 0}
    texts.write_text("one\ntwo\n")
    with pytest.raises(Stopped):
        pretrain(make(PretrainRecipe, given), out=tmp_path / "m")
    texts.write_text("one\nthree\n")
    with pytest.raises(CheckpointError, match="texts: "):
        pretrain(make(PretrainRecipe, given), out=tmp_path / "m", resume=True)
    texts.write_text("one\ntwo\n")
    write_new(model, new, seed=1)
    with pytest.raises(CheckpointError, match="weights and tokenizer: "):
        pretrain(make(PretrainRecipe, given), out=tmp_path / "m", resume=True)
    write_new(model, new, seed=0)
    with pytest.raises(Stopped):
        pretrain(make(PretrainRecipe, given), out=tmp_path / "m", resume=True)


def test_what_does_not_fit_is_refused(tmp_path: Path, tokenizer_folder: Path, pairs: Path) -> None:
    given = values(tokenizer_folder, pairs, "llama")
    given["objectives"] = [{"kind": "mlm"}]
    with pytest.raises(ConfigError, match="mlm does not suit a llama"):
        pretrain(make(PretrainRecipe, given), out=tmp_path / "m")
    given = values(tokenizer_folder, pairs)
    given["data"]["pairs"] = []
    with pytest.raises(ConfigError, match=r"tlm needs data\.pairs"):
        make(PretrainRecipe, given)
    given["data"]["pairs"] = [str(tmp_path / "none-*.jsonl")]
    with pytest.raises(DataError, match="no file and"):
        pretrain(make(PretrainRecipe, given), out=tmp_path / "m2")
    with pytest.raises(ConfigError, match=r"add up to 0\.5"):
        recipe(tokenizer_folder, pairs, phases=[{"share": 0.5}])
    assert not (tmp_path / "m2").exists()


def test_nothing_is_written_before_all_inputs_proved_good(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    """Each fault shows at another place: model, objective, texts, the last line of the pairs."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text(pairs.read_text() + '{"source": "a", "target": 3}\n')
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    out = tmp_path / "runs" / "m"
    faults: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"data.pairs": [str(bad)]}, DataError, f"line {len(pairs.read_text().splitlines()) + 1}"),
        ({"data.train": [str(empty)]}, DataError, "no texts to train on"),
        ({"data.held_out": 0.9999}, DataError, "of them are held out, 0 rows"),
        ({"data.languages": ["swh_Latn"]}, DataError, "0 were read"),
        ({"objectives": [{"kind": "clm"}]}, ConfigError, "clm does not suit a bert"),
        ({"model.new.tokenizer": str(tmp_path)}, ModelError, "no tokenizer"),
        ({"model": {"name": str(tmp_path)}}, ModelError, "config.json"),
    ]
    for changes, kind, said in faults:
        given = values(tokenizer_folder, pairs)
        for name, value in changes.items():
            put(given, name, value)
        with pytest.raises(kind, match=said):
            pretrain(make(PretrainRecipe, given), out=out)
        assert not out.exists()
        assert not out.parent.exists() or not list(out.parent.iterdir())


def test_rows_set_aside_are_kept_with_the_model(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(pairs.read_text() + "broken\n")
    given = values(tokenizer_folder, bad, steps=2)
    put(given, "data.on_error", "skip")
    put(given, "objectives", [{"kind": "tlm"}])
    done = pretrain(make(PretrainRecipe, given), out=tmp_path / "m")
    lines = (tmp_path / "m" / "rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in lines] == [len(pairs.read_text().splitlines()) + 1]
    (file,) = done.info.data
    assert file.sha256 == sha256_file(bad)
    assert 0 < file.rows < len(pairs.read_text().splitlines())  # a tenth is held out


def test_sentinels_are_rows_beyond_the_tokens_the_last_first(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    from interlingua.models.folder import open_model
    from interlingua.models.scratch import SENTINELS, write_new

    given = recipe(tokenizer_folder, pairs, "mt5")
    assert given.model.new is not None
    write_new(tmp_path / "m", given.model.new, seed=0)
    start = Start.of(open_model(tmp_path / "m"))
    found = vocabulary_of(start, given.objectives)
    rows, tokens = int(start.folder.config["vocab_size"]), len(start.frame.ordinary)
    assert rows == tokens + SENTINELS
    assert found.sentinels.tolist() == list(range(rows - 1, tokens - 1, -1))
    assert found.start == start.folder.pad_id == 1  # as T5's decoder, which starts with padding


def test_the_same_rows_are_validated_in_every_run(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    given = recipe(tokenizer_folder, pairs)
    start_folder = tmp_path / "m"
    pretrain(recipe(tokenizer_folder, pairs, steps=1), out=start_folder)
    from interlingua.models.folder import open_model

    start = Start.of(open_model(start_folder))
    stores = stores_of(check(given), start, tmp_path)
    given = given.model_copy(update={"data": given.data.model_copy(update={"validation_rows": 2})})
    first, second = (strands(given, stores) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.chosen.tolist() == b.chosen.tolist()
        assert a.validation is not None
        counts = np.bincount(a.validation.lang[a.chosen])
        assert counts.max() == 2


def test_low_rank_terms_leave_the_embeddings_alone(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    from safetensors.torch import load_file

    pretrain(recipe(tokenizer_folder, pairs), out=tmp_path / "first")
    given = values(tokenizer_folder, pairs, lora_rank=4)
    given["model"] = {"name": str(tmp_path / "first")}
    pretrain(make(PretrainRecipe, given), out=tmp_path / "second")
    before, after = (
        load_file(tmp_path / name / "model.safetensors") for name in ("first", "second")
    )
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed
    assert all(".encoder." in name or "transform.dense" in name for name in changed), changed


def test_low_rank_terms_come_with_a_head_where_there_was_none(
    tmp_path: Path, tokenizer_folder: Path, pairs: Path
) -> None:
    from safetensors.torch import load_file
    from transformers import BertModel

    from interlingua.models.scratch import NewModel, write_new

    given = values(tokenizer_folder, pairs, lora_rank=4)
    write_new(tmp_path / "whole", make(NewModel, given["model"]["new"]), seed=0)
    shutil.copytree(tmp_path / "whole", tmp_path / "bare")
    bare = BertModel.from_pretrained(tmp_path / "whole", add_pooling_layer=False)
    bare.save_pretrained(tmp_path / "bare")
    given["model"] = {"name": str(tmp_path / "bare")}
    pretrain(make(PretrainRecipe, given), out=tmp_path / "m")
    found = load_file(tmp_path / "m" / "model.safetensors")
    assert (found["cls.predictions.transform.LayerNorm.weight"] != 1).any()
    assert (found["cls.predictions.bias"] != 0).any()
    kept = "embeddings.word_embeddings.weight"
    assert found[f"bert.{kept}"].equal(bare.state_dict()[kept])


@pytest.mark.parametrize(
    "path",
    [
        *sorted((RECIPES / "tiny-multilingual").glob("4-*.yaml")),
        *sorted((RECIPES / "adapt-language").glob("*.yaml")),
    ],
)
def test_every_shipped_recipe_can_be_read(path: Path) -> None:
    assert make(PretrainRecipe, read_recipe(path)).objectives


def test_parts_of_a_batch_add_up_to_it(tmp_path: Path, tokenizer_folder: Path, pairs: Path) -> None:
    """Rows worked on three at a time give the weights of rows worked on at once."""
    from safetensors.torch import load_file

    found = []
    for name, rows in (("whole", 1_000_000), ("parts", 3)):
        changes = {"steps": 6, "dropout": 0.0, "precision": "float32", "micro_rows": rows}
        pretrain(recipe(tokenizer_folder, pairs, **changes), out=tmp_path / name)
        found.append(load_file(tmp_path / name / "model.safetensors"))
    for name, tensor in found[0].items():
        np.testing.assert_allclose(found[1][name], tensor, atol=2e-4, err_msg=name)
