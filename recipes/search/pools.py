"""Which descriptions are asked for in which language, and among which others they are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from interlingua.evaluation.documents import Described, Part, in_order, read_described


@dataclass(frozen=True, slots=True)
class Corpus:
    """Descriptions of one part of the clusters, read as they are asked for.

    Attributes:
        folder: What ``corpus fetch debian`` has written.
        part: Which clusters.
    """

    folder: Path
    part: Part
    _read: dict[str, dict[str, Described]] = field(default_factory=dict)

    def __getitem__(self, code: str) -> dict[str, Described]:
        """The descriptions in a language."""
        if code not in self._read:
            (path,) = (self.folder / "documents").glob(f"{code}_*.jsonl*")
            self._read[code] = read_described(path, self.part)
        return self._read[code]


@dataclass(frozen=True, slots=True)
class Plan:
    """Names of clusters.

    Attributes:
        asked: Those that are searched for, by pair of languages.
        pools: Those that lie in the pool of a language.
    """

    asked: dict[str, list[str]]
    pools: dict[str, list[str]]


def plan(
    corpus: Corpus,
    pairs: Sequence[str],
    *,
    queries: int,
    documents: int,
    askable: Callable[[str], bool] = lambda name: True,
) -> Plan:
    """Choose by the hash of names; what is asked for is in the pool, and others to fill it.

    Args:
        corpus: The descriptions.
        pairs: Language of the queries and language of the documents: ``eng-deu``.
        queries: Of a pair at most.
        documents: Of a language, or as many as are asked for.
        askable: Whether a cluster may be asked for.
    """
    asked: dict[str, list[str]] = {}
    pools: dict[str, dict[str, None]] = {}
    for pair in pairs:
        source, target = pair.split("-")
        common = (name for name in in_order(corpus[target]) if name in corpus[source])
        asked[pair] = list(islice(filter(askable, common), queries))
        pools.setdefault(target, {}).update(dict.fromkeys(asked[pair]))
    filled = {}
    for target, names in pools.items():
        others = (name for name in in_order(corpus[target]) if name not in names)
        filled[target] = [*names, *islice(others, max(0, documents - len(names)))]
    return Plan(asked, filled)
