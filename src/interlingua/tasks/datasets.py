"""Benchmark data sets as records: where their files lie, which task they are of, whose they are.

A record lists path patterns with the named groups ``lang`` and ``split``; they are searched
recursively below ``--data-dir``, and any subset of the languages will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import regex

from interlingua.base.config import Config
from interlingua.base.errors import DataError, LanguageError, UsageError
from interlingua.base.registry import Registry
from interlingua.languages import parse, tag_of

Split = Literal["train", "dev", "test"]
_SPLITS: dict[str, Split] = {
    "train": "train",
    "dev": "dev",
    "val": "dev",
    "validation": "dev",
    "test": "test",
    "test_gold": "test",
    "": "test",  # of a data set with one part
}
_MAX_FILES = 100_000


class Dataset(Config):
    """A benchmark data set; the files are the reader's own, nothing is downloaded."""

    name: str
    """The suite's name on the command line."""
    tasks: tuple[str, ...]
    """Tasks its rows serve; the model's task says which is meant."""
    patterns: tuple[str, ...]
    """Regular expressions for the end of a path, with groups ``lang`` and ``split``."""
    protocol: Literal["labels", "tatoeba", "bucc", "alignment", "lareqa"] = "labels"
    """How it is scored: by a taught model's labels, or by the vectors and states of any model."""
    source: str = "eng_Latn"
    """The language whose training part ``--train`` takes, as the makers define zero-shot."""
    summary: str
    """One line for a person."""
    licence: str
    """As the makers state it."""
    citation: str
    """Where it was described."""
    url: str
    """Where the files come from."""


DATASETS: Registry[Dataset] = Registry("suite")

