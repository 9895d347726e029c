"""Writing a model folder that this package, transformers and sentence-transformers open alike."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import ModelError
from interlingua.base.files import (
    disk_errors,
    write_json,
    write_manifest,
    write_text,
)
from interlingua.models import checks
from interlingua.models.card import CARD, model_card
from interlingua.models.folder import STARTER, hidden_size
from interlingua.models.heads import HEAD_FILE
from interlingua.models.info import INFO_FILE
from interlingua.models.sentence_layout import write_layout
from interlingua.models.tokenizer import tokenizer_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelFolder
    from interlingua.models.heads import Head
    from interlingua.models.info import ModelInfo

_TOKENIZER_COMPANIONS = ("special_tokens_map.json", "added_tokens.json")
_WITH_IDS = ("added_tokens.json",)  # which tokenizer.json says too, and which surgery changes
_IDS_IN_CONFIG = "added_tokens_decoder"
_GENERAL_CLASS = "PreTrainedTokenizerFast"
_PLACES = ("_name_or_path", "name_or_path")


def save_model(
    out: str | Path,
    *,
    encoder: PreTrainedModel | None,
    source: ModelFolder,
    info: ModelInfo,
    head: Head | None,
    tokenizer: Tokenizer | None = None,
) -> None:
    """Write a model into a folder; the caller makes it appear at once, by `atomic_folder`.

    Args:
        out: An existing, empty folder.
        encoder: The bare encoder, or none to copy the weights of ``source`` as they are.
        source: The model it was made from: its tokenizer is kept, its licence inherited.
        info: What it was taught.
        head: The classification head, if it has one.
        tokenizer: Another tokenizer than the source's, after surgery on the vocabulary.

    Raises:
        ModelError: The head and the labels do not fit together.
        DiskError: The disk refused a write.
    """
    folder = Path(out)
    info = complete(info, source)
    if head is not None and head.labels != info.labels:
        raise ModelError(f"the head has {len(head.labels)} labels, the model {len(info.labels)}")
    with disk_errors(folder):
        if encoder is None:
            _copy_weights(source, folder)
        else:
            _write_weights(encoder, folder)
        _write_tokenizer(source, folder, tokenizer, info)
        config = checks.read_object(folder / checks.CONFIG)
        write_layout(folder, info, width=hidden_size(config))
        if head is not None:
            head.save(folder / HEAD_FILE)
        write_json(folder / INFO_FILE, info.model_dump(mode="json"))
        write_text(folder / CARD, model_card(info, config))
        write_manifest(folder)


def parent_name(name: str, folder: ModelFolder) -> str:
    """The parent as a reader elsewhere knows it: its public name, else the folder's own name."""
    if name != STARTER and Path(name).exists():
        return Path(name).resolve().name
    return folder.info.parent or name


def complete(info: ModelInfo, source: ModelFolder) -> ModelInfo:
    """Fill in what follows from the source, and this package's version."""
    values = {
        "licence": info.licence or source.info.licence,
        "citation": info.citation or source.info.citation,
        "parent": info.parent or source.info.parent or source.path.resolve().name,
        "version": info.version or version("interlingua"),
    }
    return info.model_copy(update=values)


def _write_weights(encoder: PreTrainedModel, folder: Path) -> None:
    encoder.save_pretrained(folder)
    config = checks.read_object(folder / checks.CONFIG)
    write_json(
        folder / checks.CONFIG, {key: value for key, value in config.items() if key not in _PLACES}
    )
    mode = (folder / checks.CONFIG).stat().st_mode
    for file in folder.glob("*.safetensors"):
        file.chmod(mode)  # the library leaves it readable by its owner only


def _copy_weights(source: ModelFolder, folder: Path) -> None:
    names = [checks.CONFIG, *(file.name for file in source.weights)]
    if checks.WEIGHTS not in names:
        names.append(checks.INDEX)
    for name in names:
        shutil.copyfile(source.path / name, folder / name)


def _write_tokenizer(
    source: ModelFolder, folder: Path, tokenizer: Tokenizer | None, info: ModelInfo
) -> None:
    if tokenizer is None:
        shutil.copyfile(tokenizer_file(source.path), folder / checks.TOKENIZER)
    else:
        write_text(folder / checks.TOKENIZER, tokenizer.to_str())
    path = source.path / checks.TOKENIZER_CONFIG
    config: dict[str, Any] = checks.read_object(path) if path.exists() else {}
    for name in _TOKENIZER_COMPANIONS:
        if (source.path / name).exists() and (tokenizer is None or name not in _WITH_IDS):
            shutil.copyfile(source.path / name, folder / name)
    if tokenizer is not None:
        config.pop(_IDS_IN_CONFIG, None)
    # Classes named after a model put parts of their own in place of those in tokenizer.json; they
    # know what the model is fed with, the general one must be told.
    types = [] if source.second is None else ["token_type_ids"]
    config |= {
        "tokenizer_class": _GENERAL_CLASS,
        "model_max_length": info.max_length,
        "model_input_names": ["input_ids", *types, "attention_mask"],
    }
    write_json(folder / checks.TOKENIZER_CONFIG, config)
