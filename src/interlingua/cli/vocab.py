"""``interlingua vocab``: train, audit, trim and extend subword vocabularies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from interlingua.base.errors import ConfigError, UsageError
from interlingua.base.progress import say
from interlingua.cli.options import (
    Json,
    OnErrorChoice,
    Out,
    Quiet,
    Seed,
    begin,
    console,
    emit,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer

    from interlingua.corpus.texts import Texts

app = typer.Typer(
    help="Vocabularies: train one, audit one, trim or extend a model's.", no_args_is_help=True
)

_MANY = 0.5  # share of texts cut up as before under which a trimmed vocabulary is warned about
Lang = Annotated[
    str | None, typer.Option(help="Language of texts whose path and columns tell none.")
]
Model = Annotated[str, typer.Option(help="starter, a folder or a hub id.")]


@app.command("train")
def train(
    inputs: Annotated[
        list[str], typer.Argument(help="Tables, text files, folders or a built corpus.")
    ],
    out: Out,
    size: Annotated[int, typer.Option(help="Pieces, special ones and bytes included.")] = 32_000,
    kind: Annotated[Literal["unigram", "bpe"], typer.Option(help="unigram or bpe.")] = "unigram",
    byte_fallback: Annotated[
        bool, typer.Option(help="Whether to have a piece for each byte: nothing is unknown then.")
    ] = True,
    coverage: Annotated[
        float, typer.Option(help="Share of the characters' occurrences with a piece of their own.")
    ] = 0.9995,
    normalization: Annotated[
        Literal["nmt_nfkc", "identity"], typer.Option(help="nmt_nfkc or identity.")
    ] = "nmt_nfkc",
    temperature: Annotated[
        float, typer.Option(help="Exponent on the languages' shares: 1 as they are, 0 equal.")
    ] = 0.5,
    unimax: Annotated[
        float | None,
        typer.Option(help="Instead: as much of every language, no text more often than this."),
    ] = None,
    sample_bytes: Annotated[int, typer.Option(help="Bytes to train on at most.")] = 50_000_000,
    lang: Lang = None,
    on_error: OnErrorChoice = "stop",
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a vocabulary on text of many languages, balanced between them.

    Example: interlingua vocab train corpus/ --size 32000 --kind unigram --out vocab
    """
    begin(quiet=quiet, json=json)
    from interlingua.base.config import make
    from interlingua.vocab.train import VocabSettings, train_vocabulary

    settings = make(
        VocabSettings,
        {
            "size": size,
            "kind": kind,
            "byte_fallback": byte_fallback,
            "coverage": coverage,
            "normalization": normalization,
            "temperature": temperature,
            "unimax": unimax,
            "sample_bytes": sample_bytes,
            "seed": seed,
        },
    )
    report = train_vocabulary(_texts(inputs, lang, on_error), settings, out=out)
    if json:
        emit(
            {
                "out": str(out),
                "size": report.size,
                "languages": report.languages,
                "agreement": {"texts": report.compared, "equal": report.agreed},
            }
        )
        return
    write(f"trained {report.size:,} pieces ({kind}) on {len(report.languages)} languages: {out}")
    for tag, facts in report.languages.items():
        write(f"  {tag}  {facts['sampled']:>12,} of {facts['bytes']:,} bytes")
    write(f"tokenizer.json agrees with SentencePiece on {report.agreed} of {report.compared} texts")
    write(f"next: interlingua vocab audit --tokenizer {out} --data parallel/")


