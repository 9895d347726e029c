"""Which language a file is in: by its name or a folder's, or by its texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import regex

from interlingua.base.errors import LanguageError
from interlingua.base.progress import say
from interlingua.languages.identify import identify
from interlingua.languages.scripts import script_of, writes
from interlingua.languages.tags import UND, known, parse

_TAG = regex.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_CODE = regex.compile(r"[a-z]{3}(?:-[A-Z]{2})?")
_TREEBANK = regex.compile(r"([a-z]{2,3})_[a-z]+-ud-[a-z]+\.conllu(?:\.\w+)?")


def language_of_path(path: Path, *, hyphens: bool = True) -> str | None:
    """The language that a path names: a tag such as ``eng_Latn`` anywhere, a code in the file name.

    ``sib200/fra_Latn/test.tsv``, ``test.fra_Latn.jsonl``, ``en.train.jsonl``, ``dev-fr.tsv`` and
    ``french/train_text.txt`` name a language; codes of two letters count only between dots and
    hyphens, so that ``my_data.csv`` is not Burmese. A code of three letters, as in
    ``newstest.deu.txt`` and ``lin/train.tsv``, counts between dots or as the folder's whole name,
    and only if it is of a language in the shipped table. Treebanks of Universal Dependencies are
    called ``zh_pud-ud-test.conllu``.

    Args:
        path: The path.
        hyphens: Whether codes of two letters count between hyphens; not where files are called
            as people like, such as ``how-to-bake.md``.
    """
    for part in reversed(path.parts):
        for token in regex.split(r"[.\-]", part):
            if _TAG.fullmatch(token):
                return _parsed(token)
    if treebank := _TREEBANK.fullmatch(path.name):
        return _parsed(treebank[1])
    marks = r"[.\-]" if hyphens else r"\."
    codes = [token for token in regex.split(marks, path.name)[:-1] if len(token) == 2]
    tags = {tag for code in codes if (tag := _parsed(code)) is not None}
    if len(tags) == 1:
        return tags.pop()
    places = [*path.name.split(".")[1:-1], path.parent.name]
    tags = {tag for place in places if (tag := _shipped(place)) is not None}
    if len(tags) == 1:
        return tags.pop()
    names = [part for part in path.parts[-4:-1] if len(part) > 3 and part.isalpha()]
    tags = {tag for name in names if (tag := _named(name)) is not None}
    return tags.pop() if len(tags) == 1 else None


def scripts_agree(tag: str, texts: Sequence[str]) -> bool:
    """Whether most texts are in the script that the tag says; a wrong guess is found out so."""
    scripts = Counter(script_of(text) for text in texts)
    return writes(parse(tag).script, scripts.most_common(1)[0][0])


def language_of_texts(path: Path, texts: Sequence[str]) -> str:
    """The language that most texts of a file are identified as; ``und``, with a warning, if none.

    Args:
        path: The file.
        texts: Some of its texts, at least one.
    """
    found = Counter(result.tag for result in identify(texts)).most_common(1)[0][0]
    if found == UND:
        warn_unknown(path)
    return found


def warn_unknown(path: Path, rows: int | None = None) -> None:
    """Say that nobody can tell the language of a file, or of some rows of it."""
    what = f"{path}" if rows is None else f"{rows:,} rows of {path}"
    say(f"warning: the language of {what} cannot be told: name it in the path or a column 'lang'")


def _parsed(text: str) -> str | None:
    try:
        return parse(text).tag
    except LanguageError:
        return None


@cache
def _shipped_tags() -> frozenset[str]:
    return frozenset(language.tag for language in known())


def _shipped(text: str) -> str | None:
    tag = _parsed(text) if _CODE.fullmatch(text) else None
    return tag if tag in _shipped_tags() else None


def _named(text: str) -> str | None:
    """A folder called by a language's English name, and by nothing else."""
    try:
        language = parse(text)
    except LanguageError:
        return None
    return language.tag if language.name.casefold() == text.casefold() else None
