"""Write the pages of docs/handbook and their figures (which need matplotlib).

    python tools/handbook.py
    python tools/handbook.py --check      only say whether the pages are what the code says today

The pages are those of handbook_pages/ with numbers and code filled in. They follow the problems of CS336 assignment 1,
part by part; every number comes from the functions that users call, all code from the source (quoted.py), what studies
showed from the records of their runs (handbook_studies.py).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import handbook_studies
from generated import update
from quoted import fill

from hornbook.accounting.flops import GROUPS, Flops, count_flops
from hornbook.accounting.formulas import Term, numbers_of, spelled, total
from hornbook.accounting.parameters import count_parameters
from hornbook.accounting.presets import GPT2, PRESETS
from hornbook.accounting.textbook import TextbookMemory, textbook_memory
from hornbook.accounting.training_time import DEVICES, training_time
from hornbook.format import quantity
from hornbook.models.config import ModelConfig

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "handbook"
TEMPLATES = Path(__file__).parent / "handbook_pages"
COLOURS = ("#4477aa", "#ccbb44", "#228833", "#aa3377")
XL = PRESETS["gpt2-xl"]
UNGATED = dataclasses.replace(XL, ffn="silu")
CONTEXTS = (256, 1024, 4096, 16384, 65536)
STEPS, BATCH = 400_000, 1024
A100 = DEVICES["a100"]


def main() -> int:
    values = {
        "transformer_accounting.md": transformer_values(),
        "adamw_accounting.md": adamw_values(),
        "write_ups.md": write_up_values(),
    }
    pages = {FOLDER / name: (TEMPLATES / name).read_text("utf-8").format(**v) for name, v in values.items()}
    pages |= {FOLDER / name: fill((TEMPLATES / name).read_text("utf-8")) for name in ("parts.md", "unicode.md")}
    pages |= handbook_studies.pages()
    if "--check" not in sys.argv[1:]:
        handbook_studies.draw()
        draw(FOLDER / "flops_by_part.svg", FOLDER / "flops_by_part.png")
    return update(pages)


def transformer_values() -> dict[str, Any]:
    """Return what docs/handbook/transformer_accounting.md is filled with."""
    parameters, flops = count_parameters(XL), count_flops(XL)
    longer = count_flops(XL, context_length=16384)
    forward, elementwise, share = flops.forward(), flops.forward("elementwise"), _shares(flops)
    return {
        "xl": XL,
        "parameter_table": _terms(parameters.terms, XL, "parameters"),
        "parameters": parameters,
        "bytes": parameters.bytes(),
        "bytes_in_words": quantity(parameters.bytes(), "B", 4),
        "ungated_parameters": count_parameters(UNGATED),
        "flops_table": _terms(flops.forward_terms, XL, "FLOPs"),
        "forward": forward,
        "forward_in_words": quantity(forward, "FLOP", 4),
        "elementwise": elementwise,
        "elementwise_more": 100 * (elementwise / forward - 1),
        "ungated_forward": count_flops(UNGATED).forward(),
        "share": share | {"attention": share["attention projections"] + share["attention scores"]},
        "shares_by_model": _share_table([(name, count_flops(PRESETS[name])) for name in GPT2]),
        "longer_in_words": quantity(longer.forward(), "FLOP", 4),
        "longer_ratio": longer.forward() / forward,
        "longer_share": _shares(longer),
        "shares_by_context": _share_table([(f"T = {t:,}", count_flops(XL, context_length=t)) for t in CONTEXTS]),
        "other_shapes": _other_shapes(),
    }


def adamw_values() -> dict[str, Any]:
    """Return what docs/handbook/adamw_accounting.md is filled with."""
    book, flops, n = textbook_memory(XL), count_flops(UNGATED), count_parameters(UNGATED).total
    tokens, per_day = STEPS * BATCH * 1024, 0.5 * A100.peak["float32"] * 86_400
    return {
        "activation_table": _terms(book.activation_terms, UNGATED, "elements of one sequence"),
        "book": book,
        "sum_in_words": _sum_in_words(book),
        "largest_batch": book.largest_batch(80 * 10**9),
        "batch_table": _batch_table(),
        "step_flops": flops.optimizer_term.value,
        "step_share": 100 * flops.optimizer_term.value / flops.training_step(),
        "steps": STEPS,
        "batch": BATCH,
        "tokens": tokens,
        "days_table": _days_table(),
        "ungated_parameters": n,
        "ungated_forward": flops.forward(),
        "days_of_steps": STEPS / 86_400,
        "step_1_56": _scientific(6 * 1.56e9 * BATCH * 1024, 2),
        "all_1_56": _scientific(6 * 1.56e9 * tokens, 1),
        "seconds_1_56": _scientific(6 * 1.56e9 * tokens / per_day * 86_400, 1),
        "days_1_56": 6 * 1.56e9 * tokens / per_day,
        "days_of_forward": flops.forward() * BATCH * STEPS / per_day,
        "days_ungated": 6 * n * tokens / per_day,
        "days_rounded": 6 * 2.13e9 * tokens / per_day,
        "days_exact": 6 * count_parameters(XL).total * tokens / per_day,
    }


def write_up_values() -> dict[str, Any]:
    """Return what docs/handbook/write_ups.md is filled with: published figures, derived again."""
    flops, book, small = count_flops(UNGATED), textbook_memory(XL), count_flops(PRESETS["gpt2-small"])
    ungated_small = _shares(count_flops(dataclasses.replace(PRESETS["gpt2-small"], ffn="silu")))
    left_out = ("attn.scores", "attn.weighted_sum", "lm_head")
    missing = _products(flops, left_out)
    w1_small = count_flops(dataclasses.replace(UNGATED, d_model=768, num_heads=12, num_layers=12))
    w1_small_forward = w1_small.forward() - _products(w1_small, left_out)
    projections = tuple(f"attn.{name}_proj" for name in ("q", "k", "v", "output"))
    one_matrix_less = book.per_sequence - 4 * XL.num_layers * XL.num_heads * XL.context_length**2
    w0_sequence = one_matrix_less + 4 * XL.context_length * (XL.vocab_size - 1)
    only_wider = {
        f"w0_{name}": count_flops(dataclasses.replace(XL, d_model=d, num_heads=d // 64)).forward() / 1e12
        for name, d in (("small", 768), ("medium", 1024), ("large", 1280))
    }
    swiglu, silu = 3 * 512 * 1344, 2 * 512 * 4 * 512
    return {
        **only_wider,
        **{name: count_flops(PRESETS[f"gpt2-{name}"]).forward() / 1e12 for name in ("small", "medium", "large")},
        "tied": count_parameters(dataclasses.replace(UNGATED, tie_embeddings=True)).total,
        "ungated": count_parameters(UNGATED).total,
        "gated": count_parameters(XL).total,
        "w1_forward": flops.forward() - missing,
        "w1_missing": missing,
        "ungated_forward": flops.forward(),
        "gated_forward": count_flops(XL).forward(),
        "w2_forward": count_flops(XL).forward() + 2 * XL.context_length * XL.d_model * (2 * XL.num_layers + 1),
        "w1_small": w1_small_forward / 1e12,
        "w1_small_share": 100 * _products(w1_small, projections) / w1_small_forward,
        "share": _shares(small),
        "ungated_head": ungated_small["LM head"],
        "ungated_attention": ungated_small["attention projections"] + ungated_small["attention scores"],
        "per_sequence": book.per_sequence / 1e9,
        "fixed": book.fixed / 1e9,
        "fixed_gib": book.fixed / 2**30,
        "gated_fixed": 16 * count_parameters(XL).total / 1e9,
        "w0_sequence": w0_sequence / 1e9,
        "w0_batch": (80 * 10**9 - book.fixed) // w0_sequence,
        "step_share": 100 * flops.optimizer_term.value / flops.training_step(),
        "slow_minutes": 327.68e6 / 32_000 / 60,
        "fast_minutes": 327.68e6 / 100_000 / 60,
        "swiglu_512": swiglu,
        "silu_512": silu,
        "less_512": 100 * (1 - swiglu / silu),
    }


def _products(flops: Flops, names: Sequence[str]) -> int:
    return sum(term.value for term in flops.forward_terms if term.name in names)


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return mantissa + "·10" + str(int(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _shares(flops: Flops) -> dict[str, float]:
    return {group: 100 * flops.share(group) for group in GROUPS}


def _percent(flops: Flops) -> list[str]:
    return [f"{share:.1f} %" for share in _shares(flops).values()]


def _sum_in_words(book: TextbookMemory) -> str:
    return f"{quantity(book.per_sequence, 'B', 4)} · batch + {quantity(book.fixed, 'B', 4)}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    numeric = [all(row[i][0] in "0123456789*" for row in rows) for i in range(len(header))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))


def _terms(terms: list[Term], config: ModelConfig, unit: str) -> str:
    numbers, whole = numbers_of(config), total(terms)
    rows = [
        [f"`{t.name}`", t.formula, spelled(t.formula, numbers), f"{t.value:,}", f"{100 * t.value / whole:.2f} %"]
        for t in terms
    ]
    return _markdown(["part", "formula", "in numbers", unit, "share"], rows)


def _share_table(accounts: Sequence[tuple[str, Flops]]) -> str:
    rows = [[name, f"{f.forward():,}", *_percent(f)] for name, f in accounts]
    return _markdown(["shape", "forward FLOPs", *GROUPS], rows)


def _other_shapes() -> str:
    rows = []
    for name, config in PRESETS.items():
        if name in GPT2:
            continue
        p, f = count_parameters(config), count_flops(config)
        numbers = [f"{config.context_length:,}", f"{p.total:,}", f"{p.non_embedding:,}"]
        rows.append([f"`{name}`", *numbers, quantity(f.forward(), "FLOP", 4), *_percent(f)])
    return _markdown(["preset", "T", "parameters", "without tables", "forward of one sequence", *GROUPS], rows)


def _batch_table() -> str:
    rows = []
    for name in GPT2:
        book = textbook_memory(PRESETS[name])
        rows.append(
            [name, _sum_in_words(book)] + [f"{book.largest_batch(size * 10**9):,}" for size in (24, 40, 80, 141)]
        )
    return _markdown(["shape", "a · batch + b", *(f"largest batch in {size} GB" for size in (24, 40, 80, 141))], rows)


def _days_table() -> str:
    rows = []
    for label, config in (("SwiGLU, d_ff = 4 C", XL), ("un-gated, d_ff = 4 C", UNGATED)):
        n = count_parameters(config).total
        flops = count_flops(config, BATCH)
        time = training_time(flops, n, steps=STEPS, peak=A100.peak["float32"], mfu=0.5)
        rows.append(
            [label, f"{n:,}", f"{time.matmul_flops:.4g}", f"**{time.days:,.1f}**", f"{time.six_nd_flops:.4g}",
             f"{time.days_6nd:,.1f}"]
        )  # fmt: skip
    header = ["model", "N", "matrix products", "days by products", "6·N·D", "days by 6·N·D"]
    return _markdown(header, rows)


def draw(*paths: Path) -> None:
    """Draw the stacked bars: the share of each part of the matrix products, by model and by context length."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "hornbook"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2), sharey=True, width_ratios=[4, 5])
    by_model = [(name.removeprefix("gpt2-"), count_flops(PRESETS[name])) for name in GPT2]
    by_context = [(f"{length:,}", count_flops(XL, context_length=length)) for length in CONTEXTS]
    titles = ("GPT-2 shapes at T = 1,024", "GPT-2 XL by context length")
    for axis, title, accounts in zip(axes, titles, (by_model, by_context), strict=True):
        bottoms = [0.0] * len(accounts)
        for group, colour in zip(GROUPS, COLOURS, strict=True):
            shares = [100 * flops.share(group) for _, flops in accounts]
            bars = axis.bar([name for name, _ in accounts], shares, bottom=bottoms, label=group, color=colour)
            axis.bar_label(bars, [f"{s:.0f}" if s >= 4 else "" for s in shares], label_type="center", color="white")
            bottoms = [b + s for b, s in zip(bottoms, shares, strict=True)]
        axis.set_title(title)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("% of the forward pass's matrix products")
    axes[0].set_ylim(0, 100)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=len(GROUPS), frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    for path in paths:
        figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)


if __name__ == "__main__":
    raise SystemExit(main())
