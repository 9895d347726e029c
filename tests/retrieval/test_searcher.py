"""A folder indexed, searched, changed and searched again, by a random model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.applications.embedder import Embedder
from interlingua.applications.searcher import Searcher
from interlingua.base.errors import DataError, UsageError
from interlingua.base.optional import available
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model
from interlingua.retrieval import fusion
from interlingua.retrieval.build import Built, add_files, build_index
from interlingua.retrieval.index import open_index
from interlingua.retrieval.passages import Cut, find_sources
from interlingua.retrieval.records import Filter

pytestmark = pytest.mark.skipif(not available("bm25s"), reason="bm25s is not installed")

FILES = {
    "bread.en.md": "# Bread\n\nMix the flour with water and a little salt in a large bowl by hand."
    " Bake the loaf for forty minutes in a hot oven.\n\nLet the bread cool down on a rack for an"
    " hour before you cut it into slices.\n",
    "zug.de.txt": "Der Zug nach Hamburg fährt heute mit einer Stunde Verspätung vom Gleis sieben"
    " ab.\n",
    "neko.ja.txt": "猫は毎日よく寝ます。犬は公園で走るのが大好きです。\n",
}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def encoder(model: Path) -> Encoder:
    return Encoder(open_model(model), exact=True)


def build(texts: Path, model: Path, store: str = "exact") -> tuple[Path, Built]:
    place = texts.parent / "my.index"
    coder = encoder(model)
    return place, build_index([texts], place, model=str(model), encoder=coder, store=store)


def test_built_and_searched(texts: Path, toy_model: Path) -> None:
    place, done = build(texts, toy_model)
    assert (done.files, done.passages, done.added, done.kept) == (3, 4, 4, 0)
    assert done.languages == {"eng_Latn": 2, "deu_Latn": 1, "jpn_Jpan": 1}
    searcher = Searcher(place, exact=True)
    queries = ["Verspätung in Hamburg", "猫", "forty minutes"]
    found = searcher.search(queries, mode="bm25")
    assert [Path(hits[0].passage.path).name for hits in found] == [
        "zug.de.txt",
        "neko.ja.txt",
        "bread.en.md",
    ]
    dense = searcher.search(queries, mode="dense")
    embed = Embedder(toy_model, exact=True).encode
    for query, hits in zip(queries, dense, strict=True):
        rows = [hit.passage.text for hit in hits]
        scores = (embed(rows, prefix="passage") @ embed([query], prefix="query")[0]).tolist()
        assert [hit.score for hit in hits] == pytest.approx(scores, abs=1e-5)
        assert scores == sorted(scores, reverse=True)
        assert len(hits) == 4


def test_fused_is_the_formula(texts: Path, toy_model: Path) -> None:
    place, _ = build(texts, toy_model)
    searcher = Searcher(place, exact=True)
    query = "bread in an oven"
    dense = [(h.passage.id, h.score) for h in searcher.search([query], mode="dense")[0]]
    words = [(h.passage.id, h.score) for h in searcher.search([query], mode="bm25")[0]]
    top, low = max(s for _, s in dense), min(s for _, s in dense)
    ceiling = searcher._words.ceiling(query)
    expected = {
        name: (1 - fusion.WORDS_WEIGHT) * (score - low) / (top - low)
        + fusion.WORDS_WEIGHT * dict(words).get(name, 0.0) / ceiling
        for name, score in dense
    }
    fused = {h.passage.id: h.score for h in searcher.search([query], mode="fused")[0]}
    assert fused == pytest.approx(expected, abs=1e-6)
    assert searcher.mode("auto") == "fused"
    ranks = {h.passage.id: h.score for h in searcher.search([query], mode="rrf")[0]}
    assert ranks == pytest.approx(dict(fusion.reciprocal_rank([dense, words])))


def test_filters_reach_every_ranking(texts: Path, toy_model: Path) -> None:
    place, _ = build(texts, toy_model)
    searcher = Searcher(place, exact=True)
    where = Filter.of(["en"])
    for mode in ("dense", "bm25", "fused", "rrf"):
        hits = searcher.search(["Zug 猫 bread"], mode=mode, where=where)[0]
        assert hits and {hit.passage.lang for hit in hits} == {"eng_Latn"}


def test_an_answer_is_cited(texts: Path, toy_model: Path) -> None:
    place, _ = build(texts, toy_model)
    answer = Searcher(place, exact=True).answer("bake for forty minutes", mode="bm25")
    assert answer is not None
    path = Path(answer.source.passage.path)
    assert path.name == "bread.en.md"
    assert path.read_text()[answer.start : answer.end] == answer.text
    assert answer.line == 1 + path.read_text()[: answer.start].count("\n")
    assert answer.text in answer.source.passage.text
    nothing = Searcher(place, exact=True).answer("zebra", mode="bm25")
    assert nothing is None


@pytest.mark.parametrize("store", ["exact", "lance"])
def test_files_that_change(texts: Path, toy_model: Path, store: str) -> None:
    if store == "lance" and not available("lancedb"):
        pytest.skip("LanceDB is not installed")
    place, _ = build(texts, toy_model, store)
    (texts / "zug.de.txt").write_text("Die Bahn streikt morgen in ganz Deutschland, wie es heißt.")
    (texts / "new.txt").write_text("A completely new file about volcanoes and their eruptions.")
    with open_index(place) as index:
        done = add_files(index, find_sources([texts]), encoder=encoder(toy_model))
    assert (done.files, done.passages, done.added, done.kept, done.deleted) == (4, 5, 2, 3, 1)
    searcher = Searcher(place, exact=True)
    assert searcher.search(["Verspätung Hamburg"], mode="bm25") == [[]]
    assert searcher.search(["volcanoes"], mode="bm25")[0][0].passage.path.endswith("new.txt")


@pytest.mark.parametrize("store", ["exact", "lance"])
def test_an_index_follows_its_files(texts: Path, toy_model: Path, store: str) -> None:
    """Lines, languages and metadata that change; files that go, and files that cannot be read."""
    if store == "lance" and not available("lancedb"):
        pytest.skip("LanceDB is not installed")
    rows = texts / "rows.jsonl"
    row = {"text": "A text of some length about nothing at all.", "lang": "en", "status": "draft"}
    rows.write_text(json.dumps(row) + "\n")
    place, _ = build(texts, toy_model, store)
    rows.write_text(json.dumps({**row, "lang": "de", "status": "final"}) + "\n")
    bread = texts / "bread.en.md"
    bread.write_text(bread.read_text().replace("# Bread\n\n", "# Bread \n"))
    (texts / "neko.ja.txt").unlink()
    (texts / "zug.de.txt").write_bytes(b"\xff")

    def add() -> Built:
        cut = Cut()
        cut.faults.on_error = "skip"
        with open_index(place) as index:
            return add_files(index, find_sources([texts]), encoder=encoder(toy_model), cut=cut)

    done = add()
    with open_index(place) as index:
        found = {Path(p.path).name: p for p in index.store.passages()}
        assert index.store.count(Filter.of(["de"], ["status=final"])) == 1
        assert index.store.count(Filter.of((), ["status=draft"])) == 0
    assert set(found) == {"rows.jsonl", "bread.en.md", "zug.de.txt"}
    lines = bread.read_text().splitlines()
    assert lines[found["bread.en.md"].line - 1].startswith("Let the bread")
    assert (done.rejected, done.deleted) == (1, 2)  # the cat, and the beginning of the bread
    rows.write_text("no JSON\n")
    again = add()
    assert (again.rejected, again.added, again.deleted) == (2, 0, 0)


def test_words_of_an_edit_as_long_as_what_it_replaces_are_found(
    texts: Path, toy_model: Path
) -> None:
    place, _ = build(texts, toy_model)
    file = texts / "zug.de.txt"
    for old, new in (("Hamburg", "Stettin"), ("Stettin", "Leipzig"), ("Leipzig", "Dresden")):
        file.write_text(file.read_text().replace(old, new))
        with open_index(place) as index:
            add_files(index, find_sources([texts]), encoder=encoder(toy_model))
        searcher = Searcher(place, exact=True)
        assert searcher.search([old], mode="bm25") == [[]]
        (hit,) = searcher.search([new], mode="bm25")[0]
        assert new in hit.passage.text


def test_words_that_another_process_is_writing_are_searched_all_the_same(
    texts: Path, toy_model: Path
) -> None:
    import fcntl

    place, _ = build(texts, toy_model)
    shutil.rmtree(place / "bm25")
    with (place / "bm25.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert len(Searcher(place, exact=True).search(["Hamburg"], mode="bm25")[0]) == 1
        assert not (place / "bm25").exists()
    Searcher(place, exact=True).search(["Hamburg"], mode="bm25")
    assert (place / "bm25").is_dir()


def test_what_is_refused(texts: Path, toy_model: Path, other_model: Path) -> None:
    place, _ = build(texts, toy_model)
    with pytest.raises(UsageError, match=r"holds vectors of the model.*build it anew"):
        Searcher(place, model=other_model)
    with (
        open_index(place) as index,
        pytest.raises(UsageError, match="holds vectors of the model"),
    ):
        add_files(index, find_sources([texts]), encoder=encoder(other_model))
    searcher = Searcher(place, exact=True)
    for query, told in (("", "is empty"), (" \n", "is empty"), ("x" * 1_048_576, "1,048,576")):
        with pytest.raises(UsageError, match=told):
            searcher.search([query])
    with pytest.raises(UsageError, match="Did you mean fused"):
        searcher.search(["x"], mode="fuse")
    assert searcher.search([]) == []
    assert len(searcher.search(["lone \ud800 surrogate"])[0]) == 4


def test_an_interrupted_run_goes_on(
    texts: Path, toy_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first passages were stored, and between passages and words: run again, it
    is the index of a run that was not stopped."""
    from interlingua.retrieval import build as room

    whole, _ = build(texts, toy_model)
    whole = whole.rename(whole.with_name("whole.index"))
    monkeypatch.setattr(room, "_BATCH", 2)
    plain = room._store_batch

    def dying(store: Any, encoder: Encoder, *passages: Any) -> int:
        if store.count():
            raise KeyboardInterrupt
        return plain(store, encoder, *passages)

    monkeypatch.setattr(room, "_store_batch", dying)
    with pytest.raises(KeyboardInterrupt):
        build(texts, toy_model)
    monkeypatch.setattr(room, "_store_batch", plain)
    place = texts.parent / "my.index"
    with open_index(place) as index:
        assert index.store.count() == 2
    searcher = Searcher(place, exact=True)
    assert len(searcher.search(["bread"], mode="fused")[0]) == 2
    with open_index(place) as index:
        done = add_files(index, find_sources([texts]), encoder=encoder(toy_model))
    assert (done.kept, done.added, done.passages) == (2, 2, 4)
    for mode in ("dense", "bm25", "fused"):
        found, wanted = (
            Searcher(one, exact=True).search(["Zug bread 猫"], mode=mode)[0]
            for one in (place, whole)
        )
        assert [hit.passage.id for hit in found] == [hit.passage.id for hit in wanted]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in wanted])


