"""The starter's tokenizer against the official one: the same ids, on real and on hostile text."""

from __future__ import annotations

import csv
import random
import sys

import pytest

HOSTILE = 1000
_POOLS = {
    "ascii": range(0x00, 0x80),
    "latin": range(0x80, 0x250),
    "marks": range(0x300, 0x370),
    "greek to arabic": range(0x370, 0x700),
    "indic to thai": range(0x900, 0xE80),
    "jamo": range(0x1100, 0x1200),
    "greek extended": range(0x1E00, 0x2000),
    "spaces, bidi, zero width": range(0x2000, 0x2070),
    "symbols": range(0x2070, 0x2BFF),
    "kana and han": range(0x3000, 0x3400),
    "hangul": range(0xAC00, 0xD7A4),
    "private and compatibility": range(0xE000, 0xFB00),
    "ligatures": range(0xFB00, 0xFE00),
    "selectors and small forms": range(0xFE00, 0xFE70),
    "full width, replacement": range(0xFF00, 0x10000),
    "emoji": range(0x1F1E6, 0x1FAFF),
    "mathematical": range(0x1D400, 0x1D800),
    "every plane": range(0x10000, 0x110000),
}
_PIECES = [
    "<s>",
    "</s>",
    "<mask>",
    "<pad>",
    "<unk>",
    "▁",
    "\0",
    "\r\n",
    "\u200d",
    "\ufeff",
    "\ufffd",
]
_PIECES += [
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u1680",
    "\u200b",
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈",
    "ｶﾞ",
    "각",
    "ﬃ",
    "㍿",
]
_PIECES += [
    "e\u0301\u0302\u0303",
    "q\u0323\u0307",
    "ﷺ",
    "½",
    "<mask> <mask>",
    "</s></s>",
    "query: ",
]


def hostile_strings(count: int = HOSTILE, seed: int = 20240222) -> list[str]:
    """Strings that look for trouble; the same ones every time."""
    rng = random.Random(seed)
    pools = list(_POOLS.values())
    texts = [
        "",
        " ",
        "  ",
        "\0",
        "\n\n",
        "a" * 5000,
        "é" * 999,
        " a" * 999,
        "\u0301" * 50,
        "\u200d" * 9,
    ]
    while len(texts) < count:
        chosen = rng.sample(pools, rng.randint(1, 4))
        parts = [chr(rng.choice(rng.choice(chosen))) for _ in range(rng.randint(1, 50))]
        for _ in range(rng.randint(0, 3)):
            parts.insert(rng.randint(0, len(parts)), rng.choice(_PIECES) * rng.randint(1, 3))
        for _ in range(rng.randint(0, 3)):
            parts.insert(rng.randint(0, len(parts)), " " * rng.randint(1, 6))
        texts.append("".join(parts))
    return texts


@pytest.fixture(scope="module")
def ours(starter):
    return starter.tokenizer()


def test_hostile_strings_give_the_official_ids(ours, oracle) -> None:
    texts = hostile_strings()
    assert len(texts) == HOSTILE
    for text in texts:
        assert ours.encode(text).ids == oracle.encode(text).ids, ascii(text)


def test_pairs_give_the_official_ids(ours, oracle) -> None:
    texts = hostile_strings(100, seed=3)
    for pair in zip(texts, reversed(texts), strict=True):
        assert ours.encode(*pair).ids == oracle.encode(*pair).ids
    ids = ours.encode("a", "b").ids
    assert (ids[0], ids[-1], ids.count(2)) == (0, 2, 3)  # <s> a </s></s> b </s>


def test_every_character_normalises_as_the_official_one(ours, oracle) -> None:
    mine, official = ours.normalizer.normalize_str, oracle.normalizer.normalize_str
    characters = (chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000)
    assert [c for c in characters if mine(c) != official(c)] == []


def test_every_letter_and_mark_normalises_as_the_official_one(ours, oracle) -> None:
    mine, official = ours.normalizer.normalize_str, oracle.normalizer.normalize_str
    marks = [chr(i) for i in (*range(0x300, 0x346), 0x653, 0x3099, 0x200D, 0xFE0F)]
    letters = [chr(i) for i in (*range(0x20, 0x600), *range(0x1E00, 0x2000))]
    texts = [letter + mark for letter in letters for mark in marks]
    assert [text for text in texts if mine(text) != official(text)] == []


def test_sentences_of_40_languages_give_the_official_ids(ours, oracle, data_dir) -> None:
    files = sorted((data_dir / "sib200").glob("*/test.tsv"))
    if not files:
        pytest.skip("no sib200 here")
    assert len(files) == 40
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            texts = [row["text"] for row in rows]
        assert len(texts) == 204
        mine, official = ours.encode_batch(texts), oracle.encode_batch(texts)
        assert [e.ids for e in mine] == [e.ids for e in official], file.parent.name


def test_the_mask_and_the_scores_are_the_official_ones(ours, oracle) -> None:
    import json

    assert ours.token_to_id("<mask>") == 250_001
    mine, official = (json.loads(t.to_str())["model"]["vocab"] for t in (ours, oracle))
    assert mine == official
