"""Which engine runs a model: asked for, or measured on this machine once.

The measurement takes a few seconds and is kept in the cache, by processor, model shape and library
versions. An engine whose vectors stray from float32 is never chosen, and a small job is not made to
wait for a compilation.
"""

from __future__ import annotations

import json
import time
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.cache import cache_dir
from interlingua.base.errors import DiskError
from interlingua.base.files import write_json
from interlingua.base.optional import available
from interlingua.base.progress import say
from interlingua.inference.engine import ENGINES, Engine
from interlingua.inference.hardware import device, processor
from interlingua.models.folder import ModelFolder

SMALL_JOB = 1000
"""Rows under which the engine that starts at once is taken, unless the other is ready."""
_LEAST_COSINE = 0.999
_SHAPES = ((32, 16), (16, 64), (1, 16))
_ROUNDS = 3


def open_engine(
    folder: ModelFolder,
    *,
    engine: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    rows: int | None = None,
) -> Engine:
    """Open an engine for a model.

    Args:
        folder: The model.
        engine: ``torch``, ``openvino``, or ``auto``: the fastest here.
        precision: ``float32``, ``bfloat16``, or ``auto``: what the engine finds best.
        exact: torch in float32, whatever else is asked for.
        rows: Size of the job, if known; a small one takes the engine that starts at once.

    Raises:
        UnknownNameError: There is no such engine.
        MissingExtraError: Its package is not installed.
    """
    if exact:
        return ENGINES.get("torch")(folder, precision="float32")
    if engine != "auto":
        return ENGINES.get(engine)(folder, precision=precision)
    if not available("openvino") or device().type == "cuda":
        return ENGINES.get("torch")(folder, precision=precision)
    key = _key(folder)
    choices = _read_choices()
    if key in choices:
        return ENGINES.get(choices[key]["engine"])(folder, precision=precision)
    if rows is not None and rows < SMALL_JOB:
        return ENGINES.get("torch")(folder, precision=precision)
    return _measure(folder, key, precision)


def _measure(folder: ModelFolder, key: str, precision: str) -> Engine:
    say("measuring which engine is fastest here (once)")
    sample = [_batch(folder, *shape) for shape in _SHAPES]
    reference = ENGINES.get("torch")(folder, precision="float32")
    expected = [reference.run(*batch) for batch in sample]
    del reference
    best: Engine | None = None
    timings: dict[str, Any] = {}
    for name in ENGINES.names():
        candidate = ENGINES.get(name)(folder, precision=precision)
        cosine = min(
            _cosine(candidate.run(*batch), wanted)
            for batch, wanted in zip(sample, expected, strict=True)
        )
        seconds = _time(candidate, sample)
        timings[name] = {
            "precision": candidate.precision,
            "seconds": round(seconds, 4),
            "cosine": round(cosine, 6),
        }
        faster = best is None or seconds < timings[best.name]["seconds"]
        if cosine >= _LEAST_COSINE and faster:
            best = candidate
    chosen = best or ENGINES.get("torch")(folder, precision="float32")
    _keep(key, {"engine": chosen.name, "timings": timings})
    return chosen


def _batch(
    folder: ModelFolder, rows: int, length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    vocabulary = int(folder.config.get("vocab_size", 1000))
    rng = np.random.default_rng(0)
    ids = rng.integers(5, max(6, min(vocabulary, 20_000)), size=(rows, length), dtype=np.int64)
    return ids, np.ones_like(ids)


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / np.maximum(norms, 1e-12)).min())


def _time(engine: Engine, sample: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> float:
    """Median seconds for the sample, after the warm-up that checked its vectors."""
    rounds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for batch in sample:
            engine.run(*batch)
        rounds.append(time.perf_counter() - started)
    return float(np.median(rounds))


def _key(folder: ModelFolder) -> str:
    config = folder.config
    shape = [config.get(name) for name in ("model_type", "num_hidden_layers", "vocab_size")]
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "openvino")]
    parts = [processor(), *shape, folder.width, list(folder.info.layers), *versions]
    return " | ".join(map(str, parts))


def _choices_file() -> Any:  # noqa: ANN401 - a path
    return cache_dir() / "engines" / "choices.json"


def _read_choices() -> dict[str, Any]:
    try:
        choices = json.loads(_choices_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        key: value
        for key, value in (choices.items() if isinstance(choices, dict) else ())
        if isinstance(value, dict) and str(value.get("engine")) in ENGINES
    }


def _keep(key: str, choice: dict[str, Any]) -> None:
    try:
        write_json(_choices_file(), {**_read_choices(), key: choice})
    except DiskError as error:
        say(f"warning: the choice of the engine cannot be kept: {error}")
