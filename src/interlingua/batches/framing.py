"""Rows of a token store with their special tokens, as rectangles.

Legend: B rows, L tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import regex
from numpy.typing import NDArray

from interlingua.batches.buckets import IntArray
from interlingua.batches.token_store import TokenStore
from interlingua.batches.tokens import pad
from interlingua.languages.segmentation import UNSPACED
from interlingua.vocab.vocabulary import tokenizer_unknown

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MULTIPLE = 8
"""Lengths are padded to a multiple of this."""
_UNSPACED = regex.compile(f"[{UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a tokenizer puts before, between and after texts, and which of its tokens are ordinary.

    Attributes:
        before: Ids before the first text.
        between: Ids between a text and its translation.
        after: Ids after the last text.
        pad: Id of the padding token.
        ordinary: Whether an id is an ordinary token, neither special nor the unknown one [V].
        ordinary_ids: The ids that are.
        unknown: Id of the token that stands for what the tokenizer cannot spell; -1: there is none.
        starts: Whether a token begins a word [V], or is one, in a script without spaces; None: the
            tokenizer does not tell.
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    pad: int
    ordinary: NDArray[np.bool_]
    ordinary_ids: IntArray
    unknown: int
    starts: NDArray[np.bool_] | None

    def special(self, *, pairs: bool) -> int:
        """Special tokens of a row of one text, or of two."""
        return len(self.before) + len(self.between) * pairs + len(self.after)


Ids = tuple[int, ...]


def around_pairs(tokenizer: Tokenizer) -> tuple[Ids, Ids, Ids]:
    """The special tokens that a tokenizer puts before, between and after two texts."""
    pair = tokenizer.encode("a", "a")
    texts = np.flatnonzero(~np.array(pair.special_tokens_mask, dtype=bool))
    sides = np.array([pair.sequence_ids[i] for i in texts])
    first, second = texts[sides == 0], texts[sides == 1]
    ids = pair.ids
    before, between, after = (
        ids[: first[0]],
        ids[first[-1] + 1 : second[0]],
        ids[second[-1] + 1 :],
    )
    return tuple(before), tuple(between), tuple(after)


def thinned(
    ids: NDArray[np.int32],
    around: tuple[Ids, Ids, Ids],
    chance: NDArray[np.float32],
    *,
    share: float,
) -> NDArray[np.int32]:
    """Leave out tokens of a row's first text; special tokens and a second text stay.

    Args:
        ids: A row as the tokenizer gives it [L].
        around: What it puts before, between and after two texts.
        chance: Uniform numbers in [0, 1) [L].
        share: A token is left out where its number is below; if all would be, none is.
    """
    before, between, after = around
    start = len(before)
    end = start + int(np.argmax(ids[start:] == (between or after)[0]))
    kept = chance >= share
    kept[:start] = kept[end:] = True
    return ids[kept] if kept[start:end].any() else ids


def frame_of(tokenizer: Tokenizer, *, pad: int) -> Frame:
    """What a tokenizer does to one text and to two."""
    unknown = tokenizer_unknown(tokenizer)
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    special |= {pad, pad if unknown is None else unknown}
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    ordinary = np.zeros(1 + max(*vocabulary.values(), pad), dtype=np.bool_)
    ordinary[[i for i in vocabulary.values() if i not in special]] = True
    return Frame(
        *around_pairs(tokenizer),
        pad,
        ordinary,
        np.flatnonzero(ordinary),
        -1 if unknown is None else unknown,
        _word_starts(vocabulary),
    )


def _word_starts(vocabulary: dict[str, int]) -> NDArray[np.bool_] | None:
    """By the mark that a kind of tokenizer puts on pieces: SentencePiece, byte level, WordPiece.

    A mark stands for a space; where a script has none, every piece is a word.
    """
    pieces = list(vocabulary)
    starts = np.zeros(1 + max(vocabulary.values()), dtype=np.bool_)
    for mark in ("▁", "Ġ"):
        marked = [piece for piece in pieces if piece.startswith(mark)]
        if len(marked) > len(pieces) // 20:
            starts[[vocabulary[piece] for piece in marked]] = True
            starts[[i for piece, i in vocabulary.items() if _UNSPACED.match(piece)]] = True
            return starts
    inside = [piece for piece in pieces if piece.startswith("##")]
    if not inside:
        return None
    starts[:] = True
    starts[[vocabulary[piece] for piece in inside]] = False
    return starts


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Rows side by side.

    Attributes:
        input_ids: Token ids [B, L].
        attention_mask: 1 where there is a token [B, L].
        text: Where there is a token of a text, not a special one [B, L].
        second: Where the second text starts [B]; L: there is none.
        bytes: Bytes that each token covers [B, L].
    """

    input_ids: IntArray
    attention_mask: IntArray
    text: NDArray[np.bool_]
    second: IntArray
    bytes: IntArray


def rectangle(store: TokenStore, rows: Sequence[int] | IntArray, frame: Frame) -> Rectangle:
    """Rows of a store with special tokens, padded on the right."""
    before, between, after = (
        np.array(part, dtype=np.int64) for part in (frame.before, frame.between, frame.after)
    )
    parts, sizes, seconds = [], [], []
    for row in rows:
        ids, counts, cut = store.row(row), store.row_bytes(row), int(store.second[row])
        joined, covered = [before, ids[cut:], after], [before * 0, counts[cut:], after * 0]
        if cut:
            joined[1:1], covered[1:1] = [ids[:cut], between], [counts[:cut], between * 0]
        seconds.append(len(before) + cut + len(between) if cut else -1)
        parts.append(np.concatenate(joined))
        sizes.append(np.concatenate(covered))
    input_ids, attention_mask = pad(parts, frame.pad, multiple=MULTIPLE)
    covers, _ = pad(sizes, 0, multiple=MULTIPLE)
    second = np.array([input_ids.shape[1] if start < 0 else start for start in seconds])
    return Rectangle(input_ids, attention_mask, frame.ordinary[input_ids], second, covers)
