"""The tokenizer of a model folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.cache import cache_dir
from interlingua.base.errors import ModelError, quoted
from interlingua.base.files import atomic_path, sha256_file
from interlingua.base.optional import require
from interlingua.models.checks import OTHER_VOCABULARIES, TOKENIZER, TOKENIZER_CONFIG
from interlingua.vocab.vocabulary import open_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class SecondText:
    """Where the tokens of type 1 begin in a row of two texts; those before are of type 0.

    BERT's ``[CLS] a [SEP] b [SEP]`` has type 1 from one token after the first ``[SEP]`` on.

    Attributes:
        separator: Id of the token that ends the first text.
        after: Tokens from the first such token to the first of type 1.
    """

    separator: int
    after: int


def second_text(tokenizer: Tokenizer) -> SecondText | None:
    """Where a tokenizer begins to count tokens to a second text; None: all are of type 0."""
    pair = tokenizer.encode("a", "b")
    types = list(pair.type_ids)
    if 1 not in types:
        return None
    first = types.index(1)
    if types != [0] * first + [1] * (len(types) - first) or not pair.special_tokens_mask[first - 1]:
        return None
    separator = pair.ids[first - 1]
    return SecondText(separator, first - pair.ids.index(separator))


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load ``tokenizer.json``, with neither padding nor truncation set.

    Raises:
        ModelError: There is no tokenizer, or it cannot be read.
        MissingExtraError: A package is missing.
    """
    return open_tokenizer(tokenizer_file(folder))


def tokenizer_file(folder: Path) -> Path:
    """The path of ``tokenizer.json``; where there are only older files, of one made from them.

    That is made once, by `transformers`, and kept in the cache under the sha256 of its sources.

    Raises:
        ModelError: There is no tokenizer, or it cannot be converted.
        MissingExtraError: A package is missing.
    """
    path = folder / TOKENIZER
    if path.is_file():
        return path
    sources = [folder / name for name in OTHER_VOCABULARIES if (folder / name).is_file()]
    if not sources:
        raise ModelError(f"{folder} has no tokenizer: {TOKENIZER} is missing")
    sources += [file for file in [folder / TOKENIZER_CONFIG] if file.is_file()]
    key = hashlib.sha256("".join(map(sha256_file, sources)).encode()).hexdigest()
    made = cache_dir() / "tokenizers" / key / TOKENIZER
    if not made.is_file():
        with atomic_path(made) as temporary:
            temporary.write_text(_convert(folder).to_str(), encoding="utf-8")
    return made


def _convert(folder: Path) -> Any:  # noqa: ANN401 - a tokenizers.Tokenizer
    transformers = require("transformers", extra="train")
    try:
        return transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_fast=True
        ).backend_tokenizer
    except Exception as error:  # many libraries take part
        reason = quoted(error, 200)
        raise ModelError(f"the tokenizer of {folder} cannot be converted: {reason}") from error
