"""SentencePiece: train a model, and say in ``tokenizer.json`` what it says.

A trained model is a list of pieces with scores and a compiled normalisation map. `tokenizers`
applies the map within clusters of a letter and its marks, SentencePiece to the longest match
anywhere: where a letter and a mark of three bytes each would compose, as in Bengali written in
decomposed form, the two part. Text in NFC is not concerned; `agreement` counts what is.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import regex

from interlingua.base.errors import ConfigError, DataError, one_line
from interlingua.base.optional import require
from interlingua.vocab.document import (
    BOS,
    EOS,
    MASK,
    PAD,
    SPECIAL,
    UNK,
    bpe_model,
    tokenizer_document,
    unigram_model,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["unigram", "bpe"]
Normalization = Literal["nmt_nfkc", "identity"]
MAX_SENTENCE_BYTES = 4096
_THREADS = 4  # the same everywhere, since the sums of training depend on it
_CONTROL = 3  # SentencePiece's number for a control piece
_TOO_LARGE = regex.compile(r"Please set it to a value <= (\d+)")
_TOO_SMALL = regex.compile(r"smaller than required_chars\.? (\d+) vs (\d+)")


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained vocabulary.

    Attributes:
        model: The bytes of SentencePiece's ``.model``.
        pieces: The pieces, by id.
        scores: Log probabilities (Unigram) or negated ranks (BPE).
        charsmap: The compiled normalisation map; empty for none.
        kind: ``unigram`` or ``bpe``.
        byte_fallback: Whether unknown characters become bytes.
    """

    model: bytes
    pieces: list[str]
    scores: list[float]
    charsmap: bytes
    kind: Kind
    byte_fallback: bool

    def document(self) -> dict[str, Any]:
        """The content of ``tokenizer.json``."""
        if self.kind == "unigram":
            model = unigram_model(self.pieces, self.scores, byte_fallback=self.byte_fallback)
        else:
            merges = merges_of(self.pieces, self.scores)
            model = bpe_model(self.pieces, merges, byte_fallback=self.byte_fallback)
        return tokenizer_document(self.pieces, model, charsmap=self.charsmap)


def train_model(
    sentences: Sequence[str],
    *,
    kind: Kind,
    size: int,
    byte_fallback: bool,
    coverage: float,
    normalization: Normalization,
    exact_size: bool = True,
) -> Trained:
    """Train a vocabulary; the same sentences give the same bytes.

    Args:
        sentences: At most `MAX_SENTENCE_BYTES` long each; longer ones are skipped.
        kind: ``unigram`` (Kudo 2018, P18-1007) or ``bpe`` (Sennrich et al. 2016, P16-1162).
        size: Pieces, special ones included.
        byte_fallback: Whether to have a piece for each byte, for what is in no other.
        coverage: Share of the characters' occurrences that get pieces of their own.
        normalization: ``nmt_nfkc`` or ``identity``.
        exact_size: Fewer pieces are an error, too.

    Raises:
        ConfigError: The text cannot give so many pieces, or more characters must have one.
        DataError: The text cannot be used.
        MissingExtraError: A package is missing.
    """
    sentencepiece = require("sentencepiece", extra="text")
    writer = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=writer,
            model_type=kind,
            vocab_size=size - 1,  # the mask comes last
            byte_fallback=byte_fallback,
            character_coverage=coverage,
            normalization_rule_name=normalization,
            hard_vocab_limit=exact_size and kind == "unigram",
            max_sentence_length=MAX_SENTENCE_BYTES,
            num_threads=_THREADS,
            bos_id=0,
            pad_id=1,
            eos_id=2,
            unk_id=3,
            bos_piece=BOS,
            pad_piece=PAD,
            eos_piece=EOS,
            unk_piece=UNK,
            minloglevel=3,
        )
    except (RuntimeError, ValueError) as error:
        raise _translated(str(error), size) from error
    trained = _read(writer.getvalue(), kind=kind, byte_fallback=byte_fallback)
    if exact_size and len(trained.pieces) < size:
        raise _too_large(size, len(trained.pieces))
    return trained


def agreement(trained: Trained, tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """How many texts ``tokenizer.json`` cuts up exactly as SentencePiece does."""
    processor = require("sentencepiece", extra="text").SentencePieceProcessor()
    processor.load_from_serialized_proto(trained.model)
    ours = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    theirs = processor.encode(list(texts))
    return sum(a.ids == b for a, b in zip(ours, theirs, strict=True))


def merges_of(pieces: Sequence[str], scores: Sequence[float]) -> list[tuple[str, str]]:
    """All pairs of pieces that join to a piece, in the order in which SentencePiece joins them.

    SentencePiece joins the two neighbours whose union has the best score, whichever they are.
    """
    ranked = {
        piece: score
        for piece, score in zip(pieces, scores, strict=True)
        if piece not in SPECIAL and not _is_byte(piece)
    }
    merges = []
    for piece in sorted(ranked, key=lambda piece: -ranked[piece]):
        cuts = [(piece[:i], piece[i:]) for i in range(1, len(piece))]
        merges += [cut for cut in cuts if cut[0] in ranked and cut[1] in ranked]
    return merges


def _is_byte(piece: str) -> bool:
    return len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")


def _read(model: bytes, *, kind: Kind, byte_fallback: bool) -> Trained:
    proto = require("sentencepiece.sentencepiece_model_pb2", extra="text").ModelProto()
    proto.ParseFromString(model)
    mask = proto.pieces.add()
    mask.piece, mask.score, mask.type = MASK, 0.0, _CONTROL
    proto.trainer_spec.vocab_size = len(proto.pieces)
    return Trained(
        model=proto.SerializeToString(deterministic=True),
        pieces=[piece.piece for piece in proto.pieces],
        scores=[piece.score for piece in proto.pieces],
        charsmap=proto.normalizer_spec.precompiled_charsmap,
        kind=kind,
        byte_fallback=byte_fallback,
    )


def _translated(message: str, size: int) -> ConfigError | DataError:
    if found := _TOO_LARGE.search(message):
        return _too_large(size, int(found[1]) + 1)
    if found := _TOO_SMALL.search(message):
        needed = int(found[2]) + 1
        return ConfigError(
            f"--size {size} is too small: the characters of the text and the special tokens "
            f"alone are {needed} pieces",
            remedy=f"Give at least --size {needed}, or a lower --coverage",
        )
    return DataError(f"SentencePiece cannot train on this text: {one_line(message)[:200]}")


def _too_large(size: int, most: int) -> ConfigError:
    return ConfigError(
        f"--size {size} is too large: this text gives at most {most} pieces",
        remedy=f"Give --size {most} or less, or more text",
    )
