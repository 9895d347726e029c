"""Rooms import only rooms above them, and what must be cheap to import is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import interlingua

SOURCE = Path(interlingua.__file__).parent
ROOMS = (
    "base",
    "languages",
    "corpus",
    "vocab",
    "batches",
    "models",
    "objectives",
    "tasks",
    "inference",
    "retrieval",
    "training",
    "evaluation",
    "compression",
    "applications",
    "serving",
    "cli",
)
# training sees evaluation only through a callback, so the two never import each other.
FORBIDDEN = {("evaluation", "training"), ("training", "evaluation")}
TORCH_FREE = ("base", "languages", "corpus", "vocab", "cli")


def imports(path: Path) -> set[str]:
    """Rooms that a file imports anywhere, inside functions too."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [node.module or ""]
            if node.module == "interlingua":
                names = [f"interlingua.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "interlingua" and len(parts) > 1 and parts[1] in ROOMS:
                rooms.add(parts[1])
    return rooms


FILES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE)


def test_every_folder_is_a_known_room() -> None:
    assert {path.relative_to(SOURCE).parts[0] for path in FILES} <= set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_rooms_above_it(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0]
    for other in imports(path):
        assert ROOMS.index(other) <= ROOMS.index(room), f"{path} imports {other}"
        assert (room, other) not in FORBIDDEN


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


def test_import_loads_nothing_heavy() -> None:
    heavy = "torch transformers pyarrow sklearn tokenizers openvino"
    code = (
        "import sys, interlingua, interlingua.cli.main\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("room", TORCH_FREE)
def test_torch_free_rooms_stay_free_of_torch(room: str) -> None:
    modules = [
        ".".join(("interlingua", *path.relative_to(SOURCE).with_suffix("").parts))
        for path in FILES
        if path.relative_to(SOURCE).parts[0] == room
    ]
    done = run(
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "print('torch' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"


def test_imports_with_the_required_dependencies_only() -> None:
    """Every module whose text imports no extra at its top is importable without the extras."""
    blocked = (
        "torch transformers tokenizers sklearn safetensors openvino sentencepiece ftfy py3langid"
    )
    modules = ["interlingua", "interlingua.cli.main"] + [
        ".".join(("interlingua", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for path in FILES
        if "\nimport torch" not in path.read_text(encoding="utf-8")
    ]
    done = run(
        "import importlib, sys\n"
        f"for name in {blocked.split()!r}: sys.modules[name] = None\n"
        "failed = []\n"
        f"for name in {modules!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError as error:\n"
        "        if 'torch' not in str(error): failed.append(f'{name}: {error}')\n"
        "print(failed)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
