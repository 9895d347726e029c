"""The tasks of XTREME, XGLUE and MLQA, as far as running them goes.

The official languages, definitions, licences and citations stand in the records of the official
scorers (`evaluation.score`), of which a `Part` names one.
"""

from __future__ import annotations

from collections.abc import Mapping

from interlingua.base.config import Config
from interlingua.base.registry import Registry
from interlingua.evaluation.score.records import ScoredTask
from interlingua.evaluation.score.suites import SUITES

_SQUAD = r"squad[^/]*/train-v1\.1\.json"
_TYDIQA = (
    r"tydiqa\.goldp\.en\.train\.json",
    r"english_tydiqa_train\.json",
    r"tydiqa-goldp-train-english\.json",
)
_MNLI = (
    r"multinli\.train\.en\.tsv",
    r"xnli[^/]*/train-en\.tsv",
    r"mnli/en\.train\.jsonl",
)


class Part(Config):
    """One task of a benchmark: its data, what it is taught with, and where the figures are from."""

    name: str
    """Its name, which is that of its folder in the output and the official scorer's key."""
    dataset: str
    """Its record in `tasks.datasets`."""
    task: str = ""
    """The task a model is taught; empty: a model's vectors alone are asked."""
    split: str = "test"
    """The part that published figures are of."""
    metrics: tuple[str, ...]
    """Which figures of a scorecard stand in the report, the score first."""
    train: tuple[str, ...] = ()
    """Regular expressions for the training file, the official one first; the first found is taken.
    Empty: the training files of the data set in its source language."""
    trained_on: str = ""
    """What published models were taught with."""
    train_rows: int | None = None
    """How many rows that is."""
    rows: Mapping[str, int] = {}
    """Rows of the official part, by language code; ``*`` is every other language's. Empty: any."""
    question: str = ""
    """The language of the questions, where contexts of every language are asked in one."""
    unready: str = ""
    """Why nothing here can run it, if nothing can."""


class Benchmark(Config):
    """Several tasks under one name."""

    name: str
    """The name on the command line."""
    summary: str
    """One line for a person."""
    scored: str
    """The suite of official scorers whose tasks these are."""
    parts: tuple[Part, ...]
    """In official order."""
    citation: str
    """Who to cite for the whole."""
    url: str
    """Where it lives."""

    def official(self, part: Part) -> ScoredTask:
        """The official scorer's record of a part."""
        tasks = {task.name: task for task in SUITES.get(self.scored).tasks}
        return tasks.get(part.name) or tasks[part.dataset]

    def part(self, name: str) -> Part:
        """A part by its name.

        Raises:
            UnknownNameError: There is none.
        """
        registry: Registry[Part] = Registry(f"task of {self.name}")
        for part in self.parts:
            registry.add(part.name, part)
        return registry.get(name)


BENCHMARKS: Registry[Benchmark] = Registry("benchmark")

_MLQA_ROWS = {
    "en": 11590,
    "de": 4517,
    "es": 5254,
    "ar": 5335,
    "zh": 5137,
    "vi": 5495,
    "hi": 4918,
}

