"""A vocabulary in ``tokenizer.json``: its pieces, and the same with fewer or more of them.

Whatever changes a vocabulary gives a `Revision`: the new vocabulary, and from which old id each of
its rows comes, so that embeddings can follow. Ids are counted from 0; legend: V pieces, W after.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import regex
from numpy.typing import NDArray

from interlingua.base.errors import ModelError, quoted
from interlingua.base.optional import require
from interlingua.vocab.document import SPACE

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NEW = -1
"""Stands for the old id of a piece that is new."""
_LEADING = 10  # where the special tokens at the beginning end, at the latest
_BYTE = regex.compile(r"<0x[0-9A-F]{2}>")
_PAIR_PROCESSORS = ("BertProcessing", "RobertaProcessing")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a Unigram or BPE tokenizer.

    Attributes:
        document: The content of ``tokenizer.json``; never changed.
        kind: ``unigram`` or ``bpe``.
        pieces: By id, tokens that were added beyond the model included.
    """

    document: Mapping[str, Any]
    kind: Literal["unigram", "bpe"]
    pieces: tuple[str, ...]

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, name: object) -> Vocabulary:
        """The vocabulary of a tokenizer.

        Args:
            tokenizer: Any tokenizer.
            name: What to call it in an error.

        Raises:
            ModelError: It is neither Unigram nor BPE.
        """
        document = json.loads(tokenizer.to_str())
        model = document["model"]
        kind = {"Unigram": "unigram", "BPE": "bpe"}.get(model["type"])
        if kind is None:
            raise ModelError(
                f"the tokenizer of {name} is {model['type']}, and only Unigram and BPE "
                "vocabularies can be trimmed or extended",
                remedy="Take a model such as starter or xlm-roberta-base",
            )
        if kind == "unigram":
            pieces = [piece for piece, _ in model["vocab"]]
        else:
            pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
        inside = len(pieces)
        added = sorted(document["added_tokens"], key=lambda token: int(token["id"]))
        pieces += [token["content"] for token in added if token["id"] >= inside]
        if pieces != [tokenizer.id_to_token(i) for i in range(len(pieces))]:
            raise ModelError(f"the tokenizer of {name} has ids without a piece")
        return cls(document, "unigram" if kind == "unigram" else "bpe", tuple(pieces))

    def __len__(self) -> int:
        """How many pieces there are, V."""
        return len(self.pieces)

    @property
    def inside(self) -> int:
        """Pieces of the model itself; tokens with this id and higher were added to it."""
        return len(self.document["model"]["vocab"])

    @cached_property
    def special(self) -> frozenset[int]:
        """Ids of the tokens that no text is cut into: the added ones and the unknown one."""
        ids = {int(token["id"]) for token in self.document["added_tokens"]}
        return frozenset(ids if self.unknown_id is None else ids | {self.unknown_id})

    @property
    def unknown_id(self) -> int | None:
        """Id of the unknown token, if there is one."""
        model = self.document["model"]
        if self.kind == "unigram":
            return None if model["unk_id"] is None else int(model["unk_id"])
        token = model.get("unk_token")
        return None if token is None else int(model["vocab"][token])

    @cached_property
    def bytes(self) -> frozenset[int]:
        """Ids of the pieces that stand for one byte each."""
        return frozenset(i for i, piece in enumerate(self.pieces) if _BYTE.fullmatch(piece))

    @cached_property
    def byte_level(self) -> bool:
        """Whether pieces are spelled in bytes, as in GPT-2, instead of characters."""
        return '"ByteLevel"' in json.dumps(
            [self.document.get("pre_tokenizer"), self.document.get("decoder")]
        )

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Log probabilities of the model's pieces; of BPE the negated ids."""
        model = self.document["model"]
        if self.kind == "unigram":
            return np.array([score for _, score in model["vocab"]])
        return -np.arange(len(model["vocab"]), dtype=np.float64)

    def text_of(self, piece_id: int) -> str:
        """A piece as it stands in a text, without the space before it.

        Of a piece that is part of a character only, U+FFFD.
        """
        piece = self.pieces[piece_id]
        if self.byte_level and piece_id not in self.special:
            decoders = require("tokenizers.decoders", extra="text")
            return str(decoders.ByteLevel().decode([piece])).strip() or " "
        return piece.removeprefix(SPACE) or piece

    def tokenizer(self) -> Tokenizer:
        """A tokenizer of this vocabulary, with neither padding nor truncation set."""
        tokenizers = require("tokenizers", extra="text")
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(self.document, ensure_ascii=False))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer  # type: ignore[no-any-return]

    def kept(self, ids: Iterable[int]) -> Revision:
        """The vocabulary of some pieces only, in their order; special tokens always stay.

        A text all of whose pieces stay is cut up as before. For Unigram that holds since the best
        path stays the best of fewer, and the piece with the lowest score stays too, from which the
        score of the unknown token is reckoned; for BPE, since every step on the way to a piece
        stays with it. Ids up to the special tokens at the beginning stay as they are, since
        RoBERTa's positions are counted from the padding's.
        """
        leading = max((i for i in self.special if i < _LEADING), default=-1) + 1
        wanted = set(ids) | self.special | set(range(leading)) | self._needed(set(ids))
        origin = np.array(sorted(wanted), dtype=np.int64)
        model = dict(self.document["model"])
        inside = [i for i in origin.tolist() if i < self.inside]
        if self.kind == "unigram":
            model["vocab"] = [model["vocab"][i] for i in inside]
        else:
            pieces = {self.pieces[i] for i in inside}
            model["vocab"] = {self.pieces[i]: place for place, i in enumerate(inside)}
            model["merges"] = [
                merge for merge in self._merges() if {*merge, "".join(merge)} <= pieces
            ]
        return self._revised(model, origin)

    def with_pieces(self, pieces: Sequence[str], scores: Sequence[float]) -> Revision:
        """The vocabulary with pieces added behind the model's own.

        Raises:
            ModelError: It is not Unigram.
        """
        if self.kind != "unigram":
            raise ModelError(
                "pieces can be added to a Unigram vocabulary only, this one is BPE",
                remedy="A BPE piece is reached by merges, which more text would have to teach",
            )
        assert not set(pieces) & set(self.pieces)
        model = dict(self.document["model"])
        new = [[piece, float(score)] for piece, score in zip(pieces, scores, strict=True)]
        model["vocab"] = [*model["vocab"], *new]
        origin = np.concatenate(
            [
                np.arange(self.inside),
                np.full(len(new), NEW),
                np.arange(self.inside, len(self)),
            ]
        ).astype(np.int64)
        names = [*self.pieces[: self.inside], *pieces, *self.pieces[self.inside :]]
        return self._revised(model, origin, names)

    def _revised(
        self, model: dict[str, Any], origin: NDArray[np.int64], names: Sequence[str] = ()
    ) -> Revision:
        names = names or [self.pieces[i] for i in origin]
        moved = {int(old): new for new, old in enumerate(origin) if old != NEW}
        if self.kind == "unigram" and model["unk_id"] is not None:
            model["unk_id"] = moved[int(model["unk_id"])]
        added = [
            {**token, "id": moved[int(token["id"])]} for token in self.document["added_tokens"]
        ]
        ids = {name: place for place, name in enumerate(names)}
        document = {
            **self.document,
            "truncation": None,
            "padding": None,
            "added_tokens": sorted(added, key=lambda token: int(token["id"])),
            "post_processor": _renumbered(self.document.get("post_processor"), ids),
            "model": model,
        }
        return Revision(Vocabulary(document, self.kind, tuple(names)), origin)

    def _needed(self, ids: set[int]) -> set[int]:
        """What must stay besides, so that nothing else is cut up differently."""
        if self.kind == "unigram":
            return {int(np.argmin(self.scores))} | set(self.bytes)
        ranks = {tuple(merge): rank for rank, merge in enumerate(self._merges())}
        place = self.document["model"]["vocab"]
        steps = {
            step
            for i in ids
            if i < self.inside and i not in self.bytes
            for step in _steps(self.pieces[i], ranks)
        }
        return {place[step] for step in steps if step in place} | set(self.bytes)

    def _merges(self) -> list[tuple[str, str]]:
        """Merges as pairs; older files write them as one text with a space."""
        merges = self.document["model"]["merges"]
        return [
            (left, right)
            for left, right in (
                merge.split(" ", 1) if isinstance(merge, str) else merge for merge in merges
            )
        ]


