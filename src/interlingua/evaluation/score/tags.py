"""Tagging: sentences of tags, one a line, with a blank line after each sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.base.errors import DataError, quoted
from interlingua.evaluation.score.lines import check_count, read_lines
from interlingua.evaluation.score.records import Job, Measured
from interlingua.tasks.metrics.spans import span_counts, span_scores, token_accuracy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_UPOS_COLUMN = 3
_MAX_PREFIX = 4  # "en:", "zhx:": WikiANN writes the language before every token


@dataclass(slots=True)
class Sentence:
    """Tags, the line the first stands on, and the tokens if the file has them."""

    line: int
    tags: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


def tag_lines(job: Job) -> Measured:
    """XTREME's ``f1``: seqeval on files that hold tags alone, times 100."""
    gold, found = _bare(job.labels), _bare(job.predictions)
    return _score(job, gold, found)


def column_tags(job: Job) -> Measured:
    """Seqeval's figures on the last column of CoNLL or column 4 of CoNLL-U, times 100."""
    gold, found = _columns(job.labels), _columns(job.predictions)
    return _score(job, gold, found)


def padded_f1(job: Job) -> Measured:
    """XGLUE's NER: seqeval's F1."""
    gold, found, remarks = _padded(job)
    scores = span_scores(span_counts(gold, found))
    return Measured({"score": scores.f1}, _others(job, gold, found), len(gold), remarks=remarks)


def padded_precision(job: Job) -> Measured:
    """XGLUE's POS: seqeval's precision on tags without prefix."""
    gold, found, remarks = _padded(job)
    scores = span_scores(span_counts(gold, found))
    others = _others(job, gold, found)
    return Measured({"score": scores.precision}, others, len(gold), remarks=remarks)


def _score(job: Job, gold: list[Sentence], found: list[Sentence]) -> Measured:
    _check_aligned(job, gold, found)
    right, given = [s.tags for s in gold], [s.tags for s in found]
    scores = span_scores(span_counts(right, given))
    figures = {
        "f1": scores.f1 * 100,
        "precision": scores.precision * 100,
        "recall": scores.recall * 100,
    }
    others = {name: value * 100 for name, value in _others(job, right, given).items()}
    measured = Measured(figures, others, len(gold))
    empty = sum(not tags for tags in right)
    if empty:
        measured.remarks.append(f"{empty} sentences are empty: extra blank lines in both files")
    if not any(span for tags in right for span in tags if span != "O"):
        measured.remarks.append("the labels hold no span, so that every figure is 0")
    return measured


def _others(job: Job, gold: list[list[str]], found: list[list[str]]) -> dict[str, float]:
    values = {}
    for name in job.task.others:
        if name == "accuracy":
            values[name] = token_accuracy(gold, found)
        elif name == "f1_seqeval_0":
            values[name] = span_scores(span_counts(gold, found, reading="seqeval-0")).f1
        else:
            assert name == "f1_strict_iob2", name
            values[name] = span_scores(span_counts(gold, found, reading="iob2")).f1
    return values


def _bare(path: Path) -> list[Sentence]:
    """As XTREME's ``read_tag``: every further blank line makes an empty sentence."""
    sentences, now = [], Sentence(1)
    for number, raw in enumerate(read_lines(path), 1):
        line = raw.strip()
        if line:
            now.tags.append(_tag(line, path, number))
        else:
            sentences.append(now)
            now = Sentence(number + 1)
    return [*sentences, now] if now.tags else sentences


def _columns(path: Path) -> list[Sentence]:
    sentences, now = [], Sentence(1)
    conllu = path.suffix == ".conllu"
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            sentences += [now] if now.tags else []
            now = Sentence(number + 1)
            continue
        fields = line.strip("\n").split("\t") if "\t" in line else line.split(" ")
        if conllu:
            if line.startswith("#"):
                continue
            if len(fields) <= _UPOS_COLUMN:
                raise DataError(f"{len(fields)} columns, expected 10", path=path, line=number)
            if not fields[0].isdecimal():  # words written as one, and words that are not written
                continue
            now.tokens.append(fields[1])
            now.tags.append(_tag(fields[_UPOS_COLUMN].strip(), path, number))
            continue
        filled = [value for value in fields if value.strip()]
        if "\t" in line and not fields[-1].strip():
            raise DataError(f"{quoted(line)} has no tag", path=path, line=number)
        now.tags.append(_tag(filled[-1].strip(), path, number))
        if len(filled) > 1:
            now.tokens.append(_without_language(filled[0]))
    return [*sentences, now] if now.tags else sentences


