"""Benchmark data sets as records: where their files lie, which task they are of, whose they are.

A record lists path patterns with the named groups ``lang``, ``split`` and ``question_lang``; they
are searched recursively below ``--data-dir``, and any subset of the languages will do. A pattern
without ``lang`` is of a file with rows of many languages, whose column ``lang`` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import regex

from interlingua.base.config import Config
from interlingua.base.errors import DataError, LanguageError, UsageError
from interlingua.base.registry import Registry
from interlingua.corpus.formats import read_rows
from interlingua.languages import parse, tag_of

Split = Literal["train", "dev", "test"]
_SPLITS: dict[str, Split] = {
    "train": "train",
    "dev": "dev",
    "val": "dev",
    "validation": "dev",
    "test": "test",
    "test_gold": "test",
    "testing": "test",
    "": "test",  # of a data set with one part
}
_MAX_FILES = 100_000
_SUBMISSION = {"labels", "predictions"}  # folders of a submission, whose names are like the data's


class Dataset(Config):
    """A benchmark data set; the files are the reader's own, nothing is downloaded."""

    name: str
    """The suite's name on the command line."""
    tasks: tuple[str, ...]
    """Tasks its rows serve; the model's task says which is meant."""
    patterns: tuple[str, ...]
    """Regular expressions for the end of a path, with groups ``lang`` and ``split``."""
    merged: bool = False
    """Whether several files of one language and part belong together, as treebanks do; else the
    last by path is taken."""
    protocol: Literal["labels", "tatoeba", "bucc", "alignment", "lareqa", "documents"] = "labels"
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
        patterns=(
            r"xnli[^/]*/(?P<split>train|dev|test)-(?P<lang>[a-z]{2})\.tsv",
            r"xnli\.(?P<split>dev|test)\.tsv",
        ),
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
            r"x-final/(?P<lang>en)/(?P<split>train)\.tsv",
            # What recipes/pawsx/split.py makes of development rows.
            r"paws-?x[^/]*/(?P<split>train|test)\.(?P<lang>[a-z]{3}_[A-Z][a-z]{3})\.jsonl",
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
        name="debian",
        tasks=("retrieval",),
        protocol="documents",
        patterns=(r"documents/(?P<lang>[a-z]{3}_[A-Z][a-z]{3})(?P<split>)\.jsonl(?:\.zst|\.gz)?",),
        summary="one-line synopses find the descriptions of packages in another language",
        licence="each package's own",
        citation="Debian's package descriptions and their translations; defined by this project",
        url="https://www.debian.org/international/l10n/ddtp",
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
    Dataset(
        name="panx",
        tasks=("ner",),
        patterns=(
            r"panx[^/]*/(?P<split>train|dev|test)-(?P<lang>[a-z]{2,3})\.tsv",
            r"panx[^/]*/(?P<lang>[a-z]{2,3})/(?P<split>train|dev|test)",
        ),
        summary="named entities of Wikipedia (WikiANN), 3 types, 40 languages",
        licence="ODC-BY",
        citation="Pan et al., ACL 2017; split by Rahimi, Li and Cohn, ACL 2019",
        url="https://github.com/afshinrahimi/mmner",
    ),
    Dataset(
        name="masakhaner",
        tasks=("ner",),
        patterns=(r"(?P<lang>[a-z]{3})/(?P<split>train|dev|test)\.txt",),
        summary="named entities of news, 4 types, 10 languages of Africa",
        licence="CC-BY-NC-4.0",
        citation="Adelani et al., MasakhaNER, TACL 2021",
        url="https://github.com/masakhane-io/masakhane-ner",
    ),
    Dataset(
        name="udpos",
        tasks=("pos",),
        patterns=(
            r"(?P<lang>[a-z]{2,3})_[a-z]+-ud-(?P<split>train|dev|test)\.conllu",
            r"udpos[^/]*/(?P<split>train|dev|test)-(?P<lang>[a-z]{2})\.tsv",
        ),
        merged=True,
        summary="parts of speech of Universal Dependencies, 17 tags, 33 languages in XTREME",
        licence="each treebank's own",
        citation="Nivre et al., LREC 2020; as in XTREME (Hu et al., ICML 2020)",
        url="https://universaldependencies.org",
    ),
    Dataset(
        name="xquad",
        tasks=("qa",),
        patterns=(r"xquad\.(?P<lang>[a-z]{2})(?P<split>)\.json",),
        summary="questions to paragraphs of SQuAD, parallel, 12 languages",
        licence="CC-BY-SA-4.0",
        citation="Artetxe, Ruder and Yogatama, ACL 2020",
        url="https://github.com/google-deepmind/xquad",
    ),
    Dataset(
        name="mlqa",
        tasks=("qa",),
        patterns=(
            r"(?P<split>dev|test)-context-(?P<lang>[a-z]{2})-question-(?P<question_lang>[a-z]{2})"
            r"\.json",
        ),
        summary="questions to paragraphs of Wikipedia, 7 languages and all pairs of them",
        licence="CC-BY-SA-3.0",
        citation="Lewis et al., MLQA, ACL 2020",
        url="https://github.com/facebookresearch/MLQA",
    ),
    Dataset(
        name="tydiqa_goldp",
        tasks=("qa",),
        patterns=(
            r"(?P<lang>[a-z]{4,})_tydiqa_(?P<split>train|dev)\.json",
            r"tydiqa\.goldp\.(?P<lang>[a-z]{2})\.(?P<split>train|dev)\.json",
            r"tydiqa-goldp-(?P<split>train|dev)-(?P<lang>[a-z]{4,})\.json",
        ),
        summary="questions of people who want to know, with the passage, 9 languages",
        licence="Apache-2.0",
        citation="Clark et al., TyDi QA, TACL 2020",
        url="https://github.com/google-research-datasets/tydiqa",
    ),
):
    DATASETS.add(_dataset.name, _dataset)

