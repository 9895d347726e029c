r"""Lines of official files, read as the scripts read them.

Python's text mode: ``\r\n`` and a lone ``\r`` end a line as ``\n`` does.
"""

from __future__ import annotations

from pathlib import Path

from interlingua.base.errors import DataError, quoted
from interlingua.corpus.rows import open_bytes

MAX_BYTES = 512_000_000
"""A larger file is refused: no benchmark has one."""
_SHOWN = 5


def read_text(path: Path) -> str:
    r"""The whole file, with ``\n`` at the end of every line.

    Raises:
        DataError: The file is missing, too large, not UTF-8, or begins with a byte order mark,
            which the scripts take for a part of the first label.
    """
    with open_bytes(path) as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise DataError(f"larger than {MAX_BYTES:,} bytes", path=path)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8",
            path=path,
            line=raw.count(b"\n", 0, error.start) + 1,
            remedy="Convert the file: iconv -f LATIN1 -t UTF-8",
        ) from None
    if text.startswith("\ufeff"):
        raise DataError(
            "begins with a byte order mark, which the official script reads as text",
            path=path,
            line=1,
            remedy="Save the file as UTF-8 without one",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path, *, empty: bool = False) -> list[str]:
    """The lines without their ends.

    Args:
        path: The file.
        empty: Whether it may hold none.

    Raises:
        DataError: As `read_text`; or the file is empty and may not be.
    """
    lines = read_text(path).split("\n")
    if not lines[-1]:
        lines.pop()
    if not lines and not empty:
        raise DataError("is empty", path=path, line=1)
    return lines


def check_count(unit: str, *, found: int, wanted: int, path: Path, labels: Path) -> None:
    """Refuse predictions that are not as many as the labels.

    Raises:
        DataError: With the first line that one of the files has too much or too little.
    """
    if found != wanted:
        raise DataError(
            f"{found} {unit}, but {labels} has {wanted}",
            path=path,
            line=min(found, wanted) + 1,
            remedy=f"Write one prediction for each of the {unit} of the labels, in their order",
        )


def listed(names: list[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(quoted(name) for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
