"""The tutorial on search: its commands are copied out of the page and run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interlingua.base.optional import available
from interlingua.models.folder import ModelFolder

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n\$ interlingua (.*?)\n(.*?)```", re.DOTALL)


@pytest.mark.slow
@pytest.mark.skipif(not available("bm25s"), reason="bm25s is not installed")
def test_the_tutorial(starter: ModelFolder, tmp_path: Path) -> None:
    del starter  # only that it is there
    shutil.copytree(ROOT / "examples/household", tmp_path / "examples/household")
    page = (ROOT / "docs/tutorials/search.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) == 6
    for command, shown in blocks:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from interlingua.cli.main import main; main()",
                *shlex.split(command),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        # Of a passage the page shows file, line and language; the score depends on the machine.
        assert done.stdout.startswith(shown.rstrip("\n")), (command, done.stdout)
    assert not re.search(r"\$ interlingua", BLOCK.sub("", page))
