"""A model folder, opened: what it is, what it says about itself, its tokenizer and its head.

Opening reads small files and the headers of the weights; no weight is loaded, nothing is executed.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.config import make
from interlingua.base.errors import ConfigError, ModelError, quoted
from interlingua.base.files import sha256_file
from interlingua.base.registry import did_you_mean
from interlingua.models import checks
from interlingua.models.card import CARD, stated_licence
from interlingua.models.hub import SHORT_IDS, download
from interlingua.models.info import INFO_FILE, DataFile, ModelInfo
from interlingua.models.sentence_layout import check_modules, read_layout
from interlingua.models.tokenizer import (
    SecondText,
    load_tokenizer,
    second_text,
    tokenizer_file,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from interlingua.models.heads import Head

__all__ = ["STARTER", "DataFile", "ModelFolder", "ModelInfo", "open_model"]

STARTER = "starter"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WIDTHS = ("hidden_size", "d_model", "dim", "n_embd")
_DEPTHS = ("num_hidden_layers", "n_layers", "num_layers")
_OFFSET_POSITIONS = ("roberta", "camembert", "mpnet", "xmod", "data2vec-text")
PAIR_PARTS = 4
"""Parts of a pooled pair: u, v, |u - v| and u * v."""
_FEATURES = (
    "pooling",
    "separator",
    "layers",
    "normalize",
    "prefixes",
    "default_prefix",
    "max_length",
)
_PAD_TOKENS = ("<pad>", "[PAD]", "<|padding|>")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder in the Hugging Face layout, seen to be whole and to hold nothing but data.

    Attributes:
        path: The folder.
        info: What ``interlingua.json`` says, or what was derived where there is none.
        config: The content of ``config.json``.
    """

    path: Path
    info: ModelInfo
    config: dict[str, Any]
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def width(self) -> int:
        """Hidden size of the encoder, D."""
        return hidden_size(self.config)

    @property
    def depth(self) -> int | None:
        """Layers of the encoder, if the configuration names them."""
        return _depth(self.config)

    @property
    def weights(self) -> list[Path]:
        """The safetensors files."""
        return checks.weight_files(self.path)

    @property
    def pad_id(self) -> int:
        """Id of the padding token: the tokenizer's, else the configuration's."""
        if "pad_id" not in self._known:
            self._known["pad_id"] = _pad_id(self)
        return int(self._known["pad_id"])

    @property
    def second(self) -> SecondText | None:
        """Where tokens of type 1 begin, if the model and its tokenizer tell two texts apart so."""
        if "second" not in self._known:
            self._known["second"] = _second(self)
        found: SecondText | None = self._known["second"]
        return found

    @property
    def features(self) -> int:
        """Features of a pooled vector: the width, for every layer pooled and part of a pair."""
        parts = PAIR_PARTS if self.info.pooling == "pair" else 1
        return self.width * max(1, len(self.info.layers)) * parts

    @property
    def fingerprint(self) -> str:
        """The sha256 of all that makes its vectors: configuration, weights, tokenizer, pooling.

        It is computed from the bytes on first use (about a second per GB).
        """
        if "fingerprint" not in self._known:
            self._known["fingerprint"] = _fingerprint(self)
        return str(self._known["fingerprint"])

    def with_info(self, **values: Any) -> ModelFolder:  # noqa: ANN401 - fields of `ModelInfo`
        """The same folder, of which some fields of ``interlingua.json`` say something else."""
        return ModelFolder(self.path, self.info.model_copy(update=values), self.config)

    def tokenizer(self) -> Tokenizer:
        """Its tokenizer, freshly loaded, with neither padding nor truncation set.

        Raises:
            ModelError: There is none, or it cannot be read.
            MissingExtraError: The package ``tokenizers`` is not installed.
        """
        return load_tokenizer(self.path)

    def head(self) -> Head | None:
        """Its classification head, if it has one.

        Raises:
            ModelError: The head cannot be read, or fits neither the labels nor the encoder.
        """
        from interlingua.models.heads import HEAD_FILE, Head

        path = self.path / HEAD_FILE
        if not path.exists():
            return None
        head = Head.load(path)
        features = self.features
        if head.labels != self.info.labels or head.weight.shape[1] != features:
            raise ModelError(
                f"{path} is for {len(head.labels)} labels and {head.weight.shape[1]} features, "
                f"the folder has {len(self.info.labels)} labels and {features} features"
            )
        return head


def in_pairs(folder: ModelFolder) -> ModelFolder:
    """The same folder with pooling ``pair``, if its tokenizer puts a token between two texts."""
    ids = folder.tokenizer().encode("a", "b").ids
    if ids.count(ids[-1]) < 2:
        return folder
    return folder.with_info(pooling="pair", separator=ids[-1])


def open_model(name: str | Path) -> ModelFolder:
    """Open a model.

    Args:
        name: ``starter``, a folder, or an id of the model hub such as
            ``intfloat/multilingual-e5-base``. A string is taken for an id only if no such folder
            exists; then, and only then, the network is used.

    Raises:
        ModelError: It is none of these, or the folder is not a whole model.
        UnsafeModelError: The folder has only pickled weights, or asks for code of its own.
        MissingExtraError: An extra is needed: ``starter``, or ``hub`` for an id.
    """
    if name == STARTER:
        from interlingua.models.starter import starter_folder

        return open_folder(starter_folder())
    try:
        path = Path(name).expanduser()
        if path.is_dir():
            return open_folder(path)
        if path.exists():
            raise ModelError(f"{path} is a file, expected a model folder")
    except (OSError, RuntimeError) as error:  # too long a name, or no such person's home
        raise ModelError(f"{quoted(name)} is not a model folder: {error}") from error
    model_id = _hub_id(name)
    return open_folder(download(model_id), origin=model_id)


