"""The E5S1 file: a BERT encoder in four bits with its Unigram vocabulary, in one file.

All numbers are little endian. In this order, without gaps:

    "E5S1", u32 version
    i32 hidden, layers, heads, intermediate, vocabulary, positions, types; f32 epsilon; i32 block
    i32 pieces P, <s>, </s>, <pad>, <unk>; u64 bytes of text
    u32 offsets into the text [P + 1]; f32 scores [P]; text
    i32 rules R, u32 bytes; R times: u32 code point, u8 n, u32 code points [n]
    i32 tensors T; T times: u16 n, name [n], u8 kind, u32 values, u64 offset, u64 bytes

Tensors of kind 0 are float32. Tensors of kind 1 are rows of blocks of 32 weights: a float16 scale
and 16 bytes, whose low nibbles are weights 0 to 15 and high nibbles 16 to 31; a nibble ``q`` stands
for ``(q - 8) * scale``. Nothing in the file is trusted: counts are checked against what is left.

Legend: D hidden width, F intermediate width, V rows of the embedding, P pieces.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import ModelError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32
_BLOCK_BYTES = 2 + BLOCK // 2
_FLOAT32, _FOUR_BIT = 0, 1
_LIMITS = {
    "hidden": 8192,
    "layers": 128,
    "heads": 256,
    "intermediate": 65536,
    "vocabulary": 2_000_000,
    "positions": 1_000_000,
    "types": 64,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the encoder."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the directory."""

    kind: int
    values: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class E5S1:
    """An E5S1 file, read but for its weights.

    Attributes:
        path: The file.
        shape: The sizes of the encoder.
        pieces: The Unigram pieces; the place of a piece is its id.
        scores: Log probability of each piece, float32 [P].
        special: Ids of ``bos``, ``eos``, ``pad`` and ``unk``.
        rules: What each single character becomes before tokenising; others stay.
        tensors: The directory of weights, by name.
    """

    path: Path
    shape: Shape
    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    special: Mapping[str, int]
    rules: Mapping[str, str]
    tensors: Mapping[str, Tensor]


class _Cursor:
    """Reads forward through the bytes and never past them."""

    def __init__(self, data: memoryview[Any], path: Path) -> None:
        self._data = data
        self._path = path
        self._at = 0

    def take(self, count: int) -> memoryview[Any]:
        if count < 0 or self._at + count > len(self._data):
            raise broken(self._path, f"it ends before the {count} bytes expected at {self._at}")
        part = self._data[self._at : self._at + count]
        self._at += count
        return part

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}")))

    def array(self, kind: str, count: int) -> NDArray[Any]:
        width = np.dtype(kind).itemsize
        return np.frombuffer(self.take(count * width), dtype=kind, count=count)


def broken(path: Path, reason: str) -> ModelError:
    """The error for a file that is not what its name says."""
    return ModelError(f"{path} is not a whole E5S1 model: {reason}")


