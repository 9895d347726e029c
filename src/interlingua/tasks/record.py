"""The task record, and the tasks this package knows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from interlingua.base.config import Config
from interlingua.base.registry import Registry


class Task(Config):
    """What a task asks of a text or pair, before any code: columns, labels, metric, strategy."""

    name: str
    """The name on the command line."""
    kind: Literal["classification", "tagging", "qa"]
    """Which examples, head, prediction and score serve it."""
    summary: str
    """One line for a person."""
    text_columns: tuple[str, ...] = ("text", "tweet_text", "sentence")
    """Columns that may hold the text; the first that a file has is taken."""
    token_columns: tuple[str, ...] = ("tokens", "words")
    """Columns that may hold the list of tokens of a sentence to be tagged."""
    tag_columns: tuple[str, ...] = ("tags",)
    """Columns that may hold their tags."""
    pair_columns: tuple[str, ...] = ()
    """Columns that may hold the second text of a pair; empty: the task is of single texts."""
    label_columns: tuple[str, ...] = ("label",)
    """Columns that may hold the label; the first that a file has is taken."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Rows belong to the task only if these columns, where a file has them, hold these values."""
    labels: tuple[str, ...] = ()
    """The label space; empty: the sorted labels of the training file."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Other spellings of labels; integers index a label space of words by themselves."""
    metric: Literal["accuracy", "macro_f1", "span_f1", "f1"]
    """The score of the scorecard; every other metric stands beside it."""
    strategy: Literal["probe", "head", "lora", "full"]
    """What ``--strategy auto`` means."""

    @property
    def paired(self) -> bool:
        """Whether a row of the task is a pair of texts."""
        return bool(self.pair_columns)

    def label(self, value: str) -> str:
        """A label as the label space spells it, where there is one; any other as it is."""
        value = self.aliases.get(value, value)
        if value not in self.labels and value.isdecimal() and int(value) < len(self.labels):
            return self.labels[int(value)]
        return value


_UPOS = (
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
)
"""The universal parts of speech (Nivre et al., LREC 2020), in XTREME's order."""

TASKS: Registry[Task] = Registry("task")

for _task in (
    Task(
        name="topic",
        kind="classification",
        summary="what a text is about",
        label_columns=("label", "topic", "category"),
        metric="accuracy",
        strategy="probe",
    ),
    Task(
        name="sentiment",
        kind="classification",
        summary="how a text feels about its subject",
        label_columns=("label", "sentiment"),
        metric="macro_f1",
        strategy="probe",
    ),
    Task(
        name="fake-news",
        kind="classification",
        summary="whether a checkable claim is false (NLP4IF question 2, asked where 1 is yes)",
        label_columns=("label", "q2_label"),
        where={"q1_label": ("yes",), "q2_label": ("yes", "no")},
        metric="macro_f1",
        strategy="probe",
    ),
    Task(
        name="claim",
        kind="classification",
        summary="whether a text contains a checkable claim (NLP4IF question 1)",
        label_columns=("label", "q1_label"),
        where={"q1_label": ("yes", "no")},
        metric="macro_f1",
        strategy="probe",
    ),
    Task(
        name="nli",
        kind="classification",
        summary="whether a premise entails, contradicts or leaves open a hypothesis",
        text_columns=("text", "premise", "sentence1"),
        pair_columns=("text_pair", "hypothesis", "hypo", "sentence2"),
        label_columns=("label", "gold_label"),
        where={"gold_label": ("entailment", "neutral", "contradiction")},
        labels=("entailment", "neutral", "contradiction"),
        aliases={"contradictory": "contradiction"},
        metric="accuracy",
        strategy="full",
    ),
    Task(
        name="paraphrase",
        kind="classification",
        summary="whether two sentences say the same (1) or not (0)",
        text_columns=("text", "sentence1"),
        pair_columns=("text_pair", "sentence2"),
        where={"translated": ("yes",)},
        labels=("0", "1"),
        metric="accuracy",
        # With 1,511 rows of PAWS-X lora is better and steadier than full: in English 0.791 (0.008)
        # and 0.678 (0.093) over three seeds, 0.711 and 0.646 in six others (docs/results.md).
        strategy="lora",
    ),
    Task(
        name="matching",
        kind="classification",
        summary="whether a second text suits a first, by any labels: an answer, an advertisement",
        text_columns=("text", "query", "question"),
        pair_columns=("text_pair", "passage", "answer"),
        metric="accuracy",
        strategy="full",
    ),
    Task(
        name="relevance",
        kind="classification",
        summary="how relevant a page is to a query, from 0 to 4",
        text_columns=("text", "query"),
        pair_columns=("text_pair", "passage"),
        labels=("0", "1", "2", "3", "4"),
        metric="accuracy",
        strategy="full",
    ),
    Task(
        name="qa",
        kind="qa",
        summary="the stretch of a passage that answers a question",
        metric="f1",
        strategy="full",
    ),
    Task(
        name="ner",
        kind="tagging",
        summary="which words name a person, a place, an organisation",
        tag_columns=("tags", "ner_tags"),
        metric="span_f1",
        strategy="full",
    ),
    Task(
        name="pos",
        kind="tagging",
        summary="the part of speech of every word",
        tag_columns=("tags", "upos", "pos_tags"),
        labels=_UPOS,
        metric="span_f1",
        strategy="full",
    ),
    Task(
        name="classification",
        kind="classification",
        summary="any label set of your own",
        label_columns=("label", "category", "class"),
        metric="macro_f1",
        strategy="probe",
    ),
):
    TASKS.add(_task.name, _task)
