"""Alignment: pairs per second and memory against sentence-transformers, taking turns.

    python bench/align.py --data runs/align/pairs.jsonl.zst --json

Everybody trains the starter on the same pairs in batches of the same size, in-batch negatives only,
with AdamW; each run is a process of its own, and only steps count, after the first quarter of them.

- ``ours``: symmetric InfoNCE, both sides trained, input embeddings left alone, bfloat16 where the
  processor has it;
- ``anchored``: the same against the frozen English side, as the recipe does; encoding that side
  beforehand counts;
- ``float32``: `SentenceTransformerTrainer`, `MultipleNegativesRankingLoss`, the input embeddings
  left alone too;
- ``bfloat16``: the same in bfloat16, tuned as its users would;
- ``default``: ``float32`` with the input embeddings trained, as it comes.

``--memory`` asks besides for the largest batch whose peak stays within 8 GB: one step each of 32,
64, ... pairs, the longest of the data, up to 2048; ours in parts of 32.
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

from interlingua.base.config import make
from interlingua.corpus import phrasebook
from interlingua.corpus.pairs import read_pairs
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults
from interlingua.inference.hardware import processor

PEERS = ("float32", "bfloat16", "default")
OURS = ("ours", "anchored")
LIMIT_MB = 8192
AT_ONCE = 32


def of_phrasebook() -> list[Pair]:
    """The shipped sentences, each with its English one: enough to measure a pace."""
    texts = {}
    for file in phrasebook.test_files():
        lines = file.read_text(encoding="utf-8").splitlines()
        texts[file.name.split(".")[1]] = [json.loads(line)["text"] for line in lines]
    english = texts.pop("eng_Latn")
    return [
        Pair(source, target, "eng_Latn", lang, f"{lang}-{i}", "phrasebook")
        for lang, targets in texts.items()
        for i, (source, target) in enumerate(zip(english, targets, strict=True))
    ]


def pairs_of(given: argparse.Namespace) -> list[Pair]:
    """As many pairs as the steps take: spread over the data, or its longest."""
    pairs = list(read_pairs(Path(given.data), Faults("stop"))) if given.data else of_phrasebook()
    wanted = given.batch * given.steps
    if given.longest:
        pairs.sort(key=lambda pair: -len(pair.target_text))
        return [pairs[i % len(pairs)] for i in range(wanted)]
    return [pairs[i * 7919 % len(pairs)] for i in range(wanted)]


def ours(given: argparse.Namespace, pairs: list[Pair]) -> float:
    """`interlingua align`: pairs in a second."""
    from interlingua.training import align as module
    from interlingua.training.align_learner import AlignLearner, TextEncoder
    from interlingua.training.align_settings import AlignRecipe

    begun: list[float] = []
    before = [0.0]
    plain, encode = AlignLearner.loss, TextEncoder.all

    def clocked(self: AlignLearner, rows: Any, part: Any, step: int) -> Any:  # noqa: ANN401
        if step == len(begun):
            begun.append(time.time())
        return plain(self, rows, part, step)

    def timed(self: TextEncoder, *args: Any) -> Any:  # noqa: ANN401
        started = time.time()
        vectors = encode(self, *args)
        before[0] += time.time() - started
        return vectors

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for i, pair in enumerate(pairs):
                row = {"source": pair.source_text, "target": pair.target_text, "id": str(i)}
                row |= {"source_lang": pair.source_lang, "target_lang": pair.target_lang}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        training = {
            "steps": given.steps,
            "validate_every": given.steps,
            "max_rows": given.batch,
            "token_budget": given.batch * 2 * given.length,
            "max_length": given.length,
            "sampling": 1.0,
            "dropout": 0.1,
            "checkpoint_steps": given.steps + 1,
            "anchor": "eng_Latn" if given.child == "anchored" else None,
        }
        if given.longest:
            training["micro_rows"] = AT_ONCE
        recipe = make(
            AlignRecipe,
            {"data": {"pairs": [str(path)], "held_out": 0.0}, "training": training},
        )
        AlignLearner.loss = clocked  # type: ignore[method-assign]
        TextEncoder.all = timed  # type: ignore[method-assign]
        started = time.time()
        module.align(recipe, out=Path(folder) / "out")
    first = first_counted(given.steps)
    if first + 1 >= given.steps:
        return given.batch * given.steps / (time.time() - started)
    share = (given.steps - 1 - first) / given.steps
    spent = begun[-1] - begun[first] + share * before[0]  # encoding the frozen side, by its share
    return given.batch * given.steps * share / spent


def first_counted(steps: int) -> int:
    """The step, from 0, from which time counts."""
    return max(1, steps // 4) if steps > 1 else 0


def theirs(given: argparse.Namespace, pairs: list[Pair]) -> float:
    """`SentenceTransformerTrainer`: pairs in a second."""
    import torch
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from transformers import TrainerCallback

    from interlingua.models.folder import open_model

    folder = open_model("starter")
    model = SentenceTransformer(str(folder.path), device=None)
    model.max_seq_length = given.length
    if given.child != "default":
        model[0].auto_model.get_input_embeddings().requires_grad_(False)
    prefix = folder.info.prefix()
    rows = Dataset.from_dict(
        {
            "anchor": [prefix + pair.target_text for pair in pairs],
            "positive": [prefix + pair.source_text for pair in pairs],
        }
    )
    times = {0: time.time()}

    class Clock(TrainerCallback):
        """Notes when each step ended."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
            times[state.global_step] = time.time()

    with tempfile.TemporaryDirectory() as out:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=out,
            max_steps=given.steps,
            per_device_train_batch_size=given.batch,
            learning_rate=5e-5,
            bf16=given.child == "bfloat16",
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            loss=MultipleNegativesRankingLoss(model),
            callbacks=[Clock()],
        )
        trainer.train()
    first = first_counted(given.steps)
    return given.batch * (given.steps - first) / (times[given.steps] - times[first])


