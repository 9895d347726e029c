"""The double array: every rule is found in it, and nothing else."""

from __future__ import annotations

import struct
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.models.charsmap import compositions, precompiled

_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def walk(table: bytes) -> dict[bytes, bytes]:
    """All rules of a table, read unit by unit as darts-clone documents them."""
    size = struct.unpack_from("<I", table)[0]
    units = struct.unpack_from(f"<{size // 4}I", table, 4)
    targets = table[4 + size :]
    rules = {}

    def offset(unit: int) -> int:
        return (unit >> 10) << ((unit & (1 << 9)) >> 6)

    stack = [(offset(units[0]), b"")]
    while stack:
        base, key = stack.pop()
        for byte in range(1, 256):
            unit = units[base ^ byte]  # an IndexError would be a read past the end
            if unit & (1 << 31 | 0xFF) == byte:
                below = base ^ byte ^ offset(unit)
                if unit >> 8 & 1:
                    start = units[below] & 0x7FFFFFFF
                    rules[key + bytes([byte])] = targets[start : targets.index(b"\0", start)]
                stack.append((below, key + bytes([byte])))
    return rules


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_texts, _texts, min_size=1, max_size=40))
def test_the_trie_holds_exactly_the_rules(rules: dict[str, str]) -> None:
    expected = {source.encode(): target.encode() for source, target in rules.items()}
    assert walk(precompiled(rules)) == expected


def test_a_target_may_be_empty_and_shared() -> None:
    rules = {"a": "", "b": "", "ab": "x", "é": "x"}
    assert walk(precompiled(rules)) == {k.encode(): v.encode() for k, v in rules.items()}


def test_tokenizers_reads_it() -> None:
    normalizers = pytest.importorskip("tokenizers.normalizers")
    table = normalizers.Precompiled(precompiled({"ﬁ": "fi", "\x01": "", "e\u0301": "é", "Ａ": "A"}))
    assert table.normalize_str("ﬁ\x01Ａ e\u0301 z") == "fiA é z"


def test_compositions_are_what_unicode_says() -> None:
    rules = compositions(())
    assert rules["e\u0301"] == "é" and rules["а\u0306"] == "ӑ"
    assert rules["ε\u0341"] == "έ"  # U+0341 is canonically the acute
    assert "か\u3099" not in rules  # six bytes: never looked at as one
    for source, target in rules.items():
        assert unicodedata.normalize("NFC", source) == target != source
        assert len(source) == 2 and len(source.encode()) < 6


def test_no_composition_begins_with_a_character_that_has_a_rule() -> None:
    assert "e\u0301" not in compositions("e") and "a\u0301" in compositions("e")


def test_the_official_table_needs_675_compositions(starter) -> None:
    from interlingua.models import e5s1
    from interlingua.models.starter import find_file

    assert len(compositions(e5s1.read(find_file()).rules)) == 675
