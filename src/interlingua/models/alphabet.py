"""What a text is a sequence of: bytes, characters, or the subwords of a tokenizer.

Language models over different symbols are compared in bits per byte, which needs to know what the
symbols leave untold: a token `<unk>` stands for bytes that nobody could spell again from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interlingua.batches.tokens import clean
from interlingua.vocab.vocabulary import tokenizer_unknown

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Symbols:
    """One text as symbols.

    Attributes:
        ids: The symbols, int64 [L], without special tokens.
        bytes: UTF-8 bytes of the text.
        hidden: How many of these bytes stand behind unknown symbols.
    """

    ids: NDArray[np.int64]
    bytes: int
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A set of symbols, numbered from 0, and how a text is spelt in it.

    Attributes:
        name: What the symbols are.
        size: How many there are.
        spell: Texts to symbols; lone surrogates count as U+FFFD.
    """

    name: str
    size: int
    spell: Callable[[Sequence[str]], Iterator[Symbols]]


def _spell_bytes(texts: Sequence[str]) -> Iterator[Symbols]:
    for text in texts:
        raw = clean(text).encode()
        yield Symbols(np.frombuffer(raw, dtype=np.uint8).astype(np.int64), len(raw))


def _spell_characters(texts: Sequence[str]) -> Iterator[Symbols]:
    for text in map(clean, texts):
        codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
        yield Symbols(codes, len(text.encode()))


BYTES = Alphabet("bytes", 256, _spell_bytes)
CHARACTERS = Alphabet("characters", sys.maxunicode + 1, _spell_characters)


def subwords(tokenizer: Tokenizer) -> Alphabet:
    """The tokens of a tokenizer, as one alphabet; special tokens are not added."""
    unknown = tokenizer_unknown(tokenizer)

    def spell(texts: Sequence[str]) -> Iterator[Symbols]:
        for start in range(0, len(texts), _CHUNK):
            chunk = [clean(text) for text in texts[start : start + _CHUNK]]
            encodings = tokenizer.encode_batch(chunk, add_special_tokens=False)
            for text, encoding in zip(chunk, encodings, strict=True):
                ids = np.asarray(encoding.ids, dtype=np.int64)
                hidden = 0
                for place in np.flatnonzero(ids == unknown) if unknown is not None else ():
                    first, last = encoding.offsets[place]
                    hidden += len(text[first:last].encode())
                yield Symbols(ids, len(text.encode()), hidden)

    return Alphabet("subwords", tokenizer.get_vocab_size(), spell)


__all__ = ["BYTES", "CHARACTERS", "Alphabet", "Symbols", "subwords"]
