"""Models from nothing: a shape, a vocabulary and random weights, in an ordinary folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from interlingua.base.config import Config
from interlingua.base.errors import ModelError, quoted
from interlingua.base.files import atomic_folder, write_json
from interlingua.base.optional import require
from interlingua.models import checks
from interlingua.models.tokenizer import load_tokenizer, tokenizer_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Shape = Literal["bert", "xlm-roberta", "modernbert", "mt5", "llama"]
SENTINELS = 100
"""Tokens that stand for hidden spans; without names they are the last rows of the table."""
_CLASSES = {
    "bert": "BertForMaskedLM",
    "xlm-roberta": "XLMRobertaForMaskedLM",
    "modernbert": "ModernBertForMaskedLM",
    "mt5": "MT5ForConditionalGeneration",
    "llama": "LlamaForCausalLM",
}
_TOKENS = {
    "pad": ("<pad>", "[PAD]", "<|pad|>"),
    "start": ("<s>", "[CLS]", "<|begin_of_text|>"),
    "end": ("</s>", "[SEP]", "<|end_of_text|>", "<|endoftext|>"),
}


class NewModel(Config):
    """A model to be made from nothing."""

    shape: Shape
    """``bert`` (mBERT), ``xlm-roberta`` and ``modernbert`` are encoders, ``mt5`` an
    encoder-decoder, ``llama`` a decoder; each with the position encodings that are its own."""
    tokenizer: str
    """A folder with ``tokenizer.json``, such as one that ``vocab train`` made."""
    layers: int = Field(12, ge=1, le=200)
    """Transformer layers; of an encoder-decoder in each half."""
    width: int = Field(384, ge=8)
    """Hidden size D."""
    heads: int = Field(12, ge=1)
    """Attention heads; they divide the width."""
    intermediate: int = Field(0, ge=0)
    """Width of the feed-forward layers; 0: four times the width."""
    max_length: int = Field(512, ge=8)
    """Tokens of a text, special ones included."""

    @model_validator(mode="after")
    def _fits(self) -> NewModel:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}")
        return self


def write_new(out: Path, new: NewModel, *, seed: int) -> None:
    """Write a folder with random weights, the tokenizer and the configuration.

    Args:
        out: The folder to make.
        new: What to make.
        seed: Of the weights.

    Raises:
        ModelError: The tokenizer cannot be read, or lacks a token that the shape needs.
    """
    torch = require("torch", extra="train")
    place = Path(new.tokenizer).expanduser()
    tokenizer = load_tokenizer(place)
    vocabulary, ids = sizes_of(new, tokenizer)
    torch.manual_seed(seed)
    model = model_of(new, vocabulary=vocabulary, **ids)
    with atomic_folder(out) as temporary:
        model.save_pretrained(temporary)
        shutil.copyfile(tokenizer_file(place), temporary / checks.TOKENIZER)
        pad = tokenizer.id_to_token(ids["pad"])
        write_json(
            temporary / checks.TOKENIZER_CONFIG,
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": new.max_length,
                "pad_token": pad,
            },
        )


def sizes_of(new: NewModel, tokenizer: Tokenizer) -> tuple[int, dict[str, int]]:
    """The vocabulary V that a new model has, and the ids of ``pad``, ``start`` and ``end``.

    Raises:
        ModelError: The tokenizer lacks a token that the shape needs.
    """
    place = Path(new.tokenizer).expanduser()
    ids = {role: _id_of(tokenizer, names, place) for role, names in _TOKENS.items()}
    unnamed = new.shape == "mt5" and tokenizer.token_to_id("<extra_id_0>") is None
    return vocabulary_size(tokenizer) + SENTINELS * unnamed, ids


def model_of(new: NewModel, *, vocabulary: int, pad: int, start: int, end: int) -> Any:  # noqa: ANN401
    """A model of ``transformers`` with random weights and its language-modelling head.

    Args:
        new: Its shape and sizes.
        vocabulary: Tokens V.
        pad: Id of the padding token.
        start: Id of the token that begins a text; a decoder of an encoder-decoder starts with
            padding, as T5's does.
        end: Id of the token that ends a text.
    """
    config = config_of(new, vocabulary=vocabulary, pad=pad, start=start, end=end)
    return getattr(require("transformers", extra="train"), _CLASSES[new.shape])(config)


def config_of(new: NewModel, *, vocabulary: int, pad: int, start: int, end: int) -> Any:  # noqa: ANN401
    """The configuration of `model_of`, without a weight."""
    transformers = require("transformers", extra="train")
    common = {
        "vocab_size": vocabulary,
        "pad_token_id": pad,
        "bos_token_id": start,
        "eos_token_id": end,
        "tie_word_embeddings": True,
    }
    wide = new.intermediate or 4 * new.width
    stack = {
        "num_hidden_layers": new.layers,
        "hidden_size": new.width,
        "num_attention_heads": new.heads,
        "intermediate_size": wide,
    }
    if new.shape == "bert":
        return transformers.BertConfig(**common, **stack, max_position_embeddings=new.max_length)
    if new.shape == "xlm-roberta":
        places = new.max_length + pad + 1  # XLM-R counts positions from the padding id on
        return transformers.XLMRobertaConfig(
            **common, **stack, max_position_embeddings=places, type_vocab_size=1
        )
    if new.shape == "modernbert":
        return transformers.ModernBertConfig(
            **common,
            **stack,
            max_position_embeddings=new.max_length,
            cls_token_id=start,
            sep_token_id=end,
        )
    if new.shape == "mt5":
        return transformers.MT5Config(
            **common,
            d_model=new.width,
            d_kv=new.width // new.heads,
            d_ff=wide,
            num_layers=new.layers,
            num_decoder_layers=new.layers,
            num_heads=new.heads,
            decoder_start_token_id=pad,
        )
    return transformers.LlamaConfig(
        **common,
        **stack,
        num_key_value_heads=new.heads,
        max_position_embeddings=new.max_length,
    )


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Tokens V that a model for a tokenizer needs: one more than the largest id."""
    return 1 + max(tokenizer.get_vocab(with_added_tokens=True).values())


def _id_of(tokenizer: Tokenizer, names: tuple[str, ...], place: Path) -> int:
    for name in names:
        found = tokenizer.token_to_id(name)
        if found is not None:
            return int(found)
    raise ModelError(
        f"the tokenizer in {place} has none of the tokens {', '.join(map(quoted, names))}",
        remedy="Make one with: interlingua vocab train",
    )
