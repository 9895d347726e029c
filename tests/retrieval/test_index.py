"""Every store gives the same answers; brute force in numpy is the oracle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import DataError, MissingExtraError, UsageError
from interlingua.base.optional import available
from interlingua.retrieval.exact import ExactStore
from interlingua.retrieval.index import Index, create_index, open_index
from interlingua.retrieval.records import Filter, Passage

DIM = 8
LANGS = ("eng_Latn", "deu_Latn", "jpn_Jpan")
STORES = [
    "exact",
    pytest.param(
        "lance",
        marks=pytest.mark.skipif(not available("lancedb"), reason="LanceDB is not installed"),
    ),
    pytest.param(
        "milvus",
        marks=pytest.mark.skipif(
            not (available("pymilvus") and available("milvus_lite")),
            reason="pymilvus and milvus-lite are not installed",
        ),
    ),
]


def vectors(count: int, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def passages(count: int, first: int = 0) -> list[Passage]:
    return [
        Passage(
            f"p{i}",
            f"text 'number' {i}\n猫",
            LANGS[i % 3],
            f"dir/it's {i % 2}.txt",
            i + 1,
            i,
            i + 7,
            {"parity": str(i % 2), "ten": str(i % 10)},
        )
        for i in range(first, first + count)
    ]


def make(tmp_path: Path, store: str) -> Index:
    place = tmp_path / ("my.db" if store == "milvus" else "my.index")
    return create_index(place, store=store, model="toy", fingerprint="f" * 64, dim=DIM)


def reopened(index: Index) -> Index:
    index.store.close()
    return open_index(index.place)


@pytest.mark.parametrize("store", STORES)
def test_search_is_brute_force(tmp_path: Path, store: str) -> None:
    rows, there, queries = passages(60), vectors(60), vectors(5, seed=1)
    index = make(tmp_path, store)
    index.store.add(rows[:25], there[:25])
    index.store.add(rows[25:], there[25:])
    for again in (False, True):
        with reopened(index) if again else index as opened:
            found = opened.store.search(queries, k=7)
            expected = np.argsort(-(queries @ there.T), axis=1)[:, :7]
            assert [[hit.passage.id for hit in hits] for hits in found] == [
                [f"p{i}" for i in row] for row in expected
            ]
            scores = [hit.score for hit in found[0]]
            assert scores == pytest.approx((queries[0] @ there[expected[0]].T).tolist(), abs=1e-5)
            assert found[0][0].passage == rows[expected[0, 0]]
            assert opened.store.count() == 60


@pytest.mark.parametrize("store", STORES)
def test_filters(tmp_path: Path, store: str) -> None:
    rows, there, query = passages(60), vectors(60), vectors(1, seed=1)
    with make(tmp_path, store) as index:
        index.store.add(rows, there)
        for where in (
            Filter(("deu_Latn",)),
            Filter(("deu_Latn", "eng_Latn"), {"ten": "4"}),
            Filter.of(["ja"], ["parity=1", "path=dir/it's 1.txt"]),
            Filter((), {"parity": "no'such"}),
            Filter.of((), ["lang=ja"]),
        ):
            kept = [i for i, row in enumerate(rows) if where.takes(row)]
            order = sorted(kept, key=lambda i: -float(query[0] @ there[i]))[:5]
            hits = index.store.search(query, k=5, where=where)[0]
            assert [hit.passage.id for hit in hits] == [f"p{i}" for i in order]
            assert index.store.count(where) == len(kept)
            assert sorted(p.id for p in index.store.passages(where)) == sorted(
                f"p{i}" for i in kept
            )


def test_conditions() -> None:
    assert Filter.of((), ["path=./dir/a.txt"]).path == "dir/a.txt"
    assert Filter.of(["de"], ["lang=ja", "id=1", "id=1"]) == Filter(
        ("deu_Latn", "jpn_Jpan"), {"id": "1"}
    )
    with pytest.raises(UsageError, match=r"cannot be both '?1'? and"):
        Filter.of((), ["id=1", "id=2"])


@pytest.mark.parametrize("store", STORES)
def test_update_and_delete(tmp_path: Path, store: str) -> None:
    rows, there = passages(20), vectors(20)
    index = make(tmp_path, store)
    index.store.add(rows, there)
    before = index.store.state
    changed = Passage("p3", "changed", "fra_Latn")
    index.store.update([changed, Passage("new", "new")], vectors(2, seed=9))
    assert index.store.delete(["p4", "p5", "p5", "nobody"]) == 2
    index.store.optimize()
    with reopened(index) as again:
        assert again.store.count() == 19
        assert again.store.state != before
        assert again.store.fetch(["new", "p4", "p3"])[1] == changed
        hits = again.store.search(vectors(2, seed=9), k=1)
        assert [row[0].passage.id for row in hits] == ["p3", "new"]
        again.store.add([Passage("p4", "back")], there[4:5])
        assert again.store.count() == 20


def test_the_exact_store_forgets_deleted_vectors(tmp_path: Path) -> None:
    index = make(tmp_path, "exact")
    index.store.add(passages(20), vectors(20))
    index.store.delete([f"p{i}" for i in range(15)])
    index.store.optimize()
    assert (tmp_path / "my.index/store/vectors.f32").stat().st_size == 5 * 4 * DIM
    with reopened(index) as again:
        hits = again.store.search(vectors(20)[17:18], k=9)[0]
        assert hits[0].passage.id == "p17"
        assert len(hits) == 5


def test_a_state_is_of_its_passages_alone(tmp_path: Path) -> None:
    """Texts of one length, each in place of the one before, whose files are written anew."""
    with make(tmp_path, "exact") as index:
        states = []
        for number in range(40):
            index.store.update([Passage("p", f"text {number:02d}")], vectors(1))
            index.store.optimize()
            states.append(index.store.state)
    assert len(set(states)) == 40


def test_files_that_are_written_anew_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of before and the vectors of after: both are read again."""
    index = make(tmp_path, "exact")
    index.store.add(passages(20), vectors(20))
    index.store.delete([f"p{i}" for i in range(15)])
    plain = ExactStore._map
    turns = iter([True])

    def compacted(store: ExactStore) -> np.ndarray:
        if next(turns, False):
            index.store.optimize()
        return plain(store)

    monkeypatch.setattr(ExactStore, "_map", compacted)
    with open_index(index.place) as again:
        assert again.store.count() == 5
        assert again.store.search(vectors(20)[17:18], k=1)[0][0].passage.id == "p17"


