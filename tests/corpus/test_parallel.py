"""Items in several languages: the same items from every form that holds them."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path

import pytest

from interlingua.base.errors import DataError
from interlingua.corpus.parallel import read_parallel

ENGLISH = ["The train is late.", "It is raining.", "Bread and butter.", "Where is the station?"]
GERMAN = ["Der Zug hat Verspätung.", "Es regnet.", "Brot und Butter.", "Wo ist der Bahnhof?"]
FRENCH = ["Le train est en retard.", "Il pleut.", "Du pain et du beurre.", "Où est la gare ?"]
of = itemgetter("eng_Latn")
BOTH = [{"eng_Latn": e, "deu_Latn": d} for e, d in zip(ENGLISH, GERMAN, strict=True)]


def lines(path: Path, texts: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def jsonl(path: Path, rows: list[dict[str, str]]) -> Path:
    return lines(path, [json.dumps(row) for row in rows])


def test_rows_with_one_id_are_one_item(tmp_path: Path) -> None:
    for tag, texts in (("eng_Latn", ENGLISH), ("deu_Latn", GERMAN), ("fra_Latn", FRENCH)):
        rows = [f"{i}\ttravel\t{text}" for i, text in enumerate(texts)]
        lines(tmp_path / "sib" / tag / "test.tsv", ["index_id\tcategory\ttext", *rows])
    found = read_parallel([tmp_path / "sib"])
    assert found.languages == ["deu_Latn", "eng_Latn", "fra_Latn"]
    assert [item["fra_Latn"] for item in found.items] == FRENCH
    assert [file["rows"] for file in found.files] == [4, 4, 4]
    two = read_parallel([tmp_path / "sib"], languages=["eng_Latn", "deu_Latn"])
    assert two.items == BOTH


def test_every_form_of_pairs_gives_the_same_items(tmp_path: Path) -> None:
    lines(tmp_path / "news" / "news.eng.txt", ENGLISH)
    lines(tmp_path / "news" / "news.deu.txt", GERMAN)
    lines(tmp_path / "tatoeba" / "tatoeba.deu-eng.deu", GERMAN)
    lines(tmp_path / "tatoeba" / "tatoeba.deu-eng.eng", ENGLISH)
    pairs = [
        {"source": e, "target": d, "source_lang": "en", "target_lang": "de"}
        for e, d in zip(ENGLISH, GERMAN, strict=True)
    ]
    table = jsonl(tmp_path / "pairs.jsonl", pairs)
    given = ([tmp_path / "news"], [tmp_path / "tatoeba"], [table])
    named = [tmp_path / "tatoeba" / "tatoeba.deu-eng.deu", tmp_path / "tatoeba" / "tatoeba.deu-eng"]
    for inputs in (*given, named):
        found = read_parallel(inputs).items
        assert sorted(found, key=of) == sorted(BOTH, key=of), inputs


def test_pairs_of_two_files_are_not_one_item(tmp_path: Path) -> None:
    for name, other, texts in (("a", "de", GERMAN), ("b", "fr", FRENCH)):
        jsonl(
            tmp_path / f"{name}.jsonl",
            [
                {"id": str(i), "source": e, "target": t, "source_lang": "en", "target_lang": other}
                for i, (e, t) in enumerate(zip(ENGLISH, texts, strict=True))
            ],
        )
    found = read_parallel([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert len(found.items) == 8 and found.clashes == 0


def test_what_is_left_out_is_counted_and_draws_repeat(tmp_path: Path) -> None:
    rows = [
        {"id": str(i), "lang": lang, "text": f"{lang} {i}"}
        for lang in ("de", "en")
        for i in range(50)
    ]
    rows += [
        {"id": "3", "lang": "en", "text": "another"},
        {"id": "x", "lang": "fr", "text": "seul"},
    ]
    path = jsonl(tmp_path / "rows.jsonl", rows)
    found = read_parallel([path])
    assert (len(found.items), found.clashes, found.alone) == (50, 1, 1)
    assert found.items[3] == {"deu_Latn": "de 3", "eng_Latn": "en 3"}
    some = read_parallel([path], most=20, seed=1)
    assert len(some.items) == 20 and all(item in found.items for item in some.items)
    assert some.items == read_parallel([path], most=20, seed=1).items
    assert some.items != read_parallel([path], most=20, seed=2).items


def test_errors(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "one.jsonl", [{"id": "1", "lang": "en", "text": "alone"}])
    with pytest.raises(DataError, match="no item is given in two languages"):
        read_parallel([path])
    lines(tmp_path / "x.de-en.de", GERMAN)
    lines(tmp_path / "x.de-en.en", ENGLISH[:2])
    with pytest.raises(DataError, match="differ in length"):
        read_parallel([tmp_path / "x.de-en.de"])
    with pytest.raises(DataError, match="no such file"):
        read_parallel([tmp_path / "absent.jsonl"])
