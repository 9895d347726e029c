"""Readers of descriptions and catalogues, cleaning of pairs, and what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from interlingua.base.errors import DataError
from interlingua.corpus.choose_pairs import PairChoice
from interlingua.corpus.clean_pairs import Cleaner, CleanRules, length_ratios
from interlingua.corpus.fetch.apt import Apt, IndexFile
from interlingua.corpus.fetch.debian import fetch_debian, join_descriptions
from interlingua.corpus.fetch.licences import package_licence
from interlingua.corpus.pairs import gather_pairs, read_pairs
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults, read_table


def mo(entries: dict[str, str], *, order: str = "<", header: str = "Language: cy\n") -> bytes:
    """A catalogue as msgfmt writes it, of either byte order."""
    base = f"Content-Type: text/plain; charset=UTF-8\n{header}"
    items = sorted({"": base, **entries}.items())
    keys = b"".join(key.encode() + b"\0" for key, _ in items)
    start = 28 + 16 * len(items)
    table, at = b"", start
    for key, _ in items:
        table += struct.pack(f"{order}II", len(key.encode()), at)
        at += len(key.encode()) + 1
    for _, value in items:
        table += struct.pack(f"{order}II", len(value.encode()), at)
        at += len(value.encode()) + 1
    values = b"".join(value.encode() + b"\0" for _, value in items)
    head = struct.pack(f"{order}7I", 0x950412DE, 0, len(items), 28, 28 + 8 * len(items), 0, 0)
    return head + table + keys + values


def pairs_of(path: Path) -> list[tuple[str, str, str]]:
    return [(p.source_text, p.target_text, p.target_lang) for p in read_pairs(path, Faults())]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_binary_catalogue(tmp_path: Path, order: str) -> None:
    path = tmp_path / "app.mo"
    entries = {"Open the file": "Agor y ffeil", "menu\x04Close": "Cau"}
    entries["%d file\0%d files"] = "%d ffeil\0%d ffeiliau"
    header = "Language: cy\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    path.write_bytes(mo(entries, order=order, header=header))
    found = pairs_of(path)
    assert ("Open the file", "Agor y ffeil", "cym_Latn") in found
    assert ("Close", "Cau", "cym_Latn") in found
    assert ("%d file", "%d ffeil", "cym_Latn") in found
    assert ("%d files", "%d ffeiliau", "cym_Latn") in found


def test_a_broken_catalogue_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cy.mo"
    whole = mo({"Open": "Agor"})
    for data in (b"", b"not a catalogue at all, by far", whole[:30], whole[:-12]):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"cy\.mo"):
            pairs_of(path)


def test_a_text_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "gl.po"
    path.write_text(
        'msgid ""\nmsgstr ""\n"Language: gl\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        '#, fuzzy\nmsgid "Guess"\nmsgstr "Adiviña"\n\n'
        'msgctxt "verb"\nmsgid "Print\\t\\"it\\""\nmsgstr ""\n"Impri"\n"mir"\n\n'
        '#~ msgid "Old"\n#~ msgstr "Vello"\n\nmsgid "Nothing yet"\nmsgstr ""\n',
        encoding="utf-8",
    )
    assert pairs_of(path) == [('Print\t"it"', "Imprimir", "glg_Latn")]
    path.write_text('msgid ""\nmsgstr "Language: gl\\n"\n\nmsgid "a\nmsgstr "b"\n')
    with pytest.raises(DataError, match=r"gl\.po.*line 4"):
        pairs_of(path)


ENGLISH = """Package: tree-games
Description-md5: {0}
Description-en: games about trees
 Three games about trees.
 .
 The second paragraph tells more.

Package: tree-games-data
Description-md5: {1}
Description-en: games about trees (data)
 Data of three games about trees.
"""
ITALIAN = """Package: tree-games
Description-md5: {0}
Description-it: giochi sugli alberi
 Tre giochi sugli alberi.
 .
 Il secondo paragrafo dice di più.

