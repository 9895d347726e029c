"""The registered suites; their records are in `xtreme`, `xglue` and `single`."""

from __future__ import annotations

from interlingua.base.registry import Registry
from interlingua.evaluation.score.records import Measure, Suite

_ROOM = "interlingua.evaluation.score"

SUITES: Registry[Suite] = Registry("suite of official scorers")
SUITES.add("xtreme", f"{_ROOM}.xtreme:XTREME")
SUITES.add("xglue", f"{_ROOM}.xglue:XGLUE")
for _name in (
    "bucc2018",
    "masakhaner",
    "mlqa",
    "panx",
    "tatoeba",
    "tydiqa_goldp",
    "udpos",
    "xquad",
):
    SUITES.add(_name, f"{_ROOM}.single:{_name.upper()}")

MEASURES: Registry[Measure] = Registry("measure")
for _name, _place in {
    "line_accuracy": "labels:line_accuracy",
    "last_column_accuracy": "labels:last_column_accuracy",
    "pair_f1": "labels:pair_f1",
    "grouped_ndcg": "labels:grouped_ndcg",
    "sentence_bleu": "labels:sentence_bleu",
    "tag_lines": "tags:tag_lines",
    "column_tags": "tags:column_tags",
    "padded_f1": "tags:padded_f1",
    "padded_precision": "tags:padded_precision",
    "squad": "questions:squad",
    "mlqa": "questions:mlqa",
    "mlqa_f1": "questions:mlqa_f1",
    "tydiqa": "questions:tydiqa",
}.items():
    MEASURES.add(_name, f"{_ROOM}.{_place}")
