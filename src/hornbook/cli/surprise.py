"""`hornbook eval RUN --per-token N`: where is the model surprised? A text, each token tinted by its loss.

On a terminal the tint is the background, elsewhere each token has a line with its loss; `--html` writes a page of it.
The scale goes from 0 to ln V, the loss of guessing. Left out: what the model would have said instead.
"""

from __future__ import annotations

import html
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hornbook.fileio import atomic_write
from hornbook.format import visible
from hornbook.report.design import asset
from hornbook.tokenizer.inspection import readable

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
main {{ max-width: 45em; }} pre {{ font: 16px/1.6 var(--serif); white-space: pre-wrap; overflow-wrap: anywhere; }}
@media print {{ span {{ print-color-adjust: exact; }} }}
</style>
<main><h1>{title}</h1>
<p>{words} The redder a token, the less the model expected it: from 0 to ln V = {most:.2f} nats. Each has
its loss under the pointer.</p>
<pre>{text}</pre></main>
</html>
"""

REDDEST = 0.6
"""Share of red at ln V: words on it are readable in light and dark."""


class Surprise(NamedTuple):
    """A token of a text and its loss in nats."""

    content: bytes
    loss: float


def show(
    found: Sequence[tuple[int, float]], tokenizer: Tokenizer, what: str, page: Path | None, *, as_json: bool
) -> None:
    """Print tokens with their losses, and write the page of them where one is asked for.

    Args:
        found: ids and losses, in the order of the text.
        tokenizer: of the ids.
        what: the run and the text.
        page: the HTML file; None: none.
        as_json: print JSON.
    """
    tokens = [Surprise(tokenizer.vocab[token], loss) for token, loss in found]
    most, mean = math.log(tokenizer.vocab_size), sum(t.loss for t in tokens) / max(1, len(tokens))
    words = f"{len(tokens):,} tokens, mean loss {mean:.4f} nats."
    if page is not None:
        atomic_write(page, html_page(tokens, what, words, most))
    if as_json:
        rows = [
            {"id": i, "token": readable(t.content), "loss": t.loss} for (i, _), t in zip(found, tokens, strict=True)
        ]
        print(json.dumps({"what": what, "mean": mean, "tokens": rows}))
        return
    if sys.stdout.isatty():
        _print_tinted(tokens, most)
    else:
        print("\n".join(f"{t.loss:8.4f}  {readable(t.content)}" for t in tokens))
    print(f"{what}: {words}" + (f" Page: {page}" if page else ""))


def html_page(tokens: Sequence[Surprise], title: str, words: str, most: float) -> str:
    """Return the page of a tinted text."""
    spans = (
        f'<span title="{t.loss:.3f} nats" style="background: rgba(220, 60, 40, {_red(t.loss, most):.2f})">'
        f"{html.escape(visible(t.content.decode(errors='replace')))}</span>"
        for t in tokens
    )
    text, style = "".join(spans), asset("base.css")
    return PAGE.format(title=html.escape(visible(title)), words=words, most=most, text=text, style=style)


def _red(loss: float, most: float) -> float:
    return REDDEST * min(1.0, loss / most)


def _print_tinted(tokens: Sequence[Surprise], most: float) -> None:
    from rich.console import Console
    from rich.text import Text

    line = Text()
    for t in tokens:
        pale = round(255 * (1 - min(1.0, t.loss / most)))
        line.append(visible(t.content.decode(errors="replace")), style=f"black on rgb(255,{pale},{pale})")
    Console().print(line)
