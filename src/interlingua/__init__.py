"""Teach a model in one language, use it in a hundred, and know how well it works in each.

Importing this package is cheap: it loads neither torch nor transformers nor pyarrow. The public
names below are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from interlingua.base import offline as _offline

__version__ = "0.1.0"

_HOMES = {
    "Classifier": "interlingua.applications.classifier:Classifier",
    "Embedder": "interlingua.applications.embedder:Embedder",
    "Reader": "interlingua.applications.reader:Reader",
    "Searcher": "interlingua.applications.searcher:Searcher",
    "Tagger": "interlingua.applications.tagger:Tagger",
    "benchmark": "interlingua.evaluation.evaluate:benchmark",
    "bridge": "interlingua.evaluation.bridge.run:bridge",
    "compare": "interlingua.evaluation.compare:compare",
    "evaluate": "interlingua.evaluation.evaluate:evaluate",
    "finetune": "interlingua.training.finetune:finetune",
    "identify": "interlingua.languages:identify",
    "load": "interlingua.models.folder:open_model",
}

__all__ = [
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

if TYPE_CHECKING:
    from interlingua.applications.classifier import Classifier
    from interlingua.applications.embedder import Embedder
    from interlingua.applications.reader import Reader
    from interlingua.applications.searcher import Searcher
    from interlingua.applications.tagger import Tagger
    from interlingua.evaluation.bridge.run import bridge
    from interlingua.evaluation.compare import compare
    from interlingua.evaluation.evaluate import benchmark, evaluate
    from interlingua.languages import identify
    from interlingua.models.folder import open_model as load
    from interlingua.training.finetune import finetune

_offline.quiet_libraries()


def __getattr__(name: str) -> object:
    """Load a public name on first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'interlingua' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
