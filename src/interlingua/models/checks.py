"""What a folder must be before anything in it is used: whole, and nothing but data.

Pickled weights can run any code when they are opened, and ``auto_map`` asks for the model maker's
own Python; neither is ever loaded. Symbolic links are followed for reading, wherever they lead,
because caches of the model hub are made of them; nothing is ever written through one.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from interlingua.base.errors import ModelError, UnsafeModelError, quoted

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
OTHER_VOCABULARIES = ("sentencepiece.bpe.model", "spiece.model", "vocab.txt", "tokenizer.model")
_PICKLES = frozenset(
    [".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".h5", ".msgpack", ".joblib"]
)
_MAX_JSON_BYTES = 64_000_000
_MAX_HEADER_BYTES = 100_000_000


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON values
    """Read a JSON document of bounded size.

    Raises:
        ModelError: The file cannot be read, is larger than 64 MB, or is not JSON.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ModelError(f"{path} is larger than {_MAX_JSON_BYTES} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        ModelError: The file cannot be read, is too large, or holds something else.
    """
    document = read_json(path)
    if not isinstance(document, dict):
        raise ModelError(f"{path} holds {type(document).__name__}, expected a JSON object")
    return document


def check_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json`` and see that no file asks for foreign code.

    Raises:
        ModelError: There is no ``config.json``, or it names no kind of model.
        UnsafeModelError: A file asks for the model maker's own code.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ModelError(
            f"{folder} is not a model folder: it has no {CONFIG}",
            remedy="Give a folder in the Hugging Face layout, or 'starter'",
        )
    config = read_object(path)
    for name in (CONFIG, TOKENIZER_CONFIG):
        document = read_json(folder / name) if (folder / name).exists() else {}
        if isinstance(document, dict) and document.get("auto_map"):
            raise UnsafeModelError(
                f"{folder / name} asks for code of its own (auto_map), which is never run",
                remedy="Use a model whose architecture transformers knows",
            )
    if not isinstance(config.get("model_type"), str):
        raise ModelError(f"{path} has no model_type, so the kind of model is unknown")
    return config


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights, each with a header that is in order.

    Raises:
        ModelError: There are no weights, or a file is cut off or not safetensors.
        UnsafeModelError: There are only pickled weights.
    """
    files = [folder / WEIGHTS]
    if not files[0].exists() and (folder / INDEX).exists():
        files = [folder / name for name in _shards(folder / INDEX)]
    elif not files[0].exists():
        pickles = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES)
        pickles += sorted(file.name for file in folder.glob("*.bin.index.json"))
        if pickles:
            raise UnsafeModelError(
                f"{folder} has only pickled weights ({pickles[0]}), which can run any code",
                remedy=f"Convert them to {WEIGHTS} where they come from",
            )
        raise ModelError(f"{folder} has no weights: {WEIGHTS} is missing")
    for file in files:
        check_safetensors(file)
    return files


def _shards(index: Path) -> list[str]:
    table = read_object(index).get("weight_map")
    names = sorted(set(map(str, table.values()))) if isinstance(table, dict) else []
    if not names or any(Path(name).name != name for name in names):
        raise ModelError(f"{index} names no files, or files outside its folder")
    if not all(name.endswith(".safetensors") for name in names):
        raise UnsafeModelError(f"{index} names files that are not safetensors")
    return names


def check_safetensors(path: Path) -> dict[str, Any]:
    """Read the header of a safetensors file and see that its tensors fill the file exactly.

    Returns:
        The header: name to ``dtype``, ``shape`` and ``data_offsets``.

    Raises:
        ModelError: The file is missing, cut off, too long, or not safetensors.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(8)
            length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
            if not 2 <= length <= min(size - 8, _MAX_HEADER_BYTES):
                raise ModelError(f"{path} is not safetensors, or its header is cut off")
            header = json.loads(file.read(length).decode("utf-8"))
        spans = sorted(
            (entry["data_offsets"][0], entry["data_offsets"][1])
            for name, entry in header.items()
            if name != "__metadata__" and all(size >= 0 for size in entry["shape"])
        )
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ModelError(f"{path} has a header that is not safetensors: {quoted(error)}") from error
    end = 0
    for start, stop in spans:
        if start != end or stop < start:
            raise ModelError(f"{path} has a header whose tensors overlap or leave gaps")
        end = stop
    if end != size - 8 - length:
        raise ModelError(f"{path} is {size} bytes long, its header says {8 + length + end}")
    return dict(header)