def test_an_index_among_its_texts_is_not_indexed(texts: Path, toy_model: Path) -> None:
    place = texts / "sub" / "my.index"
    place.parent.mkdir()
    coder = encoder(toy_model)
    build_index([texts], place, model=str(toy_model), encoder=coder, store="exact")
    sources = find_sources([texts])
    assert len(sources.files) == 3
    assert sources.left_out == {}
    with open_index(place) as index:
        done = add_files(index, sources, encoder=coder)
    assert (done.added, done.kept, done.deleted) == (0, 4, 0)
    with pytest.raises(DataError, match="no file to index"):
        find_sources([place])


def test_bad_rows_of_a_table_are_set_aside_one_by_one(texts: Path, toy_model: Path) -> None:
    rows = [
        {"text": "A first text that is long enough to be a passage of its own."},
        {"txt": "without"},
        {"text": "A text in a language nobody knows.", "lang": "xx"},
        {"text": "A last text that is long enough to be a passage of its own."},
    ]
    path = texts / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2: column 'text' is missing"):
        build(texts, toy_model)
    cut = Cut()
    cut.faults.on_error = "skip"
    place = texts.parent / "my.index"
    coder = encoder(toy_model)
    done = build_index([texts], place, model=str(toy_model), encoder=coder, cut=cut)
    assert (done.rejected, done.passages) == (2, 4 + 2)
    assert [fault.line for fault in cut.faults.rejected.faults] == [2, 3]


