"""Pretraining: real tokens per second, ours against transformers' Trainer, taking turns.

    python bench/pretrain.py --data texts/*.jsonl --json

Everybody starts from the same random weights (12 layers of width 384, input and output embeddings
tied) and trains all parameters with AdamW on the same texts in batches of 32. Peers: the Trainer
with its masked-LM collator in float32 with dynamic padding, and the same in bfloat16 with rows
grouped by length. Tokens that are padding do not count; loading, tokenizing and the first two steps
do not either. ``curves`` has the training loss of every step in nats; at the end each model's loss
is measured by one evaluator on the same held-out rows with the same masks. ``--shape llama``
compares a decoder, ``--pieces 32000`` a smaller vocabulary trained on the same texts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from interlingua.base.config import make
from interlingua.corpus.rows import read_table
from interlingua.inference.hardware import device, name_of

BATCH = 32
WARM_STEPS = 2
PEERS = ("float32", "bfloat16")
RATE = 5e-4

Step = tuple[float, int, float]
"""Of a step: the time at its start, the tokens before it, and its loss in nats."""


def texts_of(patterns: list[str], count: int, seed: int) -> tuple[list[str], list[str]]:
    """Training and held-out texts, other ones for every seed."""
    files = [Path(name) for name in patterns]
    texts = [str(row.values["text"]) for file in files for row in read_table(file)]
    order = np.random.default_rng(seed).permutation(len(texts))
    chosen = [texts[i] for i in order[: count + 256]]
    return chosen[256:], chosen[:256]


def write_texts(path: Path, texts: list[str]) -> str:
    """Texts as a file that our command reads."""
    lines = [json.dumps({"text": text, "lang": "und"}, ensure_ascii=False) for text in texts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def prepare(given: argparse.Namespace, place: Path) -> Path:
    """The model to start from."""
    from interlingua.corpus.texts import open_texts
    from interlingua.models.folder import open_model
    from interlingua.models.scratch import NewModel, write_new
    from interlingua.vocab.train import VocabSettings, train_vocabulary

    tokenizer = open_model("starter").path
    if given.pieces:
        tokenizer = place / "tokenizer"
        settings = make(VocabSettings, {"size": given.pieces})
        train_vocabulary(open_texts(given.data), settings, out=tokenizer)
    new = {"shape": given.shape, "tokenizer": str(tokenizer), "layers": given.layers}
    write_new(place / "start", make(NewModel, new), seed=0)
    return place / "start"


def ours(given: argparse.Namespace, start: Path, out: Path) -> list[Step]:
    """Our command."""
    from interlingua.training.language_modelling import LanguageModelLearner
    from interlingua.training.pretrain import pretrain
    from interlingua.training.pretrain_settings import PretrainRecipe

    train, _ = texts_of(given.data, given.steps * BATCH, given.seed)
    out.mkdir(parents=True, exist_ok=True)
    file = write_texts(out.parent / f"train-{given.seed}.jsonl", train)
    seen: list[Step] = []
    plain = LanguageModelLearner.loss

    def watched(self: Any, rows: Any, part: Any, step: int) -> Any:  # noqa: ANN401
        begun = (time.perf_counter(), self.tokens)
        loss = plain(self, rows, part, step)
        seen.append((*begun, loss.item()))
        return loss

    LanguageModelLearner.loss = watched  # type: ignore[method-assign]
    settings = {
        "steps": given.steps,
        "validate_every": given.steps,
        "checkpoint_steps": given.steps + 1,
        "token_budget": 10**6,
        "max_rows": BATCH,
        "max_length": given.max_length,
        "learning_rate": RATE,
        "schedule": "constant",
        "seed": given.seed,
    }
    recipe = {
        "model": {"name": str(start)},
        "objectives": [{"kind": "clm" if given.shape == "llama" else "mlm"}],
        "data": {"train": [file], "held_out": 0},
        "training": settings,
    }
    pretrain(make(PretrainRecipe, recipe), out=out)
    return seen


def theirs(kind: str, given: argparse.Namespace, start: Path, out: Path) -> list[Step]:
    """The Trainer on the same model and texts."""
    import torch
    import transformers

    train, _ = texts_of(given.data, given.steps * BATCH, given.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(start)
    masked = given.shape != "llama"
    tokenizer.add_special_tokens({"mask_token": "<mask>"} if masked else {})
    auto = transformers.AutoModelForMaskedLM if masked else transformers.AutoModelForCausalLM
    model = auto.from_pretrained(start)
    encoded = tokenizer(train, truncation=True, max_length=given.max_length)["input_ids"]
    rows = [{"input_ids": ids, "length": len(ids)} for ids in encoded]
    seen: list[Step] = []
    tokens = 0

    class Watched(transformers.Trainer):
        """Notes the time and the tokens so far at the start of every step, as for ours.

        They are counted here and not where batches are made, since batches are made ahead.
        """

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            nonlocal tokens
            begun = (time.perf_counter(), tokens)
            tokens += int(inputs["attention_mask"].sum())
            loss = super().training_step(model, inputs, *args, **kwargs)
            seen.append((*begun, loss.item()))
            return loss

    inner = transformers.DataCollatorForLanguageModeling(tokenizer, mlm=masked)

    def collate(batch: list[dict[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = inner([{"input_ids": row["input_ids"]} for row in batch])
        return made

    tuned = kind == "bfloat16"
    arguments = transformers.TrainingArguments(
        output_dir=str(out),
        max_steps=given.steps,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        weight_decay=0.01,
        adam_beta2=0.98,
        adam_epsilon=1e-6,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=max(1, round(0.05 * given.steps)),
        bf16=tuned,
        train_sampling_strategy="group_by_length" if tuned else "random",
        length_column_name="length",
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=given.seed,
    )
    trainer = Watched(model, arguments, train_dataset=rows, data_collator=collate)
    trainer.train()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return seen


def held_out_loss(given: argparse.Namespace, folder: Path, start: Path) -> float:
    """Bits per byte of what is guessed on the held-out texts, by our evaluator for all."""
    from interlingua.models.folder import open_model
    from interlingua.models.language_model import LanguageModel, load_language_model
    from interlingua.training import pretrain as module
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.language_modelling import LanguageModelLearner
    from interlingua.training.pretrain_settings import PretrainRecipe

    _, held = texts_of(given.data, given.steps * BATCH, given.seed)
    with tempfile.TemporaryDirectory() as place:
        file = write_texts(Path(place) / "held.jsonl", held)
        recipe = make(
            PretrainRecipe,
            {
                "model": {"name": str(start)},
                "objectives": [{"kind": "clm" if given.shape == "llama" else "mlm"}],
                "data": {"train": [file], "validation": [file], "validation_rows": 256},
                "training": {"max_length": given.max_length, "token_budget": 10**6},
            },
        )
        opened = module.Start.of(open_model(start))
        stores = module.stores_of(module.check(recipe), opened, Path(place))
        model, _ = load_language_model(open_model(folder))
        learner = LanguageModelLearner(
            LanguageModel(model),
            module.strands(recipe, stores),
            module.vocabulary_of(opened, recipe.objectives),
            settings=recipe.training,
            arithmetic=Arithmetic(device(), bfloat16=True),
            learned_positions=given.shape == "bert",
        )
        learner.training_mode(False)
        return -learner.score()


def pace(seen: list[Step]) -> float:
    """Real tokens per second after the first steps."""
    (begun, before, _), (ended, after, _) = seen[WARM_STEPS], seen[-1]
    return (after - before) / (ended - begun)


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", required=True, help="tables with a column text")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--shape", default="bert", choices=("bert", "llama"))
    parser.add_argument("--pieces", type=int, default=0, help="0: the starter's 250,002")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--place", default="", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.steps < WARM_STEPS + 2:
        parser.error(f"--steps is at least {WARM_STEPS + 2}: the first {WARM_STEPS} do not count")
    if given.child:
        child(given)
        return
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *PEERS)}
    with tempfile.TemporaryDirectory() as place:
        prepare(given, Path(place))
        for seed in range(given.pairs):
            for name, runs in found.items():
                runs.append(run(name, place, seed))
                print(name, seed, json.dumps(runs[-1]), file=sys.stderr, flush=True)
    print(json.dumps(report(found, given), indent=None if given.json else 2))


def child(given: argparse.Namespace) -> None:
    """Train once and print what was seen."""
    start, out = Path(given.place) / "start", Path(given.place) / f"{given.child}-{given.seed}"
    if given.child == "ours":
        seen = ours(given, start, out)
    else:
        seen = theirs(given.child, given, start, out)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    loss = held_out_loss(given, out, start)
    curve = [round(nats, 4) for _, _, nats in seen]
    told = {"tokens_per_second": pace(seen), "peak": peak, "loss": loss, "curve": curve}
    print(json.dumps(told))


def run(name: str, place: str, seed: int) -> dict[str, Any]:
    """One run in a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--child", name, "--place", place]
    command += ["--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def report(found: dict[str, list[dict[str, Any]]], given: argparse.Namespace) -> dict[str, Any]:
    """The document of DESIGN: medians, and the median ratio of pairs."""

    def column(name: str, key: str) -> list[float]:
        return [float(one[key]) for one in found[name]]

    def ratio(peer: str) -> float:
        mine, other = column("ours", "tokens_per_second"), column(peer, "tokens_per_second")
        return median(a / b for a, b in zip(mine, other, strict=True))

    return {
        "name": "pretrain",
        "unit": "real tokens/s",
        "peer": "transformers Trainer, float32, dynamic padding; tuned: bfloat16, by length",
        "peer_version": metadata.version("transformers"),
        "shape": given.shape,
        "pieces": given.pieces or 250_002,
        "ours": median(column("ours", "tokens_per_second")),
        "theirs": median(column("float32", "tokens_per_second")),
        "theirs_tuned": median(column("bfloat16", "tokens_per_second")),
        "ratio": ratio("float32"),
        "ratio_tuned": ratio("bfloat16"),
        "peak_mb": {
            "ours": median(column("ours", "peak")),
            "theirs": median(column("float32", "peak")),
        },
        "quality": {name: column(name, "loss") for name in found},
        "curves": {name: [one["curve"] for one in runs] for name, runs in found.items()},
        "machine": name_of(device()),
    }


if __name__ == "__main__":
    main()
