"""Which optimizer settings each parameter of a Transformer gets.

By the names of the model's state dict (`model.named_parameters()`): matrices inside `layers.` are hidden weights;
`token_embeddings`, `lm_head` and the one-dimensional norm gains are not. Used for weight decay by choice and for Muon.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def parameter_groups(
    named_parameters: Iterable[tuple[str, Tensor]], *, decay_norms_and_embeddings: bool = True, muon: bool = False
) -> list[dict[str, Any]]:
    """Split a model's parameters into optimizer groups, in the model's order within each.

    Args:
        named_parameters: `model.named_parameters()`.
        decay_norms_and_embeddings: False puts norm gains and embeddings (a tied embedding too) into a group with
            `weight_decay` 0; the output head of an untied model is decayed like any matrix.
        muon: True marks the hidden matrices `use_muon = True` and the rest `use_muon = False`, for `Muon`.

    Returns:
        One to three non-empty groups; a group without `weight_decay` takes the optimizer's own.
    """
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, parameter in named_parameters:
        hidden = parameter.ndim == 2 and name.startswith("layers.")
        decayed = decay_norms_and_embeddings or (parameter.ndim >= 2 and not name.startswith("token_embeddings."))
        groups.setdefault((muon and hidden, decayed), []).append(parameter)
    result = []
    for (use_muon, decayed), members in groups.items():
        group: dict[str, Any] = {"params": members}
        if muon:
            group["use_muon"] = use_muon
        if not decayed:
            group["weight_decay"] = 0.0
        result.append(group)
    return result
