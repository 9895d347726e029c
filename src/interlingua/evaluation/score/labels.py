"""Tasks with one answer a line: labels, ranks, pairs of ids, sentences."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from interlingua.base.errors import DataError, quoted
from interlingua.evaluation.score.lines import check_count, listed, read_lines
from interlingua.evaluation.score.records import Job, Measured
from interlingua.tasks.metrics.mining import bucc_scores, tatoeba_accuracy
from interlingua.tasks.metrics.ranking import ndcg_averaged_ties
from interlingua.tasks.metrics.translation import bleu, chrf

_PAIR = 2


def line_accuracy(job: Job) -> Measured:
    """XTREME's ``accuracy``: share of lines that are equal after stripping, times 100."""
    gold = [line.strip() for line in read_lines(job.labels)]
    found = [line.strip() for line in read_lines(job.predictions)]
    _check(job, found, gold)
    for number, (f, g) in enumerate(zip(found, gold, strict=True), 1):
        _check_columns(job.predictions, number, f, wanted=g.count("\t") + 1)
    measured = Measured({"accuracy": tatoeba_accuracy(gold, found) * 100}, {}, len(gold))
    measured.remarks += _strangers(found, gold)
    both = sum(not g and not f for g, f in zip(gold, found, strict=True))
    if both:
        measured.remarks.append(
            f"{both} lines are blank in both files; the official script counts them as right"
        )
    return measured


def last_column_accuracy(job: Job) -> Measured:
    """XGLUE's ``simple_accuracy``: share of lines equal to the last column of the labels."""
    gold, found = _xglue_columns(job)
    remarks = _strangers(found, gold)
    return Measured({"score": tatoeba_accuracy(gold, found)}, {}, len(gold), remarks=remarks)


def pair_f1(job: Job) -> Measured:
    """XTREME's ``bucc_f1``: sets of lines, times 100."""
    gold, found = _pairs(job.labels), _pairs(job.predictions, empty=True)
    scores = bucc_scores(gold, found)
    figures = {
        "f1": scores.f1 * 100,
        "precision": scores.precision * 100,
        "recall": scores.recall * 100,
    }
    measured = Measured(figures, {}, len(set(gold)))
    for path, pairs in ((job.labels, gold), (job.predictions, found)):
        if ("",) in pairs:
            measured.remarks.append(
                f"{path} has blank lines; the official script counts them as one pair"
            )
        ids = [pair for pair in pairs if pair != ("",)]
        if len(set(ids)) < len(ids):
            measured.remarks.append(f"{path} repeats pairs; each counts once")
    return measured


def grouped_ndcg(job: Job) -> Measured:
    """XGLUE's ``simple_ndcg``: mean over queries with two pages or more."""
    lines = read_lines(job.labels)
    gold = [_number(job.labels, i, line.split("\t")[-1]) for i, line in enumerate(lines, 1)]
    rows = read_lines(job.predictions)
    check_count(
        "lines", found=len(rows), wanted=len(lines), path=job.predictions, labels=job.labels
    )
    found = [_number(job.predictions, i, row) for i, row in enumerate(rows, 1)]
    queries: list[list[int]] = []
    last = ""
    for i, line in enumerate(lines):
        query = line.split("\t")[0]
        # The script opens no group after an empty query.
        if not queries or (query != last and last):
            queries.append([])
        last = query
        queries[-1].append(i)
    ranked = [rows for rows in queries if len(rows) > 1]
    if not ranked:
        raise DataError("no query has two pages or more", path=job.labels, line=1)
    means = {
        gain: float(
            np.mean(
                [
                    ndcg_averaged_ties(
                        np.array([gold[i] for i in rows]),
                        np.array([found[i] for i in rows]),
                        gain=gain,
                    )
                    for rows in ranked
                ]
            )
        )
        for gain in ("linear", "exponential")
    }
    left_out = len(queries) - len(ranked)
    remarks = [f"{left_out} queries with one page are left out"] if left_out else []
    return Measured(
        {"score": means["linear"]},
        {"ndcg_exponential": means["exponential"]},
        len(lines),
        remarks=remarks,
    )


def sentence_bleu(job: Job) -> Measured:
    """XGLUE's BLEU: lower-cased, tokenizer 13a for every language, divided by 100."""
    gold = [line.split("\t")[-1].strip() for line in read_lines(job.labels)]
    found = [line.strip() for line in read_lines(job.predictions)]
    _check(job, found, gold)
    score = bleu(found, [gold], tokenizer="13a", lowercase=True)
    cased, characters = bleu(found, [gold], tokenizer="13a"), chrf(found, [gold])
    return Measured(
        {"score": score.score / 100},
        {"bleu_cased": cased.score / 100, "chrf++": characters.score / 100},
        len(gold),
        remarks=[f"signature {score.signature}"],
    )


def _xglue_columns(job: Job) -> tuple[list[str], list[str]]:
    lines = read_lines(job.labels)
    if job.labels.name.endswith("_2k.tsv"):  # PAWS-X: a header, and blank lines do not count
        lines = [line for line in lines[1:] if line.strip()]
    gold = [line.split("\t")[-1].strip() for line in lines]
    found = [line.strip() for line in read_lines(job.predictions)]
    _check(job, found, gold)
    for number, line in enumerate(found, 1):
        _check_columns(job.predictions, number, line, wanted=1)
    return gold, found


def _strangers(found: list[str], gold: list[str]) -> list[str]:
    if set(found) & set(gold):
        return []
    return [f"no predicted label occurs in the labels: {listed(sorted(set(found)))}"]


def _check(job: Job, found: list[str], gold: list[str]) -> None:
    check_count(
        "lines", found=len(found), wanted=len(gold), path=job.predictions, labels=job.labels
    )


def _check_columns(path: Path, line: int, text: str, *, wanted: int) -> None:
    columns = text.count("\t") + 1
    if text and columns != wanted:
        raise DataError(
            f"{columns} columns, expected {wanted}: the official script compares whole lines",
            path=path,
            line=line,
            remedy="Leave out probabilities and texts",
        )


def _pairs(path: Path, *, empty: bool = False) -> list[tuple[str, ...]]:
    pairs = [tuple(line.strip().split("\t")) for line in read_lines(path, empty=empty)]
    for number, pair in enumerate(pairs, 1):
        if pair != ("",) and len(pair) != _PAIR:
            raise DataError(
                f"{len(pair)} columns, expected two ids with a tab between: {listed(list(pair))}",
                path=path,
                line=number,
                remedy="Of scored candidates, keep those above a threshold tuned on other data",
            )
    return pairs


def _number(path: Path, line: int, text: str) -> float:
    try:
        value = float(text.strip())
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{quoted(text)} is not a number", path=path, line=line)
    return value
