"""`hornbook account PRESET_OR_RECIPE`: parameters, FLOPs, memory and time of a model, before anything is trained."""

from __future__ import annotations

from hornbook.cli.arguments import Overrides
from hornbook.optim.registry import OptimizerName


def main(
    target: str,
    *,
    context_length: int | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
    dtype: str | None = None,
    device: str = "a100",
    mfu: float = 0.5,
    optimizer: OptimizerName | None = None,
    json: bool = False,
    explain: bool = False,
    overrides: Overrides,
) -> int:
    """Parameters, FLOPs, memory and time of a preset or recipe, before anything is trained.

    Args:
        target: a preset (gpt2-small, gpt2-medium, gpt2-large, gpt2-xl, llama-7b, …) or a recipe file.
        context_length: tokens in a sequence, instead of the model's own.
        batch_size: sequences in a step, instead of the recipe's (or 1).
        steps: optimizer steps, instead of the recipe's (or 400,000).
        dtype: float32 or bfloat16 (mixed precision).
        device: whose data sheet gives peak and memory: a100, h100, h200, …
        mfu: share of the device's peak that is sustained.
        optimizer: which one, instead of the recipe's (or adamw).
        json: print JSON, counts as exact integers.
        explain: print every formula with its numbers in it.
        overrides: keys of the recipe.

    Examples:
        hornbook account gpt2-xl --context-length 16384
        hornbook account recipes/tinystories.toml --model.d-model 768 --explain
    """
    from hornbook.accounting.cost_spec import load_spec
    from hornbook.accounting.memory_limit import on_this_machine
    from hornbook.accounting.presets import PRESETS
    from hornbook.accounting.render import render
    from hornbook.accounting.summary import account
    from hornbook.fileio import canonical_json

    result = account(
        load_spec(target, overrides),
        context_length=context_length,
        batch_size=batch_size,
        steps=steps,
        dtype=dtype,
        device=device,
        mfu=mfu,
        optimizer=optimizer,
    )
    if json:
        print(canonical_json(result.to_dict()), end="")
        return 0
    print(render(result, explain=explain))
    if target not in PRESETS and (here := on_this_machine(result.memory, result.spec.batch_size)):
        print("\n" + here)
    return 0
