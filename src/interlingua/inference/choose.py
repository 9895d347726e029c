"""Which engine runs a model: asked for, or measured on this machine once.

The measurement takes a few seconds and is kept in the cache, by processor, model shape and library
versions. An engine whose vectors stray from float32 on sentences of many languages is never chosen;
eight bits are checked again for every model. A small job is not made to wait for a compilation.
"""

from __future__ import annotations

import json
import time
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.cache import cache_dir
from interlingua.base.errors import DiskError, UsageError
from interlingua.base.files import write_json
from interlingua.base.optional import available
from interlingua.base.progress import say
from interlingua.inference.engine import ENGINES, Batch, Engine
from interlingua.inference.hardware import device, processor
from interlingua.inference.sample import sample
from interlingua.models.folder import ModelFolder
from interlingua.models.info import Outputs

SMALL_JOB = 1000
"""Rows under which the engine that starts at once is taken, unless the other is ready."""
_LEAST_COSINE = 0.999
_ROUNDS = 3
_SHAPE = ("model_type", "num_hidden_layers", "intermediate_size", "vocab_size")


class LateEngine:
    """An engine that is opened when the first job comes, whose size may decide which one it is.

    Args:
        folder: The model.
        engine: As in `open_engine`.
        precision: As in `open_engine`.
        exact: As in `open_engine`.
        outputs: As in `open_engine`.
    """

    def __init__(
        self,
        folder: ModelFolder,
        *,
        engine: str = "auto",
        precision: str = "auto",
        exact: bool = False,
        outputs: Outputs = "vectors",
    ) -> None:
        self._open = partial(
            open_engine, folder, engine=engine, precision=precision, exact=exact, outputs=outputs
        )
        self._engine: Engine | None = None

    def __call__(self, rows: int | None = None) -> Engine:
        """The engine; a small first job may be given the one that starts at once."""
        if self._engine is None:
            self._engine = self._open(rows=rows)
        return self._engine


def open_engine(
    folder: ModelFolder,
    *,
    engine: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    rows: int | None = None,
    outputs: Outputs = "vectors",
) -> Engine:
    """Open an engine for a model.

    Logits of tokens are computed by the engine that is fastest with vectors of the same model,
    which does the same work, but in eight bits only if asked: what is checked are vectors.

    Args:
        folder: The model.
        engine: ``torch``, ``openvino``, or ``auto``: the fastest here.
        precision: ``float32``, ``bfloat16``, ``int8`` (openvino), or ``auto``: the fastest that is
            near float32.
        exact: torch in float32, whatever else is asked for.
        rows: Size of the job, if known; a small one takes the engine that starts at once.
        outputs: What the engine gives: ``vectors``, or ``tokens`` for the native head's logits.

    Raises:
        UnknownNameError: There is no such engine.
        MissingExtraError: Its package is not installed.
    """
    settled = _settled(engine, precision, exact=exact)
    if settled is not None:
        return ENGINES.get(settled[0])(folder, precision=settled[1], outputs=outputs)
    key = _key(folder, precision)
    choice = _read_choices().get(key)
    if choice is None and rows is not None and rows < SMALL_JOB:
        return ENGINES.get("torch")(folder, precision=precision, outputs=outputs)
    if choice is None:
        measured = _measure(folder, key, precision)
        if outputs == "vectors":
            return measured
        choice = {"engine": measured.name, "precision": measured.precision}
    if outputs == "vectors":
        return _open(folder, key, choice)
    asked = str(choice["precision"])
    return ENGINES.get(str(choice["engine"]))(
        folder, precision="auto" if asked == "int8" else asked, outputs=outputs
    )


def _settled(engine: str, precision: str, *, exact: bool) -> tuple[str, str] | None:
    """Engine and precision where nothing is left to choose."""
    if exact:
        return "torch", "float32"
    if precision == "int8" and engine == "auto":
        return "openvino", precision  # the only one that has it
    if engine != "auto":
        return engine, precision
    if not available("openvino") or device().type == "cuda":
        return "torch", precision
    return None


