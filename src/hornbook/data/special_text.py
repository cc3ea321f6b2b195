"""Special tokens that stand in the text itself: counted, and what they become by `data.special_tokens_in_text`.

In a plain text the separator is what divides documents, so there it is no finding; inside a record, which is a document
by itself, it is one. As ordinary text such strings must be told from the separators between documents: a noncharacter
of Unicode, which no text may hold, stands there instead, and `separated_by` gives it the separator's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from hornbook.errors import DataError
from hornbook.tokenizer.special import byte_pieces, finder

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer

InText = Literal["split", "text", "error"]
STAND_IN = "\ufdd0document\ufdd1"
"""The separator of a text in which special tokens are ordinary text."""


class SpecialText:
    """Watches the texts that pass through it.

    Args:
        special_tokens: of the tokenizer, the separator among them.
        separator: between documents.
        in_text: what the others become: "text", or "error" when all are counted (`check`).
    """

    def __init__(self, special_tokens: Sequence[str], separator: str, in_text: InText) -> None:
        self.tokens = [*special_tokens, STAND_IN]
        self.separator, self.in_text = separator, in_text
        self.mark = STAND_IN if in_text == "text" else separator
        """What stands between documents in the text that comes out."""
        self.counts: Counter[str] = Counter()
        self._first = ""

    def record(self, text: str, where: str) -> None:
        """Count the special tokens of a record. Raises DataError for the stand-in itself."""
        for match in finder(self.tokens).finditer(text):
            self._count(match.group(), where)

    def plain(self, blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
        """Pass a plain text on, its separators as `mark`, and count the others. Raises as `record`."""
        line = 1
        for piece, is_special in byte_pieces(blocks, self.tokens):
            token = piece.decode() if is_special else ""
            if token and token != self.separator:
                self._count(token, f"{name}, line {line}")
            line += 0 if self._first else piece.count(b"\n")
            yield self.mark.encode() if token == self.separator else piece

    def check(self) -> None:
        """Raise DataError where special tokens were found and are to be none."""
        if self.in_text == "error" and self.counts:
            found = ", ".join(f"{token} {times:,} ×" for token, times in self.counts.items())
            raise DataError(
                f"the text holds special tokens ({found}), first in {self._first}; data.special_tokens_in_text = "
                '"text" takes them as ordinary text, "split" as special tokens'
            )

    def _count(self, token: str, where: str) -> None:
        if token == STAND_IN:
            raise DataError(f"{where} holds U+FDD0 document U+FDD1, which is kept for what stands between documents")
        self.counts[token] += 1
        self._first = self._first or where


def separated_by(tokenizer: Tokenizer, mark: str, separator: str) -> Tokenizer:
    """Return a tokenizer for texts with `mark` between documents: it gets the id of `separator`, and what looks like a
    special token is ordinary text. What it encodes counts as the first one's work.

    Raises:
        TokenizerError: the separator is an entry that merges need.
    """
    vocab = {**tokenizer.vocab, tokenizer.special_token_ids[separator]: mark.encode()}
    other = type(tokenizer)(vocab, tokenizer.merges, [mark], pattern=tokenizer.pattern)
    other.fingerprint = tokenizer.fingerprint
    return other
