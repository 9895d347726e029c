"""Stores hold every token and byte of the texts, and rows get their special tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from interlingua.batches.framing import frame_of, rectangle
from interlingua.batches.token_store import Text, build_store
from interlingua.models.tokenizer import load_tokenizer


def store_of(folder: Path, tokenizer_folder: Path, texts: list[Text], **given: Any) -> Any:
    tokenizer = load_tokenizer(tokenizer_folder)
    store = build_store(texts, tokenizer, folder, **{"max_tokens": 20, **given})
    return store, frame_of(tokenizer, pad=1), tokenizer


def test_rows_hold_the_texts_and_their_bytes(tmp_path: Path, tokenizer_folder: Path) -> None:
    texts = [
        Text("Das Wetter ist heute schön in der Stadt. " * 4, "deu_Latn", "a"),
        Text("今日はとても暑いです。", "jpn_Jpan", "b"),
        Text("", "deu_Latn", "empty"),
        Text("good morning", "eng_Latn", "c", second="おはよう", second_lang="jpn_Jpan"),
    ]
    store, frame, tokenizer = store_of(tmp_path / "s", tokenizer_folder, texts)
    assert store.languages == ("deu_Latn", "jpn_Jpan", "eng_Latn-jpn_Jpan")
    german = np.flatnonzero(store.lang == 0)
    assert len(german) > 1
    assert sum(store.row_bytes(i).sum() for i in german) == len(texts[0].text.encode())
    assert [t for i in german for t in store.row(i)] == tokenizer.encode(
        texts[0].text, add_special_tokens=False
    ).ids
    assert {store.name(i) for i in german} == {"a"}
    pair = int(np.flatnonzero(store.lang == 2)[0])
    made = rectangle(store, [pair], frame)
    whole = tokenizer.encode("good morning", "おはよう").ids
    assert store.name(pair) == "c"
    assert made.input_ids[0, : len(whole)].tolist() == whole
    assert made.input_ids[0, made.second[0] - 1] == 2
    assert made.bytes.sum() == len("good morning") + len("おはよう".encode())
    assert not made.text[0, np.isin(made.input_ids[0], [0, 1, 2])].any()


def test_packed_rows_hold_every_token_once(tmp_path: Path, tokenizer_folder: Path) -> None:
    texts = [Text(f"text number {i}", "eng_Latn", str(i)) for i in range(30)]
    store, _, tokenizer = store_of(tmp_path / "s", tokenizer_folder, texts, joint=2, max_tokens=60)
    assert store.lengths.max() <= 60
    assert len(store) < 30
    tokens = [t for i in range(len(store)) for t in store.row(i) if t != 2]
    assert tokens == [
        t for x in texts for t in tokenizer.encode(x.text, add_special_tokens=False).ids
    ]


def test_an_empty_store_has_no_rows(tmp_path: Path, tokenizer_folder: Path) -> None:
    store, *_ = store_of(tmp_path / "s", tokenizer_folder, [Text("", "deu_Latn", "empty")])
    assert len(store) == 0
    assert store.lengths.tolist() == []


def test_a_pair_is_cut_on_both_sides(tmp_path: Path, tokenizer_folder: Path) -> None:
    pair = Text(
        "good morning " * 30, "eng_Latn", "p", second="おはよう" * 30, second_lang="jpn_Jpan"
    )
    store, *_, tokenizer = store_of(tmp_path / "s", tokenizer_folder, [pair])
    assert (len(store), int(store.lengths[0]), int(store.second[0])) == (1, 20, 10)
    for side, text in ((slice(10), pair.text), (slice(10, None), str(pair.second))):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert store.row(0)[side].tolist() == ids[:10]


def test_bytes_are_those_of_utf8(tmp_path: Path, tokenizer_folder: Path) -> None:
    """Characters of one to four bytes; what a tokenizer strips counts to its neighbours."""
    text = "  ab é ß 今日 \U0001f600 z"
    store, *_ = store_of(tmp_path / "s", tokenizer_folder, [Text(text, "und", "a")], max_tokens=99)
    assert store.row_bytes(0).sum() == len(text.encode())
    alone = "\U0001f600\U0001f600"
    store, *_ = store_of(tmp_path / "t", tokenizer_folder, [Text(alone, "und", "a")])
    assert store.row_bytes(0).sum() == 8


def test_space_that_a_tokenizer_strips_counts_to_its_neighbours(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    text = Text("  a \u3000 b ", "und", "x")  # an ideographic space has three bytes
    store = build_store([text], tokenizer, tmp_path / "s", max_tokens=9)
    assert store.row_bytes(0).tolist() == [8, 2]


def test_packed_documents_of_a_language_are_joined(tmp_path: Path, tokenizer_folder: Path) -> None:
    texts = [Text(f"row {i}", ("eng_Latn", "deu_Latn")[i % 2], str(i)) for i in range(12)]
    store, _, tokenizer = store_of(tmp_path / "s", tokenizer_folder, texts, joint=2, max_tokens=30)
    for index, lang in enumerate(store.languages):
        own = [text.text for text in texts if text.lang == lang]
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in own]
        rows = [store.row(int(i)).tolist() for i in np.flatnonzero(store.lang == index)]
        assert _ended(rows) == _ended(ids)
        assert len(rows) < len(ids)
    row = int(np.argmax(store.lengths))
    assert (store.row_bytes(row)[store.row(row) == 2] == 0).all()


def _ended(rows: list[list[int]]) -> list[int]:
    return [token for row in rows for token in [*row, 2]]


def test_marks_of_words_of_every_kind_of_tokenizer() -> None:
    from tokenizers import Tokenizer, models, processors

    def frame(vocabulary: dict[str, int], pad: int | None = None) -> Any:
        tokenizer = Tokenizer(models.WordLevel({"a": 0, **vocabulary}, unk_token="[UNK]"))
        end = 1 + len(vocabulary)
        tokenizer.add_special_tokens(["[SEP]"])
        assert tokenizer.token_to_id("[SEP]") == end
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A [SEP]", pair="$A [SEP] $B:1 [SEP]:1", special_tokens=[("[SEP]", end)]
        )
        return frame_of(tokenizer, pad=end if pad is None else pad)

    pieces = frame({"[UNK]": 1, "##b": 2, "c": 3, "d": 4})
    assert pieces.starts.tolist()[:5] == [True, True, False, True, True]
    for mark in ("▁", "Ġ"):
        marked = frame({"[UNK]": 1, f"{mark}b": 2, "c": 3, f"{mark}d": 4})
        assert marked.starts.tolist()[:5] == [False, False, True, False, True]
    plain = frame({"[UNK]": 1, "b": 2})
    assert plain.starts is None
    assert plain.unknown == 1
    assert plain.ordinary_ids.tolist() == [0, 2]  # neither the unknown token nor a special one
    assert frame({"[UNK]": 1, "b": 2}, pad=2).ordinary_ids.tolist() == [0]
    assert (plain.before, plain.between, plain.after) == ((), (3,), (3,))
