"""Readers of mC4, TMX, Moses and hub data sets: what they give, and what they refuse."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from interlingua.base.errors import DataError
from interlingua.base.optional import available
from interlingua.corpus.clean_pairs import CleanRules
from interlingua.corpus.formats import input_sha256, read_rows
from interlingua.corpus.pairs import gather_pairs, pair_files, read_pairs
from interlingua.corpus.readers.hub import _lang
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


def pairs_of(path: Path, faults: Faults | None = None) -> list[tuple[str, str, str, str]]:
    return [
        (p.source_text, p.target_text, p.source_lang, p.target_lang)
        for p in read_pairs(path, faults or Faults())
    ]


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en" adminlang="en"/><body>
<tu tuid="1"><tuv xml:lang="de"><seg>Guten <bpt i="1">&lt;b&gt;</bpt>Tag<ept i="1">&lt;/b&gt;</ept>
  &amp; willkommen</seg></tuv><tuv xml:lang="EN-us"><seg>Good day &amp; welcome</seg></tuv></tu>
<tu tuid="1"><prop type="x">seg</prop><tuv lang="en"><seg>One</seg></tuv>
<tuv lang="fr"><seg><hi>Un</hi></seg></tuv><tuv lang="ja"><seg>一つ</seg></tuv></tu>
</body></tmx>
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_translation_memories(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "memory.tmx"
    path.write_bytes(TMX.replace("UTF-8", encoding.upper()).encode(encoding))
    packed = tmp_path / "packed.tmx.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for file in (path, packed):
        assert pairs_of(file) == [
            ("Good day & welcome", "Guten Tag & willkommen", "eng_Latn", "deu_Latn"),
            ("One", "Un", "eng_Latn", "fra_Latn"),
            ("One", "一つ", "eng_Latn", "jpn_Jpan"),
        ]
    found = list(read_pairs(path, Faults()))
    assert [pair.meta["tuid"] for pair in found] == ["1", "1", "1"]
    assert len({pair.id for pair in found}) == 3


def unit(*variants: tuple[str, str]) -> str:
    inside = "".join(f'<tuv xml:lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in variants)
    return f"<tu>{inside}</tu>\n"


GOOD = unit(("en", "Yes"), ("de", "Ja"))
BOMB = '<!DOCTYPE tmx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"{BOMB}<tmx><body>{unit(('en', '&b;'), ('de', 'b'))}</body></tmx>", "line 1.*entity 'a'"),
        (
            f'<!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///x">]><tmx>{GOOD}</tmx>',
            "entity 'x'",
        ),
        (f"<tmx><body>\n{GOOD}<tu><tuv xml:lang='en'>", "not XML: no element found"),
        (f"<tmx><body>\n{GOOD}<tu></body></tmx>", "line 3.*mismatched tag"),
        (f"<html>{GOOD}</html>", "no element tmx"),
        ("", "not XML"),
        ("no markup", "not XML"),
    ],
)
def test_translation_memories_that_cannot_be_read(tmp_path: Path, data: str, said: str) -> None:
    path = tmp_path / "m.tmx"
    path.write_text(data)
    for faults in (Faults(), Faults("skip")):
        with pytest.raises(DataError, match=rf"m\.tmx.*{said}"):
            pairs_of(path, faults)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (unit(("en", "alone")), "a unit of 1 texts"),
        (unit(("en", "a"), ("xq", "b")), "'xq' is no language"),
        (unit(("en", "a"), ("", "b")), "'' is no language"),
        (unit(("en", "a"), ("de", "b" * 600_000)), "longer than 500,000"),
        (unit(*[("en", "a")] * 300), "more than 200 texts"),
    ],
)
def test_units_that_cannot_be_used(tmp_path: Path, bad: str, said: str) -> None:
    path = tmp_path / "m.tmx"
    path.write_text(f"<tmx>\n{GOOD}{bad}{GOOD}</tmx>")
    with pytest.raises(DataError, match=rf"line 3: .*{said}"):
        pairs_of(path)
    faults = Faults("skip")
    assert len(pairs_of(path, faults)) == 2
    assert len(faults.rejected) == 1


def two(folder: Path, **sides: bytes) -> Path:
    for name, data in sides.items():
        (folder / f"News.de-en.{name}").write_bytes(data)
    return folder / "News.de-en"


@pytest.mark.parametrize("given", ["News.de-en", "News.de-en.de", "News.de-en.en"])
def test_two_parallel_files(tmp_path: Path, given: str) -> None:
    two(tmp_path, de="Hallo\nTschüss\n".encode(), en=b"Hello\nBye", fr=b"Salut\n")
    (file,) = pair_files([tmp_path / given])
    assert pairs_of(file) == [
        ("Hallo", "Hello", "deu_Latn", "eng_Latn"),
        ("Tschüss", "Bye", "deu_Latn", "eng_Latn"),
    ]
    assert [pair.id for pair in read_pairs(file, Faults())] == ["News.de-en:1", "News.de-en:2"]
    assert pair_files([tmp_path]) == [file]  # once, and not the other side too


def test_two_files_called_alike(tmp_path: Path) -> None:
    (tmp_path / "x.en.gz").write_bytes(gzip.compress(b"One\n"))
    (tmp_path / "x.cy").write_bytes(b"Un\n")
    (tmp_path / "x.txt").write_bytes(b"not Citak\n")
    assert pairs_of(tmp_path / "x.en.gz") == [("One", "Un", "eng_Latn", "cym_Latn")]
    assert pairs_of(tmp_path / "x.cy") == [("Un", "One", "cym_Latn", "eng_Latn")]
    (tmp_path / "x.fr").write_bytes(b"Un\n")
    with pytest.raises(DataError, match=r"found 3: x\.cy, x\.en\.gz, x\.fr\. Name them"):
        pairs_of(tmp_path / "x.en.gz")
    with pytest.raises(DataError, match=r"found 1: y\.en"):
        (tmp_path / "y.en").write_bytes(b"One\n")
        pairs_of(tmp_path / "y.en")


def test_sides_that_differ_name_their_lines(tmp_path: Path) -> None:
    prefix = two(tmp_path, de=b"eins\nzwei\ndrei", en=b"one\ntwo\n")
    for faults in (Faults(), Faults("skip")):
        with pytest.raises(DataError, match=r"3 in News\.de-en\.de and 2 in News\.de-en\.en lines"):
            pairs_of(prefix, faults)


def test_a_bad_line_takes_its_translation_along(tmp_path: Path) -> None:
    prefix = two(tmp_path, de=b"eins\nzw\xe9i\ndrei\nvier\n", en=b"one\ntwo\nthree\nf\xffour\n")
    with pytest.raises(DataError, match=r"News\.de-en\.de, line 2: .*not UTF-8"):
        pairs_of(prefix)
    faults = Faults("skip")
    assert [pair[:2] for pair in pairs_of(prefix, faults)] == [("eins", "one"), ("drei", "three")]
    assert len(faults.rejected) == 2
    torn = gzip.compress(b"one\n" * 5000)[:-20]
    (tmp_path / "z.en.gz").write_bytes(torn)
    (tmp_path / "z.de").write_bytes(b"eins\n" * 5000)
    with pytest.raises(DataError, match=r"z\.en\.gz: cannot be read"):
        pairs_of(tmp_path / "z.de")


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the library opens as it opens a data set of the hub, without the network."""
    if not available("datasets"):
        pytest.skip("not installed: pip install 'interlingua[hub]'")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = tmp_path / "set"
    folder.mkdir()
    rows = [{"id": str(i), "text": f"Testun {i}"} for i in range(4)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    sides = [{"id": "7", "translation": {"en": f"Text {i}", "de": f"Satz {i}"}} for i in range(3)]
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    (pairs / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sides))
    return folder


