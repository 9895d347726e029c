"""Fine-tuning to the same validation score: ours against transformers' Trainer, taking turns.

    python bench/finetune.py --data ../shared/data/mnli/en.train.jsonl --json

Everybody trains the same parameters (the starter's encoder without its input embeddings, and a
linear head on the same pooled states) on the same rows of MNLI with AdamW, and is asked for the
seconds until the validation score is first reached; loading and tokenizing count, importing the
libraries and validations do not. Peers: the Trainer in float32 with dynamic padding and batches of
32, and the same in bfloat16 with rows grouped by length. Everybody uses their own defaults for what
is not named here, the learning rate among them; ``rows_per_second`` compares the pace of training
alone.
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
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.config import make
from interlingua.inference.hardware import device, name_of
from interlingua.tasks.record import TASKS
from interlingua.tasks.texts import TextExample, TextExamples

if TYPE_CHECKING:
    import torch

BATCH = 32
PER_EPOCH = 4
PEERS = ("float32", "bfloat16")


def rows_of(
    data: str, count: int, held: int, seed: int
) -> tuple[list[TextExample], list[TextExample]]:
    """Training and validation rows, other ones for every seed."""
    rows = TextExamples.read([data], TASKS.get("nli"), lang="eng_Latn")
    order = np.random.default_rng(seed).permutation(len(rows.rows))
    chosen = [rows.rows[i] for i in order[: count + held]]
    return chosen[held:], chosen[:held]


def write_rows(path: Path, rows: list[TextExample]) -> str:
    """Rows as a file that our command reads."""
    lines = [
        json.dumps({"text": row.text, "text_pair": row.pair, "label": row.label}) for row in rows
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def ours(data: str, count: int, held: int, epochs: int, seed: int) -> list[dict[str, float]]:
    """Strategy full with its defaults: seconds of training and the score at every validation."""
    import transformers

    from interlingua.training.finetune import run_finetune
    from interlingua.training.settings import FinetuneRecipe

    transformers.set_seed(seed)  # as the peer does before its clock starts

    train, validation = rows_of(data, count, held, seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = {
            "train": [write_rows(place / "train.jsonl", train)],
            "validation": [write_rows(place / "validation.jsonl", validation)],
        }
        full = {"epochs": epochs, "validations": PER_EPOCH, "patience": 99}
        recipe = make(
            FinetuneRecipe,
            {
                "data": {"task": "nli", "lang": "eng_Latn", **files},
                "training": {"strategy": "full", "seed": seed, "full": full},
            },
        )
        started = time.time()
        run_finetune(recipe, out=place / "out")
        lines = (place / "out" / "logs" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {
            "score": line["score"],
            "seconds": line["time"] - started - line["validation_seconds"],
            "share": (i + 1) / PER_EPOCH,
        }
        for i, line in enumerate(map(json.loads, lines))
    ]


def theirs(
    kind: str, data: str, count: int, held: int, epochs: int, seed: int
) -> list[dict[str, float]]:
    """The Trainer on the same model, rows and trained parameters."""
    import torch
    import transformers
    from torch import nn

    from interlingua.models.encoder import PooledEncoder, load_encoder
    from interlingua.models.folder import in_pairs, open_model

    train, validation = rows_of(data, count, held, seed)
    transformers.set_seed(seed)
    started = time.time()
    folder = in_pairs(open_model("starter"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder.path)
    prefix = folder.info.prefix()
    labels = {label: i for i, label in enumerate(TASKS.get("nli").labels)}

    def encoded(rows: list[TextExample]) -> list[dict[str, Any]]:
        found = tokenizer(
            [prefix + row.text for row in rows], [str(row.pair) for row in rows], truncation=True
        )
        return [
            {
                "input_ids": ids,
                "attention_mask": [1] * len(ids),
                "labels": labels[str(row.label)],
                "length": len(ids),
            }
            for ids, row in zip(found["input_ids"], rows, strict=True)
        ]

    class Model(nn.Module):
        """The pooled encoder with a linear head, in the form the Trainer asks for."""

        def __init__(self) -> None:
            super().__init__()
            encoder = load_encoder(folder).train()
            encoder.get_input_embeddings().requires_grad_(False)
            self.pooled = PooledEncoder.for_folder(encoder, folder.with_info(normalize=False))
            self.drop = nn.Dropout(0.1)
            self.head = nn.Linear(folder.features, len(labels))

        def forward(
            self,
            input_ids: torch.Tensor,
            attention_mask: torch.Tensor,
            labels: torch.Tensor | None = None,
        ) -> dict[str, torch.Tensor]:
            logits = self.head(self.drop(self.pooled(input_ids, attention_mask)))
            if labels is None:
                return {"logits": logits}
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    rows, tested, model = encoded(train), encoded(validation), Model()
    steps = -(-len(rows) // BATCH)
    seen: list[dict[str, float]] = []
    validating = 0.0

    class Watch(transformers.TrainerCallback):
        """Validates at the same shares of an epoch as we do."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
            nonlocal validating
            marks = {max(1, round(steps * k / PER_EPOCH)) for k in range(1, PER_EPOCH + 1)}
            if (state.global_step - 1) % steps + 1 not in marks:
                return
            begun = time.time()
            found = trainer.predict(tested)
            validating += time.time() - begun
            score = float(np.mean(np.argmax(found.predictions, axis=1) == found.label_ids))
            seconds = time.time() - started - validating
            seen.append({"score": score, "seconds": seconds, "share": (len(seen) + 1) / PER_EPOCH})
            model.train()

    tuned = kind == "bfloat16"
    with tempfile.TemporaryDirectory() as out:
        arguments = transformers.TrainingArguments(
            output_dir=out,
            num_train_epochs=epochs,
            per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=BATCH,
            bf16=tuned,
            train_sampling_strategy="group_by_length" if tuned else "random",
            length_column_name="length",
            remove_unused_columns=True,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=seed,
        )
        trainer = transformers.Trainer(
            model,
            arguments,
            train_dataset=rows,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
            callbacks=[Watch()],
        )
        trainer.train()
    return seen


