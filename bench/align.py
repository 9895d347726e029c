"""Alignment: pairs per second and memory against sentence-transformers, taking turns.

    python bench/align.py --data runs/align/pairs.jsonl.zst --json

What is the same for all: the starter, the pairs, of the lengths they really have (a text of more
than 128 tokens is cut), pairs in a batch, in-batch negatives only, dropout of 0.1, AdamW, and the
trained parameters, all but the input embeddings. What differs is how it is computed: the peer pads
each side of a batch in order of the data, ours takes pairs of like length together and encodes the
texts of both sides in rectangles of like length. Each run is a process of its own and sees all
pairs twice; the second time counts, so that every pair counts once.

- ``ours``: symmetric InfoNCE, both sides trained, bfloat16 where the processor has it;
- ``anchored``: the same against the frozen English side, as the recipe does; encoding that side
  beforehand counts;
- ``float32``: `SentenceTransformerTrainer`, `MultipleNegativesRankingLoss`;
- ``bfloat16``: the same in bfloat16, tuned as its users would;
- ``default``: ``float32`` with the input embeddings trained, as it comes.

``--memory`` asks besides for the largest batch whose peak stays within 8 GB: one step each of 32,
64, ... pairs, the longest of the data, up to 2048; ours in parts of 32.
"""

from __future__ import annotations

import argparse
import json
import random
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
from interlingua.corpus import phrasebook
from interlingua.corpus.pairs import read_pairs
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults
from interlingua.corpus.writing import pair_row, write_rows
from interlingua.inference.hardware import device, name_of

PEERS = ("float32", "bfloat16", "default")
OURS = ("ours", "anchored")
LIMIT_MB = 8192
AT_ONCE = 32
LONGEST = ("--passes", "1", "--longest")


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
    """As many pairs as a pass takes, spread over the data; its longest first."""
    pairs = list(read_pairs(Path(given.data), Faults("stop"))) if given.data else of_phrasebook()
    wanted = max(given.batch * given.steps, given.most if given.memory else 0)
    chosen = [pairs[i * 7919 % len(pairs)] for i in range(wanted)]
    return sorted(chosen, key=lambda pair: -len(pair.target_text))


def write_pairs(path: Path, pairs: list[Pair]) -> None:
    """Pairs as a file that our command reads, each with a name of its own."""
    rows = [{**pair_row(pair), "id": str(i)} for i, pair in enumerate(pairs)]
    write_rows(path, rows)


def read_some(given: argparse.Namespace) -> list[Pair]:
    """The pairs of a child: the longest, or as many as a pass takes, in an order by chance."""
    pairs = list(read_pairs(Path(given.data), Faults("stop")))
    if not given.longest:
        random.Random(0).shuffle(pairs)
    return pairs[: given.batch * given.steps]


def ours(given: argparse.Namespace, pairs: list[Pair]) -> float:
    """`interlingua align`: pairs in a second."""
    from interlingua.training.align import run as module
    from interlingua.training.align.learner import TextEncoder
    from interlingua.training.align.settings import AlignRecipe
    from interlingua.training.loop import Loop

    ended = [time.time()]
    before = [0.0]
    plain, encode = Loop.step, TextEncoder.all

    def clocked(self: Loop, rows: Any, total: int) -> float:  # noqa: ANN401
        loss = plain(self, rows, total)
        ended.append(time.time())
        return loss

    def timed(self: TextEncoder, *args: Any) -> Any:  # noqa: ANN401
        started = time.time()
        vectors = encode(self, *args)
        before[0] += time.time() - started
        return vectors

    steps = given.steps * given.passes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        write_pairs(path, pairs)
        training = {
            "steps": steps,
            "validate_every": steps,
            "max_rows": given.batch,
            "token_budget": given.batch * 2 * given.length,
            "max_length": given.length,
            "sampling": 1.0,
            "dropout": 0.1,
            "checkpoint_steps": steps + 1,
            "anchor": "eng_Latn" if given.child == "anchored" else None,
        }
        if given.longest:
            training["micro_rows"] = AT_ONCE
        recipe = make(
            AlignRecipe,
            {"data": {"pairs": [str(path)], "held_out": 0.0}, "training": training},
        )
        Loop.step = clocked  # type: ignore[method-assign]
        TextEncoder.all = timed  # type: ignore[method-assign]
        module.align(recipe, out=Path(folder) / "out")
    return len(pairs) / (ended[-1] - ended[-1 - given.steps] + before[0])


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
    steps = given.steps * given.passes

    class Clock(TrainerCallback):
        """Notes when each step ended."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
            times[state.global_step] = time.time()

    with tempfile.TemporaryDirectory() as out:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=out,
            max_steps=steps,
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
    return len(pairs) / (times[steps] - times[steps - given.steps])


def run(name: str, given: argparse.Namespace, *more: str) -> dict[str, float]:
    """One training in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--data", given.sample]
    command += ["--length", str(given.length), *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def largest_batch(name: str, given: argparse.Namespace) -> dict[str, float]:
    """The largest batch of 32, 64, ... whose peak stays within the limit, and that peak."""
    best = {"pairs": 0.0, "peak_mb": 0.0}
    size = 32
    while size <= given.most:
        peak = run(name, given, "--batch", str(size), "--steps", "1", *LONGEST)["peak_mb"]
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
    parser.add_argument("--steps", type=int, default=16, help="batches in a pass")
    parser.add_argument("--length", type=int, default=128, help="tokens of a text at most")
    parser.add_argument("--memory", action="store_true", help="largest batch in 8 GB as well")
    parser.add_argument("--most", type=int, default=2048, help="largest batch that is tried")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--passes", type=int, default=2, help=argparse.SUPPRESS)
    parser.add_argument("--longest", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        pairs = read_some(given)
        pace = ours(given, pairs) if given.child in OURS else theirs(given, pairs)
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        print(json.dumps({"pace": pace, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory() as folder:
        given.sample = str(Path(folder) / "sample.jsonl")
        write_pairs(Path(given.sample), pairs_of(given))
        document = measured(given)
    print(json.dumps(document, indent=None if given.json else 2))


def measured(given: argparse.Namespace) -> dict[str, Any]:
    """All of them in turn, then the largest batches."""
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
    return document


def token_lengths(path: Path, most: int) -> dict[str, float]:
    """Mean, median and ninth decile of the tokens of all texts, cut as they are for training."""
    from interlingua.batches.tokens import tokenize
    from interlingua.models.folder import open_model

    folder = open_model("starter")
    pairs = list(read_pairs(path, Faults("stop")))
    texts = [text for pair in pairs for text in (pair.source_text, pair.target_text)]
    prefix = folder.info.prefix()
    lengths = tokenize(folder.tokenizer(), texts, max_length=most, prefix=prefix).lengths
    shown = {"mean": lengths.mean(), "median": np.median(lengths)}
    shown["ninth_decile"] = np.quantile(lengths, 0.9)
    return {name: round(float(value), 1) for name, value in shown.items()}


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
        "tokens": token_lengths(Path(given.sample), given.length),
        "peak_mb": {
            "ours": round(max(one["peak_mb"] for one in found["ours"])),
            "theirs": round(max(one["peak_mb"] for one in found["float32"])),
        },
        "machine": name_of(device()),
    }


if __name__ == "__main__":
    main()
