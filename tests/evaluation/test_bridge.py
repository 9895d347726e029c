"""The bridge report: figures by hand, properties of made-up vectors, the command and the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_scorecard_page import HOSTILE, Page

from interlingua.base.errors import DataError, GateError
from interlingua.corpus.parallel import Parallel
from interlingua.evaluation.bridge.measure import Layout, Measured, lay_out, measure
from interlingua.evaluation.bridge.page import render
from interlingua.evaluation.bridge.records import MEASURES, Bridge
from interlingua.evaluation.bridge.report import english_gaps
from interlingua.evaluation.bridge.run import GATED, build, check_bridge
from interlingua.evaluation.gates import read_gates

TAGS = ["deu_Latn", "eng_Latn", "swh_Latn"]
ITEMS = [{tag: f"{tag} {i}" for tag in TAGS} for i in range(60)]
FILES: list[dict[str, str | int]] = [{"path": "x.jsonl", "sha256": "0" * 64, "rows": 180}]


def layout() -> Layout:
    return lay_out(ITEMS, resamples=200, seed=0)


def vectors(noise: float, offset: float = 0.0, seed: int = 0) -> dict[str, Any]:
    """Translations near one place each, every language moved by a vector of its own."""
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(60, 24))
    found = {}
    for i, tag in enumerate(TAGS):
        own = offset * rng.normal(size=24)
        x = places + noise * (1 + i) * rng.normal(size=(60, 24)) + own
        found[tag] = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return found


def measured(noise: float, offset: float = 0.0) -> Measured:
    found = measure(vectors(noise, offset), layout())
    for tag, gap in english_gaps(found).items():
        found.languages[tag]["english_gap"] = gap
    return found


def report(after: Measured, before: Measured | None = None, name: str = "model") -> Bridge:
    against = None if before is None else "before"
    made = Parallel(ITEMS, FILES)
    return build(after, before, layout(), made, names=(name, against), seed=0)


def test_figures_are_those_of_a_plain_loop() -> None:
    found, v = measured(0.5, 0.5), vectors(0.5, 0.5)
    for query, pool in (("deu_Latn", "swh_Latn"), ("swh_Latn", "eng_Latn")):
        hits = own_first = 0
        for i in range(60):
            right = v[query][i] @ v[pool][i]
            hits += all(v[query][i] @ v[pool][j] <= right for j in range(60))
            own_first += any(v[query][i] @ v[query][j] > right for j in range(60) if j != i)
        figures = found.directions[query, pool]
        assert figures["retrieval"].value == pytest.approx(hits / 60)
        assert figures["same_language_first"].value == pytest.approx(own_first / 60)
        preference = own_first / 60 - (1 - hits / 60)
        assert figures["same_language_preference"].value == pytest.approx(preference)
    german = [f["retrieval"].value for pair, f in found.directions.items() if "deu_Latn" in pair]
    assert found.languages["deu_Latn"]["retrieval"].value == pytest.approx(np.mean(german))


def test_the_gap_to_english_compares_with_third_languages() -> None:
    found = measured(0.5)

    def both(a: str, b: str) -> float:
        return float(np.mean([found.directions[p]["retrieval"].value for p in ((a, b), (b, a))]))

    gap = both("eng_Latn", "deu_Latn") - both("swh_Latn", "deu_Latn")
    assert found.languages["swh_Latn"]["english_gap"].value == pytest.approx(gap)
    assert "english_gap" not in found.languages["eng_Latn"]


def test_a_model_without_languages_has_no_preference_and_offsets_show() -> None:
    joined, apart = report(measured(0.3)), report(measured(0.3, 1.5))
    low, high = joined.summary["same_language_preference"].ci
    assert low - 0.02 <= 0 <= high + 0.02
    assert apart.summary["same_language_preference"].value > 0.3
    assert joined.summary["language_probe"].value < 0.8 < apart.summary["language_probe"].value
    assert apart.summary["mean_cosine"].value > joined.summary["mean_cosine"].value + 0.2
    assert apart.summary["partition"].value < joined.summary["partition"].value
    assert joined.probe_chance == pytest.approx(1 / 3)
    for found in (joined, apart):
        assert list(found.summary) == [n for n in MEASURES if n in found.summary]
        for figure in found.summary.values():
            assert figure.ci[0] <= figure.value <= figure.ci[1]


def test_a_model_against_itself_changes_nothing_and_a_better_one_is_seen() -> None:
    same = report(measured(0.6), measured(0.6))
    assert all(c.difference == 0 and c.ci == (0, 0) and c.p == 1 for c in same.changes.values())
    better = report(measured(0.3), measured(0.9))
    change = better.changes["retrieval_mean"]
    assert change.difference == pytest.approx(
        better.summary["retrieval_mean"].value - change.before
    )
    assert change.ci[0] > 0 and change.p < 0.05
    assert better.directions[0].changes["retrieval"].difference > 0


def test_intervals_narrow_with_items_as_they_should() -> None:
    """The interval of a share of 60 is about that of a binomial."""
    direction = report(measured(1.0)).directions[0].figures["retrieval"]
    width = direction.ci[1] - direction.ci[0]
    error = np.sqrt(direction.value * (1 - direction.value) / 60)
    assert width == pytest.approx(2 * 1.96 * error, rel=0.25)


def test_repeated_and_copied_texts_are_left_out() -> None:
    items = [{"deu_Latn": f"d{i}", "eng_Latn": f"e{i}"} for i in range(30)]
    items[4]["deu_Latn"] = "d3"
    items[9]["eng_Latn"] = "d9"
    made = lay_out(items, resamples=10, seed=0)
    assert (made.repeated, made.copied) == (1, 1)
    assert set(range(30)) - set(made.pairs["deu_Latn", "eng_Latn"].tolist()) == {4, 9}
    with pytest.raises(DataError, match="no two languages share 20 different items"):
        lay_out(items[:15], resamples=10, seed=0)


def test_gates() -> None:
    found = report(measured(0.3), measured(0.9))
    kept = ["retrieval_mean>=0.5", "retrieval_mean_change>0", "swh_Latn>=0.2"]
    check_bridge(found, read_gates(kept, GATED))
    with pytest.raises(GateError, match="retrieval_mean is"):
        check_bridge(found, read_gates(["retrieval_mean>=1.1"], GATED))


@pytest.mark.parametrize("before", [None, 0.9])
def test_the_page_is_whole_and_safe(before: float | None) -> None:
    found = report(measured(0.4), None if before is None else measured(before), name=HOSTILE)
    page = Page(render(found))
    assert len(page.having("script")) == 1 and not page.having("img")
    assert not any("style" in attributes for _, attributes in page.elements)
    hidden = [a for a in page.having("section") if "hidden" in a]
    assert [a["id"] for a in hidden] == (["changes"] if before is None else [])
    cells = [a for a in page.having("td") if "none" not in (a.get("class") or "")]
    assert len(cells) > 6
    for one in found.languages.values():
        assert one.facts.name in page.text


def test_the_command(
    tmp_path: Path, tokenizer_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from interlingua.base.config import make
    from interlingua.cli.main import main
    from interlingua.corpus.phrasebook import test_files
    from interlingua.models.scratch import NewModel, write_new

    new = {"shape": "xlm-roberta", "tokenizer": str(tokenizer_folder), "max_length": 48}
    for seed in (1, 2):
        settings = {**new, "layers": 1, "width": 16, "heads": 2}
        write_new(tmp_path / f"m{seed}", make(NewModel, settings), seed=seed)
    files = [str(f) for f in test_files() if any(tag in f.name for tag in ("deu", "eng", "ita"))]
    command = ["bridge", "--model", str(tmp_path / "m1"), "--against", str(tmp_path / "m2")]
    command += ["--data", *files, "--out", str(tmp_path / "out"), "--engine", "torch", "--json"]
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--require", "retrieval_mean>=2"])
    assert stopped.value.code == 3
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "out" / "bridge.json").read_text(encoding="utf-8"))
    assert printed == written
    assert sorted(written["languages"]) == ["deu_Latn", "eng_Latn", "ita_Latn"]
    assert len(written["directions"]) == 6 and written["against"] == "m2"
    assert set(written["changes"]) == set(written["summary"])
    Page((tmp_path / "out" / "bridge.html").read_text(encoding="utf-8"))