def _without_language(token: str) -> str:
    prefix, colon, rest = token[:_MAX_PREFIX].partition(":")
    return token[len(prefix) + 1 :] if colon and prefix.isalpha() and (rest or token[4:]) else token


def _tag(text: str, path: Path, line: int) -> str:
    """A tag alone, or an error: a second column would be read as a part of the tag.

    Raises:
        DataError: There is white space in it, or it is a number.
    """
    remedy = "Leave out tokens and probabilities"
    if len(text.split()) != 1:
        raise DataError(f"{quoted(text)}, expected one tag", path=path, line=line, remedy=remedy)
    if text[0].isdecimal():
        raise DataError(f"{quoted(text)} is no tag", path=path, line=line, remedy=remedy)
    return text


def _check_aligned(job: Job, gold: Sequence[Sentence], found: Sequence[Sentence]) -> None:
    """Refuse predictions whose sentences are not those of the labels.

    The first sentence of another length is named rather than the number of sentences: a blank line
    that was lost or added lies there.
    """
    for number, (g, f) in enumerate(zip(gold, found, strict=False), 1):
        if len(g.tags) != len(f.tags):
            raise DataError(
                f"sentence {number} has {len(f.tags)} tags, but {len(g.tags)} in {job.labels}"
                f" (line {g.line}); {len(found)} sentences here, {len(gold)} there",
                path=job.predictions,
                line=f.line,
                remedy="Write a tag for every token and one blank line after every sentence",
            )
        for place, (token, other) in enumerate(zip(g.tokens, f.tokens, strict=False)):
            if len(g.tokens) == len(f.tokens) == len(g.tags) and token != other:
                raise DataError(
                    f"token {quoted(other)}, but {quoted(token)} in {job.labels}"
                    f" (line {g.line + place})",
                    path=job.predictions,
                    line=f.line + place,
                )
    if len(gold) != len(found):
        lines = [sentence.line for sentence in found] or [1]
        line = lines[min(len(gold), len(lines) - 1)]
        raise DataError(
            f"{len(found)} sentences, but {job.labels} has {len(gold)}",
            path=job.predictions,
            line=line,
            remedy="Write one blank line after every sentence, and no other",
        )


def _padded(job: Job) -> tuple[list[list[str]], list[list[str]], list[str]]:
    """XGLUE's files: sentences that were cut short are filled up with ``O``."""
    found, gold = _xglue_predictions(job.predictions), _xglue_labels(job.labels)
    check_count(
        "sentences", found=len(found), wanted=len(gold), path=job.predictions, labels=job.labels
    )
    filled = 0
    for number, (g, f) in enumerate(zip(gold, found, strict=True), 1):
        if len(f.tags) > len(g.tags):
            raise DataError(
                f"sentence {number} has {len(f.tags)} tags, but {len(g.tags)} in {job.labels}"
                f" (line {g.line})",
                path=job.predictions,
                line=f.line,
            )
        filled += len(g.tags) - len(f.tags)
        f.tags += ["O"] * (len(g.tags) - len(f.tags))
    remarks = [f"{filled} tags lacked at ends of sentences and were taken as O"] if filled else []
    return [s.tags for s in gold], [s.tags for s in found], remarks


def _xglue_predictions(path: Path) -> list[Sentence]:
    sentences, now = [], Sentence(1)
    for number, raw in enumerate(read_lines(path), 1):
        line = raw.strip()
        if line:
            now.tags.append(_tag(line, path, number))
        elif now.tags:
            sentences.append(now)
            now = Sentence(number + 1)
        else:
            raise DataError(
                "a second blank line, which the official script takes for a tag and fails on",
                path=path,
                line=number,
                remedy="Write one blank line after every sentence",
            )
    return [*sentences, now] if now.tags else sentences


def _xglue_labels(path: Path) -> list[Sentence]:
    sentences, now = [], Sentence(1)
    for number, line in enumerate(read_lines(path), 1):
        if line.strip() and not line.startswith("-DOCSTART-"):
            now.tags.append(line.split()[-1])
        else:
            sentences += [now] if now.tags else []
            now = Sentence(number + 1)
    return [*sentences, now] if now.tags else sentences
