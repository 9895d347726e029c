"""XLM-R's tokenizer, written down from its pieces, scores and normalisation rules."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from interlingua.models.charsmap import compositions, precompiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
BOS, PAD, EOS, UNK, MASK = SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def tokenizer_document(
    pieces: Sequence[str], scores: Sequence[float], rules: Mapping[str, str]
) -> dict[str, Any]:
    """The content of ``tokenizer.json``.

    Args:
        pieces: The Unigram pieces, which hold the five special tokens; their order gives their ids.
        scores: Log probability of each piece.
        rules: What single characters become before tokenising.
    """
    ids = {piece: i for i, piece in enumerate(pieces)}
    charsmap = precompiled({**compositions(rules), **rules})
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special_token(ids[token], token) for token in SPECIAL],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {
                    "type": "Precompiled",
                    "precompiled_charsmap": base64.b64encode(charsmap).decode(),
                },
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": _METASPACE,
        "post_processor": _template(ids),
        "decoder": _METASPACE,
        "model": {
            "type": "Unigram",
            "unk_id": ids[UNK],
            "vocab": [[piece, float(score)] for piece, score in zip(pieces, scores, strict=True)],
            "byte_fallback": False,
        },
    }


def tokenizer_config(max_length: int) -> dict[str, Any]:
    """The content of ``tokenizer_config.json``.

    The general class is named, since the class named after XLM-R replaces parts of
    ``tokenizer.json`` by its own.
    """
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "bos_token": BOS,
        "eos_token": EOS,
        "sep_token": EOS,
        "cls_token": BOS,
        "unk_token": UNK,
        "pad_token": PAD,
        "mask_token": MASK,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }


def _special_token(place: int, token: str) -> dict[str, Any]:
    return {
        "id": place,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _template(ids: Mapping[str, int]) -> dict[str, Any]:
    bos, eos = ({"SpecialToken": {"id": token, "type_id": 0}} for token in (BOS, EOS))
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [bos, first, eos],
        "pair": [bos, first, eos, eos, second, eos],
        "special_tokens": {
            token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (EOS, BOS)
        },
    }