@pytest.mark.parametrize("fault", ["cut", "rubbish"])
def test_damaged_words_are_made_anew(texts: Path, toy_model: Path, fault: str) -> None:
    place, _ = build(texts, toy_model)
    wanted = [hit.passage.id for hit in Searcher(place, exact=True).search(["Zug"], mode="bm25")[0]]
    assert wanted
    files = sorted(path for path in (place / "bm25").iterdir() if path.is_file())
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] if fault == "cut" else b"rubbish")
        found = Searcher(place, exact=True).search(["Zug"], mode="bm25")[0]
        assert [hit.passage.id for hit in found] == wanted, file.name


def test_nothing_is_left_of_a_build_that_failed(texts: Path, toy_model: Path) -> None:
    (texts / "bad.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="is not UTF-8"):
        build(texts, toy_model)
    assert not (texts.parent / "my.index").exists()
    cut = Cut()
    cut.faults.on_error = "skip"
    coder = encoder(toy_model)
    place = texts.parent / "my.index"
    done = build_index([texts], place, model=str(toy_model), encoder=coder, cut=cut)
    assert (done.rejected, done.passages) == (1, 4)


def test_reranked(texts: Path, toy_model: Path, tmp_path: Path) -> None:
    """A head on a pair model decides the order: its probability of entailment."""
    from interlingua.models.heads import HEAD_FILE, Head
    from interlingua.retrieval.rerank import Reranker

    labels = ("entailment", "neutral", "contradiction")
    folder = tmp_path / "nli"
    shutil.copytree(toy_model, folder)
    info = {"task": "nli", "labels": labels, "pooling": "pair", "separator": 2}
    (folder / "interlingua.json").write_text(json.dumps(info))
    rng = np.random.default_rng(0)
    head = Head(rng.normal(size=(3, 128)).astype(np.float32), np.zeros(3, np.float32), labels)
    head.save(folder / HEAD_FILE)
    place, _ = build(texts, toy_model)
    query = "bread"
    hits = Searcher(place, rerank=folder, exact=True).search([query], mode="dense")[0]
    again = Reranker(open_model(folder), exact=True).scores(
        query, [hit.passage.text for hit in hits]
    )
    assert [hit.score for hit in hits] == pytest.approx(again.tolist(), abs=1e-6)
    assert again.tolist() == sorted(again.tolist(), reverse=True)
    assert len({round(float(score), 6) for score in again}) == 4


@pytest.mark.parametrize(
    ("task", "labels", "worth"),
    [
        ("matching", ("0", "1"), [0.0, 1.0]),
        ("relevance", ("0", "1", "2", "3", "4"), [0.0, 0.25, 0.5, 0.75, 1.0]),
    ],
)
def test_a_judge_of_queries_reads_the_query_first(
    toy_model: Path, tmp_path: Path, task: str, labels: tuple[str, ...], worth: list[float]
) -> None:
    from interlingua.inference.predict import classify
    from interlingua.models.heads import HEAD_FILE, Head
    from interlingua.retrieval.rerank import Reranker

    def taught(labels: tuple[str, ...]) -> Path:
        folder = tmp_path / "-".join(labels)
        shutil.copytree(toy_model, folder)
        info = {"task": task, "labels": labels, "pooling": "pair", "separator": 2}
        (folder / "interlingua.json").write_text(json.dumps(info))
        weight = np.random.default_rng(0).normal(size=(len(labels), 128)).astype(np.float32)
        Head(weight, np.zeros(len(labels), np.float32), labels).save(folder / HEAD_FILE)
        return folder

    folder = open_model(taught(labels))
    reranker = Reranker(folder, exact=True)
    texts = ["Der Zug nach Hamburg", "bread and water"]
    found = classify(Encoder(folder, exact=True), reranker.head, ["bread"] * 2, texts)
    expected = (found.probabilities * np.array(worth)).sum(axis=1)
    assert reranker.scores("bread", texts).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    with pytest.raises(UsageError, match="none of which says"):
        Reranker(open_model(taught(("bad", "good"))), exact=True)


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from interlingua.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=120,
    )