@dataclass(frozen=True)
class Revision:
    """A vocabulary made from another.

    Attributes:
        vocabulary: The new one.
        origin: The old id of each new piece, `NEW` where it had none, int64 [W].
    """

    vocabulary: Vocabulary
    origin: NDArray[np.int64]

    def moved(self) -> dict[int, int]:
        """Old ids to new ones, of the pieces that stayed."""
        return {int(old): new for new, old in enumerate(self.origin) if old != NEW}


def read_vocabulary(path: str | Path) -> Tokenizer:
    """The tokenizer of a ``tokenizer.json``, or of a folder that holds one.

    Raises:
        ModelError: There is none, or it cannot be read.
        MissingExtraError: The package ``tokenizers`` is not installed.
    """
    file = Path(path)
    file = file / "tokenizer.json" if file.is_dir() else file
    if not file.is_file():
        raise ModelError(f"{file} is no tokenizer", remedy="Give a tokenizer.json or its folder")
    return open_tokenizer(file)


def open_tokenizer(file: Path) -> Tokenizer:
    """The tokenizer of a ``tokenizer.json``, with neither padding nor truncation set.

    Raises:
        ModelError: It cannot be read.
        MissingExtraError: The package ``tokenizers`` is not installed.
    """
    tokenizers = require("tokenizers", extra="text")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"{file} is not a tokenizer: {quoted(error)}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer  # type: ignore[no-any-return]


