"""Writing of shards: JSON lines in files of so many bytes, by split and language.

    shards/train/ita_Latn/00000.jsonl.zst
    shards/train/phase-1/ita_Latn/00000.jsonl.zst      where a training has phases
    shards/validation/ita_Latn/00000.jsonl.zst

Documents stand in the order of the inputs; a second pass over a language stands behind the first.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from interlingua.base.progress import track
from interlingua.corpus.pipeline.decide import Fates, chances
from interlingua.corpus.pipeline.prepare import Facts
from interlingua.corpus.pipeline.recipe import CorpusSettings, Sampling, Shards
from interlingua.corpus.pipeline.spool import Spool
from interlingua.corpus.sampling import MAX_PASSES, annealed, by_temperature, by_unimax
from interlingua.corpus.writing import compressed

TRAIN, VALIDATION = "train", "validation"
_FOLDER = "shards"


class Shelves:
    """Shards of many languages, written side by side.

    Args:
        folder: Where their folders are made.
        shards: How large a file is, and how it is compressed.
    """

    def __init__(self, folder: Path, shards: Shards) -> None:
        self.folder = folder
        self.shards = shards
        self._open: dict[str, tuple[ExitStack, IO[bytes]]] = {}
        self._sizes: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Nothing is made before the first line."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Finish every file."""
        for stack, _ in self._open.values():
            stack.close()
        self._open.clear()

    def put(self, name: str, line: bytes) -> None:
        """Add a line to the shards of a name such as ``train/ita_Latn``."""
        if name in self._open and self._sizes[name] + len(line) > self.shards.bytes:
            self._open.pop(name)[0].close()
        if name not in self._open:
            number = self._numbers[name] = self._numbers.get(name, -1) + 1
            path = self.folder / name / f"{number:05d}.jsonl.{self.shards.compression}"
            path.parent.mkdir(parents=True, exist_ok=True)
            stack = ExitStack()
            self._open[name] = stack, stack.enter_context(compressed(path))
            self._sizes[name] = 0
        self._open[name][1].write(line)
        self._sizes[name] += len(line)


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each document is written.

    Attributes:
        parts: Folder names, such as ``train`` or ``train/phase-1``, with the copies that each
            document has there: int16 ``[N]``.
        unused: Documents that are kept, but drawn into none: bool ``[N]``.
    """

    parts: dict[str, NDArray[np.int16]]
    unused: NDArray[np.bool_]


def plan(facts: Facts, fates: Fates, names: list[str], settings: CorpusSettings) -> Plan:
    """How often each document is written where, after split and sampling."""
    validation = fates.kept & fates.validation
    train = fates.kept & ~fates.validation
    parts = {VALIDATION: validation.astype(np.int16)}
    if settings.sampling is None:
        return Plan({TRAIN: train.astype(np.int16), **parts}, np.zeros(len(facts), bool))
    chance = chances(facts, settings.seed)
    taken = np.zeros(len(facts), np.float64)  # passes over each document's language so far
    copies: dict[str, NDArray[np.int16]] = {}
    sizes = _sizes(facts, train, names)
    many = len(settings.sampling.phases) > 1
    for number, wanted in enumerate(_bytes_by_phase(sizes, settings.sampling), 1):
        table = np.array([wanted.get(name, 0.0) / sizes.get(name, 1) for name in names])
        until = taken + table[facts["lang"]] if len(facts) else taken
        # A document is due at the times chance, chance + 1, ...: in this phase, if since `taken`.
        due = np.ceil(until - chance) - np.ceil(taken - chance)
        copies[f"{TRAIN}/phase-{number}" if many else TRAIN] = np.where(train, due, 0).astype(
            np.int16
        )
        taken = until
    drawn = sum(copies.values(), np.zeros(len(facts), np.int16))
    return Plan({**copies, **parts}, train & (drawn == 0))


def _sizes(facts: Facts, train: NDArray[np.bool_], names: list[str]) -> dict[str, int]:
    """Bytes of the documents to train on, by language."""
    sizes = np.zeros(len(names), np.int64)
    np.add.at(sizes, facts["lang"][train], facts["bytes"][train])
    return {name: int(size) for name, size in zip(names, sizes, strict=True) if size}


def _bytes_by_phase(sizes: dict[str, int], sampling: Sampling) -> list[dict[str, float]]:
    if not sizes:
        return []
    budget = sampling.bytes or sum(sizes.values())
    if sampling.unimax is not None:
        return [by_unimax(sizes, budget=budget, epochs=min(sampling.unimax, MAX_PASSES))]
    if sampling.temperature is not None:
        return [by_temperature(sizes, budget=budget, temperature=sampling.temperature)]
    phases = [(phase.share, phase.temperature) for phase in sampling.phases]
    return annealed(sizes, budget=budget, phases=phases)


def write_shards(
    spool: Spool, facts: Facts, fates: Fates, drawn: Plan, out: Path, shards: Shards
) -> None:
    """Write every document as often as planned."""
    langs = np.ascontiguousarray(facts["lang"])  # looked up for every line: not on disk
    passes = max((int(copies.max(initial=0)) for copies in drawn.parts.values()), default=0)
    with (
        Shelves(out / _FOLDER, shards) as shelves,
        track("Writing", total=passes * len(facts), unit="documents") as progress,
    ):
        for number in range(passes):
            wanted = [(name, copies > number) for name, copies in drawn.parts.items()]
            for place, line in enumerate(spool.lines()):
                for name, chosen in wanted:
                    if chosen[place]:
                        ending = b', "cluster": "%016x"}\n' % int(fates.cluster[place])
                        shelves.put(f"{name}/{spool.names[langs[place]]}", line + ending)
                progress.advance()


__all__ = ["TRAIN", "VALIDATION", "Plan", "Shelves", "plan", "write_shards"]
