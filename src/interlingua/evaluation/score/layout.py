"""Which file of a submission belongs to which task and language, and what is missing.

A record names its files by templates such as ``xnli/test-{lang}.tsv``: ``{lang}`` is a code or a
tag, ``{question}`` that of MLQA's question, ``{language}`` an English name, ``{split}`` the split
and ``{name}`` any word. ``**/`` at the beginning finds them in any folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import regex

from interlingua.base.errors import DataError, LanguageError, UsageError, quoted
from interlingua.evaluation.score.questions import tydiqa_languages
from interlingua.evaluation.score.records import Job, ScoredTask, Suite
from interlingua.languages import tag_of

_PLACES = {
    "lang": r"[a-z]{2,3}(?:[_-][A-Z][a-z]{3})?",
    "question": r"[a-z]{2}",
    "language": r"[a-z]{4,}",
    "split": r"test|dev|validation|train|training|sample",
    "name": r"[\w-]+",
}
_SPLITS = ("test", "dev", "validation", "sample", "training", "train")
_MAX_FILES = 100_000


@dataclass(slots=True)
class Plan:
    """What will be scored, and what of the suite lacks, by name."""

    jobs: list[Job] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    split: str
    rank: int


def plan(suite: Suite, predictions: Path, labels: Path, *, lang: str | None = None) -> Plan:
    """Match predictions with labels.

    Args:
        suite: What to look for.
        predictions: A folder; for a suite of one task also a file.
        labels: As ``predictions``.
        lang: Score this language only; needed for a file whose name does not tell it.

    Raises:
        DataError: A path is not there, a language has two files, or nothing can be scored.
        UsageError: Files were given for a suite of several tasks, or their language is unknown.
        LanguageError: Nobody knows ``lang``.
    """
    for path in (predictions, labels):
        if not path.exists():
            raise DataError("no such file or folder", path=path)
    if predictions.is_file() or labels.is_file():
        return _files(suite, predictions, labels, lang)
    result = Plan()
    for task in suite.tasks:
        _plan_task(task, predictions, labels, lang, result)
    if not result.jobs:
        tried = [*suite.tasks[0].predictions, *suite.tasks[0].labels]
        raise DataError(
            f"no language has both predictions in {predictions} and labels in {labels}",
            remedy=f"Looked for {', '.join(dict.fromkeys(tried))}",
        )
    if len(suite.tasks) > 1:
        known = {template.partition("/")[0] for t in suite.tasks for template in t.predictions}
        strange = sorted(
            p.name for p in predictions.iterdir() if p.is_dir() and p.name not in known
        )
        result.remarks += [f"{name}/ is no task of {suite.name}, left out" for name in strange]
    return result


def code_of(task: ScoredTask, text: str) -> str:
    """The official code of a language, however it is spelled; a language of no code's as it is.

    Raises:
        LanguageError: Nobody knows it.
    """
    return text if text in task.languages else _codes(task.languages).get(tag_of(text), text)


def _plan_task(
    task: ScoredTask, predictions: Path, labels: Path, lang: str | None, result: Plan
) -> None:
    given = _find(task, task.predictions, predictions)
    wanted = [code_of(task, lang)] if lang else list(task.languages)
    chosen = {key: _best(files, predictions) for key, files in given.items()}
    splits = {found.split for found in chosen.values() if found.split}
    split = min(splits) if len(splits) == 1 else ""
    right = {
        key: _best(files, labels, prefer=split)
        for key, files in _find(task, task.labels, labels).items()
    }
    if not chosen:
        result.missing.append(f"{task.name}: no predictions ({task.predictions[0]})")
        return
    if not right:
        result.missing.append(f"{task.name}: no labels ({task.labels[0]})")
        return
    extra = sorted((chosen.keys() & right.keys()) - set(wanted)) if not lang else []
    extra = [key for key in extra if _measurable(task, key)]
    for what, files, template in (
        ("predictions", chosen, task.predictions[0]),
        ("labels", right, task.labels[0]),
    ):
        lacking = [key for key in wanted if key not in files]
        if lacking:
            names = ", ".join(lacking)
            result.missing.append(f"{task.name}: no {what} for {names} ({template})")
    for key in [*wanted, *extra]:
        if key in chosen and key in right:
            context = key.partition("-")[0]
            result.jobs.append(Job(task, key, context, chosen[key].path, right[key].path))
    if extra:
        result.remarks.append(
            f"{task.name}: {', '.join(extra)} outside the official languages, outside the averages"
        )


def _files(suite: Suite, predictions: Path, labels: Path, lang: str | None) -> Plan:
    if len(suite.tasks) > 1:
        raise UsageError(
            f"{suite.name} has {len(suite.tasks)} tasks, but a file was given",
            remedy="Give the folders of the submission and of the labels",
        )
    task = suite.tasks[0]
    key = code_of(task, lang) if lang else _key_of(task, labels) or _key_of(task, predictions)
    if not predictions.is_file() or not labels.is_file():
        folder = labels if predictions.is_file() else predictions
        templates = task.labels if folder is labels else task.predictions
        found = _find(task, templates, folder).get(key or "")
        if found is None:
            raise UsageError(
                f"{folder} has no file for the language {key or 'of the file'}",
                remedy=f"Give a file, or --lang; looked for {', '.join(templates)}",
            )
        other = _best(found, folder).path
        predictions, labels = (predictions, other) if folder is labels else (other, labels)
    if key is None and task.measure == "tydiqa":
        keys = tydiqa_languages(labels)
    else:
        keys = [key] if key else []
    for name in keys:
        if not _measurable(task, name):
            raise UsageError(
                f"{task.name} defines no figure for the language {quoted(name)}",
                remedy=f"Its languages: {', '.join(task.languages)}",
            )
    if not keys:
        raise UsageError(
            f"the names of {predictions.name} and {labels.name} do not tell the language",
            remedy="Give --lang TAG",
        )
    result = Plan([Job(task, k, k.partition("-")[0], predictions, labels) for k in keys])
    lacking = [code for code in task.languages if code not in keys]
    if lacking and not lang and len(keys) > 1:
        result.missing.append(f"{task.name}: no questions in {', '.join(lacking)}")
    return result


def _measurable(task: ScoredTask, key: str) -> bool:
    return not task.closed or key.partition("-")[0] in task.languages


def _find(task: ScoredTask, templates: tuple[str, ...], folder: Path) -> dict[str, list[_Found]]:
    """Files below ``folder`` that match, by language."""
    found: dict[str, list[_Found]] = {}
    for path in _listing(folder):
        match = _match(templates, path.relative_to(folder).as_posix())
        if match is None:
            continue
        rank, groups = match
        key = _key(task, groups)
        if key is not None:
            found.setdefault(key, []).append(_Found(path, groups.get("split") or "", rank))
    return found


def _best(files: list[_Found], folder: Path, *, prefer: str = "") -> _Found:
    """Of several files of a language the first template's, of the preferred split."""

    def order(file: _Found) -> tuple[bool, int, int]:
        split = _SPLITS.index(file.split) if file.split else 0
        return file.split != prefer if prefer else False, file.rank, split

    best, *rest = sorted(files, key=order)
    if rest and order(rest[0]) == order(best):
        names = " and ".join(sorted(str(f.path.relative_to(folder)) for f in (best, rest[0])))
        raise DataError(
            f"two files for one language: {names}", path=folder, remedy="Give one folder, or files"
        )
    return best


