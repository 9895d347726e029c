"""Debian's control format: paragraphs of ``Field: value`` lines (Debian Policy, chapter 5).

``Packages``, ``Translation-*`` and machine-readable ``copyright`` files are written in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import regex

from interlingua.base.errors import DataError, quoted
from interlingua.corpus.rows import Faults

_FIELD = regex.compile(r"([!-9;-~]+):[ \t]*(.*)")

Paragraph = dict[str, str]
"""Values by field name in lower case; the lines of a long value are joined by ``\\n`` as written,
without the one blank that continues a field."""


def paragraphs(
    lines: Iterable[tuple[int, str]], path: Path, faults: Faults
) -> Iterator[tuple[int, Paragraph]]:
    """Paragraphs with the number of their first line; a line that is no field is a fault.

    Args:
        lines: Numbers and lines, as `rows.read_lines` gives them.
        path: Named in errors.
        faults: What to do with a broken line; its paragraph goes on without it.

    Raises:
        DataError: A line is neither a field nor the rest of one.
    """
    start, fields, name = 0, Paragraph(), ""
    for number, line in lines:
        if not line.strip():
            if fields:
                yield start, fields
            fields, name = Paragraph(), ""
        elif line[0] in " \t":
            if name:
                fields[name] += "\n" + line[1:]
            else:
                faults.report(DataError("continues no field", path=path, line=number))
        elif line[0] != "#":
            match = _FIELD.fullmatch(line)
            if match is None:
                name = ""
                problem = f"{quoted(line)} is no field, expected Name: value"
                faults.report(DataError(problem, path=path, line=number))
                continue
            name = match[1].lower()
            start = start if fields else number
            fields[name] = match[2]
    if fields:
        yield start, fields


__all__ = ["Paragraph", "paragraphs"]
