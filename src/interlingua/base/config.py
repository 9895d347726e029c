"""Typed settings; YAML files and ``--set a.b=c`` are only spellings of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from interlingua.base.errors import ConfigError, quoted
from interlingua.base.registry import did_you_mean

C = TypeVar("C", bound="Config")
_MAX_RECIPE_BYTES = 1_000_000


class Config(BaseModel):
    """A frozen record of settings; unknown keys and wrong types are refused when it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def make(kind: type[C], values: object) -> C:
    """Build ``kind`` from plain values, as they come from YAML, JSON or the command line.

    Raises:
        ConfigError: A key is unknown, missing, or has the wrong type or an impossible value.
    """
    if not isinstance(values, dict):
        raise ConfigError(
            f"a {kind.__name__} is written as keys and values, got {quoted(values)}",
            remedy=f"Keys: {', '.join(kind.model_fields)}",
        )
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        # What stands in angle brackets names a member of a union, which nobody wrote.
        key = ".".join(part for part in map(str, first["loc"]) if not part.startswith("<"))
        if first["type"] == "extra_forbidden":
            remedy = did_you_mean(str(first["loc"][-1]), kind.model_fields)
            raise ConfigError(f"unknown key {quoted(key)}", remedy=remedy) from None
        given = "" if first["type"] == "missing" else f", got {quoted(first['input'])}"
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{key + ': ' if key else ''}{message}{given}") from None


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML recipe and apply ``a.b=c`` overrides; values are YAML scalars or lists.

    Raises:
        ConfigError: The file is missing, too large or not YAML, or an override is malformed.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _MAX_RECIPE_BYTES:
            raise ConfigError(f"recipe {file} is larger than {_MAX_RECIPE_BYTES} bytes")
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe {file} cannot be read: {error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"recipe {file} is not safe YAML: {error}") from error
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigError(
            f"recipe {file} holds {type(document).__name__}, expected keys and values"
        )
    for setting in overrides:
        override(document, setting)
    return document


def override(document: dict[str, Any], setting: str) -> None:
    """Apply one ``a.b=value`` to plain values; the value is YAML.

    Raises:
        ConfigError: The setting is malformed, or goes through a value.
    """
    key, separator, text = setting.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {quoted(setting)} is not of the form a.b=value")
    try:
        put(document, key, yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {quoted(setting)}: the value is not YAML: {error}") from error


def put(document: dict[str, Any], key: str, value: object) -> None:
    """Set the value that ``a.b.c`` names in nested sections, which are made where they lack.

    Raises:
        ConfigError: The name goes through a value.
    """
    *parents, last = key.split(".")
    place = document
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"setting {quoted(key)}: '{parent}' is a value, not a section")
    place[last] = value


def dump_recipe(config: Config) -> str:
    """The resolved form of a recipe, as YAML."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
