"""Suites of one task: the scorers of XTREME's tasks and others, over files as they are published.

Any subset of the languages will do; the official average is given when none lacks.
"""

from __future__ import annotations

from interlingua.evaluation.score import xtreme
from interlingua.evaluation.score.records import ScoredTask, Suite, codes

_AVERAGES = (
    "The plain mean over the official languages, given only when none lacks; avg_metric is the main"
    " figure's mean, of question answering the mean of exact match and F1, as in XTREME."
)
_JSON = (
    "**/test-{lang}.json",
    "**/{name}.{lang}.json",
    "**/{lang}.json",
    "**/{lang}.prediction",
)
_TSV = ("**/test-{lang}.tsv", "**/{split}-{lang}.tsv", "**/{lang}.tsv")
_CONLL = (*_TSV, "**/{lang}/{split}.txt", "**/{lang}/{split}", "**/{lang}.txt", "**/{lang}.conllu")


def _suite(task: ScoredTask, summary: str) -> Suite:
    return Suite(name=task.name, summary=summary, tasks=(task,), shape="single", averages=_AVERAGES)


def _of_xtreme(name: str) -> ScoredTask:
    return next(task for task in xtreme.XTREME.tasks if task.name == name)


XQUAD = _suite(
    _of_xtreme("xquad").model_copy(
        update={
            "predictions": _JSON,
            "labels": ("**/xquad.{lang}.json", *_JSON),
            "source": "https://github.com/google-deepmind/xquad",
        }
    ),
    "XQuAD, SQuAD 1.1 in eleven languages",
)
MLQA = _suite(
    _of_xtreme("mlqa").model_copy(
        update={
            "predictions": ("**/{split}-context-{lang}-question-{question}.json", *_JSON),
            "labels": ("**/{split}-context-{lang}-question-{question}.json", *_JSON),
            "source": xtreme.MLQA_SCRIPT,
        }
    ),
    "MLQA, seven languages and pairs of them",
)
TYDIQA_GOLDP = _suite(
    _of_xtreme("tydiqa").model_copy(
        update={
            "name": "tydiqa_goldp",
            "measure": "tydiqa",
            "predictions": ("**/tydiqa.goldp.{lang}.{split}.json", *_JSON),
            "labels": (
                "**/tydiqa.goldp.{lang}.{split}.json",
                "**/{language}_tydiqa_{split}.json",
                "**/tydiqa-goldp-{split}-{language}.json",
                *_JSON,
            ),
            "source": "https://github.com/google-research-datasets/tydiqa",
        }
    ),
    "TyDiQA-GoldP, nine languages, in one file or one a language",
)
PANX = _suite(
    _of_xtreme("panx").model_copy(
        update={"measure": "column_tags", "predictions": _CONLL, "labels": _CONLL}
    ),
    "PAN-X (WikiANN), named entities in forty languages",
)
UDPOS = _suite(
    _of_xtreme("udpos").model_copy(
        update={
            "measure": "column_tags",
            "predictions": (*_CONLL, "**/{lang}_{name}-ud-{split}.conllu"),
            "labels": (*_CONLL, "**/{lang}_{name}-ud-{split}.conllu"),
            "unlike": "XTREME first replaces words written as one by a rule of precedence; here"
            " CoNLL-U counts the words that have a number of their own. "
            + _of_xtreme("udpos").unlike,
        }
    ),
    "Universal Dependencies, parts of speech in 33 languages",
)
MASAKHANER = _suite(
    ScoredTask(
        name="masakhaner",
        measure="column_tags",
        metrics=("f1", "precision", "recall"),
        languages=codes("amh hau ibo kin lug luo pcm swa wol yor"),
        predictions=_CONLL,
        labels=("**/{lang}/{split}.txt", *_CONLL),
        definition=xtreme.SEQEVAL,
        others=xtreme.NER_OTHERS,
        unlike="MasakhaNER 2.0 has twenty languages and other texts.",
        source="https://github.com/masakhane-io/masakhane-ner",
        licence="CC-BY-NC-4.0",
        citation="Adelani et al. 2021, 2021.tacl-1.66",
    ),
    "MasakhaNER, named entities in ten African languages",
)
TATOEBA = _suite(
    _of_xtreme("tatoeba").model_copy(update={"predictions": _TSV, "labels": _TSV}),
    "Tatoeba as XTREME scores it, 36 languages",
)
BUCC2018 = _suite(
    _of_xtreme("bucc2018").model_copy(
        update={
            "predictions": (*_TSV, "**/{lang}-en.{split}.tsv", "**/{lang}-en.tsv"),
            "labels": (*_TSV, "**/{lang}-en.{split}.gold"),
        }
    ),
    "BUCC 2018, mined pairs of sentences, four languages with English",
)