def until(curve: list[dict[str, float]], score: float) -> float | None:
    """Seconds until a score is first reached, or None."""
    return next((point["seconds"] for point in curve if point["score"] >= score), None)


def pace(curve: list[dict[str, float]], rows: int) -> float:
    """Rows trained on in a second, from the first validation to the last."""
    first, last = curve[0], curve[-1]
    return rows * (last["share"] - first["share"]) / (last["seconds"] - first["seconds"])


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data/mnli/en.train.jsonl")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--held-out", type=int, default=500, help="validation rows")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        size = (given.data, given.rows, given.held_out, given.epochs, given.seed)
        curve = ours(*size) if given.child == "ours" else theirs(given.child, *size)
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        print(json.dumps({"curve": curve, "peak": peak}))
        return
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *PEERS)}
    for seed in range(given.pairs):
        for name, runs in found.items():
            runs.append(run(name, given, seed))
            print(name, seed, json.dumps(runs[-1]), file=sys.stderr, flush=True)
    print(json.dumps(report(found, given.rows), indent=None if given.json else 2))


def run(name: str, given: argparse.Namespace, seed: int) -> dict[str, Any]:
    """One training in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--data", given.data]
    size = [
        *("--rows", str(given.rows), "--held-out", str(given.held_out)),
        *("--epochs", str(given.epochs), "--seed", str(seed)),
    ]
    done = subprocess.run([*command, *size], stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def report(found: dict[str, list[dict[str, Any]]], rows: int) -> dict[str, Any]:
    """The document: for every pair, the score that everybody reached, and the seconds to it."""
    seconds: dict[str, list[float]] = {name: [] for name in found}
    targets = []
    for runs in zip(*found.values(), strict=True):
        curves = [one["curve"] for one in runs]
        target = min(max(point["score"] for point in curve) for curve in curves)
        targets.append(target)
        for name, curve in zip(found, curves, strict=True):
            seconds[name].append(until(curve, target) or float("nan"))

    def ratio(peer: str) -> float:
        pairs = zip(seconds["ours"], seconds[peer], strict=True)
        return round(median(b / a for a, b in pairs), 2)

    paces = {n: median(pace(one["curve"], rows) for one in runs) for n, runs in found.items()}
    return {
        "name": "finetune",
        "unit": "seconds to the same validation score",
        "peer": "transformers Trainer",
        "peer_version": metadata.version("transformers"),
        "ours": round(median(seconds["ours"]), 1),
        "theirs": round(median(seconds["float32"]), 1),
        "theirs_bfloat16": round(median(seconds["bfloat16"]), 1),
        "ratio": ratio("float32"),
        "ratio_tuned": ratio("bfloat16"),
        "rows_per_second": {name: round(value, 1) for name, value in paces.items()},
        "peak_mb": {
            "ours": round(max(one["peak"] for one in found["ours"])),
            "theirs": round(max(one["peak"] for one in found["float32"])),
        },
        "quality": {
            "scores_reached_by_all": [round(target, 3) for target in targets],
            "best": {
                name: round(fmean(max(p["score"] for p in one["curve"]) for one in runs), 3)
                for name, runs in found.items()
            },
        },
        "machine": name_of(device()),
    }


if __name__ == "__main__":
    main()