def run(name: str, given: argparse.Namespace, *more: str) -> dict[str, float]:
    """One training in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--data", given.data]
    command += ["--length", str(given.length), *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def largest_batch(name: str, given: argparse.Namespace) -> dict[str, float]:
    """The largest batch of 32, 64, ... whose peak stays within the limit, and that peak."""
    best = {"pairs": 0.0, "peak_mb": 0.0}
    size = 32
    while size <= given.most:
        peak = run(name, given, "--batch", str(size), "--steps", "1", "--longest")["peak_mb"]
        print(name, size, peak, file=sys.stderr, flush=True)
        if peak > LIMIT_MB:
            break
        best = {"pairs": size, "peak_mb": round(peak)}
        size *= 2
    return best


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="pairs; the shipped phrasebook without it")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--pairs", type=int, default=5, help="times everybody runs")
    parser.add_argument("--batch", type=int, default=64, help="pairs in a batch")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--length", type=int, default=64, help="tokens of a text at most")
    parser.add_argument("--memory", action="store_true", help="largest batch in 8 GB as well")
    parser.add_argument("--most", type=int, default=2048, help="largest batch that is tried")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--longest", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        pairs = pairs_of(given)
        pace = ours(given, pairs) if given.child in OURS else theirs(given, pairs)
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        print(json.dumps({"pace": pace, "peak_mb": peak}))
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (*OURS, *PEERS)}
    size = ("--batch", str(given.batch), "--steps", str(given.steps))
    for turn in range(given.pairs):
        for name, runs in found.items():
            runs.append(run(name, given, *size))
            print(name, turn, json.dumps(runs[-1]), file=sys.stderr, flush=True)
    document = report(found, given)
    if given.memory:
        document["largest_batch_in_8_gb"] = {
            name: largest_batch(name, given) for name in ("ours", "float32", "bfloat16")
        }
    print(json.dumps(document, indent=None if given.json else 2))


def report(found: dict[str, list[dict[str, float]]], given: argparse.Namespace) -> dict[str, Any]:
    """The document: medians, and ratios of runs that took turns."""

    def ratio(peer: str, mine: str = "ours") -> float:
        pairs = zip(found[mine], found[peer], strict=True)
        return round(median(a["pace"] / b["pace"] for a, b in pairs), 2)

    paces = {n: round(median(one["pace"] for one in runs), 1) for n, runs in found.items()}
    return {
        "name": "align",
        "unit": "pairs per second",
        "peer": "sentence-transformers MultipleNegativesRankingLoss",
        "peer_version": metadata.version("sentence-transformers"),
        "ours": paces["ours"],
        "theirs": paces["float32"],
        "ratio": ratio("float32"),
        "ratio_tuned": ratio("bfloat16"),
        "ratio_default": ratio("default"),
        "ratio_anchored": ratio("float32", "anchored"),
        "pairs_per_second": paces,
        "batch": given.batch,
        "peak_mb": {
            "ours": round(max(one["peak_mb"] for one in found["ours"])),
            "theirs": round(max(one["peak_mb"] for one in found["float32"])),
        },
        "machine": processor(),
    }


if __name__ == "__main__":
    main()
