"""What transformers puts before and after each text, and which tokens begin and end one: said beside the vocabulary.

A tokenizer.json says it as its post_processor. hornbook's ids are those of the text alone, so an imported run keeps it
beside its tokenizer, and export puts it back. Left out: runs that begin with such weights (`model.init_from`), which
were trained without it; `add_bos_token` in tokenizer_config.json, which transformers passes over as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hornbook.fileio import read_json_object
from hornbook.tokenizer.formats.post_processor import in_words, surroundings

KEPT = "huggingface.json"
"""File in the tokenizer's folder of an imported run."""
TOKENS, IDS = ("bos_token", "eos_token"), ("bos_token_id", "eos_token_id")


def read_surroundings(folder: Path) -> dict[str, Any]:
    """Return what a Hugging Face folder says of it. Raises FormatError or OSError."""
    settings = read_json_object(folder / "tokenizer_config.json", missing_ok=True)
    config = read_json_object(folder / "config.json")
    return {
        "post_processor": read_json_object(folder / "tokenizer.json").get("post_processor"),
        **{key: settings[key] for key in TOKENS if key in settings},
        **{key: config[key] for key in IDS if _are_ids(config.get(key))},
    }


def put_around(said: Mapping[str, Any], file: Path) -> str:
    """Return what is put around each text, as the end of a sentence; "" for nothing.

    Raises:
        FormatError: a post-processor that is damaged or does something else to a text.
    """
    return in_words(*surroundings(said.get("post_processor"), file))


def named_ids(said: Mapping[str, Any], special: Mapping[str, int]) -> dict[str, int]:
    """Return "bos_token_id" and "eos_token_id", as far as the folder names one; of several, the first."""
    ids: dict[str, int] = {}
    for token, key in zip(TOKENS, IDS, strict=True):
        name = said.get(token)
        found = special.get(name["content"] if isinstance(name, dict) else name or "", said.get(key))
        if isinstance(found, list):
            found = found[0]
        if found is not None:
            ids[key] = found
    return ids


def _are_ids(value: Any) -> bool:
    ids = value if isinstance(value, list) and value else [value]
    return all(type(token_id) is int and token_id >= 0 for token_id in ids)
