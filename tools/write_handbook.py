"""Write docs/handbook/{transformer_accounting,adamw_accounting}.md and their figure (needs matplotlib for the figure).

python tools/write_handbook.py
"""

from __future__ import annotations

from pathlib import Path

from hornbook.accounting.flops import count_flops
from hornbook.accounting.handbook import CONTEXTS, GROUPS, adamw_page, transformer_page
from hornbook.accounting.presets import GPT2, PRESETS
from hornbook.fileio import atomic_write

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "handbook"
COLOURS = ("#4477aa", "#ccbb44", "#228833", "#aa3377")


def main() -> None:
    atomic_write(FOLDER / "transformer_accounting.md", transformer_page())
    atomic_write(FOLDER / "adamw_accounting.md", adamw_page())
    draw(FOLDER / "flops_by_part.svg", FOLDER / "flops_by_part.png")
    for path in sorted(FOLDER.glob("*")):
        print(path.relative_to(FOLDER.parents[1]))


def draw(*paths: Path) -> None:
    """Draw the stacked bars: the share of each part of the matrix products, by model and by context length."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "hornbook"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2), sharey=True, width_ratios=[4, 5])
    by_model = [(name.removeprefix("gpt2-"), count_flops(PRESETS[name])) for name in GPT2]
    xl = PRESETS["gpt2-xl"]
    by_context = [(f"{length:,}", count_flops(xl, context_length=length)) for length in CONTEXTS]
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
    main()