for _dataset in (
    Dataset(
        name="sib200",
        tasks=("topic",),
        patterns=(r"(?P<lang>[a-z]{3}_[A-Z][a-z]{3})/(?P<split>train|dev|test)\.tsv",),
        summary="topics of FLORES-200 sentences, 7 classes, 205 languages, parallel",
        licence="CC-BY-SA-4.0",
        citation="Adelani et al., SIB-200, EACL 2024",
        url="https://github.com/dadelani/sib-200",
    ),
    Dataset(
        name="masakhanews",
        tasks=("topic",),
        patterns=(r"(?P<lang>[a-z]{3})/(?P<split>train|dev|test)\.tsv",),
        summary="topics of news articles, 7 classes, 16 languages of Africa",
        licence="AFL-3.0",
        citation="Adelani et al., MasakhaNEWS, IJCNLP-AACL 2023",
        url="https://github.com/masakhane-io/masakhane-news",
    ),
    Dataset(
        name="xlmt",
        tasks=("sentiment",),
        patterns=(r"(?P<lang>[a-z]+)/(?P<split>train|val|test)_text\.txt",),
        summary="sentiment of tweets, 0 negative, 1 neutral, 2 positive, 8 languages",
        licence="tweets under their platform's terms",
        citation="Barbieri, Espinosa Anke and Camacho-Collados, XLM-T, LREC 2022",
        url="https://github.com/cardiffnlp/xlm-t",
    ),
    Dataset(
        name="xnli",
        tasks=("nli",),
        patterns=(r"xnli[^/]*/(?P<split>dev|test)-(?P<lang>[a-z]{2})\.tsv",),
        summary="natural-language inference, 3 classes, 15 languages, parallel",
        licence="CC-BY-NC-4.0",
        citation="Conneau et al., XNLI, EMNLP 2018",
        url="https://github.com/facebookresearch/XNLI",
    ),
    Dataset(
        name="pawsx",
        tasks=("paraphrase",),
        patterns=(
            r"paws-?x[^/]*/(?P<split>train|dev|test)-(?P<lang>[a-z]{2})\.tsv",
            r"x-final/(?P<lang>[a-z]{2})/(?P<split>dev|test)_2k\.tsv",
        ),
        summary="paraphrases of high word overlap, 2 classes, 7 languages",
        licence="free for any purpose, as its makers put it",
        citation="Yang et al., PAWS-X, EMNLP-IJCNLP 2019",
        url="https://github.com/google-research-datasets/paws",
    ),
    Dataset(
        name="nlp4if",
        tasks=("fake-news", "claim"),
        patterns=(r"covid19_disinfo_binary_(?P<lang>[a-z]+)_(?P<split>train|dev|test_gold)\.tsv",),
        summary="disinformation in tweets on COVID-19, seven questions, 3 languages",
        licence="tweets under their platform's terms",
        citation="Shaar et al., NLP4IF 2021 shared tasks",
        url="https://gitlab.com/NLP4IF/nlp4if-2021",
    ),
    Dataset(
        name="tatoeba",
        tasks=("retrieval",),
        protocol="tatoeba",
        patterns=(r"tatoeba\.(?P<lang>[a-z]{3})-eng\.(?P=lang)(?P<split>)",),
        summary="English sentences search their translations, up to 1,000 in each of 112 languages",
        licence="CC-BY-2.0-FR",
        citation="Artetxe and Schwenk, TACL 2019; scored as in XTREME (Hu et al., ICML 2020)",
        url="https://github.com/facebookresearch/LASER/tree/main/data/tatoeba/v1",
    ),
    Dataset(
        name="bucc2018",
        tasks=("mining",),
        protocol="bucc",
        patterns=(r"(?P<lang>de|fr|ru|zh)-en\.(?P<split>dev|test)\.(?P=lang)",),
        summary="translations hidden in two texts, with English, 4 languages",
        licence="for research, as its makers put it",
        citation="Zweigenbaum, Sharoff and Rapp, BUCC 2018",
        url="https://comparable.limsi.fr/bucc2018/",
    ),
    Dataset(
        name="lareqa",
        tasks=("retrieval",),
        protocol="lareqa",
        patterns=(r"(?:lareqa|xquad-r)/(?P<lang>[a-z]{2})(?P<split>)\.json",),
        summary="questions find the sentences of all languages that answer them, 11 languages",
        licence="CC-BY-SA-4.0",
        citation="Roy et al., LAReQA, EMNLP 2020; scored as in XTREME-R (Ruder et al. 2021)",
        url="https://github.com/google-research-datasets/lareqa",
    ),
    Dataset(
        name="xl_wa",
        tasks=("alignment",),
        protocol="alignment",
        patterns=(r"(?:xl_wa|XL-WA)/data/(?P<lang>[a-z]{2})/(?P<split>dev|test)\.tsv",),
        summary="which word translates which, English with 14 languages",
        licence="CC-BY-NC-SA-4.0",
        citation="Martelli et al., XL-WA, CLiC-it 2023",
        url="https://github.com/SapienzaNLP/XL-WA",
    ),
):
    DATASETS.add(_dataset.name, _dataset)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a data set: where it lies, which language and part it is."""

    path: Path
    lang: str
    split: Split


def find_files(dataset: Dataset, data_dir: str | Path) -> list[DataFile]:
    """All files of a data set below a folder, sorted by path.

    Of several versions of one part (``v1``, ``v3``) the last by path is taken.

    Raises:
        DataError: The folder is missing, or holds no file of the data set.
    """
    root = Path(data_dir)
    if not root.is_dir():
        raise DataError(f"--data-dir {root} is not a folder")
    patterns = [regex.compile(rf"(?:^|/){pattern}$") for pattern in dataset.patterns]
    found: dict[tuple[str, Split], DataFile] = {}
    # The root's own name may be the language folder's, so match against the resolved path.
    for path in sorted(root.resolve().rglob("*"))[:_MAX_FILES]:
        for pattern in patterns:
            match = pattern.search(path.as_posix())
            if match is None or not path.is_file():
                continue
            lang = _language(match["lang"])
            if lang is not None:
                split = _SPLITS[match["split"]]
                found[lang, split] = DataFile(path, lang, split)
    if not found:
        raise DataError(
            f"no file of {dataset.name} below {root}",
            remedy=f"Expected paths that end like: {' or '.join(dataset.patterns)}",
        )
    return list(found.values())


def _language(text: str) -> str | None:
    try:
        return parse(text).tag
    except LanguageError:
        return None


def choose_files(
    files: Sequence[DataFile], *, split: str, languages: Sequence[str] = ()
) -> list[DataFile]:
    """One file a language: its test part, else its development part, or the part asked for.

    Args:
        files: What `find_files` found.
        split: ``auto``, ``dev`` or ``test``.
        languages: Tags wanted; empty: all.

    Raises:
        UsageError: Nothing is left, or a language asked for has no such file.
    """
    wanted = [tag_of(language) for language in languages]
    by_key = {(file.lang, file.split): file for file in files}
    parts: tuple[Split, ...] = ("test", "dev")
    if split != "auto":
        parts = tuple(part for part in parts if part == split)
    chosen = []
    for lang in wanted or sorted({file.lang for file in files}):
        file = next((by_key[lang, part] for part in parts if (lang, part) in by_key), None)
        if file is not None:
            chosen.append(file)
        elif wanted:
            raise UsageError(
                f"no {' or '.join(parts)} file of {lang}",
                remedy=f"There are: {', '.join(sorted({f.lang for f in files}))}",
            )
    if not chosen:
        raise UsageError(f"no {' or '.join(parts)} file in any language")
    return chosen
