"""Bad input to a corpus build: counted or told in one line, never half-written, never silent."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.config import make
from interlingua.base.errors import DataError
from interlingua.corpus.pipeline.card import CorpusCard, read_card
from interlingua.corpus.pipeline.recipe import CorpusRecipe
from interlingua.corpus.pipeline.run import build_corpus
from interlingua.corpus.rows import read_table

SENTENCES = [f"This is sentence number {i}, about the weather in town {i * 7}." for i in range(60)]
GOOD = "".join(json.dumps({"text": text, "lang": "en"}) + "\n" for text in SENTENCES).encode()


def build(out: Path, path: Path, **settings: Any) -> CorpusCard:
    recipe = {"inputs": [{"path": str(path)}], "split": {"validation": 0}, **settings}
    return build_corpus(make(CorpusRecipe, {"corpus": recipe}), out=out)


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "interlingua.cli.main", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, timeout=240
    )


def texts_of(folder: Path) -> list[str]:
    files = sorted((folder / "shards").rglob("*.jsonl.zst"))
    return [row.values["text"] for file in files for row in read_table(file)]


def truncated_gzip(path: Path) -> Path:
    file = path / "t.jsonl.gz"
    file.write_bytes(gzip.compress(GOOD)[:-30])
    return file


def truncated_zstandard(path: Path) -> Path:
    import zstandard

    file = path / "t.jsonl.zst"
    small = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    parts = [small.compress(GOOD[:2000]) + small.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
    parts.append(small.compress(GOOD[2000:]) + small.flush())
    file.write_bytes(b"".join(parts)[:-40])
    return file


def broken_parquet(path: Path) -> Path:
    import pyarrow
    from pyarrow import parquet

    file = path / "t.parquet"
    parquet.write_table(pyarrow.table({"text": SENTENCES}), file)
    file.write_bytes(file.read_bytes()[:-6])
    return file


def half_a_line(path: Path) -> Path:
    file = path / "t.jsonl"
    file.write_bytes(GOOD[:-25])
    return file


def mc4_with_a_bad_line(path: Path) -> Path:
    rows = [
        json.dumps(
            {"text": text, "timestamp": "2019-01-01T00:00:00Z", "url": "https://example.org"}
        )
        for text in SENTENCES
    ]
    rows[7] = rows[7][:30]
    file = path / "c4-en.tfrecord-00000-of-11264.json.gz"
    file.write_bytes(gzip.compress("\n".join(rows).encode()))
    return file


@pytest.mark.parametrize(
    ("made", "said", "least", "rejected"),
    [
        (truncated_gzip, "end-of-stream marker", 0, 1),
        (truncated_zstandard, "ends before its end-of-stream marker", 20, 1),
        (broken_parquet, "not a Parquet file", 0, 1),
        (half_a_line, "line 60: not JSON", 59, 1),
        (mc4_with_a_bad_line, "line 8: not JSON", 59, 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_broken_file_stops_or_is_counted(
    tmp_path: Path, made: Callable[[Path], Path], said: str, least: int, rejected: int
) -> None:
    (tmp_path / "in").mkdir()
    file = made(tmp_path / "in")
    with pytest.raises(DataError, match=said) as told:
        build(tmp_path / "out", file)
    assert str(file) in str(told.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]

    good = tmp_path / "in" / "good.jsonl"
    good.write_bytes(b'{"text": "A sentence that can be read by anybody.", "lang": "en"}\n')
    card = build(tmp_path / "out", tmp_path / "in", on_error="skip")
    assert card.rejected == rejected
    assert card.documents.read >= least + 1
    assert card.documents.read == card.documents.kept + sum(card.dropped.values())
    assert len(texts_of(tmp_path / "out")) == card.documents.kept
    lines = (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines] == [str(file)] * rejected
    if "json" in file.name:
        assert card.languages["eng_Latn"].documents.kept >= least + 1


def test_invalid_utf8_is_refused_skipped_or_replaced(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    lines = [text.encode() for text in SENTENCES[:10]]
    lines[3] = b"This caf\xe9 serves \xff coffee to everybody in the whole town."
    path.write_bytes(b"\n".join(lines))
    settings: dict[str, Any] = {"inputs": [{"path": str(path), "lang": "en"}]}
    with pytest.raises(DataError, match=r"line 4: byte 9 .* is not UTF-8"):
        build(tmp_path / "fail", path, **settings)
    skipped = build(tmp_path / "skip", path, on_error="skip", **settings)
    assert (skipped.rejected, skipped.documents.kept) == (1, 9)
    assert [one.replaced for one in skipped.inputs] == [0]
    replaced = build(tmp_path / "replace", path, on_error="replace", **settings)
    assert (replaced.rejected, replaced.documents.kept) == (0, 10)
    assert [one.replaced for one in replaced.inputs] == [1]
    assert sum("caf\ufffd serves" in text for text in texts_of(tmp_path / "replace")) == 1


def test_a_document_of_ten_million_characters(tmp_path: Path) -> None:
    """As a cell it is dropped, as a line it is rejected; the rest is there."""
    import pyarrow
    from pyarrow import parquet

    book = "A very long book indeed. " * 400_000
    assert len(book) == 10_000_000
    table = {"text": [*SENTENCES, book], "lang": ["en"] * 61}
    parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet")
    card = build(tmp_path / "a", tmp_path / "a.parquet")
    assert card.dropped == {"too long": 1}
    assert card.documents.kept == 60
    assert card.bytes.read > 10_000_000

    (tmp_path / "b.jsonl").write_bytes(GOOD + json.dumps({"text": book}).encode() + b"\n" + GOOD)
    with pytest.raises(DataError, match="line 61: longer than"):
        build(tmp_path / "b", tmp_path / "b.jsonl")
    card = build(tmp_path / "b", tmp_path / "b.jsonl", on_error="skip")
    assert (card.rejected, card.documents.read, card.dropped) == (1, 120, {"duplicate": 60})

    card = build(tmp_path / "c", tmp_path / "a.parquet", max_characters=20_000_000)
    assert card.documents.kept == 61


@pytest.mark.parametrize(
    "text", ["a" * 900_000, "\u0301" * 300_000, "漢" * 300_000, "1 " * 400_000]
)
def test_documents_of_one_kind_of_character(tmp_path: Path, text: str) -> None:
    import pyarrow
    from pyarrow import parquet

    table = {"text": [*SENTENCES, text], "lang": ["en"] * 61}
    parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet")
    card = build(tmp_path / "a", tmp_path / "a.parquet")
    assert card.documents.read == 61
    assert card.documents.kept >= 60


def test_an_empty_language_and_one_of_three_sentences(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "empty.lin_Latn.jsonl").write_bytes(b"")
    three = ["Mbote na yo.", "Nazali awa.", "Tokokutana lobi na ntongo."]
    (tmp_path / "in" / "few.kon_Latn.txt").write_text("\n".join(three) + "\n\n")
    (tmp_path / "in" / "blank.jsonl").write_text('{"text": " \\u200b\\n", "lang": "yor"}\n')
    card = build(tmp_path / "out", tmp_path / "in")
    assert card.languages["kon_Latn"].documents.kept == 3
    assert card.languages["kon_Latn"].fences is None
    assert "lin_Latn" not in card.languages
    assert card.languages["yor_Latn"].dropped == {"empty": 1}
    assert [one.documents for one in card.inputs] == [1, 0, 3]
    assert sorted(texts_of(tmp_path / "out")) == sorted(three)


def test_nothing_at_all_is_told(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\n\n")
    with pytest.raises(DataError, match="no document in 1 files"):
        build(tmp_path / "out", tmp_path / "in.jsonl")
    (tmp_path / "in.jsonl").write_bytes(b'{"text": ""}\n')
    card = build(tmp_path / "out", tmp_path / "in.jsonl")
    assert (card.documents.read, card.documents.kept) == (1, 0)


def test_lone_surrogates_and_control_characters_are_mended(tmp_path: Path) -> None:
    rows = [
        '{"text": "A lone \\ud800 surrogate in a sentence of English.", "lang": "en"}',
        '{"text": "A \\u0000 zero \\u001b[0m and\\u0085 other \\ufeff signs here.", "lang": "en"}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(rows))
    card = build(tmp_path / "out", tmp_path / "in.jsonl")
    assert card.languages["eng_Latn"].repaired == 2
    assert texts_of(tmp_path / "out") == [
        "A lone \ufffd surrogate in a sentence of English.",
        "A zero [0m and… other signs here.",  # as of Windows, where 85 is an ellipsis
    ]


def test_the_command_line_tells_mistakes_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("corpus: {inputs: [{path: nowhere.jsonl}]}")
    (tmp_path / "in.jsonl").write_bytes(GOOD)
    for arguments, said in (
        (("r.yaml",), "no such file"),
        (("r.yaml", "--set", "corpus.inputs=3"), "corpus.inputs"),
        (("r.yaml", "--set", "corpus.inputs=[{path: in.jsonl, lang: xx}]"), "xx"),
        (("absent.yaml",), "absent.yaml"),
    ):
        done = run("corpus", "build", *arguments, "--out", "out", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        assert said in lines[0]
        assert not (tmp_path / "out").exists()


def test_the_command_line_builds_and_tells(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("corpus: {inputs: [{path: in.jsonl}]}")
    (tmp_path / "in.jsonl").write_bytes(GOOD + GOOD[:500].rpartition(b"\n")[0] + b"\n")
    given = ("--out", "out", "--workers", "2", "--set", "corpus.split.validation=0.2", "--json")
    done = run("corpus", "build", "r.yaml", *given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["documents"]["kept"] == 60
    stats = json.loads(run("corpus", "stats", "out", "--check", "--json", cwd=tmp_path).stdout)
    assert stats["languages"] == told["languages"]
    shown = run("corpus", "stats", "out", cwd=tmp_path).stdout
    assert "eng_Latn" in shown
    page = (tmp_path / "out" / "card.html").read_text(encoding="utf-8")
    assert "60 documents in 1 language" in page
    assert "English" in page

    shard = next((tmp_path / "out" / "shards").rglob("*.zst"))
    shard.write_bytes(shard.read_bytes()[:-1])
    done = run("corpus", "stats", "out", "--check", cwd=tmp_path)
    assert done.returncode == 2
    assert "differs from the manifest" in done.stderr


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("corpus: {inputs: [{path: in.jsonl}]}")
    (tmp_path / "in.jsonl").write_bytes(GOOD)
    code = (
        "import resource, signal, sys\n"
        "from interlingua.cli.main import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, "corpus", "build", "r.yaml", "--out", "out", "--quiet"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=240
    )
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "r.yaml"]


def test_text_of_others_cannot_break_the_page(tmp_path: Path) -> None:
    rows = [{"text": SENTENCES[0], "lang": "en", "licence": "<script>x</script>"}]
    (tmp_path / "in.jsonl").write_text(json.dumps(rows[0]) + "\n")
    build(tmp_path / "out", tmp_path / "in.jsonl")
    assert "<script>x" not in (tmp_path / "out" / "card.html").read_text(encoding="utf-8")
    assert read_card(tmp_path / "out").licences == {"<script>x</script>": 1}
