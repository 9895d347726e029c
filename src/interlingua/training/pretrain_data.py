"""The texts and pairs of a pretraining recipe, as token stores with rows held out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import DataError
from interlingua.base.files import read_json_file, write_json
from interlingua.base.progress import say, track
from interlingua.batches.token_store import Text, TokenStore, build_store
from interlingua.corpus.formats import input_sha256
from interlingua.corpus.pairs import pair_files, read_pairs
from interlingua.corpus.readers.hub import is_hub
from interlingua.corpus.readers.moses import moses_sides
from interlingua.corpus.rows import Faults
from interlingua.corpus.texts import problem_of, texts_of
from interlingua.languages.tags import UND, tag_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from interlingua.training.pretrain_settings import CorpusData

REJECTED = "rejected.jsonl"
_FACTS = "read.json"
_SHARDS = "shards"
_BUCKETS = 1 << 32


@dataclass(frozen=True, slots=True)
class Files:
    """What ``data`` names, found: files of texts or of pairs.

    Attributes:
        train: Training files.
        validation: Validation files.
        hashes: The sha256 of every file, in that order; empty where nobody asked for it.
    """

    train: list[Path]
    validation: list[Path]
    hashes: list[str]


def find(train: Iterable[str], validation: Iterable[str], *, hashed: bool = True) -> Files:
    """Files of folders, patterns and names.

    Args:
        train: Names of training files.
        validation: Names of validation files.
        hashed: Whether the files are read through for their sha256.

    Raises:
        DataError: A name or pattern matches no file.
    """
    found = [file for name in train for file in _files(name, "train")]
    named = [file for name in validation for file in _files(name, "validation")]
    for name in train:
        if not named and (Path(name) / _SHARDS / "validation").is_dir():
            named += _files(name, "validation")
    hashes = [input_sha256(path) for path in [*found, *named]] if hashed else []
    return Files(found, named, hashes)


def _files(name: str, split: str) -> list[Path]:
    if not name.strip():
        raise DataError(f"data.{split} holds an empty name", remedy="Name files or corpus folders")
    path = Path(name).expanduser()
    shards = path / _SHARDS / split
    if shards.is_dir():
        return sorted(shards.rglob("*.jsonl.*"))
    sides = None if is_hub(path) else moses_sides(path)
    if sides is not None:
        return [sides[0]]
    if path.is_file() or is_hub(path):
        return [path]
    if path.is_dir():
        try:
            return pair_files([path])
        except DataError as error:
            raise DataError("no file and no corpus folder", path=path) from error
    found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    files = [file for file in found if file.is_file()]
    if not files:
        inside = path / "*.jsonl" if path.is_dir() else Path("texts") / "*.jsonl"
        raise DataError(
            "no file and no corpus folder",
            path=path,
            remedy=f"Name files, or a pattern such as {inside}",
        )
    return files


@dataclass(frozen=True, slots=True)
class Stores:
    """Training and validation rows of texts, or of pairs.

    Attributes:
        train: Rows to train on.
        validation: Rows to measure on, if there are some.
        rows: Texts or pairs taken from each training file.
        rejected: Rows that could not be read.
        licences: Training rows by licence; "": none was told.
        negatives: Hard negatives of training pairs, each with the number of its pair as its id.
    """

    train: TokenStore
    validation: TokenStore | None
    rows: tuple[int, ...] = ()
    rejected: int = 0
    licences: dict[str, int] = field(default_factory=dict)
    negatives: TokenStore | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A text or pair of a file.

    Attributes:
        path: The file.
        text: The text, or the pair.
        cluster: What keeps it in one split with its likes.
        licence: What it may be used under; empty where nobody told.
        negatives: Of a pair, texts that are no translations.
    """

    path: Path
    text: Text
    cluster: str
    licence: str = ""
    negatives: tuple[str, ...] = ()


def made(folder: Path) -> bool:
    """Whether `make_stores` has written all of a folder."""
    return (folder / _FACTS).is_file()


def open_stores(folder: Path) -> Stores:
    """What `make_stores` has written."""
    facts = read_json_file(folder / _FACTS)
    validation, negatives = (
        TokenStore(folder / name) if (folder / name).is_dir() else None
        for name in ("validation", "negatives")
    )
    return Stores(
        TokenStore(folder / "train"),
        validation if validation is not None and len(validation) else None,
        tuple(facts["rows"]),
        int(facts["rejected"]),
        facts["licences"],
        negatives,
    )


