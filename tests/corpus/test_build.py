"""A corpus build: counts add up, bytes repeat, planted things are found, small languages stay."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.config import make, read_recipe
from interlingua.base.errors import ConfigError, DataError, UsageError
from interlingua.base.files import check_manifest, sha256_file
from interlingua.corpus.phrasebook import test_files as sentence_files
from interlingua.corpus.phrasebook import train_files
from interlingua.corpus.pipeline.card import CorpusCard, read_card
from interlingua.corpus.pipeline.recipe import CorpusRecipe
from interlingua.corpus.pipeline.run import build_corpus
from interlingua.corpus.rows import read_table
from interlingua.corpus.texts import open_texts


def build(out: Path, inputs: list[dict[str, Any]], **settings: Any) -> CorpusCard:
    recipe = make(CorpusRecipe, {"corpus": {"inputs": inputs, **settings}})
    return build_corpus(recipe, out=out)


def rows_of(folder: Path, part: str = "") -> list[dict[str, Any]]:
    files = sorted((folder / "shards" / part).rglob("*.jsonl.*"))
    return [row.values for file in files for row in read_table(file)]


def phrases() -> list[dict[str, Any]]:
    files = [*sentence_files(), *train_files()]
    return [{"path": str(file), "licence": "CC0-1.0", "cluster": "id"} for file in files]


def write(path: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"path": str(path)}


def adds_up(card: CorpusCard) -> None:
    for tag, one in card.languages.items():
        assert one.documents.read == one.documents.kept + sum(one.dropped.values()), tag
        for counts in (one.scripts, one.licences, one.sources):
            assert sum(counts.values()) == one.documents.kept, tag
    assert card.documents.read == sum(one.documents for one in card.inputs)


def news(data_dir: Path, lines: int) -> list[dict[str, Any]]:
    """Documents of three lines in ten languages, translations under one id."""
    made = []
    for path in sorted((data_dir / "ntrex").glob("newstest2019.*.txt")):
        text = path.read_text(encoding="utf-8").splitlines()[:lines]
        lang = path.name.split(".")[1]
        made += [
            {"text": "\n".join(text[start : start + 3]), "lang": lang, "id": f"{start}"}
            for start in range(0, lines - 2, 3)
        ]
    return made


def test_the_phrasebook_comes_through_but_for_its_duplicates(tmp_path: Path) -> None:
    card = build(tmp_path / "out", phrases())
    adds_up(card)
    assert len(card.languages) >= 14
    assert set(card.dropped) <= {"duplicate"}
    seen: Counter[tuple[str, str]] = Counter()
    for file in [*sentence_files(), *train_files()]:
        lang = file.name.split(".")[1]
        seen.update((lang, str(row.values["text"])) for row in read_table(file))
    assert card.documents.kept == len(seen)
    assert card.dropped.get("duplicate", 0) == seen.total() - len(seen)
    assert card.licences == {"CC0-1.0": card.documents.kept}
    assert {(row["lang"], row["text"]) for row in rows_of(tmp_path / "out")} == set(seen)


@pytest.mark.slow
def test_bytes_repeat_whatever_the_number_of_workers(tmp_path: Path, data_dir: Path) -> None:
    rows = news(data_dir, 600)
    given_ = [write(tmp_path / "in.jsonl", [*rows, *rows[::7]]), *phrases()]
    settings: dict[str, Any] = {
        "quality": {"min_documents": 100},
        "sampling": {
            "phases": [{"share": 0.7, "temperature": 0.7}, {"share": 0.3, "temperature": 0}]
        },
        "split": {"validation": 0.1},
        "shards": {"bytes": 20_000},
    }
    cards = [
        build(tmp_path / name, given_, workers=workers, **settings)
        for name, workers in (("one", 1), ("two", 2), ("again", 1))
    ]
    adds_up(cards[0])
    manifests = {sha256_file(tmp_path / name / "manifest.json") for name in ("one", "two", "again")}
    assert len(manifests) == 1
    assert check_manifest(tmp_path / "two") == []
    assert cards[0] == cards[1] == cards[2] == read_card(tmp_path / "two")
    files = {
        path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*")
    }
    assert "shards/train/phase-2/deu_Latn/00001.jsonl.zst" in files
    assert not [name for name in files if "spool" in name]


def test_planted_things_are_found(tmp_path: Path, data_dir: Path) -> None:
    """Near-duplicates, benchmark sentences and personal data in the news of ten languages."""
    chance = random.Random(0)
    rows = news(data_dir, 900)
    bench = sorted((data_dir / "sib200").glob("*/test.tsv"))
    sentences = [
        line.split("\t")[2]
        for path in bench
        for line in path.read_text(encoding="utf-8").split("\n")[1:]
        if line
    ]
    long = [row for row in rows if len(row["text"]) > 250]
    for row in long[::5]:
        words = row["text"].split(" ")
        words[len(words) // 2] = "changed"
        rows.append({**row, "text": " ".join(words), "id": f"near-{row['id']}"})
    for number, row in enumerate(long[1::25]):
        text = f"{row['text']}\n{sentences[number * 7 % len(sentences)]}"
        rows.append({**row, "text": text, "id": f"bench-{row['id']}"})
    for row in long[2::25]:
        mail = f"x{chance.randrange(10**6)}@mail.example.org"
        rows.append(
            {
                **row,
                "text": f"{row['text']} {mail} DE89370400440532013000",
                "id": f"pii-{row['id']}",
            }
        )
    card = build(
        tmp_path / "out",
        [write(tmp_path / "in.jsonl", rows)],
        decontamination={"benchmarks": [str(path) for path in bench]},
        near_duplicates={"similarity": 0.75},
        language={"lines": False},
    )
    adds_up(card)
    kept = Counter(str(row["id"]).split("-")[0] for row in rows_of(tmp_path / "out"))
    planted = Counter(str(row["id"]).split("-")[0] for row in rows)
    assert planted["near"] > 300
    assert kept["near"] / planted["near"] <= 0.05
    assert planted["bench"] > 50
    assert kept["bench"] / planted["bench"] <= 0.05
    plain = sum(count for name, count in planted.items() if name.isdigit())
    assert sum(count for name, count in kept.items() if name.isdigit()) >= 0.98 * plain
    text = "\n".join(row["text"] for row in rows_of(tmp_path / "out"))
    assert "mail.example.org" not in text
    assert "DE8937" not in text


def test_translations_and_near_duplicates_lie_in_one_split(tmp_path: Path, data_dir: Path) -> None:
    rows = news(data_dir, 600)
    rows += [{**row, "text": row["text"] + " x", "id": f"{row['id']}-copy"} for row in rows[:400]]
    settings = {"near_duplicates": None, "split": {"validation": 0.2}}
    known = {"cluster": "id", "source": "news"}
    build(tmp_path / "all", [write(tmp_path / "all.jsonl", rows) | known], **settings)
    train, validation = (rows_of(tmp_path / "all", part) for part in ("train", "validation"))
    assert {row["cluster"] for row in train}.isdisjoint(row["cluster"] for row in validation)
    assert {row["id"] for row in train}.isdisjoint(row["id"] for row in validation)
    assert 0.1 < len(validation) / (len(train) + len(validation)) < 0.3
    # Neither the order of the inputs nor other documents move a cluster.
    fewer = rows[::-1][:900]
    build(tmp_path / "few", [write(tmp_path / "few.jsonl", fewer) | known], **settings)
    expected = {row["id"] for row in validation} & {row["id"] for row in fewer}
    assert {row["id"] for row in rows_of(tmp_path / "few", "validation")} == expected


def test_near_duplicates_share_a_split(tmp_path: Path, data_dir: Path) -> None:
    """Equal texts under two languages are one cluster, though both stay."""
    rows = [row for row in news(data_dir, 300) if row["lang"] == "eng"]
    rows += [{**row, "lang": "lin", "id": f"copy-{row['id']}"} for row in rows]
    build(
        tmp_path / "out",
        [write(tmp_path / "in.jsonl", rows)],
        split={"validation": 0.3},
        language={"certainty": 1.0},
    )
    parts = [
        {row["text"] for row in rows_of(tmp_path / "out", part)} for part in ("train", "validation")
    ]
    assert parts[0].isdisjoint(parts[1])
    assert len(parts[1]) > 5


def test_sampling_takes_as_much_as_it_should(tmp_path: Path) -> None:
    rows = [{"text": f"Das ist der Satz Nummer {i} von vielen.", "lang": "de"} for i in range(3000)]
    rows += [
        {"text": f"Hii ni sentensi namba {i} kati ya nyingi.", "lang": "sw"} for i in range(300)
    ]
    given_ = [write(tmp_path / "in.jsonl", rows)]
    common = {"split": {"validation": 0}, "quality": None}
    card = build(tmp_path / "a", given_, sampling={"temperature": 0, "bytes": 40_000}, **common)
    adds_up(card)
    sizes = {
        tag: sum(len(row["text"]) for row in rows_of(tmp_path / "a") if row["lang"] == tag)
        for tag in card.languages
    }
    assert sizes["deu_Latn"] == pytest.approx(20_000, rel=0.1)
    assert sizes["swh_Latn"] == pytest.approx(20_000, rel=0.1)
    assert card.languages["deu_Latn"].dropped["not sampled"] > 2000
    twice = build(tmp_path / "b", given_, sampling={"unimax": 2, "bytes": 100_000}, **common)
    assert twice.languages["swh_Latn"].written["train"] == 600
    assert twice.languages["swh_Latn"].documents.kept == 300


@given(st.floats(0, 1), st.lists(st.floats(0, 3), min_size=1, max_size=4))
def test_phases_take_turns_with_a_document(chance: float, passes: list[float]) -> None:
    """Copies over all phases are those of one draw of all passes together."""
    taken, copies = 0.0, 0
    for part in passes:
        copies += math.ceil(taken + part - chance) - math.ceil(taken - chance)
        taken += part
    assert copies in {math.floor(taken), math.ceil(taken)}


def test_texts_of_a_built_corpus_are_read_by_others(tmp_path: Path) -> None:
    card = build(tmp_path / "out", phrases(), split={"validation": 0.2})
    texts = list(open_texts([tmp_path / "out"]))
    assert len(texts) == sum(one.written["train"] for one in card.languages.values())
    assert {text.lang for text in texts} == set(card.languages)


def test_shards_are_as_large_as_asked_for(tmp_path: Path) -> None:
    build(tmp_path / "out", phrases(), shards={"bytes": 5_000, "compression": "gz"})
    files = sorted((tmp_path / "out" / "shards").rglob("*.jsonl.gz"))
    sizes = [len(gzip.decompress(file.read_bytes())) for file in files]
    assert max(sizes) <= 5_000
    assert len(files) > 16


def test_what_stands_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="holds other files"):
        build(tmp_path / "out", phrases())
    build(tmp_path / "corpus", phrases()[:1])
    build(tmp_path / "corpus", phrases()[:2])
    assert len(read_card(tmp_path / "corpus").inputs) == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"inputs": []}, "inputs"),
        ({"workers": 0}, "workers"),
        ({"quality": {"reech": 3}}, "unknown key 'corpus.quality.reech'"),
        ({"sampling": {"temperature": 0.5, "unimax": 2}}, "one of temperature, unimax and phases"),
        ({"sampling": {"phases": [{"share": 0.5, "temperature": 1}]}}, "sum to 1"),
        ({"languages": ["klingonish"]}, "klingonish"),
    ],
)
def test_recipes_that_cannot_be_meant(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(CorpusRecipe, {"corpus": {"inputs": [{"path": "x"}], **settings}})


def test_a_folder_without_a_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no corpus"):
        read_card(tmp_path)
    (tmp_path / "card.json").write_text('{"languages": 3}')
    with pytest.raises(DataError, match="no corpus card"):
        read_card(tmp_path)


def test_every_shipped_recipe_can_be_read() -> None:
    folder = Path(__file__).parents[2] / "recipes"
    documents = [read_recipe(path) for path in sorted(folder.rglob("*.yaml"))]
    recipes = [make(CorpusRecipe, document) for document in documents if "corpus" in document]
    assert recipes
    for recipe in recipes:
        assert make(CorpusRecipe, recipe.model_dump(mode="json")) == recipe