def test_from_the_command_line(texts: Path, toy_model: Path) -> None:
    here = texts.parent
    place = ("--index", "my.index", "--json", "--quiet")
    exact = (*place, "--exact")
    made = command("index", "build", "texts", "--model", str(toy_model), *exact, cwd=here)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["passages"] == 4
    found = command("index", "search", "Verspätung", "--mode", "bm25", *exact, cwd=here)
    hit = json.loads(found.stdout)["queries"][0]["passages"][0]
    assert (hit["path"], hit["line"], hit["lang"]) == ("texts/zug.de.txt", 1, "deu_Latn")
    again = command("index", "add", "texts", *exact, cwd=here)
    assert json.loads(again.stdout)["kept"] == 4
    told = command("answer", "forty minutes", "--mode", "bm25", *exact, cwd=here)
    answer = json.loads(told.stdout)["answers"][0]
    text = (here / answer["path"]).read_text()
    assert answer["path"] == "texts/bread.en.md"
    assert text[answer["start"] : answer["end"]] == answer["answer"]
    gone = command("index", "delete", "--where", "path=texts/zug.de.txt", *place, cwd=here)
    assert json.loads(gone.stdout) == {"index": "my.index", "deleted": 1, "passages": 3}
    odd = command("index", "search", b"Zug \xff".decode(errors="surrogateescape"), *exact, cwd=here)
    assert json.loads(odd.stdout)["queries"][0]["query"] == "Zug \ufffd"
    kept = command("answer", "forty minutes", "--output", "told.jsonl", *exact, cwd=here)
    assert json.loads(kept.stdout) == {"output": "told.jsonl", "rows": 1}
    assert json.loads((here / "told.jsonl").read_text())["question"] == "forty minutes"
    for more in (("--n-best", "2"), ("--no-answer", "0")):
        assert command("answer", "why?", *more, *exact, cwd=here).returncode == 2
    assert command("answer", "why?", "--context", "x", "--lang", "de", cwd=here).returncode == 2
    wrong = command("index", "search", " ", "--index", "my.index", cwd=here)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "the query is empty" in wrong.stderr


