"""Eight-bit weights in an exported graph, for processors that multiply bytes faster.

Weights get one scale a row; activations stay in the graph's precision and are brought to eight bits
as they are multiplied, in groups along the features, by OpenVINO itself. A few features of these
activations are many times larger than the others and would take all the bits; each is first divided
by s_j = sqrt(max|x_j| / max|w_j|), which the weights take up (SmoothQuant, Xiao et al. 2023, arXiv
2211.10438, equation 4 with alpha = 1/2). Weights that read the same activations become one. Large
embedding tables are kept in float16: they are read by row, so only memory changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.optional import require
from interlingua.inference.engine import Batch

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float32]

GROUPS = (384, 256, 192, 128, 64, 32)
"""Features that share the scale of an activation, the fastest first."""
_TABLE_ROWS = 10_000
_LARGEST = 127
_LEAST = 1e-5


def ranges(module: nn.Module, sample: Iterable[Batch]) -> dict[str, Floats]:
    """Largest magnitudes [inputs] of what every linear layer of an encoder reads, by its name.

    Args:
        module: Token ids to vectors or logits; its ``encoder`` is the encoder.
        sample: Batches of rows as the model reads them.
    """
    import torch

    found: dict[str, Floats] = {}

    def watch(name: str) -> Any:  # noqa: ANN401 - a hook
        def seen(_: nn.Module, read: tuple[torch.Tensor, ...]) -> None:
            most = read[0].detach().abs().flatten(0, -2).amax(0).float().numpy()
            found[name] = np.maximum(found.get(name, np.float32(0)), most)

        return seen

    encoder: nn.Module = module.encoder  # type: ignore[assignment]
    layers = {n: m for n, m in encoder.named_modules() if isinstance(m, torch.nn.Linear)}
    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in layers.items()]
    with torch.inference_mode():
        for ids, mask in sample:
            module(torch.from_numpy(ids), torch.from_numpy(mask))
    for hook in hooks:
        hook.remove()
    return found


def quantise(model: Any, largest: dict[str, Floats]) -> int:  # noqa: ANN401 - an OpenVINO model
    """Replace the weights of a graph by eight-bit ones, in place.

    Args:
        model: An OpenVINO model in float32.
        largest: What `ranges` found for the encoder that the graph was traced from.

    Returns:
        The group of features that divides every weight's input; 0 if there is none, or nothing to
        replace: the graph is then as it was.
    """
    op = require("openvino.opset13", extra="openvino")
    readers = _readers(model)
    widths = {weight.shape[1] for together in readers for _, weight in together}
    group = next((g for g in GROUPS if widths and all(width % g == 0 for width in widths)), 0)
    if not group:
        return 0
    for together in readers:
        first = together[0][0]
        weight = np.concatenate([part for _, part in together])
        read = first.input_value(0)
        most = largest.get(_layer(first))
        if most is not None:
            by = np.maximum(most, _LEAST) / np.maximum(np.abs(weight).max(axis=0), _LEAST)
            by = np.sqrt(by).astype(np.float32)
            weight, read = weight * by, op.multiply(read, op.constant(1 / by))
        whole, scale = rounded(weight)
        near = op.multiply(op.convert(op.constant(whole), "f32"), op.constant(scale))
        product = op.matmul(read, near, transpose_a=False, transpose_b=True)
        if len(together) > 1:
            sizes = [len(part) for _, part in together]
            product = op.variadic_split(product, op.constant(-1), op.constant(sizes))
        for (node, _), part in zip(together, product.outputs(), strict=True):
            node.output(0).replace(part)
    _shrink_tables(model, op)
    model.validate_nodes_and_infer_types()
    return group


def rounded(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """A matrix [R, C] as bytes [R, C] times one scale a row [R, 1], symmetric about zero."""
    scale = np.abs(weight).max(axis=1, keepdims=True) / _LARGEST
    scale[scale == 0] = 1
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


def _readers(model: Any) -> list[list[tuple[Any, Floats]]]:  # noqa: ANN401
    """Products with a constant matrix [outputs, inputs], those of the same activations together."""
    found: dict[tuple[str, int], list[tuple[Any, Floats]]] = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() != "MatMul" or node.get_attributes()["transpose_a"]:
            continue
        weight = _constant(node.input_value(1))
        if weight is not None and weight.ndim == 2:
            read = node.input_value(0)
            right = weight if node.get_attributes()["transpose_b"] else weight.T
            key = (read.get_node().get_name(), read.get_index())
            found.setdefault(key, []).append((node, right.astype(np.float32)))
    return list(found.values())


def _shrink_tables(model: Any, op: Any) -> None:  # noqa: ANN401
    for node in model.get_ordered_ops():
        table = _constant(node.input_value(0)) if node.get_type_name() == "Gather" else None
        if table is None or table.dtype != np.float32 or table.ndim != 2:
            continue
        if len(table) >= _TABLE_ROWS:
            half = op.constant(table.astype(np.float16))
            rows = op.gather(half, node.input_value(1), node.input_value(2))
            node.output(0).replace(op.convert(rows, "f32").output(0))


def _layer(node: Any) -> str:  # noqa: ANN401
    """The torch module that a node was traced from, below the `PooledEncoder`."""
    return str(node.get_friendly_name()).partition("/")[0].removeprefix("__module.encoder.")


def _constant(output: Any) -> Floats | None:  # noqa: ANN401
    node = output.get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return node.get_data() if node.get_type_name() == "Constant" else None
