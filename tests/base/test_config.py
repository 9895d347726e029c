"""Settings refuse what cannot be meant, and say which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.config import Config, dump_recipe, make, read_recipe
from interlingua.base.errors import ConfigError


class Inner(Config):
    rate: float = 0.1


class Outer(Config):
    inner: Inner = Inner()
    names: tuple[str, ...] = ()


def test_yaml_and_overrides_are_spellings_of_the_same(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("inner: {rate: 0.5}\n")
    values = read_recipe(file, ["inner.rate=0.25", "names=[a, b]"])
    assert make(Outer, values) == Outer(inner=Inner(rate=0.25), names=("a", "b"))


def test_the_resolved_form_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(dump_recipe(Outer(names=("ሀ",))))
    assert make(Outer, read_recipe(file)) == Outer(names=("ሀ",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inner: {rat: 1}", "unknown key 'inner.rat'"),
        ("inner: {rate: fast}", "inner.rate"),
        ("- 1", "list"),
        ("a: !!python/object/apply:os.system ['true']", "not safe YAML"),
        ("a: [", "not safe YAML"),
        ("inner: 3", "inner"),
    ],
)
def test_a_wrong_recipe_names_its_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")) as caught:
        make(Outer, read_recipe(file))
    assert "\n" not in str(caught.value)


def test_missing_and_binary_recipes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read_recipe(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        read_recipe(tmp_path / "b.yaml")


@pytest.mark.parametrize("override", ["x", "=1", "inner.rate.deep=1"])
def test_malformed_overrides(tmp_path: Path, override: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("inner: {rate: 0.5}\n")
    with pytest.raises(ConfigError):
        read_recipe(file, [override])