for _name in ("ner", "pos", "nc", "xnli", "pawsx", "qadsm", "wpr", "qam", "qg", "ntg"):
    DATASETS.add(f"xglue-{_name}", f"interlingua.tasks.xglue:{_name.upper()}")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a data set: where it lies, which language and part it is.

    Attributes:
        path: Where it lies.
        lang: The language of its texts.
        split: Its part.
        question_lang: The language of its questions, where that is told apart.
        shared: Whether rows of other languages stand in it, too.
    """

    path: Path
    lang: str
    split: Split
    question_lang: str = ""
    shared: bool = False


def list_files(data_dirs: str | Path | Sequence[str | Path]) -> list[Path]:
    """All files below some folders, those of each sorted by path; but no submission's.

    Raises:
        DataError: A folder is missing.
    """
    paths: list[Path] = []
    for given in [data_dirs] if isinstance(data_dirs, str | Path) else data_dirs:
        root = Path(given)
        if not root.is_dir():
            raise DataError(f"--data-dir {root} is not a folder")
        # The root's own name may be the language folder's, so match against the resolved path.
        root = root.resolve()
        for path in sorted(root.rglob("*"))[:_MAX_FILES]:
            if path.is_file() and not _SUBMISSION & set(path.relative_to(root).parts[:-1]):
                paths.append(path)
    return paths


def find_files(dataset: Dataset, data_dirs: str | Path | Sequence[str | Path]) -> list[DataFile]:
    """All files of a data set below some folders, sorted by path.

    Of several versions of one part (``v1``, ``v3``) the last by path is taken, of several folders
    that of the last; where a data set is ``merged``, all are.

    Raises:
        DataError: A folder is missing, or none holds a file of the data set.
    """
    found = matching(dataset, list_files(data_dirs))
    if not found:
        below = data_dirs if isinstance(data_dirs, str | Path) else ", ".join(map(str, data_dirs))
        raise DataError(
            f"no file of {dataset.name} below {below}",
            remedy=f"Expected paths that end like: {' or '.join(map(readable, dataset.patterns))}",
        )
    return found


def matching(dataset: Dataset, paths: Iterable[Path]) -> list[DataFile]:
    """Those of some files that belong to a data set."""
    patterns = [regex.compile(rf"(?:^|/){pattern}$") for pattern in dataset.patterns]
    found: dict[tuple[str, str, Split, str], DataFile] = {}
    for path in paths:
        for pattern in patterns:
            match = pattern.search(path.as_posix())
            for file in [] if match is None else _of_match(path, match.groupdict()):
                own = path.name if dataset.merged else ""
                found[file.lang, file.question_lang, file.split, own] = file
    return list(found.values())


def readable(pattern: str) -> str:
    """A pattern as a person writes it: ``xquad.{lang}.json``."""
    named = pattern.replace("(?P<split>)", "").replace("(?:", "(")
    named = regex.sub(r"\(\?P<(\w+)>[^()]*\)|\(\?P=(\w+)\)", r"{\1\2}", named)
    named = regex.sub(r"\[[^\]]*\][*+]|\\w\+", "*", named)
    return str(named).replace("-?", "").replace("\\", "")


def _of_match(path: Path, groups: dict[str, str]) -> Iterator[DataFile]:
    split = _SPLITS[groups["split"]]
    if "lang" not in groups:
        tags = {str(row.values.get("lang", "")) for row in read_rows(path)}
        known = {tag for tag in map(_language, tags) if tag is not None}
        yield from (DataFile(path, tag, split, shared=True) for tag in sorted(known))
        return
    lang = _language(groups["lang"])
    question = _language(groups["question_lang"]) if "question_lang" in groups else ""
    if lang is not None and question is not None:
        yield DataFile(path, lang, split, question)


def _language(text: str) -> str | None:
    try:
        return parse(text).tag
    except LanguageError:
        return None


def choose_files(
    files: Sequence[DataFile],
    *,
    split: str,
    languages: Sequence[str] = (),
    question: str = "",
) -> list[DataFile]:
    """The test part of every language, else its development part, or the part asked for.

    Args:
        files: What `find_files` found.
        split: ``auto``, ``dev`` or ``test``.
        languages: Tags wanted; empty: all.
        question: The language of the questions, where it is told apart; empty: that of the texts.

    Raises:
        UsageError: Nothing is left, or a language asked for has no such file.
    """
    wanted = [tag_of(language) for language in languages]
    asked = tag_of(question) if question else ""
    files = [file for file in files if file.question_lang in ("", asked or file.lang)]
    parts: tuple[Split, ...] = ("test", "dev")
    if split != "auto":
        parts = tuple(part for part in parts if part == split)
    chosen: list[DataFile] = []
    for lang in wanted or sorted({file.lang for file in files}):
        of_parts = ([f for f in files if (f.lang, f.split) == (lang, part)] for part in parts)
        found = next((some for some in of_parts if some), [])
        if not found and wanted:
            raise UsageError(
                f"no {' or '.join(parts)} file of {lang}",
                remedy=f"There are: {', '.join(sorted({f.lang for f in files}))}",
            )
        chosen += found
    if not chosen:
        raise UsageError(f"no {' or '.join(parts)} file in any language")
    return chosen
