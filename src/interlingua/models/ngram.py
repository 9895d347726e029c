r"""Interpolated modified Kneser-Ney n-grams: the language model that a neural one has to beat.

With a symbol w, its context h of n - 1 symbols, and h' the context without its oldest symbol,

    P(w | h) = (a(h w) - D(a(h w))) / sum_v a(h v)  +  rest(h) P(w | h')
    rest(h)  = sum_v D(a(h v)) / sum_v a(h v)

(Chen and Goodman, Computer Speech and Language 13, 1999, section 3). What is taken from a count
depends on it: D(0) = 0, and with n_r the number of n-grams of this order whose count is r,

    D(1) = 1 - 2 Y n_2 / n_1    D(2) = 2 - 3 Y n_3 / n_2    D(3 and more) = 3 - 4 Y n_4 / n_3
    Y    = n_1 / (n_1 + 2 n_2)

In the highest order the count a is how often the n-gram occurs. Below it is in how many contexts it
occurs, a(g) = |{v : v g occurs}|, but for n-grams that open a sequence, which nothing precedes and
which keep how often they occur (Heafield et al., ACL 2013, section 3). A context that was
never seen passes on P(w | h') unchanged. The recursion ends in the uniform distribution
over the vocabulary and the end of the sequence, so that no symbol is impossible.

Legend: V symbols of the vocabulary, L symbols of a sequence, N symbols of a stream of sequences,
G_k distinct n-grams of order k (G_0 = 1, the empty one).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ConfigError, DataError
from interlingua.models.alphabet import Alphabet, Symbols

Ids = Sequence[int] | NDArray[np.int64]

_CHUNK = 1 << 20
"""Symbols scored at a time."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What some texts cost under a model, the end of each included.

    Attributes:
        nats: Minus the sum of log-probabilities.
        symbols: How many were predicted, ends included.
        bytes: UTF-8 bytes of the texts.
        hidden: Bytes behind unknown symbols; they cost eight bits each on top.
    """

    nats: float
    symbols: int
    bytes: int
    hidden: int

    @property
    def bits_per_byte(self) -> float:
        """Bits for each byte of text; comparable whatever the symbols are."""
        return (self.nats / math.log(2) + 8 * self.hidden) / self.bytes

    @property
    def perplexity(self) -> float:
        """Exponential of the mean nats of a symbol; comparable only over the same symbols."""
        return math.exp(self.nats / self.symbols)


@dataclass(frozen=True, slots=True)
class _Order:
    """The n-grams of one order k, sorted by key.

    An n-gram is known by its row. Its key is the row of its first k - 1 symbols in the order below
    times V + 2, plus its last symbol.

    Attributes:
        keys: int64 [G_k].
        share: What is left of the relative frequency after the discount [G_k].
        rest: What each n-gram of order k - 1, as a context, leaves to the shorter one [G_(k-1)].
    """

    keys: NDArray[np.int64]
    share: NDArray[np.float64]
    rest: NDArray[np.float64]

    def rows(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each key, -1 where there is none."""
        if not len(self.keys):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, places, -1)


class KneserNey:
    """A language model of one order over sequences of symbols 0, 1, ..., V - 1; see the module.

    `end` is the symbol that closes a sequence, V, predicted like any other; `start` opens one,
    V + 1, and is only ever context. A model takes 24 bytes for each n-gram of each order; fitting
    takes about 100 bytes for each symbol of the training data besides.
    """

    def __init__(self, orders: list[_Order], vocabulary: int) -> None:
        self._orders = orders
        self.vocabulary = vocabulary
        self.end = vocabulary
        self.start = vocabulary + 1

    @property
    def order(self) -> int:
        """Symbols of the longest n-gram."""
        return len(self._orders)

    @property
    def ngrams(self) -> tuple[int, ...]:
        """How many distinct n-grams were seen of each order, from 1."""
        return tuple(len(order.keys) for order in self._orders)

    @classmethod
    def fit(cls, sequences: Iterable[Ids], *, order: int, vocabulary: int) -> KneserNey:
        """Count the n-grams of ``sequences``, in sorted arrays, order by order.

        Args:
            sequences: Symbols from 0 up to, not including, ``vocabulary``.
            order: Symbols of the longest n-gram: 3 for a trigram.
            vocabulary: V, how many symbols there are, seen or not.

        Raises:
            ConfigError: ``order`` is below 1.
            DataError: There are no sequences.
        """
        if order < 1:
            raise ConfigError(f"order {order}: an n-gram has at least one symbol", remedy="Give 3")
        stream = _stream(sequences, vocabulary)
        if not len(stream):
            raise DataError("no sequences to learn n-grams from")
        start = vocabulary + 1
        orders: list[_Order] = []
        lower: _Counted | None = None
        for length in range(1, order + 1):
            higher = _count(stream, lower, start)
            if lower is not None:
                opened = np.bincount(lower.rows[higher.first], minlength=len(lower.keys))
                lower.counts = np.where(opened > 0, opened, lower.counts)
                orders.append(_discounted(lower, _contexts(orders), start, length - 1))
            lower = higher
        assert lower is not None
        orders.append(_discounted(lower, _contexts(orders), start, order))
        return cls(orders, vocabulary)

    def logprob(self, symbol: int, context: Ids = ()) -> float:
        """The natural logarithm of P(symbol | context), of which the last n - 1 symbols count.

        A context that is to open a sequence begins with `start`.
        """
        assert 0 <= symbol <= self.end, symbol
        kept = list(context)[len(context) - min(len(context), self.order - 1) :]
        return float(np.log(self._probabilities(np.array([*kept, symbol], dtype=np.int64))[-1]))

    def score(self, sequence: Ids) -> NDArray[np.float64]:
        """Nats of each symbol of a whole sequence and of its end: -log P, float64 [L + 1]."""
        stream = _stream([sequence], self.vocabulary)
        return -np.log(self._probabilities(stream)[1:])

    def measure(self, texts: Sequence[str], alphabet: Alphabet) -> Measured:
        """What ``texts`` cost, each from its start to its end.

        Raises:
            DataError: The texts hold not a byte.
        """
        assert alphabet.size == self.vocabulary, (alphabet.size, self.vocabulary)
        nats, symbols, size, hidden = 0.0, 0, 0, 0
        for chunk in _chunks(alphabet.spell(texts)):
            stream = _stream((text.ids for text in chunk), self.vocabulary)
            found = self._probabilities(stream)[stream != self.start]
            nats -= float(np.log(found).sum())
            symbols += len(found)
            size += sum(text.bytes for text in chunk)
            hidden += sum(text.hidden for text in chunk)
        if not size:
            raise DataError("no text to measure: there is not a byte in it")
        return Measured(nats, symbols, size, hidden)

    def _probabilities(self, stream: NDArray[np.int64]) -> NDArray[np.float64]:
        """P of each symbol after those before it [N]; nothing is said of `start`."""
        found = np.full(len(stream), 1 / (self.vocabulary + 1))
        context = np.zeros(len(stream), dtype=np.int64)
        for order in self._orders:
            known = np.flatnonzero(context >= 0)
            found[known] *= order.rest[context[known]]
            rows = np.full(len(stream), -1, dtype=np.int64)
            rows[known] = order.rows(context[known] * (self.vocabulary + 2) + stream[known])
            seen = np.flatnonzero(rows >= 0)
            found[seen] += order.share[rows[seen]]
            context = _shifted(rows)
        return found


