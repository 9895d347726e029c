r"""Put a sixth of the clusters aside before anything is trained, in all languages at once.

    python recipes/tiny-multilingual/split.py --documents runs/tiny/1-debian/documents \
        --pairs runs/tiny/2-pairs.jsonl.zst --out runs/tiny/2-split

Writes ``documents`` and ``pairs.jsonl.zst`` to train on, and for each language pair the synopses of
clusters that were put aside, one of each: the first ``--pool`` of them in ``test``, as many after
them in ``choice``, by which `retrieve.py` chooses a layer. A synopsis that is also the first line
of a text that is trained on, in either language, is in neither.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interlingua.base.errors import DataError
from interlingua.base.files import atomic_folder, refuse_others, write_manifest
from interlingua.base.seeding import generator
from interlingua.corpus.rows import read_table
from interlingua.corpus.writing import write_rows
from interlingua.training.pretrain_data import held_out

SHARE = 1 / 6
PAIRS = "pairs.jsonl.zst"


def split(documents: Path, pairs: Path, out: Path, *, pool: int) -> dict[str, int]:
    """Write the parts and say how many rows each has.

    Raises:
        DataError: A language pair has too few synopses put aside.
    """
    refuse_others(out, mark="manifest.json")
    seen: set[str] = set()
    counts: dict[str, int] = {}
    with atomic_folder(out) as folder:
        for part in ("documents", "test", "choice"):
            (folder / part).mkdir()
        for file in sorted(documents.glob("*.jsonl.zst")):
            name = f"documents/{file.name}"
            counts[name] = write_rows(folder / name, trained(file, seen))
        counts[PAIRS] = write_rows(folder / PAIRS, trained(pairs, seen))
        for name, rows in aside(pairs, seen).items():
            if len(rows) < 2 * pool:
                raise DataError(f"{name}: {len(rows)} synopses are aside, 2 x {pool} are wanted")
            order = generator(0, "pools", name).permutation(len(rows))
            drawn = [rows[i] for i in order[: 2 * pool]]
            for part, of in (("test", drawn[:pool]), ("choice", drawn[pool:])):
                counts[f"{part}/{name}.jsonl"] = write_rows(folder / part / f"{name}.jsonl", of)
        write_manifest(folder, held_out=SHARE, rows=counts)
    return counts


def trained(file: Path, seen: set[str]) -> Iterator[dict[str, Any]]:
    """Rows of clusters that are trained on; first lines of their texts are put into ``seen``."""
    for row in read_table(file):
        values = dict(row.values)
        if not held_out(values["cluster"], SHARE):
            texts = (values.get(name) for name in ("text", "source", "target"))
            seen.update(text.split("\n", 1)[0].casefold() for text in texts if text)
            yield values


def aside(file: Path, seen: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Synopses of clusters that are not, by language pair: one of each cluster, no text twice."""
    found: dict[str, list[dict[str, Any]]] = {}
    used: dict[str, set[str]] = {}
    for row in read_table(file):
        values = dict(row.values)
        if values["meta"]["part"] != "synopsis" or not held_out(values["cluster"], SHARE):
            continue
        name = f"{values['source_lang']}-{values['target_lang']}"
        own = {values[side].casefold() for side in ("source", "target")}
        known = used.setdefault(name, set())
        if not own & seen and not (own | {values["cluster"]}) & known:
            known |= own | {values["cluster"]}
            found.setdefault(name, []).append(values)
    return found


def main() -> None:
    """Write the parts and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=Path, required=True, help="of corpus fetch debian")
    parser.add_argument("--pairs", type=Path, required=True, help="of corpus pairs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pool", type=int, default=200)
    given = parser.parse_args()
    for name, rows in split(given.documents, given.pairs, given.out, pool=given.pool).items():
        print(f"{name}  {rows:,}")


if __name__ == "__main__":
    main()
