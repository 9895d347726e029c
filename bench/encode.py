"""Encoding short sentences: ours against sentence-transformers, alternating in one run.

    python bench/encode.py --json

Peers: sentence-transformers with its defaults (float32, batches of 32), and the same in bfloat16.
Sentences are those of the shipped phrasebook in all its languages. Every vector of ours is held
against the float32 peer's: quality fails under a cosine of 0.999.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from sides.runner import Runner

from interlingua.corpus.phrasebook import test_files, train_files
from interlingua.corpus.rows import read_table
from interlingua.inference.encode import Encoder
from interlingua.inference.hardware import device, name_of
from interlingua.models.folder import ModelFolder, open_model
from interlingua.training.cost.machine import matmul_rate

if TYPE_CHECKING:
    from collections.abc import Callable

SINGLE = 40


def sentences(count: int) -> list[str]:
    """Short sentences of many languages, mixed, the same in every run."""
    files = [*test_files(), *train_files()]
    texts = [str(row.values["text"]) for file in files for row in read_table(file)]
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[order[i % len(order)]] for i in range(count)]


def ours(folder: ModelFolder) -> Callable[[list[str]], np.ndarray]:
    """Our encoder, by the engine that `auto` would choose for a long job."""
    encoder = Encoder(folder)
    encoder.engine()
    return lambda texts: encoder.encode(texts).vectors


def theirs(folder: ModelFolder, dtype: str) -> Callable[[list[str]], np.ndarray]:
    """sentence-transformers on the same folder."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(
        str(folder.path), device=str(device()), model_kwargs={"dtype": getattr(torch, dtype)}
    )
    # The folder names its default prompt, which sentence-transformers puts in front by itself.
    return lambda texts: model.encode(texts, show_progress_bar=False)


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def flops(folder: ModelFolder, lengths: np.ndarray) -> float:
    """Multiply-adds of the encoder on texts of these lengths, times two."""
    c = folder.config
    width, depth, inner = c["hidden_size"], c["num_hidden_layers"], c["intermediate_size"]
    linear = 2 * depth * (4 * width * width + 2 * width * inner)
    return float((lengths * linear + 4 * depth * width * lengths.astype(float) ** 2).sum())


def child(who: str, count: int) -> None:
    """Answer the words that the parent sends, one JSON value a line."""
    folder = open_model("starter")
    encode = ours(folder) if who == "ours" else theirs(folder, who)
    texts = sentences(count)
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        answer: object = None
        if word == "save":
            np.save(rest, encode(texts))
        elif word == "all":
            answer = seconds(lambda: encode(texts))
        elif word == "one":
            answer = [1e3 * seconds(lambda text=text: encode([text])) for text in texts[:SINGLE]]
        elif word == "peak":
            # Not getrusage: its maximum is inherited from the parent process.
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            answer = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        print(json.dumps(answer), flush=True)


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.texts)
        return
    runners = {
        name: Runner(__file__, name, ["--texts", str(given.texts)])
        for name in ("ours", "float32", "bfloat16")
    }
    rounds: dict[str, list[float]] = {name: [] for name in runners}
    single: dict[str, list[float]] = {name: [] for name in runners}
    peak: dict[str, float] = {}
    vectors: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as folder:
        for name, runner in runners.items():  # the warm-up
            runner.ask(f"save {folder}/{name}.npy")
            vectors[name] = np.load(f"{folder}/{name}.npy")
            peak[name] = runner.ask("peak")
    for _ in range(given.pairs):
        for name, runner in runners.items():
            rounds[name].append(runner.ask("all"))
            single[name] += runner.ask("one")
    for runner in runners.values():
        runner.stop()
    wanted = vectors["float32"]
    cosine = (vectors["ours"] * wanted).sum(axis=1) / np.linalg.norm(wanted, axis=1)
    print(
        json.dumps(
            report(given.texts, rounds, single, peak, cosine), indent=None if given.json else 2
        )
    )


def report(
    count: int,
    rounds: dict[str, list[float]],
    single: dict[str, list[float]],
    peak: dict[str, float],
    cosine: np.ndarray,
) -> dict[str, Any]:
    """The document of the measurements."""
    encoder = Encoder(open_model("starter"))
    lengths = encoder._tokenize(sentences(count), None, None).lengths
    achieved = flops(encoder.folder, lengths) / median(rounds["ours"])
    rate = {name: count / median(values) for name, values in rounds.items()}

    def ratio(peer: str) -> float:
        pairs = zip(rounds["ours"], rounds[peer], strict=True)
        return round(median(b / a for a, b in pairs), 2)

    return {
        "name": "encode",
        "unit": "texts/s",
        "peer": "sentence-transformers",
        "peer_version": metadata.version("sentence-transformers"),
        "ours": round(rate["ours"], 1),
        "theirs": round(rate["float32"], 1),
        "theirs_bfloat16": round(rate["bfloat16"], 1),
        "ratio": ratio("float32"),
        "ratio_tuned": ratio("bfloat16"),
        "one_text_ms": {name: round(median(values), 2) for name, values in single.items()},
        "fraction_of_limit": round(achieved / matmul_rate(device(), bfloat16=True), 3),
        "peak_mb": {"ours": round(peak["ours"]), "theirs": round(peak["float32"])},
        "quality": {
            "least_cosine": round(float(cosine.min()), 6),
            "ok": bool(cosine.min() >= 0.999),
        },
        "engine": f"{encoder.engine().name} {encoder.engine().precision}",
        "tokens_per_text": round(float(lengths.mean()), 1),
        "machine": name_of(device()),
    }


if __name__ == "__main__":
    main()
