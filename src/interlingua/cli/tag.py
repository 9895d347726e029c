"""``interlingua tag``: a tag for every word, and the entities they tell."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlingua.base.errors import DataError, UsageError
from interlingua.base.progress import say
from interlingua.cli.apply import Input, Model, Output, Texts, finish, read_inputs
from interlingua.cli.options import Engine, Exact, Json, Quiet, begin, emit, write

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLES = frozenset([".jsonl", ".ndjson", ".parquet"])
"""Endings of tables that can hold lists of tokens."""


def tag(
    model: Model,
    texts: Texts = None,
    input: Input = None,
    output: Output = None,
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tag the words of texts in any language: names, or parts of speech, as the model was taught.

    A text is cut into words; a table with a column tokens is taken as it is cut.

    Example: interlingua tag --model runs/ner 'Angela Merkel kam aus Templin.'
    """
    begin(quiet=quiet, json=json)
    rows = _given(texts, input)
    from interlingua.applications.tagger import Tagger

    found = Tagger(model, engine=engine, exact=exact).predict([given for _, given in rows])
    records = [{"id": name, **asdict(row)} for (name, _), row in zip(rows, found, strict=True)]
    replaced = sum("\ufffd" in record["text"] for record in records)
    if replaced:
        say(f"{replaced} texts hold characters that could not be read (U+FFFD)")
    finish(records, output=output, json=json, key="predictions")


def project(
    tagged: Annotated[
        Path, typer.Option(help="Sentences with tags (BIO), as finetune reads them.")
    ],
    translations: Annotated[
        Path, typer.Option(help="Their translations: .txt with one a line, or a table.")
    ],
    lang: Annotated[str, typer.Option(help="Language of the translations.")],
    out: Annotated[Path, typer.Option("--out", help="The .jsonl file to write.")],
    model: Annotated[str, typer.Option(help="starter, a folder or a hub id.")] = "starter",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Carry the entities of tagged sentences over to their translations, by word alignment.

    Example: interlingua corpus project --tagged train.en.tsv --translations train.de.txt
    --lang de --out train.de.jsonl
    """
    begin(quiet=quiet, json=json)
    from interlingua.retrieval.projection import project_files

    if out.suffix != ".jsonl":
        raise UsageError(f"--out {out}: the name has to end with .jsonl")
    done = project_files(tagged, translations, out, lang=lang, model=model)
    if json:
        emit({"out": str(out), **asdict(done)})
        return
    write(f"{done.sentences:,} sentences with {done.entities:,} entities: {out}")
    write(f"  left out, since an entity found no place: {done.dropped:,}")


def _given(texts: Sequence[str] | None, source: str | None) -> list[tuple[str, str | list[str]]]:
    """Texts, or lists of tokens, with their ids; every row is kept.

    Raises:
        UsageError: Neither texts nor a file were given, or both.
        DataError: The file cannot be read, or a row has neither a text nor a list of tokens.
    """
    path = Path(source or "")
    if texts or source in (None, "-") or not _TABLES.intersection(path.suffixes):
        return [(row.id, row.text) for row in read_inputs(texts, source)]
    from interlingua.corpus.rows import Faults, read_table

    rows: list[tuple[str, str | list[str]]] = []
    for row in read_table(path, Faults(replace=True)):
        given = row.values.get("tokens")
        given = row.values.get("text") if given is None else given
        listed = isinstance(given, list) and all(isinstance(part, str) for part in given)
        if given is None or not (listed or isinstance(given, str)):
            raise DataError(
                "neither a text nor a list of tokens",
                path=row.path,
                line=row.line,
                remedy="Name a column text, or tokens with a list of texts",
            )
        rows.append((str(row.values.get("id", row.line)), given))
    return rows
