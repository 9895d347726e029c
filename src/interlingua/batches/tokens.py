"""Texts to token ids, in bounded time, with truncation reported.

Legend: N texts, B rows of a batch, L padded length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlingua.batches.buckets import padded_length

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CHARACTERS_PER_TOKEN = 24
_CHUNK = 4096
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Token ids of N texts, special tokens included.

    Attributes:
        input_ids: One int32 array a text.
        truncated: Whether a text was cut [N].
        unknown: How many of its tokens are the unknown token [N].
        characters: Characters of the text, prefix not counted [N].
    """

    input_ids: list[NDArray[np.int32]]
    truncated: NDArray[np.bool_]
    unknown: NDArray[np.int32]
    characters: NDArray[np.int32]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text [N]."""
        return np.fromiter(map(len, self.input_ids), dtype=np.int64, count=len(self.input_ids))


def clean(text: str) -> str:
    """Replace lone surrogates, which no tokenizer accepts, by U+FFFD, one by one."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text)
    return text


def tokenize(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    max_length: int,
    pairs: Sequence[str] | None = None,
    prefix: str = "",
    unknown_id: int | None = None,
) -> Tokenized:
    """Turn texts, or pairs of texts, into token ids.

    A text is cut to a bounded number of characters before the tokenizer sees it, so that a
    million-character word costs no more than a long sentence. The longer text of a pair is cut
    first.

    Args:
        tokenizer: A `tokenizers.Tokenizer`; its own truncation and padding are switched off.
        texts: The texts [N].
        max_length: Tokens a row may have, special tokens included.
        pairs: Second texts [N].
        prefix: Put in front of every first text.
        unknown_id: Id of the unknown token, to be counted.
    """
    assert pairs is None or len(pairs) == len(texts)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_length, strategy="longest_first")
    limit = max_length * _CHARACTERS_PER_TOKEN
    input_ids: list[NDArray[np.int32]] = []
    truncated = np.zeros(len(texts), dtype=np.bool_)
    unknown = np.zeros(len(texts), dtype=np.int32)
    characters = np.zeros(len(texts), dtype=np.int32)
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        firsts = [prefix + clean(text[:limit]) for text in chunk]
        seconds = None if pairs is None else pairs[start : start + _CHUNK]
        inputs: list[str] | list[tuple[str, str]] = firsts
        if seconds is not None:
            inputs = [(a, clean(b[:limit])) for a, b in zip(firsts, seconds, strict=True)]
        encodings = tokenizer.encode_batch(inputs)
        for i, encoding in enumerate(encodings, start=start):
            ids = np.asarray(encoding.ids, dtype=np.int32)
            second = "" if pairs is None else pairs[i]
            input_ids.append(ids)
            truncated[i] = bool(encoding.overflowing) or max(len(texts[i]), len(second)) > limit
            characters[i] = min(len(texts[i]), limit) + min(len(second), limit)
            if unknown_id is not None:
                unknown[i] = int(np.count_nonzero(ids == unknown_id))
    tokenizer.no_truncation()
    return Tokenized(input_ids, truncated, unknown, characters)


def pad(
    rows: Sequence[NDArray[np.integer[Any]]], pad_id: int, *, multiple: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Stack rows of token ids on the left of a rectangle.

    Returns:
        input_ids [B, L] and attention_mask [B, L], 1 where there is a token.
    """
    length = padded_length(max(map(len, rows)), multiple)
    input_ids = np.full((len(rows), length), pad_id, dtype=np.int64)
    attention_mask = np.zeros((len(rows), length), dtype=np.int64)
    for i, row in enumerate(rows):
        input_ids[i, : len(row)] = row
        attention_mask[i, : len(row)] = 1
    return input_ids, attention_mask
