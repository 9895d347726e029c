"""Readers of mC4, TMX, Moses and hub data sets: what they give, and what they refuse."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from interlingua.base.errors import DataError
from interlingua.corpus.formats import read_rows
from interlingua.corpus.readers.mc4 import mc4_lang, read_mc4
from interlingua.corpus.rows import Faults

WEB = [
    {"text": f"Testun rhif {i}.\nAil linell.", "timestamp": "2020-01-02T03:04:05Z"}
    | {"url": f"http://example.org/{i}"}
    for i in range(5)
]


def c4(path: Path, rows: list[dict[str, object]], *, bad: bytes = b"") -> Path:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode() + bad
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data))
    return path


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("c4-cy.tfrecord-00000-of-00016.json.gz", "cym_Latn"),
        ("c4-cy-validation.tfrecord-00000-of-00001.json.gz", "cym_Latn"),
        ("c4-iw.tfrecord-00003-of-00512.json.gz", "heb_Hebr"),
        ("c4-ru-Latn.tfrecord-00000-of-00004.json.gz", "rus_Latn"),
        ("c4-und.tfrecord-00000-of-00004.json.gz", "und"),
        ("en.noblocklist/c4-train.00000-of-01024.json.gz", "eng_Latn"),
    ],
)
def test_mc4_names_its_language(tmp_path: Path, name: str, tag: str) -> None:
    path = c4(tmp_path / name, WEB)
    assert mc4_lang(path) == tag
    found = list(read_mc4(path, Faults()))
    assert [document.text for document in found] == [row["text"] for row in WEB]
    assert {document.lang for document in found} == {tag}
    assert {document.licence for document in found} == {"ODC-By-1.0"}
    assert found[2].meta == {"timestamp": "2020-01-02T03:04:05Z", "url": "http://example.org/2"}
    assert len({document.id for document in found}) == len(WEB)
    assert [row.values["lang"] for row in read_rows(path)] == [tag] * len(WEB)


def test_mc4_of_no_language(tmp_path: Path) -> None:
    path = c4(tmp_path / "web" / "c4-train.00000-of-01024.json.gz", WEB)
    with pytest.raises(DataError, match="'web' is no language"):
        list(read_mc4(path, Faults()))


BAD_LINES = [
    b'{"text": "cut in ha',
    b'{"timestamp": "2020"}\n',
    b'{"text": "  "}\n',
    b'{"text": 7}\n',
    b'{"text": "half \\ud83d"}\n',
    b'{"text": "caf\xe9"}\n',
    b"[]\n",
]


@pytest.mark.parametrize("bad", BAD_LINES)
def test_mc4_lines_that_cannot_be_read(tmp_path: Path, bad: bytes) -> None:
    path = c4(tmp_path / "c4-cy.tfrecord-0.json.gz", WEB, bad=bad)
    with pytest.raises(DataError, match=r"c4-cy.*line 6"):
        list(read_mc4(path, Faults()))
    faults = Faults("skip")
    assert len(list(read_mc4(path, faults))) == len(WEB)
    assert [fault.line for fault in faults.rejected.faults] == [6]


def test_mc4_that_is_torn_stops_either_way(tmp_path: Path) -> None:
    path = c4(tmp_path / "c4-cy.tfrecord-0.json.gz", WEB * 500)
    path.write_bytes(path.read_bytes()[:-40])
    for faults in (Faults(), Faults("skip")):
        with pytest.raises(DataError, match="cannot be read"):
            list(read_mc4(path, faults))
