"""What a recipe is said to cost, and how far off that was."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.config import make
from interlingua.base.errors import ConfigError, DataError, ModelError, UnknownNameError
from interlingua.corpus import phrasebook
from interlingua.training.cost.actual import compare, spent
from interlingua.training.cost.architecture import Architecture, Batch, Stack, Trained
from interlingua.training.cost.fit import remedy
from interlingua.training.cost.load import Load, Passes
from interlingua.training.cost.machine import accelerators, chosen
from interlingua.training.cost.predict import CostSettings, predict
from interlingua.training.pretrain import pretrain
from interlingua.training.pretrain_settings import PretrainRecipe
from interlingua.training.settings import FinetuneRecipe

SHAPES = {"bert": "mlm", "modernbert": "mlm", "mt5": "span-corruption", "llama": "clm"}
NOTHING_MEASURED = CostSettings(measure="none", devices=("A100 80GB",))


def recipe(tokenizer: Path, shape: str = "bert", **training: Any) -> PretrainRecipe:
    new = {"shape": shape, "layers": 2, "width": 32, "heads": 2, "max_length": 48}
    values = {
        "model": {"new": {**new, "tokenizer": str(tokenizer)}},
        "objectives": [{"kind": SHAPES[shape]}],
        "data": {"train": [str(phrasebook.test_files()[0].parent / "test.*.jsonl")]},
        "training": {"steps": 16, "validate_every": 8, "token_budget": 512, "max_length": 48}
        | {"checkpoint_steps": 16, **training},
    }
    return make(PretrainRecipe, values)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_takes_the_tokens_and_parameters_that_were_told(
    tmp_path: Path, tokenizer_folder: Path, shape: str
) -> None:
    given = recipe(tokenizer_folder, shape)
    said = predict(given, NOTHING_MEASURED).facts()
    done = pretrain(given, out=tmp_path / "m")
    early = json.loads((tmp_path / "m/logs/prediction.json").read_text())
    for told in (said, early):
        assert told["tokens"] == pytest.approx(done.tokens, rel=0.1)
        assert told["steps"] == done.steps
    assert early["parameters"] == said["parameters"]
    assert early["flops"]["total"] == pytest.approx(said["flops"]["total"], rel=0.15)
    assert early["seconds"] > 0
    rows = {row.name: row for row in compare(said, tmp_path / "m")}
    assert rows["tokens"].actual == done.tokens
    assert abs(rows["tokens"].off or 1) < 0.1
    assert rows["seconds"].predicted is None  # nothing was measured
    assert rows["seconds"].early == early["seconds"]
    assert rows["peak memory, bytes"].actual > 0


def test_operations_grow_as_they_should(tokenizer_folder: Path) -> None:
    plain = predict(recipe(tokenizer_folder), NOTHING_MEASURED)
    twice = predict(recipe(tokenizer_folder, steps=32), NOTHING_MEASURED)
    assert twice.load.flops == pytest.approx(2 * plain.load.flops, rel=0.05)  # of other draws
    frozen = predict(recipe(tokenizer_folder, embeddings="frozen"), NOTHING_MEASURED)
    low = predict(recipe(tokenizer_folder, lora_rank=4), NOTHING_MEASURED)
    trained = [p.load.parameters["trained"] for p in (plain, frozen, low)]
    assert trained == sorted(trained, reverse=True)
    assert frozen.load.flops < plain.load.flops
    averaged = predict(recipe(tokenizer_folder, checkpoint="average"), NOTHING_MEASURED)
    assert averaged.memory["kept"] == 4 * trained[0]


def test_hours_energy_and_price(tokenizer_folder: Path) -> None:
    settings = CostSettings(measure="none", devices=("H200",), utilisation=0.5, pue=1.2)
    (plain,) = predict(recipe(tokenizer_folder), settings).devices
    assert plain.price is None
    flops = predict(recipe(tokenizer_folder), settings).load.flops
    assert plain.hours == pytest.approx(flops / (0.5 * 989e12) / 3600)
    assert plain.kwh == pytest.approx(plain.hours * 0.7 * 1.2)
    by_energy = settings.model_copy(update={"price_per_kwh": 0.3})
    (told,) = predict(recipe(tokenizer_folder), by_energy).devices
    assert told.price == pytest.approx(0.3 * plain.kwh)
    by_hour = by_energy.model_copy(update={"price_per_hour": 2.0})
    (told,) = predict(recipe(tokenizer_folder), by_hour).devices
    assert told.price == pytest.approx(2 * plain.hours)


def test_a_rate_is_measured_here(tokenizer_folder: Path) -> None:
    done = predict(recipe(tokenizer_folder), CostSettings(devices=("A10",)))
    assert done.here is not None
    assert done.matmul_flops_per_second is not None
    assert "steps" in done.here.basis
    assert done.here.fits
    assert done.here.kwh is None  # nobody said how much this machine draws


def test_without_texts_every_row_is_full(tokenizer_folder: Path, tmp_path: Path) -> None:
    given = recipe(tokenizer_folder)
    absent = given.data.model_copy(update={"train": (str(tmp_path / "none*.jsonl"),)})
    told = predict(given.model_copy(update={"data": absent}), NOTHING_MEASURED)
    assert "every row is full" in told.load.note
    assert told.load.tokens == 16 * 10 * 48
    empty = given.model.model_copy(
        update={"new": given.model.new.model_copy(update={"tokenizer": str(tmp_path)})}
    )
    without = given.model_copy(update={"model": empty})
    with pytest.raises(ModelError, match="--vocabulary"):
        predict(without, NOTHING_MEASURED)
    told = predict(without, NOTHING_MEASURED.model_copy(update={"vocabulary": 1000}))
    assert told.load.architecture.table == 32_000


@pytest.mark.parametrize("strategy", ["probe", "lora", "full"])
def test_fine_tuning(starter: Any, strategy: str) -> None:
    del starter
    given = make(
        FinetuneRecipe,
        {
            "data": {"task": "topic", "train": [str(p) for p in phrasebook.train_files()]},
            "training": {"strategy": strategy},
        },
    )
    told = predict(given, NOTHING_MEASURED)
    count = told.load.parameters
    assert count["total"] > 110_000_000
    assert (count["trained"] < 10_000) == (strategy == "probe")
    assert (told.load.steps == 0) == (strategy == "probe")
    assert told.load.flops > 0
    assert told.memory["total"] > 4 * count["total"]


def test_the_table_of_devices_names_its_sources() -> None:
    for device in accelerators():
        assert device.tflops > 10
        assert device.memory_gb > 10
        assert device.watts > 10
        assert "20" in device.source
    assert [a.name for a in chosen(("h200", "l4"))] == [
        "NVIDIA H200 SXM",
        "NVIDIA L4",
        "NVIDIA L40S",
    ]
    with pytest.raises(UnknownNameError, match="H2000"):
        chosen(("H2000",))
    with pytest.raises(ConfigError):
        make(CostSettings, {"utilisation": 1.5})


def large(rows: int = 64) -> Load:
    stack = Stack(24, 1024, 1024, 1024, 16, 4096, gated=False, vectors=13_312, once=0)
    model = Architecture("bert", 250_000, 1024, 524_288, (stack,), 2048, 1024 * 1024, 3072)
    batch = Batch(rows, 512, rows * 77, 0, rows * 512)
    passes = (Passes((batch,), 1),)
    return Load("pretrain", model, Trained(), 10, (batch,), batch, passes, False, 0, "")


def test_what_to_change_where_it_does_not_fit() -> None:
    load = large()
    needed = load.memory(bfloat16=True)
    told = remedy(load, needed.total - 1, bfloat16=True)
    rows = int(told.removeprefix("set micro_rows to ").partition(",")[0])
    assert 0 < rows < 64

    def fits(rows: int) -> bool:
        batch = replace(load.largest, rows=rows, labelled=rows * 77)
        return replace(load, largest=batch).memory(bfloat16=True).total < needed.total

    assert fits(rows)
    assert not fits(rows + 1)
    fixed = 16 * load.architecture.total
    assert "freeze the embeddings" in remedy(load, fixed - 10**9, bfloat16=True)
    assert "rank 16" in remedy(load, round(0.45 * fixed), bfloat16=True)
    assert "smaller model" in remedy(load, 10**9, bfloat16=True)


def test_a_resumed_run_has_taken_all_its_parts(tmp_path: Path) -> None:
    entries = [
        {"step": 5, "seconds": 10.0, "tokens": 100, "peak_bytes": 7},
        {"step": 10, "seconds": 21.0, "tokens": 200, "peak_bytes": 9},
        {"step": 15, "seconds": 9.0, "tokens": 90, "peak_bytes": 8},
    ]
    log = tmp_path / "logs/train.jsonl"
    log.parent.mkdir()
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    found = spent(tmp_path)
    assert (found.steps, found.seconds, found.tokens, found.peak_bytes) == (15, 30.0, 290, 9)
    facts = {"steps": 30, "tokens": 600, "flops": {"total": 3e9}, "memory": {"total": 10}}
    rows = {row.name: row.facts() for row in compare({**facts, "here": None}, tmp_path)}
    assert rows["tokens"]["predicted"] == 300  # half of the run is done
    assert rows["tokens"]["off"] == pytest.approx(300 / 290 - 1, abs=1e-4)
    assert rows["operations per second"]["actual"] == pytest.approx(5e7)
    log.write_text('{"step": 5}\n')
    with pytest.raises(DataError, match="does not tell seconds"):
        spent(tmp_path)
    with pytest.raises(DataError, match="no log of a run"):
        spent(tmp_path / "none")


def test_the_command(tmp_path: Path, tokenizer_folder: Path) -> None:
    import yaml

    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe(tokenizer_folder).model_dump(mode="json")))
    command = [sys.executable, "-m", "interlingua.cli.main", "cost", str(file)]
    command += ["--measure", "none", "--device", "H200", "--price-per-hour", "3"]
    shown = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    document = json.loads(shown.stdout)
    assert document["devices"][0]["price"] == pytest.approx(3 * document["devices"][0]["hours"])
    assert document["here"] is None
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "NVIDIA H200 SXM" in told
    assert f"{document['parameters']['total']:,} parameters" in told
    failed = subprocess.run(
        [*command, "--actual", "none"], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 2
    assert "no log of a run" in failed.stderr
