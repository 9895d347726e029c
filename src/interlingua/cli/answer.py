"""``interlingua answer``: answers cut from a text, from a file of texts, or from an index."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlingua.base.errors import DataError, UsageError
from interlingua.cli.apply import Input, Output, finish
from interlingua.cli.index import Mode, Only, Rerank, Where
from interlingua.cli.options import Engine, Exact, Json, Quiet, begin, emit, write

if TYPE_CHECKING:
    from interlingua.applications.searcher import Answer


def answer(
    questions: Annotated[
        list[str] | None, typer.Argument(help="Questions in any language.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model taught qa; with --index also where the index's model is now."),
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="A text to answer from, a file with one, or -.")
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(help="A folder, milvus://host[:port]/collection or FILE.db to answer from."),
    ] = None,
    input: Input = None,
    output: Output = None,
    n_best: Annotated[int, typer.Option(help="Answers to a question.", min=1, max=20)] = 1,
    no_answer: Annotated[
        float | None,
        typer.Option(help="Say that there is none where its log-probability wins by this much."),
    ] = None,
    mode: Mode = "auto",
    lang: Only = None,
    where: Where = None,
    rerank: Rerank = None,
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Answer questions from texts in any language, and say where the answer stands.

    From --context, or the columns question and context of --input, a model that was taught qa cuts
    the answer. From --index, the best passages are found and such a model cuts it from them;
    without one, the best sentence of the best passage is the answer.

    Example: interlingua answer --model runs/qa --context faust.txt 'Wer schrieb Faust?'
    """
    begin(quiet=quiet, json=json)
    sources = [name for name in (context, index, input) if name is not None]
    if len(sources) != 1:
        raise UsageError("give one of --context, --index and --input", remedy="See --help")
    if bool(questions) == (input is not None):
        raise UsageError("give questions, or --input with a column of them", remedy="See --help")
    if index is not None:
        if n_best > 1 or no_answer is not None:
            raise UsageError("--n-best and --no-answer go with --context and --input")
        from interlingua.applications.searcher import Searcher
        from interlingua.batches.tokens import clean
        from interlingua.retrieval.records import Filter

        chosen = Filter.of(lang or (), where or ())
        reads = model is not None and _reads(model)
        searcher = Searcher(
            index,
            model=None if reads else model,
            rerank=rerank,
            reader=model if reads else None,
            engine=engine,
            exact=exact,
        )
        asked = [clean(question) for question in questions or []]
        found = [searcher.answer(question, mode=mode, where=chosen) for question in asked]
        _cite(index, asked, found, output=output, json=json)
        return
    if lang or where or rerank or mode != "auto":
        raise UsageError("--lang, --where, --mode and --rerank go with --index")
    if model is None:
        raise UsageError("--model is missing", remedy="Give a model that was taught qa")
    rows = _rows(Path(str(input))) if input else _pairs(questions or [], str(context))
    from interlingua.applications.reader import Reader

    readings = Reader(model, engine=engine, exact=exact).read(
        [question for _, question, _ in rows],
        [text for _, _, text in rows],
        n_best=n_best,
        no_answer=no_answer,
    )
    records = [{"id": row[0], **found.record()} for row, found in zip(rows, readings, strict=True)]
    finish(records, output=output, json=json, key="answers")


def _reads(model: str) -> bool:
    from interlingua.inference.read import is_reader
    from interlingua.models.folder import open_model

    return is_reader(open_model(model))


def _pairs(questions: Sequence[str], context: str) -> list[tuple[str, str, str]]:
    """Ids, questions, and the one text they are asked about."""
    text = context
    if context == "-":
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    elif os.path.isfile(context):  # noqa: PTH113 - a text too long to be a name is no error there
        text = Path(context).read_bytes().decode("utf-8-sig", "replace")
    elif _meant_as_a_file(context):
        raise UsageError(f"--context {context}: no such file", remedy="Give a text, a file or -")
    if not text.strip():
        raise UsageError(f"--context {context} holds no text", remedy="Give a text, a file or -")
    return [(str(i), question, text) for i, question in enumerate(questions, start=1)]


def _meant_as_a_file(context: str) -> bool:
    """Whether a text that names no file was meant to: it ends like one, or is a folder."""
    from interlingua.retrieval.passages import TEXTS

    one = len(context.split()) == 1
    return one and (context.lower().endswith(TEXTS) or os.path.isdir(context))  # noqa: PTH112


def _rows(path: Path) -> list[tuple[str, str, str]]:
    """Ids, questions and contexts of a table, or of a file in SQuAD's format."""
    from interlingua.corpus.formats import read_rows
    from interlingua.corpus.rows import Faults

    rows = []
    for row in read_rows(path, Faults(replace=True)):
        for name in ("question", "context"):
            if not isinstance(row.values.get(name), str):
                problem = f"column '{name}' is missing"
                raise DataError(problem, path=row.path, line=row.line, remedy=f"Name it {name}")
        values = row.values
        rows.append((str(values.get("id", row.line)), values["question"], values["context"]))
    return rows


def _cite(
    index: str,
    questions: Sequence[str],
    found: Sequence[Answer | None],
    *,
    output: str | None,
    json: bool,
) -> None:
    rows: list[dict[str, Any]] = [
        {"question": question, **({"answer": None} if best is None else best.record())}
        for question, best in zip(questions, found, strict=True)
    ]
    if output is not None:
        finish(rows, output=output, json=json, key="answers")
        return
    if json:
        emit({"index": index, "answers": rows})
        return
    for best in found:
        if best is None:
            write("nothing found")
            continue
        write(" ".join(best.text.split()))
        place = best.source.passage
        write(f"    {place.path}:{best.line}, characters {best.start} to {best.end}, {place.lang}")
