"""Lines from a pipe are those of the same bytes in a file; of nothing comes nothing."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from interlingua.cli.apply import finish, read_inputs

LINES = b"\xef\xbb\xbfone\xe2\x80\xa8still\r\n\ntwo\x0c\xc2\x85three\nlast \xff"


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_lines_of_a_pipe_are_those_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: bytes
) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(LINES + ending)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES + ending)))
    given = read_inputs(None, "-")
    assert given == read_inputs(None, str(file))
    assert [one.text for one in given] == ["one\u2028still", "", "two\x0c\x85three", "last \ufffd"]


def test_nothing_in_nothing_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert read_inputs(None, "-") == []
    finish([], output=None, json=False, key="vectors")
    assert capsys.readouterr().out == ""
    finish([], output=None, json=True, key="vectors")
    assert json.loads(capsys.readouterr().out) == {"vectors": []}
