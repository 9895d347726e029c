"""``tokenizer.json`` written down from pieces, in the manner of XLM-R.

Special tokens stand where XLM-R has them (``<s> <pad> </s> <unk>`` first, ``<mask>`` last), a text
becomes ``<s> a </s>``, a pair ``<s> a </s></s> b </s>``.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SPACE = "▁"
"""What stands for a space in a piece."""
BOS, PAD, EOS, UNK, MASK = SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_METASPACE = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
_BYTES_DECODER = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ],
}


def tokenizer_document(
    pieces: Sequence[str],
    model: Mapping[str, Any],
    *,
    charsmap: bytes = b"",
    strip: bool = True,
) -> dict[str, Any]:
    """The content of ``tokenizer.json``.

    Args:
        pieces: All pieces, which hold the five special tokens; their order gives their ids.
        model: What `unigram_model` or `bpe_model` made of them.
        charsmap: SentencePiece's compiled normalisation map; empty for none.
        strip: Whether spaces at the ends of a text are dropped, as SentencePiece does; XLM-R's own
            ``tokenizer.json`` keeps the one at the end.
    """
    ids = {piece: i for i, piece in enumerate(pieces)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special_token(ids[token], token) for token in SPECIAL],
        "normalizer": {
            "type": "Sequence",
            "normalizers": list(_normalizers(charsmap, strip=strip)),
        },
        "pre_tokenizer": _METASPACE,
        "post_processor": _template(ids),
        "decoder": _BYTES_DECODER if model["byte_fallback"] else _METASPACE,
        "model": dict(model),
    }


def unigram_model(
    pieces: Sequence[str], scores: Sequence[float], *, byte_fallback: bool = False
) -> dict[str, Any]:
    """The part ``model`` of a Unigram tokenizer; scores are log probabilities."""
    return {
        "type": "Unigram",
        "unk_id": pieces.index(UNK),
        "vocab": [[piece, float(score)] for piece, score in zip(pieces, scores, strict=True)],
        "byte_fallback": byte_fallback,
    }


def bpe_model(
    pieces: Sequence[str], merges: Sequence[tuple[str, str]], *, byte_fallback: bool = False
) -> dict[str, Any]:
    """The part ``model`` of a BPE tokenizer; merges are in order of rank."""
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": UNK,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": byte_fallback,
        "ignore_merges": False,
        "vocab": {piece: i for i, piece in enumerate(pieces)},
        "merges": [list(merge) for merge in merges],
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


def _normalizers(charsmap: bytes, *, strip: bool) -> Iterable[dict[str, Any]]:
    if charsmap:
        yield {
            "type": "Precompiled",
            "precompiled_charsmap": base64.b64encode(charsmap).decode(),
        }
    if strip:
        yield {"type": "Replace", "pattern": {"Regex": "^ +| +$"}, "content": ""}
    yield {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}


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
