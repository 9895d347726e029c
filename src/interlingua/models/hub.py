"""Models of the hub, fetched when their id was given: data files only."""

from __future__ import annotations

from pathlib import Path

from interlingua.base.errors import ModelError, quoted
from interlingua.base.optional import require

SHORT_IDS = {
    "xlm-roberta-base": "FacebookAI/xlm-roberta-base",
    "xlm-roberta-large": "FacebookAI/xlm-roberta-large",
    "bert-base-multilingual-cased": "google-bert/bert-base-multilingual-cased",
    "distilbert-base-multilingual-cased": "distilbert/distilbert-base-multilingual-cased",
}
"""Ids the hub still knows by their old names, without an owner."""

_WANTED = ["*.safetensors", "*.json", "*.txt", "*.model", "README.md"]
_UNWANTED = ["onnx/*", "openvino/*", "original/*", "coreml/*", "training_args*", "eval/*"]


def download(model_id: str) -> Path:
    """Fetch a model into the hub's own cache; what is there already is not fetched again.

    Pickled weights and code are not even downloaded.

    Raises:
        ModelError: The hub cannot be reached, or has no such model.
        MissingExtraError: The package ``huggingface_hub`` is not installed.
    """
    hub = require("huggingface_hub", extra="hub")
    try:
        folder = hub.snapshot_download(model_id, allow_patterns=_WANTED, ignore_patterns=_UNWANTED)
    except Exception as error:  # the network's errors come in many classes
        raise ModelError(
            f"model {quoted(model_id)} is not in the hub's cache here and cannot be fetched: "
            f"{quoted(error, 160)}",
            remedy="Check the id and the network, or give a folder, or 'starter'",
        ) from error
    return Path(folder)
