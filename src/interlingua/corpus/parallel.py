"""Items that are given in several languages: out of pairs, parallel files, or rows with shared ids.

An item has a number and at most one text a language. Rows of texts with one id are one item, so are
lines of one number in plain files called alike but for the language (see `texts`). A pair of any
form (see `pairs`) is an item of two languages.

Legend: N items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from interlingua.base.errors import DataError
from interlingua.base.seeding import generator
from interlingua.corpus.formats import input_sha256, read_rows
from interlingua.corpus.pairs import pair_files, read_pairs
from interlingua.corpus.readers.hub import is_hub
from interlingua.corpus.readers.moses import moses_sides, names_a_pair
from interlingua.corpus.rows import Faults
from interlingua.corpus.texts import text_files, texts_of
from interlingua.languages import UND

_MEMORIES = (".mo", ".po", ".tmx")


@dataclass(slots=True)
class Parallel:
    """Texts by item and language.

    Attributes:
        items: The texts of every item by language tag, ``N`` of them, two languages or more each.
        files: Path, sha256 and number of texts of every file.
        clashes: Texts left out because their item had another text in the language already.
        alone: Texts left out because their item has no other language, or theirs is unknown.
    """

    items: list[dict[str, str]]
    files: list[dict[str, str | int]] = field(default_factory=list)
    clashes: int = 0
    alone: int = 0

    @property
    def languages(self) -> list[str]:
        """The tags that occur, in alphabetical order."""
        return sorted({tag for item in self.items for tag in item})


def read_parallel(
    inputs: Sequence[str | Path],
    *,
    languages: Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    faults: Faults | None = None,
) -> Parallel:
    """Read items from files and folders of any parallel form.

    Args:
        inputs: Files of pairs (tables with ``source`` and ``target``, TMX, catalogues, two files
            line by line), tables of texts with ids, plain files of parallel lines, or folders.
        languages: Tags to keep; empty: all.
        most: Items that any two languages share at most, drawn by ``seed``; None: all.
        seed: Of that draw.
        faults: What to do with a row that cannot be read.

    Raises:
        DataError: A file cannot be read, or no two languages share an item.
    """
    reading = faults or Faults()
    found: dict[str, dict[str, str]] = {}
    parallel = Parallel([])
    for path in _files(inputs):
        rows = 0
        for name, tag, text in _texts(path, reading):
            rows += 1
            if languages and tag not in languages:
                continue
            if tag == UND:
                parallel.alone += 1
                continue
            item = found.setdefault(name, {})
            parallel.clashes += item.setdefault(tag, text) != text
        facts: dict[str, str | int] = {"path": path.as_posix(), "sha256": input_sha256(path)}
        parallel.files.append(facts | {"rows": rows})
    parallel.alone += sum(len(item) == 1 for item in found.values())
    several = [item for item in found.values() if len(item) > 1]
    if not several:
        raise DataError(
            "no item is given in two languages",
            path=str(inputs[0]) if inputs else None,
            remedy="Give pairs, or rows whose ids are the same in all languages",
        )
    parallel.items = several if most is None else _drawn(several, most, seed)
    return parallel


def _files(inputs: Sequence[str | Path]) -> list[Path]:
    """The files of inputs; of two files line by line the first."""
    files: list[Path] = []
    for given in map(Path, inputs):
        if given.is_dir():
            files += text_files(given, _is_pairs)
        elif is_hub(given) or given.exists():
            files.append(given)
        else:
            files += pair_files([given])
    sides = [None if is_hub(file) else moses_sides(file) for file in files]
    return list(dict.fromkeys(f if s is None else s[0] for f, s in zip(files, sides, strict=True)))


def _is_pairs(path: Path) -> bool:
    return path.suffix in _MEMORIES or names_a_pair(path)


def _texts(path: Path, faults: Faults) -> Iterator[tuple[str, str, str]]:
    """Item, language and text of everything in a file."""
    if not _holds_pairs(path):
        for row in texts_of(path, None, faults):
            yield row.id, row.lang, " ".join(row.text.split())
        return
    for pair in read_pairs(path, faults):
        name = f"{path.as_posix()}\t{pair.id}"
        sides = ((pair.source_text, pair.source_lang), (pair.target_text, pair.target_lang))
        for text, lang in sides:
            if text.strip():
                yield name, lang, " ".join(text.split())


def _holds_pairs(path: Path) -> bool:
    if path.suffix in _MEMORIES or (not is_hub(path) and moses_sides(path) is not None):
        return True
    first = next(read_rows(path, Faults("skip")), None)
    return first is not None and "text" not in first.values


def _drawn(items: list[dict[str, str]], most: int, seed: int) -> list[dict[str, str]]:
    """Items in their order, as many as give any two languages ``most`` in common."""
    shared: Counter[tuple[str, str]] = Counter()
    kept = []
    for number in generator(seed, "parallel items").permutation(len(items)).tolist():
        pairs = list(combinations(sorted(items[number]), 2))
        if any(shared[pair] < most for pair in pairs):
            shared.update(pairs)
            kept.append(number)
    return [items[number] for number in sorted(kept)]


__all__ = ["Parallel", "read_parallel"]
