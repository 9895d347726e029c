"""Records of benchmarks, published averages, and when ours may stand beside them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from miniatures import MINIATURES

from interlingua.evaluation.suite.plan import PartPlan, Wanted, plan
from interlingua.evaluation.suite.published import differences, of_task, published
from interlingua.evaluation.suite.records import BENCHMARKS
from interlingua.evaluation.suite.run import Done
from interlingua.languages import tag_of
from interlingua.tasks.datasets import DATASETS, DataFile
from interlingua.tasks.record import TASKS

XTREME, XGLUE = BENCHMARKS.get("xtreme"), BENCHMARKS.get("xglue")


@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_records_are_whole(name: str) -> None:
    benchmark = BENCHMARKS.get(name)
    assert benchmark.summary and benchmark.citation and benchmark.url.startswith("https://")
    for part in benchmark.parts:
        official = benchmark.official(part)
        assert official.languages and official.licence and official.citation
        dataset = DATASETS.get(part.dataset)
        if part.task:
            assert part.task in dataset.tasks and part.task in TASKS
        assert bool(part.trained_on) == bool(part.train_rows)
        assert benchmark.part(part.name) is part


def test_every_official_task_is_a_part() -> None:
    for benchmark, count in ((XTREME, 9), (XGLUE, 11)):
        names = [part.name for part in benchmark.parts]
        assert len(names) == count
        assert {benchmark.official(part).name for part in benchmark.parts} == set(names)


@pytest.mark.parametrize(
    ("model", "average"), [("mBERT", 59.6), ("XLM-100", 55.5), ("XLM-R large", 68.1)]
)
def test_the_table_of_xtreme_gives_its_own_averages(model: str, average: float) -> None:
    """By the benchmark's rule: of questions the mean of F1 and exact match, then of nine tasks."""
    tasks = []
    for part in XTREME.parts:
        own = {one.metric: one.score for one in of_task("xtreme", part.name) if one.model == model}
        assert own.keys() == {m for m in part.metrics if part.name != "udpos" or m == "span_f1"}
        tasks.append(sum(own.values()) / len(own))
    assert round(100 * sum(tasks) / len(tasks), 1) == average


def test_published_averages_name_their_source_and_all_official_languages() -> None:
    for one in published():
        benchmark = BENCHMARKS.get(one.benchmark)
        part = benchmark.part(one.task)
        assert one.languages == len(benchmark.official(part).languages), one
        assert 0 < one.score < 1 and one.year >= 2020 and one.source and one.place
    systems = {one.model for one in published() if one.benchmark == "xtreme"}
    assert systems >= {"mBERT", "XLM-100", "XLM-R large", "mT5-base"}


def test_all_of_xglue_is_found_in_its_download(tmp_path: Path) -> None:
    for name in (*(n for n in MINIATURES if n.startswith("xglue-")), "mlqa"):
        MINIATURES[name].write(tmp_path)
    plans = {one.part.name: one for one in plan(XGLUE, [tmp_path], Wanted())}
    for name, one in plans.items():
        if name in ("QG", "NTG"):
            assert "generat" in one.problem
        else:
            assert sum(one.rows.values()) == MINIATURES[one.part.dataset].rows, name
            assert set(one.missing) == set(one.languages) - set(one.rows)


def done(name: str, *, rows: int, train_rows: int, split: Any = "test", without: str = "") -> Done:
    """A task that was run on every official language but one."""
    part = XTREME.part(name)
    languages = tuple(tag_of(code) for code in XTREME.official(part).languages)
    tested = [lang for lang in languages if lang != without]
    files = tuple(DataFile(Path(lang), lang, split) for lang in tested)
    counts = dict.fromkeys(tested, rows)
    one = PartPlan(part, DATASETS.get(part.dataset), languages, files, counts)
    return Done(one, SimpleNamespace(), train_rows, {})  # type: ignore[arg-type]


def test_only_the_same_is_compared() -> None:
    same = {"rows": 5010, "train_rows": 392_702}
    assert differences(done("xnli", **same)) == []
    for change, said in (
        ({"without": "swh_Latn"}, "14 of 15 official languages"),
        ({"split": "dev", "rows": 2490}, "tested on dev rows"),
        ({"rows": 500}, "500 rows of"),
        ({"train_rows": 9000}, "taught with 9,000 rows"),
    ):
        (reason,) = differences(done("xnli", **{**same, **change}))
        assert said in reason
