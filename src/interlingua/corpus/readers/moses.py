"""Two files, line by line: the form of Moses and of OPUS, ``NAME.de-en.de`` and ``NAME.de-en.en``.

Line n of one is the translation of line n of the other. Where the name says which two languages are
meant, other languages may lie beside them; else there have to be two files that are called alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import regex

from interlingua.base.errors import DataError, LanguageError
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults, open_bytes, read_lines
from interlingua.languages import tag_of

_SIDE = regex.compile(r"(.+)\.((?!gz$|zst$)[a-z]{2,3}(?:[_-][A-Za-z]{2,4})?)((?:\.gz|\.zst)?)")
_PAIR = regex.compile(r".*[._]([a-z]{2,3}(?:_[A-Za-z]{2,4})?)-([a-z]{2,3}(?:_[A-Za-z]{2,4})?)")
_PIECE = 1 << 20
_NOT_LANGUAGES = frozenset({"csv", "tsv", "txt", "tmx", "mo", "po"})  # txt is Citak's


def _language(path: Path) -> str | None:
    """The language that the last part of a name says, compression aside; None: it says none."""
    match = _SIDE.fullmatch(path.name)
    try:
        return None if match is None or match[2] in _NOT_LANGUAGES else tag_of(match[2])
    except LanguageError:
        return None


def moses_sides(path: Path) -> tuple[Path, Path] | None:
    """Both files of a pair.

    Args:
        path: One of the files, or what both names begin with. Where that tells two languages, as
            ``NAME.de-en`` does, the first is the source, else the file that is given.

    Returns:
        Source and target; None: the path is no such file.

    Raises:
        DataError: The other file is missing, or there are several.
    """
    given = _SIDE.fullmatch(path.name) if path.is_file() else None
    if path.is_file() and (given is None or _language(path) is None):
        return None
    base = path.name if given is None else given[1]
    beside = sorted(p for p in path.parent.glob("*") if _base(p) == base and p.is_file())
    if given is None and not beside:
        return None
    named = _PAIR.fullmatch(base)
    if named is not None:
        code = {_code(p): p for p in beside}
        beside = [code[name] for name in (named[1], named[2]) if name in code]
    if len(beside) != 2:
        found = ", ".join(p.name for p in beside) or "none"
        raise DataError(
            f"a pair is two files {base}.xx, found {len(beside)}: {found}",
            path=path,
            remedy="Name them NAME.xx-yy.xx and NAME.xx-yy.yy to tell which two are meant",
        )
    if given is not None and named is None and beside[0] != path:
        beside.reverse()
    return beside[0], beside[1]


def names_a_pair(path: Path) -> bool:
    """Whether a file's name tells the two languages of a pair, one of which is its own."""
    base = _base(path)
    named = None if base is None else _PAIR.fullmatch(base)
    return named is not None and _code(path) in (named[1], named[2])


def _base(path: Path) -> str | None:
    match = _SIDE.fullmatch(path.name)
    return match[1] if match is not None and _language(path) is not None else None


def _code(path: Path) -> str:
    match = _SIDE.fullmatch(path.name)
    assert match is not None
    return str(match[2])


def read_moses(path: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of two files; a line that cannot be read takes its translation along.

    Raises:
        DataError: The files do not have as many lines, or cannot be read.
    """
    sides = moses_sides(path)
    assert sides is not None, f"{path} is not one of two files"
    counts = [_count(side) for side in sides]
    if counts[0] != counts[1]:
        told = " and ".join(f"{n:,} in {side.name}" for n, side in zip(counts, sides, strict=True))
        raise DataError(
            f"the sides differ in length: {told} lines",
            path=sides[0],
            remedy="Line n of one has to be the translation of line n of the other",
        )
    langs = [_language(side) for side in sides]
    assert langs[0] is not None and langs[1] is not None
    name = _base(sides[0]) or path.name
    for number, source, target in _together(sides, faults):
        yield Pair(source, target, langs[0], langs[1], f"{name}:{number}", source=name)


def _together(sides: tuple[Path, Path], faults: Faults) -> Iterator[tuple[int, str, str]]:
    """Lines that both files have; where a reader passed one over, so is the other's."""
    ours, theirs = (read_lines(side, faults) for side in sides)
    one, other = next(ours, None), next(theirs, None)
    while one is not None and other is not None:
        if one[0] == other[0]:
            yield one[0], one[1], other[1]
        behind = min(one[0], other[0])
        one = next(ours, None) if one[0] == behind else one
        other = next(theirs, None) if other[0] == behind else other


def _count(path: Path) -> int:
    """Lines of a file, the last one also without its end."""
    count, last = 0, b"\n"
    with open_bytes(path) as stream:
        while piece := stream.read(_PIECE):
            count += piece.count(b"\n")
            last = piece[-1:]
    return count + (last != b"\n")


__all__ = ["moses_sides", "names_a_pair", "read_moses"]