def tokenizer_unknown(tokenizer: Tokenizer) -> int | None:
    """Id of a tokenizer's unknown token, if it has one.

    Unigram models name it by its number, which only their document tells, the others by its text.
    """
    token = getattr(tokenizer.model, "unk_token", None)
    if token is not None:
        return tokenizer.token_to_id(token)
    unknown = json.loads(tokenizer.to_str())["model"].get("unk_id")
    return None if unknown is None else int(unknown)


def _renumbered(processor: Any, ids: Mapping[str, int]) -> Any:  # noqa: ANN401 - JSON values
    """A post-processor with the ids that its tokens have now."""
    if not isinstance(processor, dict):
        return processor
    done = dict(processor)
    if done["type"] == "Sequence":
        done["processors"] = [_renumbered(part, ids) for part in done["processors"]]
    elif done["type"] == "TemplateProcessing":
        done["special_tokens"] = {
            name: {**entry, "ids": [ids[token] for token in entry["tokens"]]}
            for name, entry in done["special_tokens"].items()
        }
    elif done["type"] in _PAIR_PROCESSORS:
        done |= {side: [done[side][0], ids[done[side][0]]] for side in ("sep", "cls")}
    return done


def _steps(piece: str, ranks: Mapping[tuple[str, ...], int]) -> set[str]:
    """All pieces on the way from the characters of a piece to itself, by BPE."""
    parts = list(piece)
    steps = set(parts)
    while len(parts) > 1:
        pairs = enumerate(itertools.pairwise(parts))
        found = [(ranks[pair], i) for i, pair in pairs if pair in ranks]
        if not found:
            break
        _, i = min(found)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        steps.add(parts[i])
    return steps
