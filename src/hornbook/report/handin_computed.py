"""Answers of `hornbook handin` that are computed and need no run: text encodings, AdamW's memory and time."""

from __future__ import annotations

import dataclasses
from typing import Any

from hornbook.accounting.presets import PRESETS
from hornbook.accounting.summary import account
from hornbook.accounting.textbook import textbook_memory
from hornbook.format import quantity


def unicode(own: object) -> dict[str, Any]:
    """Answer unicode1 and unicode2."""
    text, two = "é", bytes([0xC3, 0x28])
    sizes = {name: len(("hello caf" + text).encode(name)) for name in ("utf-8", "utf-16", "utf-32")}
    return {
        "findings": [
            f"chr(0) is U+0000, NULL: its repr is {chr(0)!r}, written out; printed it shows nothing, and in a string "
            f"it stays a character like any other: {'this is a test' + chr(0) + 'string'!r}.",
            f"'hello caf{text}' takes {', '.join(f'{size} bytes in {name}' for name, size in sizes.items())}: UTF-8 is "
            "shortest for most text, has no zero bytes to learn, and 256 values cover all of it.",
            f"Byte by byte {text!r} cannot be decoded: its {len(text.encode())} bytes {list(text.encode())} mean "
            "something only together.",
            f"{list(two)} decodes to nothing: 0xC3 begins a character of two bytes, and 0x28 continues none "
            f"({_reason(two)}).",
        ]
    }


def _reason(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        return error.reason


def adamw(own: object) -> dict[str, Any]:
    """Answer adamwAccounting."""
    a = account(dataclasses.replace(PRESETS["gpt2-xl"], ffn="silu"), batch_size=1024)  # the handout's
    book = textbook_memory(a.spec.model)
    return {
        "findings": [
            "Peak memory of GPT-2 XL (un-gated, as in the handout) in float32: "
            f"{quantity(book.per_sequence, 'B', 4)} · batch + {quantity(book.fixed, 'B', 4)}; the largest batch in 80 "
            f"GB is {book.largest_batch(80 * 10**9)}.",
            f"An AdamW step takes 14 operations a parameter: {quantity(a.flops.optimizer_term.value, 'FLOP', 4)}.",
            f"400,000 steps of 1,024 sequences on one A100 at half of its float32 peak: {a.time.days:,.0f} days by the "
            f"matrix products, {a.time.days_6nd:,.0f} by 6·N·D (backward = 2 × forward).",
        ]
    }