@pytest.mark.parametrize("store", STORES)
def test_what_is_refused(tmp_path: Path, store: str) -> None:
    with make(tmp_path, store) as index:
        index.store.add(passages(3), vectors(3))
        for rows, there, told in (
            (passages(1), vectors(1), "is in the index"),
            ([Passage("a", "x"), Passage("a", "y")], vectors(2), "given twice"),
            ([Passage("a", "x")], np.zeros((1, 5), np.float32), "8 features"),
            ([Passage("a", "x")], vectors(2), "do not belong together"),
            ([Passage("a", "x")], np.full((1, DIM), np.nan, np.float32), "not finite"),
            ([Passage("", "x")], vectors(1), "1 to 512 bytes"),
            ([Passage("a", "x" * 60_001)], vectors(1), "60,000 bytes"),
        ):
            with pytest.raises(DataError, match=told):
                index.store.add(rows, there)
        with pytest.raises(DataError, match="8 features"):
            index.store.search(np.zeros((1, 5), np.float32), k=3)
        assert index.store.count() == 3
    with pytest.raises(UsageError, match="exists"):
        make(tmp_path, store)


def test_nothing_is_left_without_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(MissingExtraError, match=r"interlingua\[index\]"):
        make(tmp_path, "lance")
    assert not (tmp_path / "my.index").exists()


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not an index.*index build"):
        open_index(tmp_path / "nothing")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/index.json").write_text('{"format": 1}')
    with pytest.raises(DataError, match="is damaged"):
        open_index(tmp_path / "x")


