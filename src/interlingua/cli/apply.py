"""``interlingua classify`` and ``embed``: a model applied to texts from anywhere."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from interlingua.base.errors import UsageError
from interlingua.base.files import write_text
from interlingua.base.progress import say
from interlingua.cli.options import Engine, Exact, Json, Quiet, begin, emit, write

Model = Annotated[str, typer.Option(help="A model folder.")]
Input = Annotated[str | None, typer.Option(help="A table with a text column, a .txt file, or -.")]
Output = Annotated[str | None, typer.Option(help="A .jsonl file, or - for stdout.")]
Texts = Annotated[list[str] | None, typer.Argument(help="Texts.")]


def classify(
    model: Model,
    texts: Texts = None,
    pair: Annotated[
        str | None, typer.Option(help="The second text, for a task of pairs such as nli.")
    ] = None,
    input: Input = None,
    output: Output = None,
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Label texts in any language, one answer a text.

    Example: interlingua classify --model runs/topic 'Der Zug hat Verspätung.'
    """
    begin(quiet=quiet, json=json)
    rows = read_inputs(texts, input, pair=pair)
    from interlingua.applications.classifier import Classifier

    classifier = Classifier(model, engine=engine, exact=exact)
    wanted = classifier.paired or pair is not None
    pairs = [row.pair for row in rows]
    told = wanted and any(second is not None for second in pairs)
    predictions = classifier.predict([row.text for row in rows], pairs if told else None)
    records: list[dict[str, Any]] = [
        {"id": row.id, **asdict(found)} for row, found in zip(rows, predictions, strict=True)
    ]
    if not classifier.paired:
        for record in records:
            del record["text_pair"]
    replaced = sum("\ufffd" in record["text"] for record in records)
    if replaced:
        say(f"{replaced} texts hold characters that could not be read (U+FFFD)")
    finish(records, output=output, json=json, key="predictions")


def embed(
    model: Model = "starter",
    texts: Texts = None,
    input: Input = None,
    output: Output = None,
    prefix: Annotated[
        str | None, typer.Option(help="query, passage, none; the model's default.")
    ] = None,
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn texts into vectors; --output may name a .npy file.

    Example: interlingua embed --model starter --input texts.txt --output vectors.npy
    """
    begin(quiet=quiet, json=json)
    rows = read_inputs(texts, input)
    import numpy as np

    from interlingua.applications.embedder import Embedder
    from interlingua.base.files import atomic_path

    vectors = Embedder(model, engine=engine, exact=exact).encode(
        [row.text for row in rows], prefix=prefix
    )
    if output is not None and output.lower().endswith(".npy"):
        with atomic_path(output) as temporary, temporary.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        if json:
            emit({"output": output, "rows": len(vectors)})
        return
    records = [
        {"id": row.id, "vector": [round(float(v), 6) for v in vector]}
        for row, vector in zip(rows, vectors, strict=True)
    ]
    finish(records, output=output, json=json, key="vectors")


class Given(NamedTuple):
    """One text to answer for, or a pair of texts."""

    id: str
    text: str
    pair: str | None = None


def read_inputs(
    texts: Sequence[str] | None, source: str | None, *, pair: str | None = None
) -> list[Given]:
    """Texts from the arguments, a file or stdin; every row is kept, an empty one too.

    Raises:
        UsageError: Neither or both were given.
        DataError: The file cannot be read.
    """
    if bool(texts) == (source is not None):
        raise UsageError("give texts, or --input with a file or -", remedy="See --help")
    if texts:
        return [Given(str(i), text, pair) for i, text in enumerate(texts, start=1)]
    from interlingua.base.errors import DataError
    from interlingua.corpus.rows import Faults, lines_of, read_table

    faults = Faults(replace=True)
    if source == "-":
        lines = lines_of(sys.stdin.buffer, Path("-"), faults)
        return [Given(str(number), line, pair) for number, line in lines]
    rows = []
    for row in read_table(Path(str(source)), faults):
        if "text" not in row.values:
            raise DataError(
                "column 'text' is missing",
                path=row.path,
                line=row.line,
                remedy="Name the column text",
            )
        second = row.values.get("text_pair", pair)
        rows.append(
            Given(
                str(row.values.get("id", row.line)),
                str(row.values["text"] or ""),
                None if second is None else str(second),
            )
        )
    return rows


def finish(records: list[dict[str, Any]], *, output: str | None, json: bool, key: str) -> None:
    """Write records to a file, or print them: a JSON document, or one object a line."""
    lines = "".join(json_module.dumps(r, ensure_ascii=False) + "\n" for r in records)
    if output not in (None, "-"):
        write_text(Path(str(output)), lines)
        if json:
            emit({"output": output, "rows": len(records)})
    elif json:
        emit({key: records})
    elif records:
        write(lines.rstrip("\n"))
