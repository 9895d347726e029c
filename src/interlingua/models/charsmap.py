"""SentencePiece's normalisation map, as the `tokenizers` library wants it: a double-array trie.

XLM-R's tokenizer normalises with a table called ``nmt_nfkc``: NFKC with some control characters
dropped and all white space made plain. `tokenizers` applies it cluster by cluster (an extended
grapheme cluster is a letter with its marks). A cluster of fewer than six bytes is replaced as a
whole by the target of the *shortest* rule that begins it; otherwise each of its characters is
replaced on its own. Marks that follow a character with a rule of its own are lost that way, and a
model has never seen anything else.

So of the official table's 224,711 rules only these can ever apply: the rules for one character,
which must be given, and those for a letter and a mark that compose, no longer than five bytes,
whose letter has no rule. The latter follow from Unicode and are made here: 675 of them.

The format (of the library darts-clone): ``u32`` bytes of the trie, its 32-bit units, then all
targets as UTF-8, each ended by a zero byte. From the unit at place ``i`` the byte ``c`` leads to
the unit at ``i ^ offset ^ c``, whose low eight bits must be ``c``; bit 8 says that a rule ends
here, whose target begins at the low 31 bits of the unit at ``i ^ offset``; bits 10 and up are the
offset, counted in 256s if bit 9 is set.
"""

from __future__ import annotations

import itertools
import struct
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

_CLUSTER_BYTES = 5
_HAS_LEAF = 1 << 8
_WIDE = 1 << 9
_LEAF = 1 << 31
_OFFSET_BITS = 21
_SURROGATES = range(0xD800, 0xE000)


def compositions(ruled: Container[str]) -> dict[str, str]:
    """The letter-and-mark sequences that NFC composes into one character and that can apply.

    A mark may also be written as one of the few characters that are canonically equal to it.

    Args:
        ruled: The characters that have a rule of their own; no rule may begin with one.
    """
    characters = [chr(code) for code in range(0x10000) if code not in _SURROGATES]
    decomposed = {c: unicodedata.normalize("NFD", c) for c in characters}
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for character, parts in decomposed.items():
        if len(parts) == 1:
            spellings[parts].append(character)
    rules = {}
    for parts in decomposed.values():
        if len(parts) != 2:
            continue
        for pair in itertools.product(spellings[parts[0]], spellings[parts[1]]):
            source = "".join(pair)
            target = unicodedata.normalize("NFC", source)
            short = len(source.encode()) <= _CLUSTER_BYTES
            if short and len(target) == 1 and pair[0] not in ruled:
                rules[source] = target
    return rules


def precompiled(rules: Mapping[str, str]) -> bytes:
    """The table in the format of `tokenizers.normalizers.Precompiled`.

    Args:
        rules: What each source text becomes; the zero character occurs in neither.
    """
    places: dict[str, int] = {}
    targets = bytearray()
    root = _Node()
    for source in sorted(rules):
        target = rules[source]
        assert source and "\0" not in source and "\0" not in target
        if target not in places:
            places[target] = len(targets)
            targets += target.encode() + b"\0"
        node = root
        for byte in source.encode():
            node = node.children.setdefault(byte, _Node())
        node.value = places[target]
    trie = _DoubleArray(root).packed()
    return struct.pack("<I", len(trie)) + trie + bytes(targets)


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    value: int | None = None


class _DoubleArray:
    """Puts the nodes of a trie into one array, each where its children's places are free."""

    def __init__(self, root: _Node) -> None:
        self._units: list[int | None] = [0]
        self._bases: set[int] = {0}
        self._tried: defaultdict[tuple[int, ...], int] = defaultdict(lambda: 1)
        waiting = [(0, 0, root)]
        while waiting:
            place, label, node = waiting.pop()
            labels = sorted(node.children)
            if node.value is not None:
                labels.insert(0, 0)
            base = self._find_base(labels)
            self._units[place] = _unit(label, place ^ base, leaf=node.value is not None)
            for child in labels:
                self._reserve(base ^ child)
            if node.value is not None:
                self._units[base] = _LEAF | node.value
            waiting += [(base ^ byte, byte, child) for byte, child in node.children.items()]

    def _find_base(self, labels: list[int]) -> int:
        """A base nobody has, from which every label leads to a free place.

        What is taken stays taken, so the search goes on where it ended for the same labels.
        """
        key = tuple(labels)
        place = self._tried[key]
        while not self._fits(place ^ labels[0], labels):
            place += 1
        self._tried[key] = place + 1
        self._bases.add(place ^ labels[0])
        return place ^ labels[0]

    def _fits(self, base: int, labels: list[int]) -> bool:
        return base not in self._bases and all(self._free(base ^ label) for label in labels)

    def _free(self, place: int) -> bool:
        return place >= len(self._units) or self._units[place] is None

    def _reserve(self, place: int) -> None:
        self._units += [None] * (place + 1 - len(self._units))
        self._units[place] = 0

    def packed(self) -> bytes:
        """The units, up to a whole block of 256, so that no byte ever leads outside."""
        units = [unit or 0 for unit in self._units]
        units += [0] * (-len(units) % 256)
        return struct.pack(f"<{len(units)}I", *units)


def _unit(label: int, offset: int, *, leaf: bool) -> int:
    unit = label | (_HAS_LEAF if leaf else 0)
    if offset < 1 << _OFFSET_BITS:
        return unit | offset << 10
    assert offset % 256 == 0 and offset < 1 << (_OFFSET_BITS + 8)
    return unit | _WIDE | offset >> 8 << 10
