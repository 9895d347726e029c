"""Documents out of every kind of file, with their languages, licences and clusters."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from interlingua.base.config import make
from interlingua.base.errors import ConfigError, DataError
from interlingua.corpus.documents import Input, read_documents
from interlingua.corpus.records import Document
from interlingua.corpus.rows import Faults

ROWS = [{"text": "Guten Morgen", "lang": "de", "id": "1"}, {"text": "Good morning", "id": "1"}]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path: Path, **given: str) -> list[Document]:
    return list(read_documents(path, make(Input, {"path": str(path), **given}), Faults()))


def test_a_language_is_given_or_told_and_never_a_default(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", ROWS)
    assert [d.lang for d in read(rows)] == ["deu_Latn", "und"]
    assert [d.lang for d in read(rows, lang="English")] == ["eng_Latn", "eng_Latn"]
    named = write(tmp_path / "fra_Latn" / "x.jsonl", [{"text": "Bonjour à tous"}])
    assert [d.lang for d in read(named)] == ["fra_Latn"]
    other = write(tmp_path / "rus_Cyrl" / "x.jsonl", [{"text": "not Russian at all"}])
    assert [d.lang for d in read(other)] == ["und"]


def test_what_a_row_says_of_itself(tmp_path: Path) -> None:
    row = {"text": "a", "lang": "en", "id": 7, "source": "s", "licence": "MIT", "cluster": "c"}
    path = write(tmp_path / "a.jsonl", [{**row, "meta": {"k": 1}, "url": "u", "other": 2}])
    (document,) = read(path, licence="GPL-3.0-only", source="mine")
    assert document == Document("a", "eng_Latn", "7", "mine", "MIT", "c", {"k": 1, "url": "u"})
    (bare,) = read(write(tmp_path / "b.jsonl", [{"text": "b"}]), licence="CC0-1.0")
    assert (bare.id, bare.source, bare.licence) == ("b.jsonl:1", "b.jsonl", "CC0-1.0")


def test_translations_share_a_cluster(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", ROWS)
    german, english = read(path, cluster="id")
    assert german.cluster == english.cluster != ""
    for name in ("eng.txt", "deu.txt"):
        (tmp_path / name).write_text("one\n\ntwo\n")
    first = read(tmp_path / "eng.txt", source="s", cluster="line")
    second = read(tmp_path / "deu.txt", source="s", cluster="line")
    assert [d.cluster for d in first] == [d.cluster for d in second] == ["s/1", "s/3"]
    with pytest.raises(DataError, match="column 'x' is missing"):
        read(path, cluster="x")


def test_pairs_are_two_documents_of_one_cluster(tmp_path: Path) -> None:
    pair = {"source": "Open", "target": "Öffnen", "source_lang": "en", "target_lang": "de"}
    both = read(write(tmp_path / "p.jsonl", [pair]))
    assert [(d.text, d.lang) for d in both] == [("Open", "eng_Latn"), ("Öffnen", "deu_Latn")]
    assert both[0].cluster == both[1].cluster
    assert both[0].id != both[1].id


def test_catalogues_and_descriptions(tmp_path: Path) -> None:
    po = tmp_path / "de.po"
    po.write_text('msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "Open"\nmsgstr "Öffnen"\n')
    assert [(d.text, d.lang) for d in read(po)] == [("Open", "eng_Latn"), ("Öffnen", "deu_Latn")]
    debian = tmp_path / "Translation-it"
    debian.write_text(
        "Package: x\nDescription-md5: 0123\nDescription-it: un gioco\n Testo lungo.\n\n"
    )
    assert [(d.text, d.lang) for d in read(debian)] == [("un gioco\n\nTesto lungo.", "ita_Latn")]


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("c4-sw.tfrecord-00000-of-00064.json.gz", "swh_Latn"),
        ("c4-iw-validation.tfrecord-00000-of-00001.json.gz", "heb_Hebr"),
        ("c4-zh.00001.json.gz", "zho_Hans"),
        ("c4-ru-Latn.tfrecord-00000-of-00001.json.gz", "rus_Latn"),
        ("c4-und.tfrecord-00000-of-00001.json.gz", "und"),
        ("en/c4-train.00000-of-01024.json.gz", "eng_Latn"),
    ],
)
def test_mc4_files_name_their_language(tmp_path: Path, name: str, lang: str) -> None:
    row = {"text": "a text", "timestamp": "2020-01-01T00:00:00Z", "url": "https://example.org"}
    (document,) = read(write(tmp_path / name, [row]))
    assert document.lang == lang
    assert document.meta == {"url": row["url"], "timestamp": row["timestamp"]}
    assert document.licence == "ODC-By-1.0"
    (document,) = read(tmp_path / name, lang="ga")
    assert document.lang == "gle_Latn"


def test_folders_and_patterns(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.jsonl", ROWS)
    write(tmp_path / "a" / "c4-de.00000.json.gz", ROWS)
    (tmp_path / "a" / "Translation-de").write_text("")
    (tmp_path / "a" / "readme.md").write_text("")
    found = make(Input, {"path": str(tmp_path / "a")}).files()
    assert [f.name for f in found] == ["Translation-de", "c4-de.00000.json.gz", "x.jsonl"]
    found = make(Input, {"path": str(tmp_path / "*" / "*.jsonl")}).files()
    assert [f.name for f in found] == ["x.jsonl"]
    with pytest.raises(DataError, match="no such file"):
        make(Input, {"path": str(tmp_path / "b*")}).files()
    with pytest.raises(ConfigError, match="klingonish"):
        make(Input, {"path": "x", "lang": "klingonish"})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": 3}, "expected a text"),
        ({"texts": "a"}, "column 'text' is missing"),
        ({"text": "a", "lang": "xx_Klingon"}, "xx_Klingon"),
    ],
)
def test_a_row_that_is_no_document_is_told_with_its_place(
    tmp_path: Path, row: dict[str, object], said: str
) -> None:
    path = write(tmp_path / "a.jsonl", [{"text": "fine"}, row, {"text": "fine"}])
    with pytest.raises(DataError, match=f"line 2.*{said}"):
        read(path)
    faults = Faults("skip")
    assert len(list(read_documents(path, Input(path=str(path)), faults))) == 2
    assert len(faults.rejected) == 1