def _candidates(precision: str) -> list[tuple[str, str]]:
    """Engines with precisions to be measured."""
    asked = [(name, precision) for name in ENGINES.names()]
    return [*asked, ("openvino", "int8")] if precision == "auto" else asked


def _open(folder: ModelFolder, key: str, choice: dict[str, Any]) -> Engine:
    """The engine of an earlier measurement; eight bits only where this model bears them."""
    engine, precision = str(choice["engine"]), str(choice["precision"])
    if precision != "int8":
        return ENGINES.get(engine)(folder, precision=precision)
    known = choice["int8_cosine"]
    name = folder.fingerprint[:24]
    if name in known:
        least = known[name]
        return ENGINES.get(engine)(folder, precision="int8" if least >= _LEAST_COSINE else "auto")
    batches = sample(folder)
    chosen = ENGINES.get(engine)(folder, precision="int8")
    least = _cosine(chosen, batches, _expected(folder, batches))
    _keep(key, {**choice, "int8_cosine": {**known, name: round(least, 6)}})
    return chosen if least >= _LEAST_COSINE else ENGINES.get(engine)(folder, precision="auto")


def _measure(folder: ModelFolder, key: str, precision: str) -> Engine:
    say("measuring which engine is fastest here (once)")
    batches = sample(folder)
    expected = _expected(folder, batches)
    best: tuple[float, Engine, str] | None = None
    timings: dict[str, Any] = {}
    for name, asked in _candidates(precision):
        try:
            candidate = ENGINES.get(name)(folder, precision=asked)
        except UsageError:  # the model's widths do not allow eight bits
            continue
        cosine = _cosine(candidate, batches, expected)
        seconds = _time(candidate, batches)
        timings[f"{name} {candidate.precision}"] = {
            "seconds": round(seconds, 4),
            "cosine": round(cosine, 6),
        }
        if cosine >= _LEAST_COSINE and (best is None or seconds < best[0]):
            best = (seconds, candidate, asked)
    eight = timings.get("openvino int8", {}).get("cosine")
    _, chosen, asked = best or (0.0, ENGINES.get("torch")(folder, precision="float32"), "float32")
    choice = {"engine": chosen.name, "precision": asked, "timings": timings}
    _keep(key, choice | {"int8_cosine": {} if eight is None else {folder.fingerprint[:24]: eight}})
    return chosen


def _expected(folder: ModelFolder, batches: list[Batch]) -> list[NDArray[np.float32]]:
    reference = ENGINES.get("torch")(folder, precision="float32")
    return [reference.run(*batch) for batch in batches]


def _cosine(engine: Engine, batches: list[Batch], expected: list[NDArray[np.float32]]) -> float:
    """The least cosine between an engine's vectors and those of float32."""
    found = np.concatenate([engine.run(*batch) for batch in batches])
    wanted = np.concatenate(expected)
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    return float(((found * wanted).sum(axis=1) / np.maximum(norms, 1e-12)).min())


def _time(engine: Engine, batches: list[Batch]) -> float:
    """Median seconds for the sample, after the warm-up that checked its vectors."""
    rounds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for batch in batches:
            engine.run(*batch)
        rounds.append(time.perf_counter() - started)
    return float(np.median(rounds))


def _key(folder: ModelFolder, precision: str) -> str:
    config = folder.config
    shape = [config.get(name) for name in _SHAPE]
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "openvino")]
    parts = [processor(), precision, *shape, folder.features, list(folder.info.layers), *versions]
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
        if isinstance(value, dict)
        and str(value.get("engine")) in ENGINES
        and isinstance(value.get("precision"), str)
        and isinstance(value.get("int8_cosine"), dict)
    }


def _keep(key: str, choice: dict[str, Any]) -> None:
    try:
        write_json(_choices_file(), {**_read_choices(), key: choice})
    except DiskError as error:
        say(f"warning: the choice of the engine cannot be kept: {error}")
