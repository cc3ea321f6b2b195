"""What the post-processor of a tokenizer.json puts before and after each text, by the names of the tokens.

Follows `tokenizers` 0.23: ByteLevel (changes offsets alone), BertProcessing, RobertaProcessing, TemplateProcessing, and
a Sequence of them. Left out: pairs of texts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hornbook.errors import FormatError
from hornbook.tokenizer.formats.parts import of_type


def surroundings(post_processor: Any, file: Path) -> tuple[list[str], list[str]]:
    """Return the tokens that a post-processor puts before each text, and those that it puts after it.

    Raises:
        FormatError: it is damaged, unknown, or drops or repeats the text.
    """
    is_list = isinstance(post_processor, dict) and post_processor.get("type") == "Sequence"
    steps = of_type(post_processor.get("processors") if is_list else [post_processor], list, file, "post_processor")
    before: list[str] = []
    after: list[str] = []
    for step in steps:
        kind = step.get("type") if isinstance(step, dict) else repr(step)
        match step:
            case None | {"type": "ByteLevel"}:
                continue
            case {"type": "BertProcessing" | "RobertaProcessing", "cls": [str(first), *_], "sep": [str(last), *_]}:
                pieces: list[str | None] = [first, None, last]
            case {"type": "TemplateProcessing", "single": [*template]}:
                pieces = [_template_token(piece, file) for piece in template]
            case _:
                raise FormatError(f"{file}: post_processor {kind} is damaged, or none that is known here")
        if pieces.count(None) != 1:
            raise FormatError(f"{file}: post_processor {kind} has the text {pieces.count(None)} times, wanted once")
        at = pieces.index(None)
        before = [piece for piece in pieces[:at] if piece] + before
        after += [piece for piece in pieces[at + 1 :] if piece]
    return before, after


def _template_token(piece: Any, file: Path) -> str | None:
    """Return the token that a piece of a template stands for, None for the text."""
    match piece:
        case {"SpecialToken": {"id": str(token)}} if token:
            return token
        case {"Sequence": {"id": "A"}}:
            return None
    raise FormatError(f"{file}: post_processor has {str(piece)[:80]} where a token or the text was expected")


def in_words(before: list[str], after: list[str]) -> str:
    """Return `'<s>' before and '</s>' after each text`; "" for no tokens."""
    sides = [f"{' '.join(map(repr, side))} {where}" for side, where in ((before, "before"), (after, "after")) if side]
    return f"{' and '.join(sides)} each text" if sides else ""
