"""``interlingua index`` and ``answer``: a folder of texts, searched in any language."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlingua.base.errors import UsageError
from interlingua.cli.options import (
    Engine,
    Exact,
    Json,
    OnErrorChoice,
    Quiet,
    begin,
    emit,
    write,
)

if TYPE_CHECKING:
    from interlingua.retrieval.build import Built

app = typer.Typer(help="Search a folder of texts in any language.", no_args_is_help=True)

Place = Annotated[
    str,
    typer.Option("--index", help="A folder, milvus://host[:port]/collection or FILE.db."),
]
Inputs = Annotated[list[str], typer.Argument(help="Files and folders: text, Markdown, tables.")]
Lang = Annotated[str | None, typer.Option(help="The language of every text, if known.")]
Words = Annotated[int, typer.Option(help="Words of a passage at most.", min=1, max=1000)]
Only = Annotated[list[str] | None, typer.Option("--lang", help="Only passages in this language.")]
Where = Annotated[
    list[str] | None, typer.Option(help="Only passages with NAME=VALUE, as in path=docs/a.md.")
]
Mode = Annotated[str, typer.Option(help="auto, dense, bm25, fused or rrf.")]
Model = Annotated[str | None, typer.Option(help="Where the index's model is now, if it was moved.")]
Rerank = Annotated[
    str | None, typer.Option(help="A model taught nli, paraphrase, matching or relevance.")
]


@app.command("build")
def build(
    inputs: Inputs,
    index: Place,
    model: Annotated[str, typer.Option(help="starter, a folder or a hub id.")] = "starter",
    store: Annotated[str, typer.Option(help="auto, exact or lance.")] = "auto",
    lang: Lang = None,
    words: Words = 120,
    on_error: OnErrorChoice = "stop",
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Cut files into passages, embed them, and make an index of them.

    Example: interlingua index build --index my.index docs notes.txt
    """
    begin(quiet=quiet, json=json)
    if store not in {"auto", "exact", "lance"}:
        raise UsageError(f"--store {store} is none of auto, exact, lance")
    from interlingua.corpus.rows import Faults
    from interlingua.inference.encode import Encoder
    from interlingua.models.folder import open_model
    from interlingua.retrieval.build import build_index
    from interlingua.retrieval.passages import Cut

    faults = Faults(on_error)
    name = model if not Path(model).is_dir() else str(Path(model).resolve())
    encoder = Encoder(open_model(model), engine=engine, exact=exact)
    cut = Cut(lang, words, faults)
    done = build_index(inputs, index, model=name, encoder=encoder, store=store, cut=cut)
    _tell(done, index, json=json)


@app.command("add")
def add(
    inputs: Inputs,
    index: Place,
    model: Model = None,
    lang: Lang = None,
    words: Words = 120,
    on_error: OnErrorChoice = "stop",
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add files to an index, or bring it up to date with files that have changed.

    Example: interlingua index add --index my.index docs/new.md
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.rows import Faults
    from interlingua.inference.encode import Encoder
    from interlingua.models.folder import open_model
    from interlingua.retrieval.build import add_files
    from interlingua.retrieval.index import open_index
    from interlingua.retrieval.passages import Cut, find_sources

    sources = find_sources(inputs)
    with open_index(index) as opened:
        folder = open_model(model or opened.info.model)
        encoder = Encoder(folder, engine=engine, exact=exact)
        cut = Cut(lang, words, Faults(on_error))
        done = add_files(opened, sources, encoder=encoder, cut=cut)
    _tell(done, index, json=json)


@app.command("delete")
def delete(
    index: Place,
    where: Annotated[list[str], typer.Option(help="Passages with NAME=VALUE: path=docs/old.md.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Delete the passages of a file, or with other metadata, from an index.

    Example: interlingua index delete --index my.index --where path=docs/old.md
    """
    begin(quiet=quiet, json=json)
    from interlingua.retrieval.build import keep_words
    from interlingua.retrieval.index import open_index
    from interlingua.retrieval.records import Filter

    chosen = Filter.of((), where)
    with open_index(index) as opened, opened.writing() as store:
        gone = store.delete([passage.id for passage in store.passages(chosen)])
        store.optimize()
        count = store.count()
        keep_words(opened)
    if json:
        emit({"index": index, "deleted": gone, "passages": count})
    else:
        write(f"{gone:,} passages deleted, {count:,} left: {index}")


@app.command("search")
def search(
    queries: Annotated[list[str], typer.Argument(help="What to search for, in any language.")],
    index: Place,
    k: Annotated[int, typer.Option("-k", help="Passages for a query.", min=1, max=1000)] = 5,
    mode: Mode = "auto",
    lang: Only = None,
    where: Where = None,
    rerank: Rerank = None,
    model: Model = None,
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search an index; every passage comes with file, line and offsets.

    Example: interlingua index search --index my.index 'Wie backe ich Brot?' -k 3
    """
    begin(quiet=quiet, json=json)
    from interlingua.applications.searcher import Searcher
    from interlingua.batches.tokens import clean
    from interlingua.retrieval.records import Filter

    queries = [clean(query) for query in queries]  # a shell may hand on any bytes
    chosen = Filter.of(lang or (), where or ())
    searcher = Searcher(index, model=model, rerank=rerank, engine=engine, exact=exact)
    found = searcher.search(queries, k=k, mode=mode, where=chosen)
    if json:
        rows = [
            {"query": query, "passages": [hit.record() for hit in hits]}
            for query, hits in zip(queries, found, strict=True)
        ]
        emit({"index": index, "mode": searcher.mode(mode), "queries": rows})
        return
    for query, hits in zip(queries, found, strict=True):
        if len(queries) > 1:
            write(f"# {query}")
        for hit in hits:
            place = hit.passage
            write(f"{place.path}:{place.line}  {place.lang}  {hit.score:.3f}")
            write(f"    {_short(place.text)}")
        if not hits:
            write("nothing found")


def _short(text: str, limit: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _tell(done: Built, index: str, *, json: bool) -> None:
    facts: dict[str, Any] = {"index": index, **asdict(done)}
    if json:
        emit(facts)
        return
    write(f"{done.passages:,} passages in {index}")
    write(
        f"  of {done.files:,} files: {done.added:,} added, {done.kept:,} kept, "
        f"{done.deleted:,} deleted, {done.rejected:,} could not be read"
    )
    for ending, count in done.left_out.items():
        write(f"  left out, {ending}: {count:,}")
    top = list(done.languages.items())
    write("  " + ", ".join(f"{tag} {count:,}" for tag, count in top[:10]))
    write(f"next: interlingua index search --index {index} 'what to search for'")