def test_data_sets_of_the_hub(tmp_path: Path, hub_folder: Path) -> None:
    rows = list(read_rows(f"hub:{hub_folder}:train"))
    assert [row.values["text"] for row in rows] == [f"Testun {i}" for i in range(4)]
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert pairs_of(Path(f"hub:{tmp_path / 'pairs'}:train"))[1] == (
        "Text 1",
        "Satz 1",
        "eng_Latn",
        "deu_Latn",
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hub:SET:nope", "cannot be read.*nope"),
        ("hub:SET", "names no split"),
        ("hub::train", "names no split"),
        ("hub:a:b:c:d", "names no split"),
        ("hub:SET/none:train", "cannot be read"),
    ],
)
def test_data_sets_that_cannot_be_opened(hub_folder: Path, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(read_rows(name.replace("SET", str(hub_folder))))


def test_a_data_set_that_breaks_off(hub_folder: Path) -> None:
    with (hub_folder / "train.jsonl").open("a") as file:
        file.write('{"id": "4", "text": "cut in ha')
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(f"hub:{hub_folder}:train"))


def test_a_configuration_called_by_a_language_tells_it() -> None:
    assert [_lang(name) for name in ("cy", "20231101.cy", "eng_Latn", "default", None)] == [
        "cym_Latn",
        "cym_Latn",
        "eng_Latn",
        None,
        None,
    ]


def test_pairs_of_every_form_become_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "memory.tmx").write_text(TMX)
    two(folder, de=b"Hallo Welt\n", en=b"Hello world\n")
    done = gather_pairs([folder], tmp_path / "out.jsonl", rules=CleanRules(), faults=Faults())
    assert done.languages == {
        "deu_Latn-eng_Latn": 1,
        "eng_Latn-deu_Latn": 1,
        "eng_Latn-fra_Latn": 1,
        "eng_Latn-jpn_Jpan": 1,
    }


def test_an_input_is_known_by_all_its_bytes(tmp_path: Path) -> None:
    two(tmp_path, de=b"eins\n", en=b"one\n")
    before = input_sha256(tmp_path / "News.de-en.de")
    (tmp_path / "News.de-en.en").write_bytes(b"two\n")
    assert input_sha256(tmp_path / "News.de-en.de") != before


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("english--9041575374418655524-12", "en"),
        ("finnish-5218396524017263457-0", "fi"),
        ("english-dogs", None),
        ("klingon-12-1", None),
        ("56be4db0acb8001400a502ec", None),
    ],
)
def test_ids_of_tydiqa_tell_the_language(tmp_path: Path, name: str, lang: str | None) -> None:
    asked = {"id": name, "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}
    document = {"data": [{"paragraphs": [{"context": "Anna.", "qas": [asked]}]}]}
    path = tmp_path / "some.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    (row,) = read_rows(path)
    assert row.values.get("lang") == lang