_XTREME = Benchmark(
    name="xtreme",
    summary="nine tasks in forty languages, taught in English only",
    scored="xtreme",
    citation="Hu et al., XTREME, ICML 2020, arXiv 2003.11080",
    url="https://github.com/google-research/xtreme",
    parts=(
        Part(
            name="xnli",
            dataset="xnli",
            task="nli",
            metrics=("accuracy",),
            train=_MNLI,
            trained_on="MultiNLI",
            train_rows=392_702,
            rows={"*": 5010},
        ),
        Part(
            name="pawsx",
            dataset="pawsx",
            task="paraphrase",
            metrics=("accuracy",),
            trained_on="PAWS",
            train_rows=49_401,
            rows={"*": 2000},
        ),
        Part(
            name="udpos",
            dataset="udpos",
            task="pos",
            metrics=("span_f1", "accuracy"),
            trained_on="the English treebanks of UD 2.5",
            train_rows=21_253,
        ),
        Part(
            name="panx",
            dataset="panx",
            task="ner",
            metrics=("span_f1",),
            trained_on="PAN-X, English",
            train_rows=20_000,
        ),
        Part(
            name="xquad",
            dataset="xquad",
            task="qa",
            metrics=("f1", "exact_match"),
            train=(_SQUAD, *_TYDIQA),
            trained_on="SQuAD 1.1",
            train_rows=87_599,
            rows={"*": 1190},
        ),
        Part(
            name="mlqa",
            dataset="mlqa",
            task="qa",
            metrics=("f1", "exact_match"),
            train=(_SQUAD, *_TYDIQA),
            trained_on="SQuAD 1.1",
            train_rows=87_599,
            rows=_MLQA_ROWS,
        ),
        Part(
            name="tydiqa",
            dataset="tydiqa_goldp",
            task="qa",
            split="dev",
            metrics=("f1", "exact_match"),
            train=_TYDIQA,
            trained_on="TyDiQA-GoldP, English",
            train_rows=3_696,
        ),
        Part(name="bucc2018", dataset="bucc2018", metrics=("f1",)),
        Part(name="tatoeba", dataset="tatoeba", metrics=("accuracy",)),
    ),
)

_XGLUE = Benchmark(
    name="xglue",
    summary="eleven tasks in nineteen languages, taught in English only",
    scored="xglue",
    citation="Liang et al., XGLUE, EMNLP 2020, arXiv 2004.01401",
    url="https://microsoft.github.io/XGLUE",
    parts=(
        Part(name="NER", dataset="xglue-ner", task="ner", metrics=("span_f1",)),
        Part(name="POS", dataset="xglue-pos", task="pos", metrics=("span_f1", "accuracy")),
        Part(name="NC", dataset="xglue-nc", task="topic", metrics=("accuracy",)),
        Part(
            name="MLQA",
            dataset="mlqa",
            task="qa",
            metrics=("f1", "exact_match"),
            train=(_SQUAD, *_TYDIQA),
            trained_on="SQuAD 1.1",
            train_rows=87_599,
            rows=_MLQA_ROWS,
        ),
        Part(
            name="XNLI",
            dataset="xglue-xnli",
            task="nli",
            metrics=("accuracy",),
            train=_MNLI,
            trained_on="MultiNLI",
            train_rows=392_702,
            rows={"*": 5010},
        ),
        Part(name="PAWSX", dataset="xglue-pawsx", task="paraphrase", metrics=("accuracy",)),
        Part(name="QADSM", dataset="xglue-qadsm", task="matching", metrics=("accuracy",)),
        Part(name="WPR", dataset="xglue-wpr", task="relevance", metrics=("accuracy",)),
        Part(name="QAM", dataset="xglue-qam", task="matching", metrics=("accuracy",)),
        Part(
            name="QG",
            dataset="xglue-qg",
            metrics=("bleu",),
            unready="questions are generated, and no generator is here yet; score a submission with"
            " interlingua score xglue",
        ),
        Part(
            name="NTG",
            dataset="xglue-ntg",
            metrics=("bleu",),
            unready="titles are generated, and no generator is here yet; score a submission with"
            " interlingua score xglue",
        ),
    ),
)


def _pairs() -> tuple[Part, ...]:
    """MLQA's tasks: questions in the language of the context, and in every one language."""
    facts = {
        "dataset": "mlqa",
        "task": "qa",
        "metrics": ("f1", "exact_match"),
        "train": (_SQUAD, *_TYDIQA),
        "trained_on": "SQuAD 1.1",
        "train_rows": 87_599,
    }
    crossed = (Part(name=f"question-{code}", question=code, **facts) for code in _MLQA_ROWS)
    return (Part(name="mlqa", rows=_MLQA_ROWS, **facts), *crossed)


for _benchmark in (
    _XTREME,
    _XGLUE,
    Benchmark(
        name="mlqa",
        summary="questions and passages in seven languages, and in all pairs of them",
        scored="mlqa",
        citation="Lewis et al., MLQA, ACL 2020",
        url="https://github.com/facebookresearch/MLQA",
        parts=_pairs(),
    ),
):
    BENCHMARKS.add(_benchmark.name, _benchmark)
