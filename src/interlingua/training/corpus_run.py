"""What runs over a corpus share: their folder as it begins, the model they start from, its end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from interlingua import __version__
from interlingua.base.errors import DiskError
from interlingua.base.files import write_manifest, write_text
from interlingua.batches.framing import Frame, frame_of
from interlingua.models.folder import DataFile, ModelFolder, ModelInfo
from interlingua.models.save import save_model
from interlingua.training.output import locked, publish, start_over
from interlingua.training.pretrain_data import REJECTED, Files, open_stores

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from interlingua.training.align.settings import AlignRecipe
    from interlingua.training.pretrain_settings import PretrainRecipe

WORK = ".work"
"""What only the run needs, within its folder."""
TOKENS = Path(WORK) / "tokens"
"""Its rows, as stores of ``texts`` and of ``pairs``."""


@dataclass(frozen=True, slots=True)
class Start:
    """The model to start from, with what is asked of it again and again.

    Attributes:
        folder: The model.
        tokenizer: Its tokenizer.
        frame: What the tokenizer puts around texts.
    """

    folder: ModelFolder
    tokenizer: Tokenizer
    frame: Frame

    @classmethod
    def of(cls, folder: ModelFolder) -> Start:
        """Open the tokenizer of a folder."""
        tokenizer = folder.tokenizer()
        return cls(folder, tokenizer, frame_of(tokenizer, pad=folder.pad_id))


@contextmanager
def begun(out: Path, prepare: Callable[[Path], object], *, resume: bool) -> Iterator[None]:
    """Hold the run's folder, with what it works on in it: rows, and a new model to start from.

    They are made beside it, so that it appears when all inputs have proved good; what a run that is
    resumed has made is taken as it is.

    Args:
        out: The run's folder.
        prepare: Makes what the run works on, below ``WORK`` in the folder it is given.
        resume: Whether the run goes on.

    Raises:
        UserError: An input cannot be used, or another process is writing to ``out``.
        DiskError: The disk refused a write.
    """
    there = resume and (out / WORK).is_dir()
    with ExitStack() as held:
        if not there:
            with _beside(out) as staged:
                prepare(Path(staged))
                held.enter_context(locked(out))
                if not resume:
                    start_over(out)
                shutil.rmtree(out / WORK, ignore_errors=True)
                (Path(staged) / WORK).rename(out / WORK)
        else:
            held.enter_context(locked(out))
        yield


def _beside(out: Path) -> TemporaryDirectory[str]:
    """A folder on the same disk as ``out``.

    Raises:
        DiskError: None can be made there.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=out.parent, prefix=f".tmp-{out.name}-")
    except OSError as error:
        raise DiskError(f"cannot write {out}: {error.strerror or error}") from error


def fingerprint_of(
    recipe: PretrainRecipe | AlignRecipe,
    texts: Files | None,
    pairs: Files | None,
    folder: ModelFolder,
) -> dict[str, Any]:
    """What must be the same for a run to be resumed."""
    training = recipe.training.model_dump(mode="json")
    for harmless in ("checkpoint_steps", "keep_checkpoints"):
        training.pop(harmless)
    data = recipe.data.model_dump(mode="json")
    for name in ("train", "pairs", "validation", "validation_pairs"):
        data.pop(name, None)  # files are compared by what they hold
    return {
        "model": recipe.model.model_dump(mode="json"),
        "weights and tokenizer": folder.fingerprint,
        "objectives": [objective.model_dump(mode="json") for objective in recipe.objectives],
        "texts": texts.hashes if texts else [],
        "pairs": pairs.hashes if pairs else [],
        **data,
        **training,
    }


def described(texts: Files | None, pairs: Files | None, out: Path) -> dict[str, Any]:
    """What a run in ``out`` says of its data and of itself, as fields of `ModelInfo`.

    The training files with the rows taken of each, the licences of those rows, time and version.
    """
    files: list[DataFile] = []
    licences: Counter[str] = Counter()
    for name, of in (("texts", texts), ("pairs", pairs)):
        if of is not None:
            stores = open_stores(out / TOKENS / name)
            licences.update(stores.licences)
            files += [
                DataFile(path=path.name, sha256=sha, rows=rows)
                for path, sha, rows in zip(of.train, of.hashes, stores.rows, strict=False)
            ]
    return {
        "data": tuple(files),
        "data_licences": dict(licences.most_common()),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
    }


def publish_model(
    model: PreTrainedModel, source: ModelFolder, info: ModelInfo, recipe: str, out: Path
) -> None:
    """Write a run's model into its folder, with its recipe and the rows that were set aside."""
    with TemporaryDirectory(dir=out, prefix=".tmp-model-") as staged:
        save_model(Path(staged), encoder=model, source=source, info=info, head=None)
        write_text(Path(staged) / "recipe.yaml", recipe)
        rejected = [
            file.read_text(encoding="utf-8") for file in sorted((out / TOKENS).rglob(REJECTED))
        ]
        if any(rejected):
            write_text(Path(staged) / REJECTED, "".join(rejected))
        write_manifest(Path(staged))
        publish(Path(staged), out)
