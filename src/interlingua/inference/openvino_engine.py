"""The model in OpenVINO: fastest on most processors, a few seconds to compile.

The graph is exported from torch once and kept in the cache, keyed by the model's fingerprint; it is
made here and never read from a model folder.
"""

from __future__ import annotations

import json
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.cache import cache_dir
from interlingua.base.errors import UsageError
from interlingua.base.files import atomic_folder, check_manifest, write_manifest
from interlingua.base.optional import require
from interlingua.inference.engine import Batch
from interlingua.inference.hardware import cores
from interlingua.inference.int8 import GROUPS, quantise, ranges
from interlingua.inference.sample import sample
from interlingua.models.folder import ModelFolder
from interlingua.models.info import Outputs

if TYPE_CHECKING:
    from torch import nn

_FORMAT = 3
_STREAMS = 8


class OpenVINOEngine:
    """Runs an exported model on the processor.

    Args:
        folder: The model.
        precision: ``auto`` is bfloat16 where the processor has it; ``int8`` is eight-bit weights
            and products, the rest as ``auto``.
        outputs: ``vectors``, or ``tokens`` for the native head's logits.
        threads: Threads; None: all cores.
    """

    name = "openvino"

    def __init__(
        self,
        folder: ModelFolder,
        *,
        precision: str,
        outputs: Outputs = "vectors",
        threads: int | None = None,
    ) -> None:
        core = _core()
        if "CPU" not in core.available_devices:
            raise UsageError("OpenVINO finds no processor here", remedy="Use --engine torch")
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        native = precision in ("auto", "int8") and "BF16" in able
        half = native or precision == "bfloat16"
        self.precision = "int8" if precision == "int8" else "bfloat16" if half else "float32"
        self.token_budget = 512
        path = graph(folder, outputs=outputs, int8=precision == "int8")
        self._model = core.read_model(path / "model.xml")
        self._threads = threads or cores()
        self._streams = min(self._threads, _STREAMS)
        self._settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": self._threads,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": _about(path)["group"],
        }

    def _compile(self, streams: int) -> Any:  # noqa: ANN401 - a compiled OpenVINO model
        """The model, which runs ``streams`` batches at once, each on its share of the threads."""
        return _core().compile_model(self._model, "CPU", {**self._settings, "NUM_STREAMS": streams})

    @cached_property
    def _one(self) -> Any:  # noqa: ANN401 - an OpenVINO request
        return self._compile(1).create_infer_request()

    @cached_property
    def _several(self) -> Any:  # noqa: ANN401 - a compiled OpenVINO model
        return self._compile(self._streams)

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Vectors [B, D] of one batch, or logits [B, L, C]; all threads work on it."""
        found = self._one.infer([input_ids, attention_mask], share_inputs=True)
        return np.array(found[0], dtype=np.float32)

    def run_many(self, batches: Iterable[Batch]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The same of many batches; several run side by side, the next is prepared meanwhile."""
        source = enumerate(batches)
        head = list(islice(source, 2))
        if len(head) < 2:
            yield from ((i, self.run(*batch)) for i, batch in head)
            return
        running: deque[tuple[int, Any, Batch]] = deque()  # batches are shared with their requests
        free = [self._several.create_infer_request() for _ in range(self._streams + 1)]
        for i, batch in chain(head, source):
            if not free:
                done, request, _ = running.popleft()
                request.wait()
                yield done, np.array(request.get_output_tensor(0).data)
                free.append(request)
            request = free.pop()
            request.start_async(list(batch), share_inputs=True)
            running.append((i, request, batch))
        for done, request, _ in running:
            request.wait()
            yield done, np.array(request.get_output_tensor(0).data)


@cache
def _core() -> Any:  # noqa: ANN401 - an OpenVINO core
    """The one core of this process, never freed.

    Every core's processor plugin puts a signal stack of its own in place and, when freed, what was
    there before: two cores freed in the order they were made leave a freed stack in place, and the
    next signal, a plain Ctrl-C, ends the process with a segmentation fault.
    """
    return require("openvino", extra="openvino").Core()


def graph(folder: ModelFolder, *, outputs: Outputs = "vectors", int8: bool = False) -> Path:
    """The folder of the exported graph, made now if it is not in the cache or not whole.

    Raises:
        UsageError: ``int8`` is asked for and the model's widths do not allow it.
    """
    kind = "openvino-int8" if int8 else "openvino"
    kind += "" if outputs == "vectors" else f"-{outputs}"
    target = cache_dir() / "engines" / f"{kind}-{folder.fingerprint[:24]}-{_FORMAT}"
    if target.exists() and not check_manifest(target):
        return target
    from interlingua.models.native import load_module

    ov = require("openvino", extra="openvino")
    module = load_module(folder, outputs)
    model = _export(module, folder.pad_id)
    group = quantise(model, ranges(module, sample(folder))) if int8 else 0
    if int8 and not group:
        raise UsageError(
            f"{folder.path} has widths that no group of {GROUPS} divides",
            remedy="Use --precision bfloat16",
        )
    with atomic_folder(target) as temporary:
        ov.save_model(model, temporary / "model.xml", compress_to_fp16=False)
        about = {"fingerprint": folder.fingerprint, "group": group}
        (temporary / "model.json").write_text(json.dumps(about), encoding="utf-8")
        write_manifest(temporary)
    return target


def _about(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((path / "model.json").read_text(encoding="utf-8"))
    return about


def _export(model: nn.Module, pad_id: int) -> Any:  # noqa: ANN401 - an OpenVINO model
    import torch

    ov = require("openvino", extra="openvino")
    ids = torch.full((2, 5), pad_id, dtype=torch.int64)
    mask = torch.ones_like(ids)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on branches that lengths do not take
        return ov.convert_model(
            model,
            example_input={"input_ids": ids, "attention_mask": mask},
            input=[("input_ids", [-1, -1], ov.Type.i64), ("attention_mask", [-1, -1], ov.Type.i64)],
        )
