"""Mining against the formulas written out, and planted translations found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import DataError, UsageError
from interlingua.retrieval import mining
from interlingua.retrieval.bitext import Mine
from interlingua.retrieval.mining import first_of_equals, isotropic, mine, nearest


def unit(rows: int, seed: int, width: int = 16) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mining, "_ROWS", 7)
    monkeypatch.setattr(mining, "_COLUMNS", 5)


def test_nearest_in_blocks_is_a_full_sort() -> None:
    queries, pool = unit(20, 0), unit(33, 1)
    scores, rows = nearest(queries, pool, 6)
    whole = queries @ pool.T
    expected = np.argsort(-whole, axis=1)[:, :6]
    assert (rows == expected).all()
    assert scores == pytest.approx(np.take_along_axis(whole, expected, axis=1), abs=1e-6)
    assert nearest(queries, pool[:3], 6)[0].shape == (20, 3)


def by_the_book(source: np.ndarray, target: np.ndarray, margin: str, k: int) -> np.ndarray:
    """Artetxe and Schwenk 2019, equation 1, for every pair of sentences."""
    cosine = source @ target.T
    table = np.zeros_like(cosine)
    for i, j in np.ndindex(*cosine.shape):
        around = np.sort(cosine[i])[-k:].sum() / (2 * k) + np.sort(cosine[:, j])[-k:].sum() / (
            2 * k
        )
        table[i, j] = {
            "ratio": cosine[i, j] / around,
            "distance": cosine[i, j] - around,
            "absolute": cosine[i, j],
        }[margin]
    return table


@pytest.mark.parametrize("margin", ["ratio", "distance", "absolute"])
def test_margins_are_the_paper(margin: str) -> None:
    target = unit(17, 5)
    source = target[:12] + 0.5 * unit(12, 6)
    source /= np.linalg.norm(source, axis=1, keepdims=True)
    table = by_the_book(source, target, margin, 3)
    for retrieval in ("forward", "backward", "intersection", "max"):
        found = mine(source, target, k=3, margin=margin, retrieval=retrieval)
        assert found.score == pytest.approx(table[found.source, found.target], abs=1e-5)
        assert (np.diff(found.score) <= 0).all()
    forward = mine(source, target, k=3, margin=margin, retrieval="forward")
    # Among its k nearest each source takes the one with the best margin.
    near = np.argsort(-(source @ target.T), axis=1)[:, :3]
    best = {i: int(near[i][table[i, near[i]].argmax()]) for i in range(12)}
    assert dict(zip(forward.source.tolist(), forward.target.tolist(), strict=True)) == best
    assert len(mine(source, target, k=3, retrieval="backward")) == 17


def test_max_uses_a_sentence_once_and_intersection_is_of_both() -> None:
    source, target = unit(30, 2), unit(25, 3)
    pairs = {
        name: mine(source, target, retrieval=name)
        for name in ("forward", "backward", "intersection", "max")
    }
    sets = {
        name: set(zip(found.source.tolist(), found.target.tolist(), strict=True))
        for name, found in pairs.items()
    }
    assert sets["intersection"] == sets["forward"] & sets["backward"]
    assert sets["intersection"] <= sets["max"] <= sets["forward"] | sets["backward"]
    assert len(set(pairs["max"].source.tolist())) == len(pairs["max"])
    assert len(set(pairs["max"].target.tolist())) == len(pairs["max"])


def test_planted_translations_are_found() -> None:
    target = unit(60, 8, 32)
    rng = np.random.default_rng(1)
    place = rng.permutation(60)[:40]
    source = np.vstack([target[place] + 0.3 * unit(40, 9, 32), unit(20, 10, 32)])
    source /= np.linalg.norm(source, axis=1, keepdims=True)
    found = mine(source, target).above(1.4)
    assert {(i, int(place[i])) for i in range(40)} == set(
        zip(found.source.tolist(), found.target.tolist(), strict=True)
    )


@pytest.mark.parametrize("k", [3, 9])
def test_neighbours_are_compared_once_more(k: int) -> None:
    """Margins of the mean of two similarities, by the book; each pair is asked for once."""
    source, target = unit(9, 1), unit(6, 2)
    more = np.random.default_rng(3).uniform(size=(9, 6)).astype(np.float32)
    asked: list[tuple[int, int]] = []

    def match(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        asked.extend(zip(rows.tolist(), columns.tolist(), strict=True))
        found: np.ndarray = more[rows, columns]
        return found

    found = mine(source, target, k=k, retrieval="forward", match=match)
    assert len(asked) == len(set(asked))
    cosine = source @ target.T
    both = (cosine + more) / 2
    ahead = np.argsort(-cosine, axis=1)[:, :k]
    back = np.argsort(-cosine, axis=0)[:k]
    means = np.take_along_axis(both, ahead, 1).mean(1), np.take_along_axis(both, back, 0).mean(0)
    for i, j, score in zip(found.source, found.target, found.score, strict=True):
        margins = {c: 2 * both[i, c] / (means[0][i] + means[1][c]) for c in ahead[i]}
        assert j == max(margins, key=lambda c: margins[c])
        assert score == pytest.approx(margins[j], rel=1e-5)
    nothing = mine(source, target, k=k, match=lambda rows, columns: cosine[rows, columns])
    plain = mine(source, target, k=k)
    assert nothing.score == pytest.approx(plain.score, rel=1e-5)


def test_edges() -> None:
    empty = np.zeros((0, 16), np.float32)
    assert len(mine(empty, unit(3, 0))) == len(mine(unit(3, 0), empty)) == 0
    assert len(mine(unit(1, 0), unit(2, 1), k=9)) == 1
    with pytest.raises(UsageError, match="Did you mean ratio"):
        mine(empty, empty, margin="ration")
    with pytest.raises(UsageError, match="Did you mean max"):
        Mine(1.0, retrieval="maxi")
    with pytest.raises(DataError, match="cannot be compared"):
        mine(unit(2, 0), unit(2, 0, 8))
    texts, rows = first_of_equals(["a", "b ", " b", "a", "c"])
    assert (texts, rows.tolist()) == (["a", "b ", "c"], [0, 1, 4])


def test_from_the_command_line(tmp_path: Path, toy_model: Path) -> None:
    from interlingua.cli.corpus import mine as command

    lines = ["Der Zug hat Verspätung.", "Es regnet.", "Es regnet.", "Brot und Butter"]
    (tmp_path / "a.txt").write_text("\n".join([*lines, "", "nur hier"]))
    (tmp_path / "b.txt").write_text("\n".join(reversed(lines)))
    margins = []
    for words in (False, True):
        command(
            source=tmp_path / "a.txt",
            target=tmp_path / "b.txt",
            source_lang="de",
            target_lang="nl",
            out=tmp_path / "pairs.jsonl",
            model=str(toy_model),
            retrieval="intersection",
            threshold=1.0,
            words=words,
            exact=True,
            quiet=True,
            json=True,
        )
        rows = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
        assert {row["source"] for row in rows if row["source"] == row["target"]} == set(lines)
        assert {row["source_lang"] for row in rows} == {"deu_Latn"}
        assert {row["target_lang"] for row in rows} == {"nld_Latn"}
        assert rows[0]["meta"]["margin"] >= rows[-1]["meta"]["margin"] >= 1.0
        assert {row["meta"]["kind"] for row in rows} == {"ratio+words" if words else "ratio"}
        margins.append({row["source"]: row["meta"]["margin"] for row in rows})
    assert all(abs(margins[0][line] - margins[1][line]) > 1e-4 for line in set(lines))


def test_all_but_the_top() -> None:
    """The mean and the first principal directions are gone, and planted offsets with them."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(300, 200)).astype(np.float32)
    cone = base + 5 * rng.normal(size=200) + 9 * rng.normal(size=(300, 1)) * unit(1, 1, 200)
    cone = (cone / np.linalg.norm(cone, axis=1, keepdims=True)).astype(np.float32)
    left = isotropic(cone)
    assert np.linalg.norm(left, axis=1) == pytest.approx(1, abs=1e-5)
    centred = cone - cone.mean(axis=0)
    top = np.linalg.svd(centred, full_matrices=False)[2][:2]  # two of 200
    assert np.abs(left @ top.T).max() < 1e-4
    own = base - base.mean(axis=0)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    assert (left * own).sum(axis=1).mean() > 0.95 > (cone * own).sum(axis=1).mean()
    assert (isotropic(cone[:99]) == cone[:99]).all()
