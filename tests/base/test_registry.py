"""Names, near names, and messages on one line."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.errors import DataError, MissingExtraError, UnknownNameError, one_line
from interlingua.base.optional import require
from interlingua.base.registry import Registry
from interlingua.base.seeding import generator


def test_paths_are_resolved_on_first_use() -> None:
    registry = Registry[type]("thing")
    registry.add("counter", "collections:Counter")
    assert registry.get("counter") is Counter


def test_a_wrong_name_gets_near_ones() -> None:
    registry = Registry[int]("task")
    registry.add("sentiment", 1)
    registry.add("topic", 2)
    with pytest.raises(UnknownNameError, match="Did you mean sentiment"):
        registry.get("sentimant")


def test_a_missing_extra_names_the_pip_line() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'interlingua\[nope\]'"):
        require("no_such_module_here", extra="nope")


@given(st.text())
def test_messages_stay_on_one_printable_line(text: str) -> None:
    assert one_line(text).isprintable()


def test_a_data_error_tells_the_place() -> None:
    error = DataError("the text is empty", path="a.tsv", line=3, column="text")
    assert str(error) == "a.tsv, line 3, column 'text': the text is empty"


def test_streams_of_random_numbers_are_apart_and_repeat() -> None:
    assert generator(1, "a").integers(1 << 60) == generator(1, "a").integers(1 << 60)
    assert generator(1, "a").integers(1 << 60) != generator(1, "b").integers(1 << 60)
    assert generator(1, "a").integers(1 << 60) != generator(2, "a").integers(1 << 60)