@pytest.mark.parametrize("name", ["rows.jsonl", "vectors.f32"])
@pytest.mark.parametrize("fault", ["flip", "cut", "missing"])
def test_a_damaged_exact_store(tmp_path: Path, name: str, fault: str) -> None:
    index = make(tmp_path, "exact")
    for first in (0, 10):
        index.store.add(passages(10, first), vectors(10))
    index.store.close()
    file = tmp_path / "my.index/store" / name
    content = bytearray(file.read_bytes())
    if fault == "flip":
        content[len(content) // 3] ^= 1
        file.write_bytes(content)
    elif fault == "cut":
        file.write_bytes(content[: len(content) // 3] + (content[-200:] if name[0] == "r" else b""))
    else:
        file.unlink()
    with pytest.raises(DataError, match=r"damaged.*Build anew"):
        open_index(index.place)


@pytest.mark.skipif(not available("lancedb"), reason="LanceDB is not installed")
@pytest.mark.parametrize("pattern", ["_versions/*", "data/*"])
def test_a_damaged_lance_store(tmp_path: Path, pattern: str) -> None:
    index = make(tmp_path, "lance")
    index.store.add(passages(10), vectors(10))
    for file in Path(index.place).rglob(pattern):
        file.write_bytes(b"rubbish" * 10)
    with pytest.raises(DataError, match=r"damaged.*Build it anew"):
        open_index(index.place).store.search(vectors(1), k=3)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    index = make(tmp_path, "exact")
    with (
        index.writing(),
        pytest.raises(UsageError, match="another process is writing"),
        open_index(index.place).writing(),
    ):
        pass
    with index.writing() as store:
        store.add(passages(1), vectors(1))


@pytest.mark.parametrize("store", STORES)
def test_a_writer_sees_what_was_written_since_it_opened(tmp_path: Path, store: str) -> None:
    """Two that had opened the index before either wrote: no row of the first is lost."""
    if store == "milvus":
        pytest.skip("a file of milvus-lite is opened once")
    make(tmp_path, store).store.close()
    place = tmp_path / "my.index"
    first, second = open_index(place), open_index(place)
    with first.writing() as one:
        one.add(passages(5), vectors(5))
        one.delete(["p0", "p1", "p2"])
        one.optimize()
    with second.writing() as two:
        with pytest.raises(DataError, match="is in the index"):
            two.add(passages(1, 3), vectors(1))
        two.add(passages(5, 5), vectors(5, seed=4))
    with first.writing() as one:
        assert one.count() == 7
        assert one.delete(["p9"]) == 1
    there = {f"p{i}": vector for i, vector in enumerate([*vectors(5), *vectors(5, seed=4)])}
    alive = ["p3", "p4", "p5", "p6", "p7", "p8"]
    with open_index(place) as again:
        assert sorted(passage.id for passage in again.store.passages()) == alive
        for name in alive:
            hit = again.store.search(there[name][None], k=1)[0][0]
            assert (hit.passage.id, round(hit.score, 4)) == (name, 1.0)


@pytest.mark.parametrize("vectors_too", [False, True])
@pytest.mark.parametrize("rows", [b"", b'{"id": "p9", "te', b'{"id": "p9", "text": "x"}\n'])
def test_what_a_killed_writer_left_is_passed_over(
    tmp_path: Path, rows: bytes, *, vectors_too: bool
) -> None:
    """Killed anywhere between the first byte of a change and its commit: the change is not there,
    search is that of before, and the next change is whole."""
    index = make(tmp_path, "exact")
    index.store.add(passages(9), vectors(9))
    index.store.close()
    folder = tmp_path / "my.index" / "store"
    if vectors_too:
        with (folder / "vectors.f32").open("ab") as file:
            file.write(vectors(7, seed=8).tobytes() + b"\x01\x02\x03")
    with (folder / "rows.jsonl").open("ab") as file:
        file.write(rows)
    query = vectors(7, seed=8)[:1]
    best = np.argsort(-(query @ vectors(9).T)[0])
    with open_index(index.place) as again:
        hits = again.store.search(query, k=20)[0]
        assert [hit.passage.id for hit in hits] == [f"p{i}" for i in best]
        with again.writing() as store:
            store.add(passages(1, 9), query)
        assert again.store.search(query, k=1)[0][0].passage.id == "p9"
    with open_index(index.place) as again:
        assert again.store.count() == 10


def test_a_killed_build_leaves_no_folder_that_is_no_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from interlingua.retrieval import index as room

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "exact")
    assert not (tmp_path / "my.index").exists()
    monkeypatch.undo()
    with make(tmp_path, "exact") as made:
        assert made.store.count() == 0


WRITER = """
import sys
import numpy as np
from interlingua.retrieval.index import open_index
from interlingua.retrieval.records import Passage

first = int(sys.argv[2])
with open_index(sys.argv[1]) as index, index.writing() as store:
    print("ready", flush=True)
    for batch in range(first, first + 100_000):
        rng = np.random.default_rng(batch)
        rows = [Passage(f"{batch}-{i}", f"text {i}") for i in range(5)]
        store.add(rows, rng.normal(size=(5, 8)).astype(np.float32))
        print(batch, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_acknowledged_rows_survive_kill_9(tmp_path: Path, store: str) -> None:
    index = make(tmp_path, store)
    index.store.close()
    acknowledged: list[int] = []
    for round_ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, index.place, str(round_ * 1_000_000)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.02 * round_)
        os.kill(writer.pid, signal.SIGKILL)
        told = writer.stdout.read().split("\n")
        acknowledged += [int(line) for line in told[:-1]]
        writer.wait()
    assert acknowledged
    batches = {
        batch: np.random.default_rng(batch).normal(size=(5, DIM)).astype(np.float32)
        for batch in acknowledged
    }
    with open_index(index.place) as again:
        there = {passage.id for passage in again.store.passages()}
        assert {f"{batch}-{i}" for batch in acknowledged for i in range(5)} <= there
        assert len(there) == again.store.count()
        batches |= {
            int(name.split("-")[0]): np.random.default_rng(int(name.split("-")[0]))
            .normal(size=(5, DIM))
            .astype(np.float32)
            for name in there
        }
        names = sorted(there)
        table = np.array([batches[int(n.split("-")[0])][int(n.split("-")[1])] for n in names])
        table /= np.linalg.norm(table, axis=1, keepdims=True)
        queries = vectors(4, seed=3)
        for query, hits in zip(queries, again.store.search(queries, k=5), strict=True):
            best = np.argsort(-(table @ query))[:5]
            assert [hit.passage.id for hit in hits] == [names[i] for i in best]


@pytest.mark.skipif(not available("lancedb"), reason="LanceDB is not installed")
def test_a_graph_that_was_stopped_is_made_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lancedb.table import LanceTable

    from interlingua.retrieval import lance

    monkeypatch.setattr(lance, "INDEX_FROM", 1000)
    index = make(tmp_path, "lance")
    index.store.add(passages(1000), vectors(1000, seed=1))
    made = LanceTable.create_index

    def stopped(self: Any, column: str, **options: Any) -> None:
        if column == "vector":
            raise KeyboardInterrupt
        made(self, column, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(LanceTable, "create_index", stopped)
        index.store.optimize()
    table = index.store._table  # type: ignore[attr-defined]
    assert [entry.index_type for entry in table.list_indices()] == ["BTree"]
    index.store.optimize()
    assert {entry.index_type for entry in table.list_indices()} == {"BTree", "IvfHnswSq"}
    state = index.store.state
    index.store.optimize()
    assert index.store.state == state  # nothing to do changes nothing


def test_the_approximate_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recall, filters, rows that came after the index was made, and rows that went."""
    from interlingua.retrieval import lance

    monkeypatch.setattr(lance, "INDEX_FROM", 1000)
    centres, queries = vectors(50, seed=5), vectors(40, seed=7)
    there = np.repeat(centres, 60, axis=0) + 0.3 * vectors(3000, seed=6)
    there /= np.linalg.norm(there, axis=1, keepdims=True)
    rows = passages(3000)
    index = make(tmp_path, "lance")
    index.store.add(rows[:2500], there[:2500])
    index.store.optimize()
    table = index.store._table  # type: ignore[attr-defined]
    assert {entry.index_type for entry in table.list_indices()} == {"BTree", "IvfHnswSq"}
    index.store.add(rows[2500:], there[2500:])
    index.store.delete([f"p{i}" for i in range(0, 3000, 7)])
    index.store.update([Passage("p1", "moved")], queries[:1])
    for again in (False, True):
        if again:
            index.store.optimize()
        alive = np.array([i for i in range(3000) if i % 7 and i != 1])
        for where in (Filter(), Filter(("jpn_Jpan",), {"ten": "3"})):
            kept = np.array([i for i in alive if where.takes(rows[i])])
            hits = 0
            for query, found in zip(queries, index.store.search(queries, k=10, where=where)):  # noqa: B905
                best = {f"p{i}" for i in kept[np.argsort(-(there[kept] @ query))[:10]]}
                names = {hit.passage.id for hit in found}
                assert len(found) == 10
                hits += len(best & names)
                cosines = [float(query @ there[int(n[1:])]) for n in names if n != "p1"]
                assert max(cosines) <= found[0].score + 1e-5
            assert hits / 400 >= 0.95, (where, hits / 400)
        assert index.store.search(queries[:1], k=1)[0][0].passage.text == "moved"