@pytest.mark.skipif(
    not (available("pymilvus") and available("milvus_lite")),
    reason="pymilvus and milvus-lite are not installed",
)
def test_a_milvus_file(texts: Path, toy_model: Path) -> None:
    """Vectors only: the default mode is dense, and words are refused."""
    place = str(texts.parent / "notes.db")
    coder = encoder(toy_model)
    (bad := texts / "bad.jsonl").write_text("{\n")
    with pytest.raises(DataError):
        build_index([texts], place, model=str(toy_model), encoder=coder)
    bad.unlink()
    assert not Path(place).exists()
    done = build_index([texts], place, model=str(toy_model), encoder=coder)
    assert done.passages == 4
    searcher = Searcher(place, exact=True)
    assert searcher.mode() == "dense"
    hits = searcher.search(["Zug"], k=2, where=Filter.of(["de", "ja"]))[0]
    assert {hit.passage.lang for hit in hits} == {"deu_Latn", "jpn_Jpan"}
    with pytest.raises(UsageError, match="vectors only"):
        searcher.search(["Zug"], mode="bm25")
    searcher.index.store.close()


@pytest.mark.skipif(
    not (available("pymilvus") and available("milvus_lite")),
    reason="pymilvus and milvus-lite are not installed",
)
def test_a_collection_of_somebody_else_is_left_alone(texts: Path, toy_model: Path) -> None:
    """One that is called as ours for what an index says of itself would be."""
    import pymilvus

    from interlingua.base.errors import MachineError
    from interlingua.retrieval.index import create_index
    from interlingua.retrieval.milvus import address_of

    place = str(texts.parent / "notes.db")
    client = pymilvus.MilvusClient(address_of(place)[0])
    client.create_collection("passages_info", dimension=3)
    client.insert("passages_info", [{"id": 1, "vector": [1.0, 0.0, 0.0]}])
    with pytest.raises(MachineError):
        create_index(place, store="milvus", model="m", fingerprint="f", dim=8)
    assert client.has_collection("passages_info") and not client.has_collection("passages")
    assert client.query("passages_info", filter="id == 1")
    client.close()


def test_milvus_addresses() -> None:
    from interlingua.retrieval.milvus import address_of

    assert address_of("milvus://db.example:1234/notes") == ("http://db.example:1234", "notes")
    assert address_of("milvus://localhost/notes") == ("http://localhost:19530", "notes")
    assert address_of("dir/my.db") == ("dir/my.db", "passages")
    for wrong in ("milvus://", "milvus://host", "milvus://host/a-b"):
        with pytest.raises(UsageError, match="milvus://localhost:19530/passages"):
            address_of(wrong)
