"""What a change of the vocabulary does to texts: how many are cut up differently, into how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from interlingua.corpus.texts import Text
from interlingua.languages.segmentation import Unit, count_units, unit_of
from interlingua.vocab.vocabulary import NEW, Revision, tokenizer_unknown

if TYPE_CHECKING:
    from tokenizers import Tokenizer

T = TypeVar("T")
BATCH = 512


@dataclass(slots=True)
class Change:
    """The texts of one language, before and after.

    Attributes:
        unit: What ``units`` counts.
        texts: How many texts.
        unchanged: Those of them cut into the same pieces.
        units: Words, syllables or characters.
        before: Tokens before.
        after: Tokens after.
        unknown_before: Unknown tokens before.
        unknown_after: Unknown tokens after.
    """

    unit: Unit
    texts: int = 0
    unchanged: int = 0
    units: int = 0
    before: int = 0
    after: int = 0
    unknown_before: int = 0
    unknown_after: int = 0

    @property
    def unchanged_share(self) -> float:
        """Share of the texts cut into the same pieces."""
        return self.unchanged / self.texts

    def fertility(self) -> tuple[float, float]:
        """Tokens per unit, before and after."""
        units = max(self.units, 1)
        return self.before / units, self.after / units

    def record(self) -> dict[str, float | str]:
        """The figures as JSON values."""
        before, after = self.fertility()
        return {
            "texts": self.texts,
            "unchanged": round(self.unchanged_share, 6),
            "unit": self.unit,
            "fertility_before": round(before, 4),
            "fertility_after": round(after, 4),
            "tokens_before": self.before,
            "tokens_after": self.after,
            "unknown_before": self.unknown_before,
            "unknown_after": self.unknown_after,
        }


def measure_change(
    tokenizer: Tokenizer, revision: Revision, texts: Iterable[Text]
) -> dict[str, Change]:
    """What a revision does to texts, by language.

    Args:
        tokenizer: The one before.
        revision: What was made of its vocabulary.
        texts: Any texts.
    """
    changed = revision.vocabulary.tokenizer()
    unknown = tokenizer_unknown(tokenizer), revision.vocabulary.unknown_id
    known = [-1 if i is None else i for i in unknown]
    found: dict[str, Change] = {}
    for batch in batched(texts):
        plain = [text.text for text in batch]
        old = tokenizer.encode_batch(plain, add_special_tokens=False)
        new = changed.encode_batch(plain, add_special_tokens=False)
        for text, before, after in zip(batch, old, new, strict=True):
            change = found.setdefault(text.lang, Change(unit_of(text.lang)))
            origin = revision.origin[np.asarray(after.ids, dtype=np.int64)]
            change.texts += 1
            change.unchanged += origin.tolist() == before.ids and NEW not in origin
            change.units += count_units(text.text, change.unit)
            change.before += len(before.ids)
            change.after += len(after.ids)
            change.unknown_before += before.ids.count(known[0])
            change.unknown_after += after.ids.count(known[1])
    return dict(sorted(found.items()))


def batched(items: Iterable[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Items in lists of at most ``size``."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