def make_stores(
    files: Files,
    data: CorpusData,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    max_tokens: int,
    joint: int | None,
    pairs: bool,
) -> None:
    """Read files and write their rows below ``folder``, with ``rejected.jsonl``.

    Args:
        files: What to read.
        data: Languages, held-out share, and what to do with bad rows.
        tokenizer: Of the model.
        folder: Where to.
        max_tokens: Tokens of a row, special ones not counted.
        joint: Id between documents that share a row; None: they do not.
        pairs: Whether the files hold pairs.

    Raises:
        DataError: A row cannot be read, or none is left to train on.
    """
    held = 0.0 if files.validation else data.held_out
    read: Counter[Path] = Counter()
    rows: Counter[Path] = Counter()
    licences: Counter[str] = Counter()
    negatives: list[Text] = []

    def stream(paths: list[Path], faults: Faults, *, validation: bool) -> Iterator[Text]:
        with track("Tokenizing", unit="texts") as progress:
            for row in read_texts(paths, data, faults, pairs=pairs):
                progress.advance()
                read[row.path] += not validation
                if held and held_out(row.cluster, held) != validation:
                    continue
                if not validation:
                    number = str(rows.total())
                    negatives.extend(Text(text, UND, number) for text in row.negatives)
                    rows[row.path] += 1
                    licences[row.licence] += 1
                yield row.text

    def split(name: str, paths: list[Path], faults: Faults) -> TokenStore:
        texts = stream(paths, faults, validation=name == "validation")
        return build_store(texts, tokenizer, folder / name, max_tokens=max_tokens, joint=joint)

    what = "pairs" if pairs else "texts"
    faults, again = Faults(data.on_error), Faults(data.on_error)
    if not len(split("train", files.train, faults)):
        raise DataError(
            f"no {what} to train on: {read.total():,} were read, "
            f"{read.total() - rows.total():,} of them are held out, "
            f"{len(faults.rejected):,} rows could not be read",
            path=files.train[0] if files.train else None,
            remedy="Look at the files, data.languages and data.held_out",
        )
    measured = bool(files.validation or held)
    if measured and not len(split("validation", files.validation or files.train, again)):
        say(f"warning: no {what} are held out: nothing will be measured on them")
    if files.validation:
        faults.rejected.faults += again.rejected.faults
    if faults.rejected.faults:
        say(f"warning: {len(faults.rejected):,} rows of {what} could not be read: rejected.jsonl")
    faults.rejected.write(folder / REJECTED)
    if negatives:
        build_store(negatives, tokenizer, folder / "negatives", max_tokens=max_tokens // 2)
    facts = {
        "rows": [rows[path] for path in files.train],
        "rejected": len(faults.rejected),
        "licences": dict(licences.most_common()),
    }
    write_json(folder / _FACTS, facts)


def held_out(cluster: str, share: float) -> bool:
    """Whether the texts of a cluster are put aside: the same in every run, of any file."""
    digest = hashlib.sha256(cluster.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little") / _BUCKETS < share


def read_texts(
    paths: list[Path], data: CorpusData, faults: Faults, *, pairs: bool
) -> Iterator[Read]:
    """Texts or pairs of files.

    Raises:
        DataError: A row cannot be read, is empty, or lacks a column.
    """
    wanted = {tag_of(name) for name in data.languages}
    lang = tag_of(data.lang) if data.lang else None
    for path in paths:
        for read in _pairs(path, faults) if pairs else _texts(path, lang, faults):
            if not wanted or {read.text.lang, read.text.second_lang or read.text.lang} <= wanted:
                yield read


def _pairs(path: Path, faults: Faults) -> Iterator[Read]:
    for pair in read_pairs(path, faults):
        source, target = pair.source_text, pair.target_text
        for text in (source, target):
            problem, remedy = problem_of(text)
            if problem:
                faults.report(DataError(f"pair {pair.id}: {problem}", path=path, remedy=remedy))
                break
        else:
            langs = pair.source_lang, pair.target_lang
            both = Text(source, langs[0], pair.id, second=target, second_lang=langs[1])
            yield Read(path, both, pair.cluster or source, pair.licence, pair.negatives)


def _texts(path: Path, lang: str | None, faults: Faults) -> Iterator[Read]:
    for found in texts_of(path, lang, faults):
        text = Text(found.text, found.lang, f"{found.lang}/{found.id}")
        yield Read(path, text, found.cluster or found.text, found.licence)
