"""A corpus as token ids on disk: written once, mapped into memory, cut into rows.

A row is what one place in a batch holds: a window of a document, or a text and its translation,
without special tokens, which are added when a batch is made. Each token knows how many bytes of the
original text it covers, the white space before the next token included, so that losses can be told
in bits per byte, which compares models of different tokenizers.

Legend: T tokens, N rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.files import atomic_folder, read_json_file, write_json
from interlingua.batches.buckets import IntArray
from interlingua.batches.tokens import clean

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_CHUNK = 512
_MAX_CHARACTERS = 1_000_000
_KINDS = {"tokens": np.uint32, "bytes": np.uint16, "starts": np.int64, "second": np.int32}
_ROW_KINDS = {"lang": np.int16, "document": np.int32}


@dataclass(frozen=True, slots=True)
class Text:
    """What a store is made of: a text, or a text and its translation, with a name.

    Attributes:
        text: The text.
        lang: Its language tag.
        id: Its name in messages.
        second: Its translation.
        second_lang: The translation's language tag.
    """

    text: str
    lang: str
    id: str
    second: str | None = None
    second_lang: str = ""


class TokenStore:
    """Rows of token ids in a folder; see the module's text.

    Attributes:
        starts: Where each row starts among the tokens, and where the last ends [N + 1].
        second: Where in a row the translation starts; 0: there is none [N].
        lang: Index of each row's language into ``languages`` [N].
        languages: Language tags; of pairs, both joined by ``-``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        facts = read_json_file(folder / "store.json")
        self.languages: tuple[str, ...] = tuple(facts["languages"])
        self.tokens, self.bytes = self._map("tokens"), self._map("bytes")
        self.starts: IntArray = np.asarray(self._map("starts"))
        self.second: NDArray[np.int32] = np.asarray(self._map("second"))
        self.lang: NDArray[np.int16] = np.asarray(self._map("lang"))
        self._document = self._map("document")
        self._ids: list[str] | None = None

    def _map(self, name: str) -> Any:  # noqa: ANN401 - an array of the name's kind
        return np.load(self.folder / f"{name}.npy", mmap_mode="r")

    def __len__(self) -> int:
        """Rows."""
        return len(self.lang)

    @property
    def lengths(self) -> IntArray:
        """Tokens of each row, special ones not counted [N]."""
        return np.diff(self.starts)

    @property
    def documents(self) -> IntArray:
        """The document each row is of, counted from 0 [N]; rows of one follow each other."""
        return np.asarray(self._document, dtype=np.int64)

    def row(self, index: int) -> IntArray:
        """Token ids of a row."""
        return np.asarray(self.tokens[self.starts[index] : self.starts[index + 1]], dtype=np.int64)

    def row_bytes(self, index: int) -> IntArray:
        """Bytes that each token of a row covers."""
        return np.asarray(self.bytes[self.starts[index] : self.starts[index + 1]], dtype=np.int64)

    def name(self, index: int) -> str:
        """The id of the document a row is of."""
        if self._ids is None:
            text = (self.folder / "ids.txt").read_text(encoding="utf-8")
            self._ids = text.split("\n")
        return self._ids[int(self._document[index])]


def build_store(
    texts: Iterable[Text],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    max_tokens: int,
    joint: int | None = None,
) -> TokenStore:
    """Tokenize texts and write them as rows.

    Args:
        texts: What to write, in order.
        tokenizer: A `tokenizers.Tokenizer`.
        folder: Where to; it appears when all is written.
        max_tokens: Tokens of a row at most, special ones not counted. A longer document becomes
            several rows; of a pair, both texts are cut to half of it.
        joint: Id put between short documents of a language that share a row; None: they do not.
    """
    tokenizer.no_padding()
    tokenizer.no_truncation()
    writer = _Writer(max_tokens, joint)
    with atomic_folder(folder) as temporary:
        stream = iter(texts)
        with (
            (temporary / "tokens.raw").open("wb") as tokens,
            (temporary / "bytes.raw").open("wb") as sizes,
        ):
            writer.open(tokens, sizes)
            while chunk := list(islice(stream, _CHUNK)):
                firsts = [clean(text.text[:_MAX_CHARACTERS]) for text in chunk]
                encodings = tokenizer.encode_batch(firsts, add_special_tokens=False)
                paired = [i for i, text in enumerate(chunk) if text.second is not None]
                seconds = [clean(str(chunk[i].second)[:_MAX_CHARACTERS]) for i in paired]
                others = tokenizer.encode_batch(seconds, add_special_tokens=False)
                by_row = dict(zip(paired, zip(seconds, others, strict=True), strict=True))
                for i, text in enumerate(chunk):
                    writer.add(text, (firsts[i], encodings[i]), by_row.get(i))
            writer.flush()
        writer.finish(temporary)
    return TokenStore(folder)