def _key_of(task: ScoredTask, path: Path) -> str | None:
    parts = Path(*path.absolute().parts[-3:]).as_posix()
    match = _match((*task.predictions, *task.labels), parts)
    return None if match is None else _key(task, match[1])


def _key(task: ScoredTask, groups: dict[str, str | None]) -> str | None:
    text = groups.get("lang") or groups.get("language") or ""
    try:
        code = code_of(task, text)
    except LanguageError:
        return None
    question = groups.get("question")
    return code if question in {None, code} else f"{code}-{question}"


def _match(templates: tuple[str, ...], name: str) -> tuple[int, dict[str, str | None]] | None:
    for rank, template in enumerate(templates):
        match = _pattern(template).fullmatch(name)
        if match is not None:
            return rank, match.groupdict()
    return None


@cache
def _pattern(template: str) -> regex.Pattern[str]:
    parts, seen = [], set()
    text = template.removeprefix("**/")
    for literal, place in regex.findall(r"([^{]*)(?:\{(\w+)\})?", text):
        parts.append(regex.escape(literal))
        if place:
            parts.append(f"(?P={place})" if place in seen else f"(?P<{place}>{_PLACES[place]})")
            seen.add(place)
    return regex.compile(("(?:.*/)?" if text != template else "") + "".join(parts))


@cache
def _codes(languages: tuple[str, ...]) -> dict[str, str]:
    return {tag_of(code): code for code in languages}


def _listing(folder: Path) -> list[Path]:
    files: list[Path] = []
    for path in folder.rglob("*"):
        if path.is_file():
            files.append(path)
        if len(files) > _MAX_FILES:
            raise DataError(f"more than {_MAX_FILES:,} files", path=folder)
    return sorted(files)
