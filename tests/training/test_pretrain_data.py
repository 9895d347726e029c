"""What a recipe names is found, read with its languages, divided, and counted."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from interlingua.base import progress
from interlingua.base.config import make
from interlingua.base.errors import DataError, LanguageError
from interlingua.base.files import sha256_file
from interlingua.batches.token_store import Text
from interlingua.corpus.rows import Faults
from interlingua.models.tokenizer import load_tokenizer
from interlingua.training.pretrain_data import (
    REJECTED,
    find,
    held_out,
    make_stores,
    open_stores,
    read_texts,
)
from interlingua.training.pretrain_settings import PretrainData

GERMAN = "Die Kinder spielen heute im Garten, und die Sonne scheint."
RUSSIAN = "Сегодня дети играют в саду, и светит яркое солнце."


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def read(path: Path, *, pairs: bool = False, **data: Any) -> list[tuple[Text, str]]:
    settings = make(PretrainData, data)
    faults = Faults(settings.on_error)
    found = read_texts([path], settings, faults, pairs=pairs)
    return [(one.text, one.cluster) for one in found]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a person was told."""
    token = progress._quiet.set(False)
    yield lambda: capsys.readouterr().err
    progress._quiet.reset(token)


def test_a_language_nobody_told_is_identified(tmp_path: Path, said: Any) -> None:
    path = write(tmp_path / "texts.jsonl", [{"text": GERMAN}] * 3)
    assert {text.lang for text, _ in read(path)} == {"deu_Latn"}
    told = write(tmp_path / "texts.rus_Cyrl.jsonl", [{"text": RUSSIAN}])
    assert {text.lang for text, _ in read(told)} == {"rus_Cyrl"}
    wrong = write(tmp_path / "texts.eng_Latn.jsonl", [{"text": RUSSIAN}])  # another script
    assert {text.lang for text, _ in read(wrong)} == {"rus_Cyrl"}
    assert said() == ""
    dark = write(tmp_path / "numbers.jsonl", [{"text": "12 34"}])
    assert {text.lang for text, _ in read(dark)} == {"und"}
    assert "warning: the language of" in said()
    assert {text.lang for text, _ in read(dark, lang="Swahili")} == {"swh_Latn"}


def test_a_column_tells_row_by_row(tmp_path: Path, said: Any) -> None:
    rows = [{"text": "uno due", "lang": "it"}, {"text": GERMAN}, {"text": "12", "lang": ""}]
    path = write(tmp_path / "mixed.jsonl", rows)
    assert [text.lang for text, _ in read(path)] == ["ita_Latn", "deu_Latn", "und"]
    assert "the language of 1 rows of" in said()
    bad = write(tmp_path / "bad.jsonl", [{"text": "a", "lang": "xx_Xxxx"}, *rows])
    with pytest.raises(DataError, match="line 1: 'xx_Xxxx'"):
        read(bad)
    assert len(read(bad, on_error="skip")) == 3
    with pytest.raises(LanguageError):
        read(path, lang="nosuch")


def test_rows_that_hold_no_text_stop_or_are_set_aside(tmp_path: Path) -> None:
    path = write(tmp_path / "t.eng_Latn.jsonl", [{"text": "good"}, {"text": " "}, {"words": 1}])
    with pytest.raises(DataError, match="line 2: the text is empty"):
        read(path)
    pair = {"source": "a", "target": "", "source_lang": "en", "target_lang": "de", "id": "x"}
    pairs = write(tmp_path / "p.jsonl", [{**pair, "target": "b"}, pair])
    with pytest.raises(DataError, match="pair x: the text is empty"):
        read(pairs, pairs=True)
    assert len(read(pairs, pairs=True, on_error="skip")) == 1


def test_languages_that_are_not_wanted_are_left_out(tmp_path: Path) -> None:
    pair = {"source": "a", "target": "b", "source_lang": "en"}
    path = write(tmp_path / "p.jsonl", [{**pair, "target_lang": tag} for tag in ("de", "fr")])
    found = read(path, pairs=True, languages=["eng_Latn", "fra_Latn"])
    assert [text.second_lang for text, _ in found] == ["fra_Latn"]
    texts = write(tmp_path / "t.jsonl", [{"text": "a", "lang": tag} for tag in ("de", "fr")])
    assert [text.lang for text, _ in read(texts, languages=["de"])] == ["deu_Latn"]