@app.command("audit")
def audit(
    data: Annotated[list[str], typer.Option(help="Texts, parallel ones for the premium.")],
    model: Annotated[str | None, typer.Option(help="starter, a folder or a hub id.")] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Or a tokenizer.json, or a folder with one.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another model, folder or tokenizer.json to set beside it.")
    ] = None,
    reference: Annotated[str, typer.Option(help="Language the premium is against.")] = "eng_Latn",
    languages: Annotated[list[str] | None, typer.Option(help="Only these languages.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for audit.json and audit.html.")] = None,
    lang: Lang = None,
    on_error: OnErrorChoice = "stop",
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what each language pays in tokens, and how its words are cut up.

    Example: interlingua vocab audit --model starter --data sib200/ --out audit
    """
    begin(quiet=quiet, json=json)
    if (model is None) == (tokenizer is None):
        raise UsageError(
            "give either --model or --tokenizer", remedy="See: interlingua vocab audit --help"
        )
    from interlingua.base.files import refuse_others
    from interlingua.vocab.audit import audit as run

    if out is not None:
        refuse_others(out, mark="audit.json")
    texts = _texts(data, lang, on_error)

    def audited(name: str) -> Any:  # noqa: ANN401 - an Audit, of a module not yet imported
        return run(
            _tokenizer(name),
            texts,
            name=Path(name).name,
            reference=reference,
            languages=_tags(languages),
            seed=seed,
        )

    found = audited(model or str(tokenizer))
    other = None if against is None else audited(against)
    documents = {"audit": found.model_dump(mode="json")}
    if other is not None:
        documents["against"] = other.model_dump(mode="json")
    if out is not None:
        from interlingua.base.files import atomic_folder, write_json, write_manifest, write_text
        from interlingua.vocab.audit_page import render

        with atomic_folder(out) as folder:
            write_json(folder / "audit.json", documents)
            write_text(folder / "audit.html", render(found, against=other))
            if texts.faults.rejected.faults:
                texts.faults.rejected.write(folder / "rejected.jsonl")
            write_manifest(folder)
    if json:
        emit(documents)
        return
    from interlingua.vocab.audit_table import print_audit

    print_audit(found, console(), against=other)
    if out is not None:
        write(f"page: {out / 'audit.html'}")


@app.command("trim")
def trim(
    model: Model,
    languages: Annotated[list[str], typer.Option(help="The languages served, as a,b,c.")],
    data: Annotated[list[str], typer.Option(help="Texts of these languages, the more the better.")],
    out: Out,
    keep_coverage: Annotated[
        float | None, typer.Option(help="Share of the texts' tokens whose piece stays.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Or: pieces to keep.")] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Texts to measure on; else a tenth is put aside.")
    ] = None,
    lang: Lang = None,
    on_error: OnErrorChoice = "stop",
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a smaller model that keeps only the pieces of the languages one serves.

    Example: interlingua vocab trim --model starter --languages deu_Latn,swh_Latn
    --data texts/ --keep-coverage 0.9999 --out small
    """
    begin(quiet=quiet, json=json)
    if keep_coverage is not None and size is not None:
        raise UsageError("--keep-coverage and --size exclude each other", remedy="Give one of them")
    if keep_coverage is not None and not 0 < keep_coverage <= 1:
        raise ConfigError(f"--keep-coverage {keep_coverage} is not a share, from 0 to 1")
    from interlingua.models.vocabulary import trim_model

    report = trim_model(
        model,
        _texts(data, lang, on_error),
        out=out,
        languages=_tags(languages),
        coverage=(keep_coverage or 0.9999) if size is None else None,
        size=size,
        tests=None if test is None else _texts(test, None, on_error),
        seed=seed,
    )
    for tag, found in report["languages"].items():
        if found["unchanged"] < _MANY:
            share = f"{found['unchanged'] * 100:.0f} %"
            say(
                f"warning: only {share} of the texts in {tag} that were put aside are cut up as "
                "before: give more --data, or a larger --size"
            )
    _show(report, json=json)


@app.command("extend")
def extend(
    model: Model,
    train: Annotated[list[str], typer.Option(help="Texts of the language.")],
    lang: Annotated[str, typer.Option(help="The language to serve better.")],
    out: Out,
    add: Annotated[int, typer.Option(help="Pieces to add.", min=1)] = 5000,
    init: Annotated[
        Literal["decompose", "mean", "random"],
        typer.Option(help="First embeddings: the mean of the old parts, of all, or random."),
    ] = "decompose",
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="Texts to measure on, of this and other languages; else a tenth of "
            "the texts and the shipped phrasebook."
        ),
    ] = None,
    on_error: OnErrorChoice = "stop",
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add pieces for a language that the model's tokenizer cuts too finely.

    Example: interlingua vocab extend --model starter --train lin.jsonl --lang lin_Latn
    --add 3000 --out extended
    """
    begin(quiet=quiet, json=json)
    from interlingua.corpus.phrasebook import test_files
    from interlingua.languages import parse
    from interlingua.models.vocabulary import extend_model

    tag = parse(lang).tag
    report = extend_model(
        model,
        _texts(train, tag, on_error),
        out=out,
        lang=tag,
        add=add,
        initialisation=init,
        tests=_texts(test if test is not None else test_files(), None, on_error),
        seed=seed,
    )
    _show(report, json=json)


def _texts(inputs: Sequence[str | Path], lang: str | None, on_error: OnErrorChoice) -> Texts:
    from interlingua.corpus.rows import Faults
    from interlingua.corpus.texts import open_texts

    return open_texts(inputs, lang=lang, faults=Faults(on_error))


def _tags(given: Sequence[str] | None) -> list[str]:
    """Tags out of ``a,b c``."""
    from interlingua.languages import parse

    names = [name.strip() for part in given or () for name in part.split(",")]
    return list(dict.fromkeys(parse(name).tag for name in names if name))


def _tokenizer(name: str) -> Tokenizer:
    """A model's tokenizer, or that of a file or folder without a model."""
    from interlingua.models.checks import CONFIG
    from interlingua.models.folder import open_model
    from interlingua.vocab.vocabulary import read_vocabulary

    path = Path(name)
    if path.is_file() or (path.is_dir() and not (path / CONFIG).exists()):
        return read_vocabulary(path)
    return open_model(name).tokenizer()


def _show(report: dict[str, Any], *, json: bool) -> None:
    """Print what became of a model."""
    if json:
        emit(report)
        return
    pieces, sizes = report["pieces"], report["bytes"]
    write(
        f"{pieces['before']:,} pieces before, {pieces['after']:,} after; "
        f"{sizes['before'] / 1e6:.0f} MB before, {sizes['after'] / 1e6:.0f} MB after: "
        f"{report['out']}"
    )
    for tag, found in report["languages"].items():
        write(
            f"  {tag}  {found['unchanged'] * 100:5.1f} % of {found['texts']:,} texts cut up as "
            f"before; tokens per {found['unit']} {found['fertility_before']:.2f} before, "
            f"{found['fertility_after']:.2f} after; unknown {found['unknown_before']:,} before, "
            f"{found['unknown_after']:,} after"
        )
    write(f"next: interlingua evaluate --model {report['out']} --task T --test F --out card")
