"""The files by which sentence-transformers and text-embeddings-inference know a model.

Beside the encoder lie ``modules.json`` (encoder, pooling, normalisation),
``1_Pooling/config.json``, ``sentence_bert_config.json`` (longest text) and
``config_sentence_transformers.json`` (prompts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.base.errors import ModelError, UnsafeModelError, quoted
from interlingua.base.files import write_json
from interlingua.base.progress import say
from interlingua.models.checks import read_json, read_object

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.models.info import ModelInfo

MODULES = "modules.json"
PROMPTS = "config_sentence_transformers.json"
LENGTH = "sentence_bert_config.json"
_PACKAGE = "sentence_transformers."
_KNOWN = ("Transformer", "Pooling", "Normalize")
_POOLING = "1_Pooling"
_MODES = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


def write_layout(out: Path, info: ModelInfo, *, width: int) -> None:
    """Write the files into ``out``.

    Args:
        out: The model folder.
        info: Pooling, prefixes and longest text.
        width: Hidden size of the encoder.
    """
    kinds = ["Transformer", "Pooling", *(["Normalize"] if info.normalize else [])]
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": _type(kind)}
        for i, kind in enumerate(kinds)
    ]
    write_json(out / MODULES, modules)
    pooling: dict[str, Any] = {"word_embedding_dimension": width, "include_prompt": True}
    # Pairs are pooled as nothing else can: to others the folder is an encoder of single texts.
    wanted = "mean" if info.pooling == "pair" else info.pooling
    pooling |= {key: mode == wanted for key, mode in _MODES.items()}
    (out / _POOLING).mkdir(exist_ok=True)
    write_json(out / _POOLING / "config.json", pooling)
    write_json(out / LENGTH, {"max_seq_length": info.max_length, "do_lower_case": False})
    prompts = {
        "model_type": "SentenceTransformer",
        "prompts": info.prefixes,
        "default_prompt_name": info.default_prefix or None,
        "similarity_fn_name": "cosine",
    }
    write_json(out / PROMPTS, prompts)


def check_modules(folder: Path) -> list[dict[str, Any]]:
    """The modules a folder lists, none if it lists nothing.

    Raises:
        ModelError: ``modules.json`` cannot be read.
        UnsafeModelError: A module is code of the model's maker.
    """
    if not (folder / MODULES).exists():
        return []
    modules = read_json(folder / MODULES)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ModelError(f"{folder / MODULES} holds no list of modules")
    for module in modules:
        kind = str(module.get("type"))
        if not kind.startswith(_PACKAGE):
            raise UnsafeModelError(
                f"{folder / MODULES} asks for the code {quoted(kind)}, which is not run",
                remedy=f"Only modules of {_PACKAGE}* are known",
            )
    return modules


def read_layout(folder: Path) -> dict[str, Any]:
    """What the files say about pooling, normalisation, prefixes and the longest text.

    Returns:
        Values for `ModelInfo`; nothing for a folder without ``modules.json``.

    Raises:
        ModelError: A file cannot be read, or the pooling is neither mean nor first token.
        UnsafeModelError: A module is code of the model's maker.
    """
    modules = check_modules(folder)
    if not modules:
        return {}
    kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    others = [kind for kind in kinds if kind not in _KNOWN]
    if others:
        say(f"{folder}: the layers {', '.join(others)} of modules.json are not applied")
    found: dict[str, Any] = {"normalize": "Normalize" in kinds}
    for module, kind in zip(modules, kinds, strict=True):
        if kind == "Pooling":
            found["pooling"] = _read_pooling(folder / str(module.get("path")) / "config.json")
    prompts = _read_optional(folder / PROMPTS)
    if isinstance(prompts.get("prompts"), dict):
        found["prefixes"] = {str(name): str(text) for name, text in prompts["prompts"].items()}
        found["default_prefix"] = str(prompts.get("default_prompt_name") or "")
    length = _read_optional(folder / LENGTH).get("max_seq_length")
    if isinstance(length, int):
        found["max_length"] = length
    return found


def _read_pooling(path: Path) -> str:
    config = read_object(path)
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [key for key, value in config.items() if key.startswith("pooling_") and value]
    chosen = [_MODES.get(mode, mode) for mode in ([modes] if isinstance(modes, str) else modes)]
    if len(chosen) != 1 or chosen[0] not in _MODES.values():
        raise ModelError(
            f"{path} asks for the pooling {quoted(', '.join(map(str, chosen)))}",
            remedy=f"Known: {', '.join(_MODES.values())}",
        )
    return str(chosen[0])


def _read_optional(path: Path) -> dict[str, Any]:
    return read_object(path) if path.exists() else {}


def _type(kind: str) -> str:
    return f"{_PACKAGE}models.{kind}"
