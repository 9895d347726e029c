"""XGLUE's own file formats (Liang et al., EMNLP 2020): tab-separated, without a header.

A text may be left without its label, as the test files of the first release are: such a row has no
column ``label``. Titles stand before bodies, as one text with a line between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import regex

from interlingua.base.errors import DataError
from interlingua.corpus.rows import Faults, Row, read_lines

CATEGORIES = (
    *("autos", "entertainment", "finance", "foodanddrink", "health", "lifestyle", "news"),
    *("sports", "travel", "video"),
)
"""The labels of news classification."""
TABLES = r"xglue\.(?P<task>nc|qadsm|wpr|qam)\.[a-z]{2}\.(train|dev|test)$"
INFERENCE = r"/XNLI/[a-z]{2}\.(dev|test)$"
GENERATION = r"xglue\.(qg|ntg)\.[a-z]{2}\.src\.(train|dev|test)$"
_LINE = "\n"


def read_xglue_table(path: Path, faults: Faults) -> Iterator[Row]:
    """News with its category, or a query with what was found, and what it was judged to be.

    Raises:
        DataError: A line has another number of fields.
    """
    match = regex.search(TABLES, path.name)
    assert match is not None, path
    yield from _rows(path, faults, _COLUMNS[match["task"]])


def read_xglue_inference(path: Path, faults: Faults) -> Iterator[Row]:
    """XNLI as XGLUE lays it out: premise, hypothesis, label.

    Raises:
        DataError: A line has another number of fields.
    """
    yield from _rows(path, faults, _pair)


def read_xglue_generation(path: Path, faults: Faults) -> Iterator[Row]:
    """What is to be written of a text: ``.src.`` and ``.tgt.``, line by line.

    Raises:
        DataError: The files have unequal numbers of lines.
    """
    target = path.with_name(path.name.replace(".src.", ".tgt."))
    texts = list(read_lines(path, faults))
    written = dict(read_lines(target, faults)) if target.is_file() else {}
    if written and texts and max(written) != texts[-1][0]:
        raise DataError(
            f"{max(written)} lines for {texts[-1][0]} of {path.name}",
            path=target,
            line=min(max(written), texts[-1][0]) + 1,
        )
    for number, text in texts:
        values = {"text": text, "id": str(number)}
        yield Row(values | ({"label": written[number]} if number in written else {}), path, number)


def _rows(
    path: Path, faults: Faults, columns: Callable[[Sequence[str]], dict[str, str] | None]
) -> Iterator[Row]:
    for number, line in read_lines(path, faults):
        if not line.strip():
            continue
        fields = line.split("\t")
        values = columns(fields)
        if values is None:
            problem = f"{len(fields)} fields, which is not what {path.name} has"
            faults.report(DataError(problem, path=path, line=number))
            continue
        yield Row({**values, "id": str(number)}, path, number)


def _news(fields: Sequence[str]) -> dict[str, str] | None:
    """Title, body and category; some releases have a query in front."""
    labelled = fields[-1].strip() in CATEGORIES
    texts = fields[:-1] if labelled else fields
    if len(texts) not in (2, 3):
        return None
    label = {"label": fields[-1].strip()} if labelled else {}
    return {"text": _LINE.join(texts[-2:]), **label}


def _query(fields: Sequence[str]) -> dict[str, str] | None:
    """A query, the title and the text of what was found, and a judgment."""
    if len(fields) not in (3, 4):
        return None
    label = {"label": fields[3].strip()} if len(fields) == 4 else {}
    return {"text": fields[0], "text_pair": _LINE.join(fields[1:3]), **label}


def _pair(fields: Sequence[str]) -> dict[str, str] | None:
    """Two texts and a label."""
    if len(fields) not in (2, 3):
        return None
    label = {"label": fields[2].strip()} if len(fields) == 3 else {}
    return {"text": fields[0], "text_pair": fields[1], **label}


_COLUMNS: dict[str, Callable[[Sequence[str]], dict[str, str] | None]] = {
    "nc": _news,
    "qadsm": _query,
    "wpr": _query,
    "qam": _pair,
}
