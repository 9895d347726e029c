"""The language of a locale name, such as ``pt_BR``, ``sr@latin`` or ``uz@Cyrl``."""

from __future__ import annotations

import regex

from interlingua.base.errors import LanguageError
from interlingua.languages import tag_of

_SCRIPT_MODIFIER = regex.compile(r"([a-zA-Z]{2,3})(?:_[A-Z]{2})?(?:\.[\w-]+)?@([A-Z][a-z]{3})")


def locale_tag(name: str) -> str:
    """The tag of a locale; region and variety are dropped, the script is kept.

    Raises:
        LanguageError: Nobody knows it; the remedy names near ones.
    """
    try:
        return tag_of(name)
    except LanguageError:
        match = _SCRIPT_MODIFIER.fullmatch(name)
        if match is None:
            raise
        return tag_of(f"{match[1]}-{match[2]}")


__all__ = ["locale_tag"]