@dataclass(slots=True)
class _Counted:
    """The n-grams of one order as counted: sorted keys, how often [G], where first [G].

    ``rows`` [N] has the row of the n-gram that ends at each place of the stream, or -1.
    """

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    first: NDArray[np.int64]
    rows: NDArray[np.int64]


def _count(stream: NDArray[np.int64], lower: _Counted | None, start: int) -> _Counted:
    """Count the n-grams one symbol longer than ``lower``; none crosses the start of a sequence."""
    if lower is None:
        places = np.arange(len(stream))
        wanted = stream
    else:
        context = _shifted(lower.rows)
        places = np.flatnonzero((context >= 0) & (stream != start))
        wanted = context[places] * (start + 1) + stream[places]
    keys, first, inverse, counts = np.unique(
        wanted, return_index=True, return_inverse=True, return_counts=True
    )
    rows = np.full(len(stream), -1, dtype=np.int64)
    rows[places] = inverse
    return _Counted(keys, counts, places[first], rows)


def _discounted(counted: _Counted, contexts: int, start: int, length: int) -> _Order:
    """Turn the counts of one order into shares, and into what each context leaves over."""
    counts = counted.counts
    if length == 1:
        counts = np.where(counted.keys == start, 0, counts)  # never predicted
    taken = discounts(counts)[np.minimum(counts, 3)]
    context = counted.keys // (start + 1)
    total = np.bincount(context, weights=counts, minlength=contexts)
    left = np.bincount(context, weights=taken, minlength=contexts)
    rest = np.divide(left, total, out=np.ones(contexts), where=total > 0)
    return _Order(counted.keys, (counts - taken) / total[context], rest)


def discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """What is taken from a count of 0, 1, 2, and 3 or more [4], from the counts of one order.

    Where a count from 1 to 4 never occurs, or a discount comes out at zero or below, one discount
    serves all counts: n_1 / (n_1 + 2 n_2) (Ney, Essen and Kneser, 1994), or a half where that is
    not between 0 and 1.
    """
    n = np.bincount(counts[counts <= 4], minlength=5).astype(np.float64)
    single = n[1] / (n[1] + 2 * n[2]) if n[1] and n[2] else 0.5
    if n[1:].all():
        r = np.arange(1, 4)
        found = r - (r + 1) * single * n[2:] / n[1:4]
        if (found > 0).all():
            return np.concatenate([[0.0], found])
    return np.array([0.0, single, single, single])


def _contexts(orders: list[_Order]) -> int:
    return len(orders[-1].keys) if orders else 1


def _shifted(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of the n-gram that ends one place before each; there is none before the first."""
    return np.concatenate([[-1], rows[:-1]])


def _stream(sequences: Iterable[Ids], vocabulary: int) -> NDArray[np.int64]:
    """All sequences one after the other, each between its start and its end [N]."""
    parts: list[NDArray[np.int64]] = []
    start, end = np.array([vocabulary + 1]), np.array([vocabulary])
    for sequence in sequences:
        ids = np.asarray(sequence, dtype=np.int64)
        assert not len(ids) or (ids.min() >= 0 and ids.max() < vocabulary), "symbol out of range"
        parts += [start, ids, end]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _chunks(texts: Iterable[Symbols]) -> Iterator[list[Symbols]]:
    chunk: list[Symbols] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text.ids)
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


__all__ = ["Ids", "KneserNey", "Measured", "discounts"]