class _Writer:
    """Turns encodings into rows and counts where they are."""

    def __init__(self, max_tokens: int, joint: int | None) -> None:
        self.max_tokens, self.joint = max_tokens, joint
        self.starts = [0]
        self.second: list[int] = []
        self.lang: list[int] = []
        self.document: list[int] = []
        self.ids: list[str] = []
        self.languages: dict[str, int] = {}
        self.waiting: dict[str, list[tuple[Any, Any]]] = {}

    def open(self, tokens: Any, sizes: Any) -> None:  # noqa: ANN401 - binary files
        self.files = (tokens, sizes)

    def add(
        self, text: Text, first: tuple[str, Encoding], second: tuple[str, Encoding] | None
    ) -> None:
        self.ids.append(text.id.replace("\n", " "))
        ids, sizes = _measured(*first)
        if second is not None:
            half = self.max_tokens // 2
            more, more_sizes = _measured(*second)
            ids, sizes, more, more_sizes = ids[:half], sizes[:half], more[:half], more_sizes[:half]
            if len(ids) and len(more):
                joined = np.concatenate([ids, more]), np.concatenate([sizes, more_sizes])
                self._row(f"{text.lang}-{text.second_lang}", *joined, second=len(ids))
            return
        for start in range(0, len(ids), self.max_tokens):
            window = ids[start : start + self.max_tokens], sizes[start : start + self.max_tokens]
            if self.joint is not None:
                self._pack(text.lang, *window)
            else:
                self._row(text.lang, *window)

    def _pack(self, lang: str, ids: Any, sizes: Any) -> None:  # noqa: ANN401 - arrays
        waiting = self.waiting.setdefault(lang, [])
        if sum(len(part) for part, _ in waiting) + 1 + len(ids) > self.max_tokens:
            self._flush(lang)
        elif waiting:
            waiting.append((np.array([self.joint]), np.array([0])))
        self.waiting[lang].append((ids, sizes))

    def _flush(self, lang: str) -> None:
        waiting = self.waiting[lang]
        if waiting:
            ids, sizes = (np.concatenate(parts) for parts in zip(*waiting, strict=True))
            self._row(lang, ids, sizes)
        self.waiting[lang] = []

    def flush(self) -> None:
        for lang in self.waiting:
            self._flush(lang)

    def _row(self, lang: str, ids: Any, sizes: Any, *, second: int = 0) -> None:  # noqa: ANN401
        for file, values, kind in zip(self.files, (ids, sizes), ("tokens", "bytes"), strict=True):
            file.write(values.astype(_KINDS[kind]).tobytes())
        self.starts.append(self.starts[-1] + len(ids))
        self.second.append(second)
        self.lang.append(self.languages.setdefault(lang, len(self.languages)))
        self.document.append(len(self.ids) - 1)

    def finish(self, folder: Path) -> None:
        for name in ("tokens", "bytes"):
            raw = folder / f"{name}.raw"
            empty = not self.starts[-1]
            written = np.zeros(0) if empty else np.memmap(raw, dtype=_KINDS[name], mode="r")
            np.save(folder / f"{name}.npy", written.astype(_KINDS[name], copy=False))
            raw.unlink()
        for name, kind in {**_KINDS, **_ROW_KINDS}.items():
            if name not in ("tokens", "bytes"):
                np.save(folder / f"{name}.npy", np.array(getattr(self, name), dtype=kind))
        (folder / "ids.txt").write_text("\n".join(self.ids), encoding="utf-8")
        write_json(folder / "store.json", {"languages": list(self.languages)})


def _measured(text: str, encoding: Encoding) -> tuple[IntArray, IntArray]:
    """Token ids and the bytes each covers, up to where the next begins."""
    ids = np.array(encoding.ids, dtype=np.int64)
    if not len(ids):
        return ids, ids
    characters = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    wide = [(characters >= bound).astype(np.int64) for bound in (0x80, 0x800, 0x10000)]
    ends = np.concatenate([[0], np.cumsum(1 + sum(wide))])
    begins = np.minimum(np.array([begin for begin, _ in encoding.offsets]), len(characters))
    begins = np.maximum.accumulate(begins)
    begins[0] = 0
    places = ends[np.append(begins, len(characters))]
    return ids, np.minimum(np.diff(places), np.iinfo(np.uint16).max)


def languages_of(store: TokenStore) -> Iterator[tuple[str, IntArray]]:
    """Each language of a store with the positions of its rows."""
    for index, tag in enumerate(store.languages):
        yield tag, np.flatnonzero(store.lang == index)
