"""Columns of a row, found by any of their names, and their values, checked."""

from __future__ import annotations

from collections.abc import Sequence

from interlingua.base.errors import DataError, quoted
from interlingua.corpus.rows import Row


def column_of(row: Row, names: Sequence[str]) -> str:
    """The first of ``names`` that the row has.

    Raises:
        DataError: It has none of them.
    """
    for name in names:
        if name in row.values:
            return name
    has = ", ".join(map(str, row.values)) or "none"
    raise DataError(
        f"column '{names[0]}' is missing (columns here: {has})",
        path=row.path,
        line=row.line,
        remedy=f"Name a column one of: {', '.join(names)}",
    )


def text_of(row: Row, names: Sequence[str]) -> str:
    """The text in the first of some columns that the row has.

    Raises:
        DataError: It has none of them, or the value is not a text or blank.
    """
    column = column_of(row, names)
    value = row.values[column]
    problem = ""
    if not isinstance(value, str):
        problem = f"{type(value).__name__} {quoted(value)}, expected a text"
    elif not value.strip():
        problem = "the text is empty"
    elif surrogates := [character for character in value if "\ud800" <= character <= "\udfff"]:
        problem = f"holds a lone surrogate (U+{ord(surrogates[0]):04X})"
    if problem:
        raise DataError(problem, path=row.path, line=row.line, column=column)
    return str(value)
