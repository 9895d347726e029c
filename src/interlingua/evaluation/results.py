"""What a model answered in one language, as arrays.

Shapes: ``N`` rows, ``C`` classes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import DataError, NonFiniteError, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LanguageResult:
    """What a model answered in one language.

    Attributes:
        lang: The language's tag, such as ``deu_Latn``.
        ids: ``N`` names of the rows, unique; languages with equal ids are taken to be parallel.
        gold: ``[N]``, in ``[0, C)``.
        probabilities: ``[N, C]``, rows sum to one.
        tokens: ``[N]``, subword pieces of every text; None: not counted.
        unknown: ``[N]``, how many of them the vocabulary does not know.
        truncated: ``[N]``, whether the text was cut.
        characters: ``[N]``, code points of every text.

    Raises:
        DataError: There are no rows, or an id stands twice.
        NonFiniteError: A probability is not a number.
    """

    lang: str
    ids: Sequence[str]
    gold: NDArray[np.integer[Any]]
    probabilities: NDArray[np.floating[Any]]
    tokens: NDArray[np.integer[Any]] | None = None
    unknown: NDArray[np.integer[Any]] | None = None
    truncated: NDArray[np.bool_] | None = None
    characters: NDArray[np.integer[Any]] | None = None

    def __post_init__(self) -> None:
        rows = len(self.ids)
        assert self.gold.shape == (rows,), self.gold.shape
        assert self.probabilities.ndim == 2 and len(self.probabilities) == rows
        for column in (self.tokens, self.unknown, self.truncated, self.characters):
            assert column is None or column.shape == (rows,), column.shape
        if rows == 0:
            raise DataError(f"no rows of {self.lang} to score", remedy="Leave the language out")
        if len(set(self.ids)) < rows:
            twice, _ = Counter(self.ids).most_common(1)[0]
            raise DataError(
                f"id {quoted(twice)} stands more than once among the rows of {self.lang}",
                remedy="Give every row an id of its own",
            )
        assert self.gold.min() >= 0 and self.gold.max() < self.probabilities.shape[1]
        broken = ~np.isfinite(self.probabilities).all(axis=1)
        if broken.any():
            raise NonFiniteError(
                f"the model's probabilities are not numbers for {int(broken.sum())} of {rows} rows"
                f" of {self.lang}, first {quoted(self.ids[int(broken.argmax())])}"
            )

    @property
    def predicted(self) -> NDArray[np.intp]:
        """The most probable class of every row, ``[N]``; the first of equals."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.intp)
