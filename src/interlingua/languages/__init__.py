"""Languages: tags, names, scripts, and which language a text is in. Torch-free.

A tag is ISO 639-3 and ISO 15924, as in ``eng_Latn``; where FLORES-200 spells one, its spelling is
canonical. Every other spelling goes through `parse`, so that scorecards join.
"""

from interlingua.languages.identify import Identified, identify
from interlingua.languages.scripts import script_of, writes
from interlingua.languages.tags import UND, Language, known, parse, tag_of

__all__ = [
    "UND",
    "Identified",
    "Language",
    "identify",
    "known",
    "parse",
    "script_of",
    "tag_of",
    "writes",
]