Package: gone
Description-md5: {2}
Description-it: non c'è più
 Testo.
"""
PACKAGES = """Package: tree-games
Section: games
Source: trees
Description-md5: {0}

Package: tree-games-data
Section: games
Source: trees
Description-md5: {1}
"""


def test_languages_that_apt_keeps_from_earlier_runs_are_left_alone(tmp_path: Path) -> None:
    """A private apt holds the lists of every language it was ever asked for."""
    files = index_files(tmp_path, {"en": ENGLISH, "it": ITALIAN, "da": ITALIAN})
    apt = SimpleNamespace(
        update=lambda locales=(): None, locales=lambda: ["en", "it", "da"], indexes=lambda: files
    )
    some = fetch_debian(tmp_path / "some", languages=["ita_Latn"], apt=cast("Apt", apt))
    assert sorted(some.documents) == ["eng_Latn", "ita_Latn"]
    told = json.loads((tmp_path / "some" / "snapshot.json").read_text(encoding="utf-8"))
    assert not any("da" in name.rpartition("-")[2] for name in told["files"])
    every = fetch_debian(tmp_path / "every", apt=cast("Apt", apt))
    assert sorted(every.documents) == ["dan_Latn", "eng_Latn", "ita_Latn"]


def test_descriptions_are_joined_by_package_and_md5(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    made = index_files(tmp_path, {"en": ENGLISH, "it": ITALIAN})
    fetched = join_descriptions(made, out, max_packages=None)
    assert fetched.documents == {"eng_Latn": 2, "ita_Latn": 1}
    assert fetched.pairs == {"eng_Latn-ita_Latn": 3}
    rows = [r.values for r in read_table(out / "pairs" / "eng_Latn-ita_Latn.jsonl.zst")]
    assert [(row["source"], row["target"]) for row in rows] == [
        ("games about trees", "giochi sugli alberi"),
        ("Three games about trees.", "Tre giochi sugli alberi."),
        ("The second paragraph tells more.", "Il secondo paragrafo dice di più."),
    ]
    documents = [r.values for r in read_table(out / "documents" / "eng_Latn.jsonl.zst")]
    clusters = {row["cluster"] for row in documents} | {row["cluster"] for row in rows}
    assert len(clusters) == 1  # one source package, one split
    assert sum(fetched.dropped.values()) == 1


def index_files(folder: Path, translations: dict[str, str]) -> list[IndexFile]:
    """Lists of the archive: descriptions by locale, and the packages."""
    sums = ("a" * 32, "b" * 32, "c" * 32)
    made = []
    texts = {f"Translation-{locale}": (text, locale) for locale, text in translations.items()}
    for name, (text, locale) in (texts | {"Packages": (PACKAGES, "")}).items():
        path = folder / name
        path.write_text(text.format(*sums), encoding="utf-8")
        kind = "Translations" if locale else "Packages"
        made.append(IndexFile(name=name, path=path, kind=kind, locale=locale))
    return made


def test_licence_of_a_package() -> None:
    text = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: 2020 A\nLicense: GPL-2+\n\nFiles: debian/*\nLicense: Expat\n"
    )
    assert package_licence(text) == "GPL-2.0-or-later"
    assert package_licence("Copyright by somebody.") == "unknown"


def pair(source: str, target: str, lang: str = "deu_Latn", number: str = "1") -> Pair:
    return Pair(source, target, "eng_Latn", lang, number, "test")


def test_cleaning_counts_every_pair() -> None:
    good = [
        pair("_Open the file", "Datei _öffnen"),
        pair("<b>Save</b> all changes", "Alle Änderungen <b>speichern</b>"),
        pair("Delete %s now", "%s jetzt löschen"),
        pair("Close the window", "ウィンドウを閉じる(_C)", "jpn_Jpan"),
    ]
    bad = [
        pair("Open the file", "Datei öffnen"),  # again, without the key
        pair("", "leer"),
        pair("Nothing to see here", "Nothing to see here"),
        pair("Delete %s and %d", "Löschen"),
        pair("Print the page", "Печать страницы"),
    ]
    cleaner = Cleaner(CleanRules(), {})
    kept = list(cleaner.clean([*good, *bad]))
    assert [p.target_text for p in kept] == [
        "Datei öffnen",
        "Alle Änderungen speichern",
        "%s jetzt löschen",
        "ウィンドウを閉じる",
    ]
    assert sum(cleaner.dropped.values()) == len(bad)
    assert set(cleaner.dropped) >= {"duplicate", "empty", "placeholders differ", "wrong script"}


def test_lengths_are_judged_by_the_pairs_own_statistics() -> None:
    many = [pair("word " * n, "Wort " * n, number=str(n)) for n in range(3, 60) for _ in range(4)]
    ratios = length_ratios(many)
    (found,) = ratios.values()
    assert abs(found.deviation(100, 100)) < 1
    assert abs(found.deviation(100, 900)) > 4


def test_pairs_of_files_and_folders_become_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [
        {"source": f"Sentence {i} of the text", "target": f"Satz {i} vom Text hier"}
        | {"source_lang": "en", "target_lang": "de"}
        for i in range(20)
    ]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "cy.mo").write_bytes(mo({"Open the file": "Agor y ffeil"}))
    for out in ("one.jsonl.zst", "two.jsonl.zst"):
        done = gather_pairs([folder], tmp_path / out, rules=CleanRules(), faults=Faults())
    assert done.languages == {"eng_Latn-cym_Latn": 1, "eng_Latn-deu_Latn": 20}
    assert (tmp_path / "one.jsonl.zst").read_bytes() == (tmp_path / "two.jsonl.zst").read_bytes()
    with (folder / "a.jsonl").open("a") as file:
        file.write('{"source": "only one side"}\n')
    with pytest.raises(DataError, match=r"a\.jsonl.*line 21"):
        gather_pairs([folder], tmp_path / "x.jsonl", rules=None, faults=Faults())
    assert not (tmp_path / "x.jsonl").exists()
    done = gather_pairs([folder], tmp_path / "x.jsonl", rules=None, faults=Faults("skip"))
    assert (done.out, done.rejected) == (21, 1)


def test_a_choice_of_pairs_takes_the_same_sources_in_all_languages(tmp_path: Path) -> None:
    """Of large languages so many, of small ones all, of tiny ones none; rows in = out + dropped."""
    sizes = {"deu_Latn": 60, "ita_Latn": 50, "fra_Latn": 7, "cym_Latn": 3}
    rows = [
        {"source": f"word {i}", "target": f"{lang} {i}", "source_lang": "eng_Latn"}
        | {"target_lang": lang}
        for lang, size in sizes.items()
        for i in range(size)
    ]
    path, out = tmp_path / "all.jsonl", tmp_path / "some.jsonl.gz"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    choice = PairChoice(most=20, least=5)
    done = gather_pairs([path], out, rules=None, faults=Faults(), choice=choice)
    languages = ("deu_Latn", "fra_Latn", "ita_Latn")
    assert list(done.languages) == [f"eng_Latn-{lang}" for lang in languages]
    assert list(done.languages.values()) == [20, 7, 20]
    assert done.out + done.dropped["not chosen"] == len(rows)
    kept = [row.values for row in read_table(out)]
    sources = {
        lang: [row["source"] for row in kept if row["target_lang"] == lang] for lang in languages
    }
    shared = set(sources["deu_Latn"]) & {f"word {i}" for i in range(50)}
    assert shared <= set(sources["ita_Latn"])
    assert len(shared) >= 10
    order = [(row["source"], row["target"]) for row in rows]
    places = [order.index((row["source"], row["target"])) for row in kept]
    assert places == sorted(places)
