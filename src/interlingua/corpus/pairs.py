"""Pairs of any source, cleaned, as one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from interlingua.base.errors import DataError, LanguageError
from interlingua.corpus.choose_pairs import PairChoice, chosen_rows
from interlingua.corpus.clean_pairs import Cleaner, CleanRules, length_ratios
from interlingua.corpus.readers.gettext import read_mo, read_po
from interlingua.corpus.readers.hub import is_hub, read_hub, translation_of
from interlingua.corpus.readers.moses import moses_sides, names_a_pair, read_moses
from interlingua.corpus.readers.tmx import read_tmx
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults, Row, read_table
from interlingua.corpus.writing import pair_row, write_rows
from interlingua.languages.tags import tag_of

_READERS: dict[str, Callable[[Path, Faults], Iterator[Pair]]] = {
    ".mo": read_mo,
    ".po": read_po,
    ".tmx": read_tmx,
}
_TABLES = (".jsonl", ".tsv", ".parquet")
_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of pairs: in = out + dropped + rejected."""

    out: int
    dropped: dict[str, int]
    rejected: int
    languages: dict[str, int] = field(default_factory=dict)


def pair_files(inputs: Sequence[str | Path]) -> list[Path]:
    """Files as they are, and all files of pairs in folders; of two parallel files the source.

    Raises:
        DataError: An input is missing, or a folder holds no file of pairs.
    """
    found = []
    for given in map(Path, inputs):
        if not given.is_dir():
            sides = None if is_hub(given) else moses_sides(given)
            if sides is None and not is_hub(given) and not given.exists():
                raise DataError("no such file or folder", path=given)
            found.append(given if sides is None else sides[0])
            continue
        inside = [path for path in sorted(given.rglob("*")) if _holds_pairs(path)]
        if not inside:
            raise DataError("no file of pairs in the folder", path=given)
        found += inside
    return found


def _holds_pairs(path: Path) -> bool:
    """Whether a file in a folder is one of pairs, or the source of two whose names tell both."""
    ending = _ending(path)
    if ending in _READERS or (ending in _TABLES and path.is_file()):
        return True
    return names_a_pair(path) and (moses_sides(path) or (None,))[0] == path


def _ending(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix not in _COMPRESSED]
    return suffixes[-1].lower() if suffixes else ""


def read_pairs(path: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of a table, a catalogue, a translation memory, two parallel files or the hub.

    A table has the columns ``source``, ``target``, ``source_lang`` and ``target_lang``, and may
    have ``negatives``, a list of texts; a row of the hub may have ``translation`` instead.

    Raises:
        DataError: The file or a row of it cannot be read.
    """
    reader = _READERS.get(_ending(path))
    if reader is not None:
        yield from reader(path, faults)
        return
    if not is_hub(path) and moses_sides(path) is not None:
        yield from read_moses(path, faults)
        return
    rows = read_hub(path, faults) if is_hub(path) else read_table(path, faults)
    for row in rows:
        try:
            yield _pair(row)
        except DataError as fault:
            faults.report(fault)


def _pair(row: Row) -> Pair:
    values = translation_of(row.values) or row.values
    texts = [values.get(name) for name in ("source", "target", "source_lang", "target_lang")]
    if not all(isinstance(text, str) for text in texts):
        raise DataError(
            "columns source, target, source_lang and target_lang are expected",
            path=row.path,
            line=row.line,
        )
    try:
        tags = [tag_of(str(name)) for name in texts[2:]]
    except LanguageError as error:
        raise DataError(error.problem, path=row.path, line=row.line) from error
    negatives = values.get("negatives") or []
    if not isinstance(negatives, list) or not all(isinstance(text, str) for text in negatives):
        raise DataError("negatives has to be a list of texts", path=row.path, line=row.line)
    meta: Any = values.get("meta")
    return Pair(
        source_text=str(texts[0]),
        target_text=str(texts[1]),
        source_lang=tags[0],
        target_lang=tags[1],
        id=str(values.get("id") or f"{row.path.name}:{row.line}"),
        source=str(values.get("origin") or row.path.name),
        licence=str(values.get("licence") or ""),
        cluster=str(values.get("cluster") or ""),
        meta=meta if isinstance(meta, dict) else {},
        negatives=tuple(negatives),
    )


def gather_pairs(
    inputs: Sequence[str | Path],
    out: Path,
    *,
    rules: CleanRules | None,
    faults: Faults,
    choice: PairChoice | None = None,
) -> Gathered:
    """Write the pairs of files and folders as one file, in order.

    Args:
        inputs: Files, or folders of them.
        out: The file, ``.jsonl``, also with ``.gz`` or ``.zst``.
        rules: What a pair must be to stay; None: all stay.
        faults: What to do with a row that cannot be read.
        choice: How many of two languages stay, of those that are clean; None: all.

    Raises:
        DataError: A file or row cannot be read.
        DiskError: The disk refused a write.
    """
    files = pair_files(inputs)
    counts: dict[str, int] = {}

    def stream(found: Faults) -> Iterator[Pair]:
        none = True
        for file in files:
            for pair in read_pairs(file, found):
                none = False
                yield pair
        if none and not found.rejected.faults:
            raise DataError(f"no pair in {len(files)} files", path=files[0] if files else None)

    def counted(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            name = f"{row['source_lang']}-{row['target_lang']}"
            counts[name] = counts.get(name, 0) + 1
            yield row

    dropped: Counter[str] = Counter()
    pairs = stream(faults)
    if rules is not None:
        ratios = length_ratios(stream(Faults(faults.on_error, replace=faults.replace)))
        cleaner = Cleaner(rules, ratios)
        pairs, dropped = cleaner.clean(pairs), cleaner.dropped
    clean = map(pair_row, pairs)
    if choice is None or choice.everything:
        written = write_rows(out, counted(clean))
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".tmp-{out.name}-") as folder:
            whole = Path(folder) / out.name
            before = write_rows(whole, clean)
            written = write_rows(out, counted(chosen_rows(whole, choice)))
        dropped["not chosen"] += before - written
    return Gathered(
        written,
        dict(dropped.most_common()),
        len(faults.rejected),
        dict(sorted(counts.items())),
    )
