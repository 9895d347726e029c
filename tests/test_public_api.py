"""The public surface is a list, and this holds it."""

from __future__ import annotations

import inspect

import interlingua

PUBLIC = [
    "Classifier",
    "Embedder",
    "Reader",
    "Searcher",
    "Tagger",
    "__version__",
    "benchmark",
    "bridge",
    "compare",
    "evaluate",
    "finetune",
    "identify",
    "load",
]


def test_the_public_list() -> None:
    assert interlingua.__all__ == PUBLIC == sorted(PUBLIC)
    assert dir(interlingua) == PUBLIC


def test_every_public_name_is_there_and_documented() -> None:
    for name in PUBLIC:
        value = getattr(interlingua, name)
        if name != "__version__":
            assert inspect.getdoc(value), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(interlingua, "Teleporter")
