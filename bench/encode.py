"""Encoding short sentences: ours against sentence-transformers, alternating in one run.

    python bench/encode.py --json

Peers: sentence-transformers with its defaults (float32, batches of 32), and the same in bfloat16.
Sentences are those of the shipped phrasebook in all its languages. Every vector of ours is held
against the float32 peer's: quality fails under a cosine of 0.999.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.corpus.phrasebook import test_files, train_files
from interlingua.corpus.rows import read_table
from interlingua.inference.encode import Encoder
from interlingua.inference.hardware import processor
from interlingua.models.folder import ModelFolder, open_model

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
        str(folder.path), device="cpu", model_kwargs={"dtype": getattr(torch, dtype)}
    )
    # The folder names its default prompt, which sentence-transformers puts in front by itself.
    return lambda texts: model.encode(texts, show_progress_bar=False)


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def single(encode: Callable[[list[str]], np.ndarray], texts: list[str]) -> float:
    """Median milliseconds for one text at a time."""
    return 1e3 * median(seconds(lambda text=text: encode([text])) for text in texts[:SINGLE])


def matmul_rate() -> float:
    """The best bfloat16 matrix-multiply rate over some shapes, FLOP/s."""
    import torch

    best = 0.0
    for m, k, n in ((1024, 1024, 1024), (2048, 2048, 2048), (1024, 384, 1536), (2048, 1536, 384)):
        a = torch.randn(m, k, dtype=torch.bfloat16)
        b = torch.randn(k, n, dtype=torch.bfloat16)
        a @ b
        best = max(best, *(2 * m * k * n / seconds(lambda a=a, b=b: a @ b) for _ in range(12)))
    return best


def flops(folder: ModelFolder, lengths: np.ndarray) -> float:
    """Multiply-adds of the encoder on texts of these lengths, times two."""
    c = folder.config
    width, depth, inner = c["hidden_size"], c["num_hidden_layers"], c["intermediate_size"]
    linear = 2 * depth * (4 * width * width + 2 * width * inner)
    return float((lengths * linear + 4 * depth * width * lengths.astype(float) ** 2).sum())


def peak_mb(who: str, count: int) -> float:
    """Peak memory of a process that encodes the sentences once."""
    command = [sys.executable, __file__, "--child", who, "--texts", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1])


def child(who: str, count: int) -> None:
    """Encode once and print the peak memory of this process."""
    folder = open_model("starter")
    encode = ours(folder) if who == "ours" else theirs(folder, who)
    encode(sentences(count))
    # Not getrusage: its maximum is inherited from the parent process.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


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
    folder = open_model("starter")
    texts = sentences(given.texts)
    runners = {
        "ours": ours(folder),
        "float32": theirs(folder, "float32"),
        "bfloat16": theirs(folder, "bfloat16"),
    }
    vectors = {name: run(texts) for name, run in runners.items()}  # warm-up
    rounds: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(given.pairs):
        for name, run in runners.items():
            rounds[name].append(seconds(lambda run=run: run(texts)))
    latency = {name: round(single(run, texts), 2) for name, run in runners.items()}
    cosine = (vectors["ours"] * vectors["float32"]).sum(axis=1) / np.linalg.norm(
        vectors["float32"], axis=1
    )
    rate = {name: len(texts) / median(values) for name, values in rounds.items()}
    encoder = Encoder(folder)
    lengths = encoder._tokenize(texts, None, None).lengths
    achieved = flops(folder, lengths) / median(rounds["ours"])
    document: dict[str, Any] = {
        "name": "encode",
        "unit": "texts/s",
        "peer": "sentence-transformers",
        "peer_version": metadata.version("sentence-transformers"),
        "ours": round(rate["ours"], 1),
        "theirs": round(rate["float32"], 1),
        "theirs_bfloat16": round(rate["bfloat16"], 1),
        "ratio": round(
            median(b / a for a, b in zip(rounds["ours"], rounds["float32"], strict=True)), 2
        ),
        "ratio_tuned": round(
            median(b / a for a, b in zip(rounds["ours"], rounds["bfloat16"], strict=True)), 2
        ),
        "one_text_ms": latency,
        "fraction_of_limit": round(achieved / matmul_rate(), 3),
        "peak_mb": {
            "ours": round(peak_mb("ours", given.texts)),
            "theirs": round(peak_mb("float32", given.texts)),
        },
        "quality": {
            "least_cosine": round(float(cosine.min()), 6),
            "ok": bool(cosine.min() >= 0.999),
        },
        "engine": encoder.engine().name,
        "tokens_per_text": round(float(lengths.mean()), 1),
        "machine": processor(),
    }
    print(json.dumps(document, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
