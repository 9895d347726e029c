"""Entry point: parse, run, and turn what went wrong into one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

import typer

from interlingua import __version__
from interlingua.base.errors import InterlinguaError, StoppedError, one_line
from interlingua.cli import (
    align,
    answer,
    apply,
    benchmark,
    bridge,
    compare,
    corpus,
    cost,
    doctor,
    evaluate,
    finetune,
    index,
    languages,
    models,
    pretrain,
    quickstart,
    score,
    tag,
    tune,
    vocab,
)

app = typer.Typer(
    name="interlingua",
    help="Teach a model in one language, use it in a hundred, and know how well it works in each.",
    epilog="Start here: interlingua quickstart. With --debug a failure shows its traceback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("quickstart")(quickstart.quickstart)
app.command("finetune")(finetune.finetune)
app.command("tune")(tune.tune)
app.command("pretrain")(pretrain.pretrain)
app.command("align")(align.align)
app.command("cost")(cost.cost)
app.command("evaluate")(evaluate.evaluate)
app.command("benchmark")(benchmark.benchmark)
app.command("score")(score.score)
app.command("compare")(compare.compare)
app.command("bridge")(bridge.bridge)
app.command("classify")(apply.classify)
app.command("tag")(tag.tag)
app.command("embed")(apply.embed)
app.command("answer")(answer.answer)
app.add_typer(index.app, name="index")
app.add_typer(models.app, name="models")
app.add_typer(languages.app, name="languages")
corpus.app.command("project")(tag.project)
app.add_typer(corpus.app, name="corpus")
app.add_typer(vocab.app, name="vocab")
app.command("doctor")(doctor.doctor)

_MANY = frozenset(
    {
        *("--train", "--validation", "--test", "--languages", "--require", "--data"),
        *("--data-dir", "--tasks", "--benchmark"),
    }
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        sys.stdout.write(f"interlingua {__version__}\n")
        raise typer.Exit


def spread(arguments: Sequence[str]) -> list[str]:
    """Let ``--train a b`` stand for ``--train a --train b``, for the options that take many."""
    out: list[str] = []
    many = ""
    for i, argument in enumerate(arguments):
        if argument.startswith("-") and argument != "-":
            many = argument if argument in _MANY else ""
        elif many and i > 0 and arguments[i - 1] != many:
            out.append(many)
        out.append(argument)
    return out


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with the exit code of `base.errors`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(_run(spread(given), debug=debug))


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        result = app(arguments, standalone_mode=False, prog_name="interlingua")
    except InterlinguaError as error:
        return _fail(str(error), error.exit_code, debug=debug)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130, debug=debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own: a command line that cannot be read
            return _usage(error)
        told = f"{type(error).__name__}: {error}"
        return _fail(f"{told} (not your mistake; --debug shows where)", 1, debug=debug)
    return result if isinstance(result, int) else 0


def _usage(error: Any) -> int:  # noqa: ANN401 - typer does not export the class
    message = str(error.format_message()).strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(message + "\n")
        return 0
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "interlingua"
    return _fail(f"{message.rstrip('.')}. See: {path} --help", 2, debug=False)


def _fail(message: str, code: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"error: {one_line(message)}\n")
    return code


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise StoppedError("stopped by SIGTERM; nothing half-written was left")


if __name__ == "__main__":
    main()
