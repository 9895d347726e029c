"""Rows in = rows out + rows rejected; whatever is wrong is told with its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import DataError
from interlingua.corpus.formats import read_rows
from interlingua.corpus.rows import MAX_LINE_BYTES, Faults, read_table

ROWS = [{"text": 'he said "hi"', "label": "a"}, {"text": "ሰላም, world", "label": "b"}]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        lines = ["text,label"]
        lines += ['"' + r["text"].replace('"', '""') + f'",{r["label"]}' for r in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif path.suffix == ".tsv":
        lines = ["text\tlabel", *(f"{r['text']}\t{r['label']}" for r in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["jsonl", "csv", "tsv", "parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, ending: str) -> None:
    rows = list(read_table(write(tmp_path / f"t.{ending}", ROWS)))
    assert [row.values for row in rows] == ROWS


def test_gzip_and_zstandard(tmp_path: Path) -> None:
    import zstandard

    data = write(tmp_path / "t.jsonl", ROWS).read_bytes()
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(data))
    (tmp_path / "t.jsonl.zst").write_bytes(zstandard.compress(data))
    for name in ("t.jsonl.gz", "t.jsonl.zst"):
        assert [row.values for row in read_table(tmp_path / name)] == ROWS


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("t.jsonl", b'{"text": "a"}\n{broken\n', "line 2: not JSON"),
        ("t.jsonl", b"[1]\n", "line 1: list, expected an object"),
        ("t.jsonl", b'{"text": "\xe9"}\n', "line 1: byte 11 .*is not UTF-8"),
        ("t.tsv", b"text\tlabel\na\n", "line 2: 1 fields, expected 2"),
        ("t.tsv", b"text\ttext\n", "more than once"),
        ("t.csv", b'text,label\n"a,b\n', "not CSV"),
        ("t.parquet", b"PAR1 no", "not a Parquet file"),
        ("t.jsonl.gz", b"not gzip", "cannot be read"),
        ("t.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 50)[:-12], "cannot be read"),
        ("t.xyz", b"", "cannot tell the format"),
        ("t.jsonl", b'{"text": "' + b"x" * 1_000_000 + b'"}\n', "longer than"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=said) as caught:
        list(read_table(path))
    assert name in str(caught.value)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(DataError, match=r"Did you mean train\.jsonl"):
        list(read_table(tmp_path / "trian.jsonl"))


def test_skipping_counts_every_row(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    good = b'{"text": "a"}\n'
    long = b"x" * (MAX_LINE_BYTES + 5) + b"\n"
    path.write_bytes(good + b"{\n" + good + b"\xff\n" + long + good)
    faults = Faults("skip")
    rows = list(read_table(path, faults))
    assert [row.line for row in rows] == [1, 3, 6]
    assert [fault.line for fault in faults.rejected.faults] == [2, 4, 5]
    faults.rejected.write(tmp_path / "rejected.jsonl")
    assert len((tmp_path / "rejected.jsonl").read_text().splitlines()) == 3


def test_applications_replace_what_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"caf\xe9\n")
    assert [row.values["text"] for row in read_table(path, Faults(replace=True))] == ["caf\ufffd"]


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400), ending=st.sampled_from(["jsonl", "csv", "tsv", "txt"]))
def test_no_bytes_crash_a_reader(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / f"t.{ending}"
    path.write_bytes(data)
    try:
        list(read_table(path, Faults("skip")))
    except DataError:
        assert ending in {"csv", "tsv"}  # a header that repeats a name


def test_tweets_with_labels_beside(tmp_path: Path) -> None:
    (tmp_path / "train_text.txt").write_text("so good\\u002c really\nbad\n")
    (tmp_path / "train_labels.txt").write_text("2\n0\n")
    rows = list(read_rows(tmp_path / "train_text.txt"))
    assert [row.values for row in rows] == [
        {"text": "so good, really", "label": "2"},
        {"text": "bad", "label": "0"},
    ]
    (tmp_path / "train_labels.txt").write_text("2\n")
    with pytest.raises(DataError, match="1 labels for 2 lines"):
        list(read_rows(tmp_path / "train_text.txt"))


def test_quoted_fields_of_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text('id\ttext\n1\t"he said ""hi"" twice"\n2\t"plain quotes" stay\n')
    assert [row.values["text"] for row in read_table(path)] == [
        'he said "hi" twice',
        '"plain quotes" stay',
    ]
