"""XGLUE's tasks as data sets, in the folders of its download (Liang et al., EMNLP 2020)."""

from __future__ import annotations

from interlingua.tasks.datasets import Dataset

_LICENCE = "for research, under XGLUE's own terms; each source's own besides"
_CITATION = "Liang et al., XGLUE, EMNLP 2020"
_URL = "https://microsoft.github.io/XGLUE"
_LANG = r"(?P<lang>[a-z]{2})"
_PART = r"(?P<split>train|dev|test)"


def _dataset(name: str, task: str, patterns: tuple[str, ...], summary: str) -> Dataset:
    return Dataset(
        name=f"xglue-{name}",
        tasks=(task,),
        patterns=patterns,
        summary=summary,
        licence=_LICENCE,
        citation=_CITATION,
        url=_URL,
    )


NER = _dataset(
    "ner",
    "ner",
    (rf"NER/{_LANG}\.{_PART}",),
    "named entities of news, 4 types, 4 languages (CoNLL 2002 and 2003)",
)
POS = _dataset("pos", "pos", (rf"POS/{_LANG}\.{_PART}",), "parts of speech, 17 tags, 18 languages")
NC = _dataset(
    "nc",
    "topic",
    (rf"xglue\.nc\.{_LANG}\.{_PART}",),
    "categories of news articles, 10 classes, 5 languages",
)
XNLI = _dataset(
    "xnli",
    "nli",
    (rf"XNLI/{_LANG}\.(?P<split>dev|test)", r"XNLI/xnli\.(?P<split>dev|test)\.tsv"),
    "natural-language inference, 3 classes, 15 languages",
)
PAWSX = _dataset(
    "pawsx",
    "paraphrase",
    (
        rf"PAWSX/{_LANG}/(?P<split>dev|test)_2k\.tsv",
        r"PAWSX/(?P<lang>en)/(?P<split>train)\.tsv",
    ),
    "paraphrases of high word overlap, 2 classes, 4 languages",
)
QADSM = _dataset(
    "qadsm",
    "matching",
    (rf"xglue\.qadsm\.{_LANG}\.{_PART}",),
    "whether an advertisement suits a query, 3 languages",
)
WPR = _dataset(
    "wpr",
    "relevance",
    (rf"xglue\.wpr\.{_LANG}\.{_PART}",),
    "how relevant a web page is to a query, 5 grades, 7 languages",
)
QAM = _dataset(
    "qam",
    "matching",
    (rf"xglue\.qam\.{_LANG}\.{_PART}",),
    "whether a passage answers a question, 3 languages",
)
QG = _dataset(
    "qg",
    "question-generation",
    (rf"xglue\.qg\.{_LANG}\.src\.{_PART}",),
    "questions that a passage answers, to be written, 6 languages",
)
NTG = _dataset(
    "ntg",
    "title-generation",
    (rf"xglue\.ntg\.{_LANG}\.src\.{_PART}",),
    "titles of news articles, to be written, 5 languages",
)
