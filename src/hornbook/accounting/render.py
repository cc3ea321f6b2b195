"""An account as text: tables for the terminal, and with `explain` every formula with its numbers in it.

Plain strings only, so that the same text serves the command line, the plan before a training and the handbook pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from hornbook.accounting.formulas import MEANINGS, Term, numbers_of, spelled
from hornbook.accounting.summary import Account
from hornbook.format import duration, quantity


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return aligned lines: the first column to the left, the others to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        padded = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        lines.append(("  " + "  ".join(padded)).rstrip())
    return lines


def render(account: Account, explain: bool = False) -> str:
    """Return the whole account as text.

    Args:
        account: what `hb.account` returned.
        explain: also write each formula, in letters and in numbers.
    """
    lines = [f"{account.spec.name}: {_shape(account)}"]
    if explain:
        lines += ["", "letters", *_legend(account)]
    lines += ["", *_parameters(account, explain)]
    lines += ["", *_flops(account, explain)]
    lines += ["", *_memory(account, explain)]
    lines += ["", *_time(account, explain)]
    return "\n".join(lines)


def _shape(account: Account) -> str:
    c = account.spec.model
    switches = [f"norm {c.norm}", f"position {c.position}", f"ffn {c.ffn}", "tied" if c.tie_embeddings else "untied"]
    return (
        f"vocab_size {c.vocab_size:,}, context_length {c.context_length:,}, d_model {c.d_model:,}, "
        f"num_layers {c.num_layers}, num_heads {c.num_heads}, d_ff {c.resolved_d_ff:,}; {', '.join(switches)}"
    )


def _numbers(account: Account) -> dict[str, int]:
    numbers = numbers_of(account.spec.model, account.spec.batch_size)
    return numbers | {"N": account.parameters.total, "K": account.parameters.hidden}


def _legend(account: Account) -> list[str]:
    numbers = _numbers(account)
    return [f"  {name} = {numbers[name]:,}  {MEANINGS[name]}" for name in MEANINGS if name in numbers]


def _terms(terms: list[Term], numbers: dict[str, int], explain: bool, whole: int, unit: str = "") -> list[str]:
    rows = [[t.name, f"{t.value:,}", f"{100 * t.value / whole:.2f} %"] for t in terms]
    if not explain:
        return table(["component", unit, "share"], rows)
    formulas = [f"{t.formula} = {spelled(t.formula, numbers)}" for t in terms]
    return [f"{line}  {formula}" for line, formula in zip(table(rows[0], rows[1:]), formulas, strict=True)]


def _parameters(account: Account, explain: bool) -> list[str]:
    p = account.parameters
    sizes = f"{quantity(p.bytes('float32'), 'B', 4)} in float32, {quantity(p.bytes('bfloat16'), 'B', 4)} in bfloat16"
    return [
        f"parameters: {p.total:,} ({quantity(p.total, digits=4)}; {p.non_embedding:,} without embeddings and head); "
        f"to load: {sizes}",
        *_terms(p.terms, _numbers(account), explain, p.total, "parameters"),
    ]


def _flops(account: Account, explain: bool) -> list[str]:
    f, numbers = account.flops, _numbers(account)
    batch = f"batch of {account.spec.batch_size} × {account.spec.model.context_length:,} tokens"
    what = f"forward pass, matrix products, this model (ffn {account.spec.model.ffn}), {batch}"
    lines = [
        f"{what}: {f.forward():,} FLOPs ({quantity(f.forward(), 'FLOP', 4)})",
        *_terms(f.forward_terms, numbers, explain, f.forward(), "FLOPs"),
        f"with element-wise work: {f.forward('elementwise'):,} FLOPs",
    ]
    if explain:
        lines += _terms(f.elementwise_terms, numbers, explain, f.forward("elementwise"), "FLOPs")
    rule = "forward + backward (2 × forward)" + (" + recomputed layers" if f.recompute else "")
    lines += [
        f"training step, {rule}: {f.training_step():,} FLOPs in matrix products "
        f"({quantity(f.training_step(), 'FLOP', 4)}; {quantity(f.training_per_token, 'FLOP', 4)} per token)",
        f"optimizer step ({f.optimizer_term.name}): {f.optimizer_term.value:,} FLOPs"
        + (f" = {f.optimizer_term.formula}" if explain else "")
        + f", {100 * f.optimizer_term.value / f.training_step():.3g} % of the step's matrix products",
    ]
    return lines


def _memory(account: Account, explain: bool) -> list[str]:
    book = account.memory.textbook
    limit = account.device.memory_bytes
    lines = [
        "memory, textbook (not this model: the handout's list, float32, ffn silu, d_ff = 4 d_model, untied): "
        f"{quantity(book.per_sequence, 'B', 4)} · batch + {quantity(book.fixed, 'B', 4)}",
        f"  a = {book.per_sequence:,} bytes a sequence, b = 16 · {book.parameters.total:,} = {book.fixed:,} bytes",
    ]
    if explain:
        elements = sum(t.value for t in book.activation_terms)
        lines += _terms(book.activation_terms, book.numbers, True, elements, "elements")
    lines += [
        f"  batch {account.spec.batch_size}: {quantity(book.peak(account.spec.batch_size), 'B', 4)}; "
        f"largest batch in {quantity(limit, 'B', 4)} ({account.device.name}): {book.largest_batch(limit)}",
        "",
        *_engine_memory(account, explain),
    ]
    return lines


def _engine_memory(account: Account, explain: bool) -> list[str]:
    """The measured model, with and without each means of saving memory."""
    memory, limit = account.memory, account.device.memory_bytes
    chosen = memory.measured(account.spec.batch_size)
    parts = [
        ("parameters", chosen.parameters),
        ("gradients", chosen.gradients),
        ("optimizer state", chosen.optimizer_state),
        *((f"kept for the backward pass: {kind}", size) for kind, size in chosen.by_kind().items()),
        ("largest temporary", chosen.workspace),
    ]
    rows = []
    for dtype in ("float32", "bfloat16"):
        for label, options in (
            ("fused attention, chunked loss", {}),
            ("fused attention, whole logits", {"chunked_loss": False}),
            ("plain attention, chunked loss", {"fused_attention": False}),
            ("plain attention, whole logits", {"fused_attention": False, "chunked_loss": False}),
            ("fused, chunked, layers recomputed", {"activation_checkpointing": True}),
        ):
            peak = memory.measured(account.spec.batch_size, dtype=dtype, **options).peak
            largest = memory.largest_batch(limit, dtype=dtype, **options)
            rows.append([f"{dtype}, {label}", quantity(peak, "B", 4), f"{largest:,}"])
    lines = [
        f"memory, this engine, this model, batch {account.spec.batch_size}, {memory.settings.dtype}: "
        f"{quantity(chosen.peak, 'B', 4)} at the peak, {quantity(chosen.settings.process, 'B', 4)} of it the process",
        *table(["part", "bytes", ""], [[name, f"{size:,}", quantity(size, "B", 4)] for name, size in parts]),
    ]
    if explain:
        rule = "peak = process + parameters + optimizer state + max(kept + temporary, gradients)"
        lines += [f"  {rule}", *_terms(chosen.activation_terms, chosen.numbers, True, chosen.activations, "bytes")]
    header = ["at the same batch", "peak", f"largest batch in {quantity(limit, 'B', 4)} ({account.device.name})"]
    return [*lines, *table(header, rows)]


def _time(account: Account, explain: bool) -> list[str]:
    t, spec, device = account.time, account.spec, account.device
    shape = f"{t.steps:,} steps × {spec.batch_size:,} × {spec.model.context_length:,}"
    lines = [
        f"time on one {device.name}, {spec.dtype}, {account.mfu:.0%} MFU ({quantity(t.rate, 'FLOP/s', 4)}): "
        f"{shape} = {quantity(t.tokens, digits=4)} tokens",
        f"  by matrix products: {quantity(t.matmul_flops, 'FLOP', 4)} → {duration(t.days * 86_400)}",
        f"  by 6·N·D:           {quantity(t.six_nd_flops, 'FLOP', 4)} → {duration(t.days_6nd * 86_400)}",
    ]
    if explain:
        lines.insert(1, f"  rate = peak {quantity(device.peak[spec.dtype], 'FLOP/s', 4)} × {account.mfu}")
        lines.append(f"  days = FLOPs / {t.rate:.4g} FLOP/s / 86,400 s")
    if t.measured_seconds is not None and t.tokens_per_second is not None:
        lines.append(
            f"  at {t.tokens_per_second:,.0f} tokens/s, measured on this machine: {duration(t.measured_seconds)}"
        )
    return lines
