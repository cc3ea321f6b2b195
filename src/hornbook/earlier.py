"""What earlier versions wrote and did: every rule by which their runs, prepared data and studies mean today what they
meant then.

| file | what it lacks or has | how it is taken |
|---|---|---|
| recipe stored with a run | keys that came later | `as_stored`: what the version that wrote it did |
| the same | names of texts as given | compared as absolute ones (training/launch/open_run.py) |
| recipe it goes on with | the same keys | `is_unsaid`: their default is no wish to change the run |
| READY.json of prepared data | fields that came later | `without_later`: out of the digest while unset |
| study.json of a study's run | keys of [data] that came later | the same |
| manifest of a token file | its SHA-256 | LATER_OF_TOKEN_FILES: never in the digest of the data |
| plan.json of a run | the sizes of evaluations | not told (training/launch/estimate.py) |

Versions of a whole format are numbers in its file; a reader refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hornbook.config import merge

RECIPE: dict[str, dict[str, Any]] = {
    "data": {"validation_from": "tail", "one_stream": False},
    "evaluation": {"full": True},
}
"""What was done where a stored recipe lacks a key."""
_UNSAID = {*(f"{section}.{key}" for section, keys in RECIPE.items() for key in keys), "evaluation.share"}
LATER_OF_SPLIT = ("one_stream", "validation_seed", "last_of_stream", "separator", "special_tokens_as_text")
LATER_OF_STUDY_DATA = ("document_mask",)
LATER_OF_TOKEN_FILES = ("sha256",)


def as_stored(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe that a run keeps, with what the version that wrote it did where later ones have a key."""
    evaluation = recipe.get("evaluation", {})
    whole = "share" not in evaluation and "max_tokens" not in evaluation
    return merge({**RECIPE, "evaluation": RECIPE["evaluation"] if whole else {}}, recipe)


def is_unsaid(key: str, value: Any, default: Any) -> bool:
    """Return whether a recipe need not have meant a key, as `data.one_stream`: it came later and has its default."""
    return key in _UNSAID and value == default


def without_later(values: Mapping[str, Any], later: Sequence[str]) -> dict[str, Any]:
    """Return what a digest is made of: fields that came later are left out while they are unset, as everything was."""
    return {key: value for key, value in values.items() if key not in later or value not in (None, False)}