def test_clusters_stay_together(tmp_path: Path, tokenizer_folder: Path) -> None:
    """Rows of a cluster are all held out or none is; no row is on both sides or on neither."""
    rows = [
        {"text": f"sentence number {i}", "cluster": str(i % 40), "lang": "en"} for i in range(200)
    ]
    path = write(tmp_path / "t.jsonl", rows)
    make_stores(
        find([str(path)], []),
        make(PretrainData, {"train": [str(path)], "held_out": 0.3}),
        load_tokenizer(tokenizer_folder),
        tmp_path / "s",
        max_tokens=20,
        joint=None,
        pairs=False,
    )
    stores = open_stores(tmp_path / "s")
    assert stores.validation is not None
    aside = sum(held_out(str(i), 0.3) for i in range(40))
    assert 0 < aside < 40
    assert len(stores.validation) == 5 * aside
    assert stores.rows == (200 - 5 * aside,)
    names = [
        {store.name(i) for i in range(len(store))} for store in (stores.train, stores.validation)
    ]
    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == 200


def test_rows_in_are_rows_out_and_rows_rejected(
    tmp_path: Path, tokenizer_folder: Path, said: Any
) -> None:
    path = tmp_path / "t.eng_Latn.jsonl"
    path.write_text('{"text": "one two"}\nbroken\n{"text": ""}\n{"text": "three"}\n')
    data = make(PretrainData, {"train": [str(path)], "held_out": 0, "on_error": "skip"})
    make_stores(
        find([str(path)], []),
        data,
        load_tokenizer(tokenizer_folder),
        tmp_path / "s",
        max_tokens=20,
        joint=None,
        pairs=False,
    )
    stores = open_stores(tmp_path / "s")
    assert (stores.rows, stores.rejected, stores.validation) == ((2,), 2, None)
    told = [json.loads(line) for line in (tmp_path / "s" / REJECTED).read_text().splitlines()]
    assert [row["line"] for row in told] == [2, 3]
    assert "2 rows of texts could not be read" in said()


def test_files_are_known_by_what_they_hold(tmp_path: Path) -> None:
    one, two = (tmp_path / name for name in ("a.txt", "b.txt"))
    one.write_text("a")
    two.write_text("b")
    found = find([str(tmp_path / "*.txt")], [str(two)])
    assert (found.train, found.validation) == ([one, two], [two])
    assert found.hashes == [sha256_file(path) for path in (one, two, two)]
    with pytest.raises(DataError, match="no file and no corpus folder"):
        find([str(tmp_path)], [])


def test_web_files(tmp_path: Path) -> None:
    web = tmp_path / "c4-cy.tfrecord-00000-of-00002.json.gz"
    rows = [json.dumps({"text": f"Testun {i}", "url": "u", "timestamp": "t"}) for i in range(3)]
    web.write_bytes(gzip.compress("\n".join([*rows, '{"text": "cut']).encode()))
    assert find([str(tmp_path / "c4-*.json.gz")], ()).train == [web]
    texts = [text for text, _ in read(web, on_error="skip")]
    assert [(text.text, text.lang) for text in texts] == [
        (f"Testun {i}", "cym_Latn") for i in range(3)
    ]
    with pytest.raises(DataError, match=r"c4-cy.*line 4"):
        read(web)


@pytest.mark.parametrize("given", ["News.de-en", "News.de-en.de", "m.tmx"])
def test_pairs_of_every_form(tmp_path: Path, given: str) -> None:
    (tmp_path / "News.de-en.de").write_text("Hallo\n")
    (tmp_path / "News.de-en.en").write_text("Hello\n")
    sides = [("de", "Hallo"), ("en", "Hello")]
    inside = "".join(f'<tuv lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in sides)
    (tmp_path / "m.tmx").write_text(f"<tmx><tu>{inside}</tu></tmx>")
    files = find([str(tmp_path / given)], ())
    assert len(files.train) == len(files.hashes) == 1
    ((text, _),) = read(files.train[0], pairs=True)
    assert (text.text, text.lang, text.second, text.second_lang) == (
        "Hallo",
        "deu_Latn",
        "Hello",
        "eng_Latn",
    )
