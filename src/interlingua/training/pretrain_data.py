"""The texts and pairs of a pretraining recipe, as token stores with rows held out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import DataError, LanguageError
from interlingua.base.progress import track
from interlingua.batches.token_store import Text, TokenStore, build_store
from interlingua.corpus.formats import input_sha256, read_rows
from interlingua.corpus.pairs import pair_files, read_pairs
from interlingua.corpus.readers.hub import is_hub
from interlingua.corpus.readers.moses import moses_sides
from interlingua.corpus.rows import Faults, Row
from interlingua.languages.paths import language_of_path
from interlingua.languages.tags import UND, tag_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from interlingua.training.pretrain_settings import CorpusData

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
        return pair_files([path])
    found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    files = [file for file in found if file.is_file()]
    if not files:
        raise DataError("no file and no corpus folder", path=path)
    return files


@dataclass(frozen=True, slots=True)
class Stores:
    """Training and validation rows of texts, or of pairs."""

    train: TokenStore
    validation: TokenStore | None


def make_stores(
    files: Files,
    data: CorpusData,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    max_tokens: int,
    joint: int | None,
    pairs: bool,
) -> Stores:
    """Read files and write their rows below ``folder``; what lies there is taken as it is.

    Args:
        files: What to read.
        data: Languages, held-out share, and what to do with bad rows.
        tokenizer: Of the model.
        folder: Where to; made anew unless it is there.
        max_tokens: Tokens of a row, special ones not counted.
        joint: Id between documents that share a row; None: they do not.
        pairs: Whether the files hold pairs.

    Raises:
        DataError: A row cannot be read, or none is left to train on.
    """
    held = 0.0 if files.validation else data.held_out

    def stream(paths: list[Path], *, validation: bool) -> Iterator[Text]:
        with track("Tokenizing", unit="texts") as progress:
            for text, cluster in read_texts(paths, data, pairs=pairs):
                progress.advance()
                if not held or held_out(cluster, held) == validation:
                    yield text

    def store(name: str, paths: list[Path], *, validation: bool) -> TokenStore | None:
        place = folder / name
        if (place / "store.json").is_file():
            return TokenStore(place)
        texts = stream(paths, validation=validation)
        try:
            return build_store(texts, tokenizer, place, max_tokens=max_tokens, joint=joint)
        except DataError as error:
            if validation and error.path is None:
                return None
            raise

    train = store("train", files.train, validation=False)
    assert train is not None
    validation = None
    if files.validation or held:
        validation = store("validation", files.validation or files.train, validation=True)
    return Stores(train, validation)


def held_out(cluster: str, share: float) -> bool:
    """Whether the texts of a cluster are put aside: the same in every run, of any file."""
    digest = hashlib.sha256(cluster.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little") / _BUCKETS < share


def read_texts(paths: list[Path], data: CorpusData, *, pairs: bool) -> Iterator[tuple[Text, str]]:
    """Texts or pairs of files with what they cluster by.

    Raises:
        DataError: A row cannot be read, or lacks a column.
    """
    faults = Faults(data.on_error)
    wanted = {tag_of(name) for name in data.languages}
    for path in paths:
        for text, cluster in _pairs(path, faults) if pairs else _texts(path, data.lang, faults):
            empty = not text.text.strip() or (text.second is not None and not text.second.strip())
            outside = wanted and not {text.lang, text.second_lang or text.lang} <= wanted
            if not empty and not outside:
                yield text, cluster or text.text


def _pairs(path: Path, faults: Faults) -> Iterator[tuple[Text, str]]:
    for pair in read_pairs(path, faults):
        source, target = pair.source_text, pair.target_text
        langs = pair.source_lang, pair.target_lang
        yield Text(source, langs[0], pair.id, second=target, second_lang=langs[1]), pair.cluster


def _texts(path: Path, lang: str | None, faults: Faults) -> Iterator[tuple[Text, str]]:
    told = tag_of(lang) if lang else language_of_path(path) or UND
    for row in read_rows(path, faults):
        value, named = row.values.get("text"), row.values.get("lang")
        try:
            if not isinstance(value, str):
                have = ", ".join(map(str, row.values)) or "none"
                raise DataError(
                    f"no text in column 'text' (columns: {have})",
                    path=path,
                    line=row.line,
                    column="text",
                )
            tag = _tag(row, named) if named else told
        except DataError as fault:
            faults.report(fault)
            continue
        name = str(row.values.get("id") or f"{path.name}:{row.line}")
        yield Text(value, tag, name), str(row.values.get("cluster") or "")


def _tag(row: Row, name: object) -> str:
    try:
        return tag_of(str(name))
    except LanguageError as error:
        raise DataError(error.problem, path=row.path, line=row.line, column="lang") from error
