"""The model in OpenVINO: fastest on most processors, a few seconds to compile.

The graph is exported from torch once and kept in the cache, keyed by the model's fingerprint; it is
made here and never read from a model folder.
"""

from __future__ import annotations

import json
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.cache import cache_dir
from interlingua.base.errors import UsageError
from interlingua.base.files import atomic_folder, check_manifest, write_manifest
from interlingua.base.optional import require
from interlingua.inference.engine import Batch
from interlingua.inference.hardware import cores
from interlingua.models.folder import ModelFolder

_FORMAT = 1


class OpenVINOEngine:
    """Runs an exported `PooledEncoder` on the processor.

    Args:
        folder: The model.
        precision: ``auto`` is bfloat16 where the processor has it.
        threads: Threads; None: all cores.
    """

    name = "openvino"

    def __init__(self, folder: ModelFolder, *, precision: str, threads: int | None = None) -> None:
        ov = require("openvino", extra="openvino")
        core = ov.Core()
        if "CPU" not in core.available_devices:
            raise UsageError("OpenVINO finds no processor here", remedy="Use --engine torch")
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        native = precision == "auto" and "BF16" in able
        self.precision = "bfloat16" if native or precision == "bfloat16" else "float32"
        self.token_budget = 1024
        model = core.read_model(graph(folder) / "model.xml")
        self.compiled = core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bfloat16" else "f32",
                "NUM_STREAMS": 1,
                "INFERENCE_NUM_THREADS": threads or cores(),
            },
        )
        self._request: Any = self.compiled.create_infer_request()

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Vectors float32 [B, D] of one batch."""
        found = self._request.infer([input_ids, attention_mask], share_inputs=True)
        return np.array(found[0], dtype=np.float32)

    def run_many(self, batches: Iterable[Batch]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Vectors of many batches; the next is prepared while one runs."""
        request = self.compiled.create_infer_request()
        waiting: deque[int] = deque()
        for i, batch in enumerate(batches):
            if waiting:
                request.wait()
                yield waiting.popleft(), np.array(request.get_output_tensor(0).data)
            request.start_async(list(batch), share_inputs=True)
            waiting.append(i)
            held = batch  # the arrays are shared with the running request
        if waiting:
            request.wait()
            del held
            yield waiting.popleft(), np.array(request.get_output_tensor(0).data)


def graph(folder: ModelFolder) -> Path:
    """The folder of the exported graph, made now if it is not in the cache or not whole."""
    target = cache_dir() / "engines" / f"openvino-{folder.fingerprint[:24]}-{_FORMAT}"
    if target.exists() and not check_manifest(target):
        return target
    with atomic_folder(target) as temporary:
        _export(folder, temporary / "model.xml")
        (temporary / "model.json").write_text(json.dumps({"fingerprint": folder.fingerprint}))
        write_manifest(temporary)
    return target


def _export(folder: ModelFolder, path: Path) -> None:
    import torch

    from interlingua.models.encoder import PooledEncoder, load_encoder

    ov = require("openvino", extra="openvino")
    model = PooledEncoder.for_folder(load_encoder(folder), folder.info).eval()
    ids = torch.full((2, 5), folder.pad_id, dtype=torch.int64)
    mask = torch.ones_like(ids)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on branches that lengths do not take
        converted = ov.convert_model(
            model,
            example_input={"input_ids": ids, "attention_mask": mask},
            input=[("input_ids", [-1, -1], ov.Type.i64), ("attention_mask", [-1, -1], ov.Type.i64)],
        )
    ov.save_model(converted, path, compress_to_fp16=False)
