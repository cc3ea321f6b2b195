"""`hornbook account PRESET_OR_RECIPE`: parameters, FLOPs, memory and time of a model, before anything is trained."""

from __future__ import annotations

from typing import Any

from hornbook.cli.common import parse_known

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Run the verb. Returns 0."""
    from hornbook.accounting.cost_spec import find_target
    from hornbook.accounting.render import render
    from hornbook.accounting.summary import account
    from hornbook.fileio import canonical_json

    options, overrides = parse_known(_options, argv, prog="hornbook account")
    as_json, explain = options.pop("json"), options.pop("explain")
    result = account(find_target(options.pop("target"), overrides), **options)
    print(canonical_json(result.to_dict()).rstrip() if as_json else render(result, explain=explain))
    return 0


def _options(
    target: str,
    /,
    context_length: int | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
    dtype: str | None = None,
    device: str = "a100",
    mfu: float = 0.5,
    optimizer: str | None = None,
    json: bool = False,
    explain: bool = False,
) -> dict[str, Any]:
    """Parameters, FLOPs, memory and time of a preset or recipe; `--model.KEY VALUE` changes its shape.

    Args:
        target: a preset (gpt2-small, gpt2-medium, gpt2-large, gpt2-xl, llama-7b, …) or a recipe file.
        context_length: tokens in a sequence, instead of the model's own.
        batch_size: sequences in a step, instead of the recipe's (or 1).
        steps: optimizer steps, instead of the recipe's (or 400,000).
        dtype: float32 or bfloat16 (mixed precision).
        device: whose data sheet gives peak and memory: a100, h100, h200, …
        mfu: share of the device's peak that is sustained.
        optimizer: its name as in a recipe, instead of the recipe's (or adamw).
        json: print JSON, counts as exact integers.
        explain: print every formula with its numbers in it.
    """
    return dict(locals())