def open_folder(path: Path, *, origin: str | None = None) -> ModelFolder:
    """Open a folder that is there; see `open_model`.

    Args:
        path: The folder.
        origin: The id of the model hub it came by, noted as the parent of what is made from it.
    """
    config = checks.check_config(path)
    check_modules(path)
    checks.weight_files(path)
    info = _read_info(path, config, origin)
    _check_info(path, info, config)
    return ModelFolder(path, info, config)


def hidden_size(config: dict[str, Any]) -> int:
    """The width D that a ``config.json`` names, under whichever key.

    Raises:
        ModelError: It names none.
    """
    for name in _WIDTHS:
        if isinstance(config.get(name), int):
            return int(config[name])
    raise ModelError(f"{checks.CONFIG} names no hidden size ({', '.join(_WIDTHS)})")


def _hub_id(name: str | Path) -> str:
    text = str(name)
    full = SHORT_IDS.get(text, text)
    if isinstance(name, Path) or not _HUB_ID.fullmatch(full) or Path(full).parent.exists():
        hint = did_you_mean(text, [STARTER, *SHORT_IDS]) if "/" not in text else ""
        raise ModelError(
            f"{quoted(text)} is not a model folder, and not an id of the model hub",
            remedy=hint or "Give a folder that exists, 'starter', or an id such as owner/name",
        )
    return full


def _read_info(path: Path, config: dict[str, Any], origin: str | None) -> ModelInfo:
    file = path / INFO_FILE
    values = checks.read_json(file) if file.exists() else _derive(path, config)
    if isinstance(values, dict):
        values = {"max_length": _longest(path, config), "parent": origin, **values}
    try:
        return make(ModelInfo, values)
    except ConfigError as error:
        raise ModelError(f"{file}: {error.problem}", remedy=error.remedy) from error


def _depth(config: dict[str, Any]) -> int | None:
    return next((config[name] for name in _DEPTHS if isinstance(config.get(name), int)), None)


def _check_info(path: Path, info: ModelInfo, config: dict[str, Any]) -> None:
    depth = _depth(config)
    if depth is not None and any(layer > depth for layer in info.layers):
        raise ModelError(f"{path} has {depth} layers, {INFO_FILE} asks for {max(info.layers)}")
    positions = _positions(config)
    if positions is not None and info.max_length > positions:
        raise ModelError(
            f"{path} has positions for {positions} tokens, its texts are to have {info.max_length}"
        )


def _derive(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Values for `ModelInfo` from the files other libraries write."""
    found = read_layout(path)
    length = _longest(path, config)
    found["max_length"] = max(2, min(length, found.get("max_length", length)))
    found["licence"] = stated_licence(path / CARD)
    return found


def _longest(path: Path, config: dict[str, Any]) -> int:
    """Tokens a text may have: the least of the bounds that the files name, else 512."""
    positions = _positions(config)
    bounds = [] if positions is None else [positions]
    file = path / checks.TOKENIZER_CONFIG
    if file.exists():
        document = checks.read_json(file)
        length = document.get("model_max_length") if isinstance(document, dict) else None
        if isinstance(length, int | float) and 2 <= length < 1e6:
            bounds.append(int(length))
    return min(bounds, default=512)


def _positions(config: dict[str, Any]) -> int | None:
    """Tokens the encoder has positions for, if it counts them at all."""
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int):
        return None
    if any(kind in str(config["model_type"]) for kind in _OFFSET_POSITIONS):
        return positions - int(config.get("pad_token_id") or 0) - 1  # they count from pad + 1
    return positions


def _tokenizer_config(folder: ModelFolder) -> dict[str, Any]:
    file = folder.path / checks.TOKENIZER_CONFIG
    document = checks.read_json(file) if file.exists() else {}
    return document if isinstance(document, dict) else {}


def _second(folder: ModelFolder) -> SecondText | None:
    inputs = _tokenizer_config(folder).get("model_input_names")
    told = not isinstance(inputs, list) or "token_type_ids" in inputs
    kinds = folder.config.get("type_vocab_size")
    if not told or not isinstance(kinds, int) or kinds < 2:
        return None
    return second_text(folder.tokenizer())


def _pad_id(folder: ModelFolder) -> int:
    named = _tokenizer_config(folder).get("pad_token")
    named = named.get("content") if isinstance(named, dict) else named
    added = checks.read_object(tokenizer_file(folder.path)).get("added_tokens") or ()
    ids = {str(entry.get("content")): entry.get("id") for entry in added if isinstance(entry, dict)}
    for token in (named, *_PAD_TOKENS):
        place = ids.get(str(token))
        if isinstance(place, int):
            return place
    return int(folder.config.get("pad_token_id") or 0)


def _fingerprint(folder: ModelFolder) -> str:
    parts = {name: getattr(folder.info, name) for name in _FEATURES}
    names = [checks.CONFIG, checks.TOKENIZER, *checks.OTHER_VOCABULARIES]
    files = [*(folder.path / name for name in names), *folder.weights]
    hashes = {file.name: sha256_file(file) for file in files if file.exists()}
    text = json.dumps([parts, hashes], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