def read(path: Path) -> E5S1:
    """Read everything but the weights.

    Raises:
        ModelError: The file cannot be read, is not E5S1, is cut off, or contradicts itself.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r").data
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    cursor = _Cursor(data, path)
    if bytes(cursor.take(4)) != MAGIC or cursor.unpack("I")[0] != 1:
        raise broken(path, "the magic number or version is another")
    shape = _read_shape(cursor, path)
    pieces, scores, special = _read_pieces(cursor, path, shape)
    rules = _read_rules(cursor, path)
    tensors = _read_directory(cursor, path, len(data))
    return E5S1(path, shape, pieces, scores, special, rules, tensors)


def _read_shape(cursor: _Cursor, path: Path) -> Shape:
    sizes = dict(zip(_LIMITS, cursor.unpack("7i"), strict=True))
    epsilon, block = cursor.unpack("fi")
    for name, size in sizes.items():
        if not 1 <= size <= _LIMITS[name]:
            raise broken(path, f"{name} is {size}, expected 1 to {_LIMITS[name]}")
    shape = Shape(**sizes, epsilon=epsilon)
    if block != BLOCK or shape.hidden % BLOCK or shape.intermediate % BLOCK:
        raise broken(path, f"widths are not whole blocks of {BLOCK}")
    if shape.hidden % shape.heads or not 0 < epsilon < 1:
        raise broken(path, "the heads do not divide the width, or epsilon is not in (0, 1)")
    return shape


def _read_pieces(
    cursor: _Cursor, path: Path, shape: Shape
) -> tuple[tuple[str, ...], NDArray[np.float32], dict[str, int]]:
    count, bos, eos, pad, unk, size = cursor.unpack("5iQ")
    special = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
    if not 1 <= count <= shape.vocabulary or not all(0 <= i < count for i in special.values()):
        raise broken(path, f"{count} pieces or their special ids {special} are out of range")
    offsets = cursor.array("<u4", count + 1).astype(np.int64)
    scores = cursor.array("<f4", count).astype(np.float32)
    blob = bytes(cursor.take(size))
    if offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) <= 0).any():
        raise broken(path, "the offsets of the pieces do not ascend from 0 to the end of the text")
    if not np.isfinite(scores).all():
        raise broken(path, "a score is not a number")
    bounds = offsets.tolist()
    try:
        pieces = tuple(blob[a:b].decode() for a, b in itertools.pairwise(bounds))
    except UnicodeDecodeError as error:
        raise broken(path, f"a piece is not UTF-8: {error}") from error
    if len(set(pieces)) != count:
        raise broken(path, "a piece occurs twice")
    return pieces, scores, special


def _read_rules(cursor: _Cursor, path: Path) -> dict[str, str]:
    count, size = cursor.unpack("iI")
    part = _Cursor(cursor.take(size), path)
    rules: dict[str, str] = {}
    try:
        for _ in range(count):
            source, length = part.unpack("IB")
            target = "".join(map(chr, part.unpack(f"{length}I")))
            target.encode()
            rules[chr(source)] = target
    except (ValueError, OverflowError) as error:
        raise broken(path, f"a normalisation rule holds no character: {error}") from error
    if len(rules) != count or "\0" in rules:
        raise broken(path, f"{count} normalisation rules were announced, {len(rules)} found")
    return rules


def _read_directory(cursor: _Cursor, path: Path, size: int) -> dict[str, Tensor]:
    (count,) = cursor.unpack("i")
    tensors: dict[str, Tensor] = {}
    for _ in range(count):
        (length,) = cursor.unpack("H")
        name = bytes(cursor.take(length)).decode("utf-8", "replace")
        entry = Tensor(*cursor.unpack("BIQQ"))
        blocks, rest = divmod(entry.values, BLOCK)
        wanted = {_FLOAT32: entry.values * 4, _FOUR_BIT: blocks * _BLOCK_BYTES}.get(entry.kind)
        if wanted != entry.size or (rest and entry.kind == _FOUR_BIT) or name in tensors:
            raise broken(path, f"tensor {quoted(name)} contradicts its own size")
        if entry.offset + entry.size > size:
            raise broken(path, f"tensor {quoted(name)} lies past the end")
        tensors[name] = entry
    return tensors


def layout(shape: Shape) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """The tensors a file of this shape holds.

    Yields:
        Name in the file, name in `transformers.BertModel`, shape.
    """
    width, inner = shape.hidden, shape.intermediate
    yield "emb.word", "embeddings.word_embeddings.weight", (shape.vocabulary, width)
    yield "emb.pos", "embeddings.position_embeddings.weight", (shape.positions, width)
    yield "emb.type", "embeddings.token_type_embeddings.weight", (shape.types, width)
    yield "emb.ln.w", "embeddings.LayerNorm.weight", (width,)
    yield "emb.ln.b", "embeddings.LayerNorm.bias", (width,)
    parts = (
        ("q", "attention.self.query", (width, width)),
        ("k", "attention.self.key", (width, width)),
        ("v", "attention.self.value", (width, width)),
        ("ao", "attention.output.dense", (width, width)),
        ("aln", "attention.output.LayerNorm", (width,)),
        ("fi", "intermediate.dense", (inner, width)),
        ("fo", "output.dense", (width, inner)),
        ("oln", "output.LayerNorm", (width,)),
    )
    for layer in range(shape.layers):
        for short, long, size in parts:
            yield f"l{layer}.{short}.w", f"encoder.layer.{layer}.{long}.weight", size
            yield f"l{layer}.{short}.b", f"encoder.layer.{layer}.{long}.bias", size[:1]


def state_dict(file: E5S1) -> dict[str, NDArray[np.float32]]:
    """All weights as float32, under the names of `transformers.BertModel`.

    Raises:
        ModelError: A tensor is missing, unknown, of another size, or not finite.
    """
    data = np.memmap(file.path, dtype=np.uint8, mode="r")
    expected = {name: (long, size) for name, long, size in layout(file.shape)}
    if set(expected) != set(file.tensors):
        odd = sorted(set(expected) ^ set(file.tensors))
        raise broken(file.path, f"{len(odd)} tensors are missing or unknown, as {quoted(odd[0])}")
    weights = {}
    for name, (long, size) in expected.items():
        entry = file.tensors[name]
        if entry.values != np.prod(size):
            raise broken(file.path, f"tensor {quoted(name)} has {entry.values} values, not {size}")
        raw = data[entry.offset : entry.offset + entry.size]
        values = raw.view("<f4").astype(np.float32) if entry.kind == _FLOAT32 else dequantize(raw)
        if not np.isfinite(values).all():
            raise broken(file.path, f"tensor {quoted(name)} holds a value that is not finite")
        weights[long] = values.reshape(size)
    return weights


def dequantize(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Four-bit blocks [n * 18 bytes] as float32 [n * 32]."""
    blocks = np.ascontiguousarray(raw).reshape(-1, _BLOCK_BYTES)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    values = np.empty((len(blocks), BLOCK), dtype=np.float32)
    values[:, : BLOCK // 2] = nibbles & 0x0F
    values[:, BLOCK // 2 :] = nibbles >> 4
    values -= 8.0
    values *= scales
    return values.reshape(-1)
