"""The sections [data] and [tokenizer] of a recipe (no torch).

What they describe is done by prepare.py; here is what can be said before any file is opened.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hornbook.config.bounds import MANY, Bound, check_bounds
from hornbook.config.build import Files
from hornbook.data.special_text import InText
from hornbook.errors import ConfigError
from hornbook.format import counted
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tokenizer.utf8 import Errors

# Ids 0…255 are needed for the bytes; every special token takes one more.
BYTES = 256

DATA_BOUNDS = {
    "corpus_bytes": Bound(1000, 100 * MANY, "1,000,000 is a small corpus"),
    "corpus_seed": Bound(0, 2**63 - 1),
    "validation_seed": Bound(0, 2**63 - 1),
    "validation": Bound(0, 1, "a share, such as 0.05", above=True, below=True),
}
TOKENIZER_BOUNDS = {"vocab_size": Bound(1, 2**31 - 1, "10,000 is a small vocabulary")}
SOURCE_BOUNDS = {"weight": Bound(0, 1e6, "weight = 2 gives twice as many windows as weight = 1", above=True)}
# Windows of a block in which the sources of a mixture have exactly their shares.
LONGEST_BLOCK = 10_000


@dataclass(frozen=True, kw_only=True)
class MixtureSource:
    """One source of a mixture."""

    text: Files = ()
    """As `data.text`."""
    weight: float = 1.0
    """Its windows, in the ratio of the weights."""

    def __post_init__(self) -> None:
        if not self.text:
            raise ConfigError('a source of a mixture names no text; it is written {text = "a.txt", weight = 2}')
        check_bounds("", self, SOURCE_BOUNDS)


@dataclass(frozen=True, kw_only=True)
class DataSection:
    """Where the text or the tokens come from, and in which order training sees them."""

    text: Files = ()
    """Text (UTF-8), read in this order: files, folders, globs; .jsonl, .json, .csv, .parquet, .gz, .xz, .bz2
    and .zst too. Documents are separated by the first special token; each record is one."""
    mixture: tuple[MixtureSource, ...] = ()
    """Several sources instead of `text`, each with a weight: `[{text = "a.txt", weight = 2}, {text = "b/"}]`. Of every
    3 windows exactly 2 are then of the first, in an order drawn each time. Each source has its own epochs and its own
    validation part; one tokenizer is trained on all of them."""
    field: str = "text"
    """Of records, the field (the column) that holds the text; `a.b.c` for a nested one. A chat (a list of {role,
    content}) becomes a paragraph `role: content` for each message."""
    corpus: str | None = None
    """A corpus by name instead of files, such as "storyworld"; `hornbook data list` shows them."""
    corpus_bytes: int = 20_000_000
    """How much text a generated corpus makes."""
    corpus_seed: int = 1
    """Seed of a generated corpus."""
    corpus_level: str = "normal"
    """Richness of a generated corpus."""
    tokens: Files = ()
    """Token files instead of text, one data set in this order; then `validation_tokens` is needed too."""
    validation: float = 0.05
    """Share of the documents that only validation sees; the tokenizer never reads them."""
    validation_from: Literal["seeded", "tail"] = "seeded"
    """Which documents validation gets: "seeded": drawn by `validation_seed`, whatever files they are in and in whatever
    order; "tail": the last ones. Under 20 documents it is the end of the text, cut at a line."""
    validation_seed: int = 0
    """Draws the documents of validation."""
    one_stream: bool = True
    """All texts are one stream of tokens, with the separator between documents; false: each text has a token file of
    its own, across whose end no window goes (with `validation_from = "tail"`)."""
    validation_text: Files = ()
    """Text to validate on instead of a share of the text."""
    validation_tokens: Files = ()
    """Token files to validate on."""
    order: Literal["random", "epochs", "documents", "one-batch"] = "random"
    """"random": windows drawn anew at every step (the handout's); "epochs": every window once, then all again;
    "documents": the same with windows that begin where a document does (its separator), as few as hold them all;
    "one-batch": the same batch at every step, to see whether the model can learn."""
    document_mask: bool = False
    """Attention never looks across the start of a document, which its separator begins; false: a window is one text.
    The scores' mask is then a tensor (B·T² per layer), computed by torch's attention and not by the CPU kernels."""
    errors: Errors = "strict"
    """What to do with bytes that are not UTF-8: an error that names the place, or U+FFFD in their stead."""
    special_tokens_in_text: InText = "split"
    """What special tokens inside the text are, those between documents apart: "split": special tokens, and the
    separator in a record divides it in two; "text": ordinary text; "error": refused, with their number and the first
    place. In a plain text the separator always divides documents."""
    verify: bool = False
    """Check every id of the token files against the vocabulary before training, not a sample."""

    def __post_init__(self) -> None:
        sources = [name for name in ("text", "mixture", "corpus", "tokens") if getattr(self, name)]
        if len(sources) > 1:
            raise ConfigError(f"data.{sources[0]} and data.{sources[1]} are both given; training reads one of them")
        if self.tokens and not self.validation_tokens:
            raise ConfigError("data.tokens needs data.validation_tokens beside it: token files are not split")
        if self.validation_tokens and not self.tokens:
            raise ConfigError("data.validation_tokens goes with data.tokens; for text files use data.validation_text")
        if self.mixture and (self.validation_text or not self.one_stream):
            key = "data.validation_text" if self.validation_text else "data.one_stream = false"
            raise ConfigError(f"data.mixture makes one stream and a validation part of each source; leave out {key}")
        whole_shares([source.weight for source in self.mixture])
        check_bounds("data", self, DATA_BOUNDS)
        if not (self.one_stream or self.validation_from == "tail" or self.validation_text or self.tokens):
            raise ConfigError(
                "data.one_stream = false keeps a token file for each text, and a drawn validation part has no such "
                'text: set data.validation_from = "tail" with it, or give data.validation_text'
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """The names in `text`, or in those of the mixture."""
        return tuple(name for source in self.mixture for name in source.text) or self.text


@dataclass(frozen=True, kw_only=True)
class TokenizerSection:
    """Which tokenizer turns the text into ids: an existing one, or one trained on the training part of the data."""

    path: str | None = None
    """A tokenizer to use as it is: hornbook's own folder, `tokenizer.json`, or `*.tiktoken`."""
    vocab_size: int = 10_000
    """Entries of the vocabulary to train: special tokens + 256 bytes + merged symbols."""
    special_tokens: tuple[str, ...] = (END_OF_TEXT,)
    """Strings with an id of their own; the first one separates documents."""
    pattern: str = "gpt2"
    """How text is cut before merging: "gpt2", "cl100k", "o200k", or a regular expression."""

    def __post_init__(self) -> None:
        check_bounds("tokenizer", self, TOKENIZER_BOUNDS)
        least = BYTES + len(self.special_tokens)
        if self.path is None and self.vocab_size < least:
            tokens = counted(len(self.special_tokens), "special token")
            raise ConfigError(
                f"tokenizer.vocab_size = {self.vocab_size} is too small: 256 bytes and {tokens} need at least {least}"
            )
        if any(not token for token in self.special_tokens):
            raise ConfigError(
                "tokenizer.special_tokens holds an empty string; a special token needs at least one character"
            )
        if len(set(self.special_tokens)) != len(self.special_tokens):
            raise ConfigError(f"tokenizer.special_tokens = {list(self.special_tokens)} names one token twice")

    @property
    def separator(self) -> str | None:
        """The special token between documents, if there is one."""
        return self.special_tokens[0] if self.special_tokens else None

    def separator_among(self, special_tokens: Collection[str]) -> str | None:
        """Return the separator where a tokenizer with these special tokens has it, else the first of them."""
        return self.separator if self.separator in special_tokens else next(iter(special_tokens), None)


def whole_shares(weights: Sequence[float]) -> list[int]:
    """Return the smallest whole numbers in the ratio of the weights. Raises ConfigError: they add up to too many."""
    exact = [Fraction(str(float(weight))) for weight in weights]  # 0.3 is 3/10, not the nearest double
    common = math.lcm(*(part.denominator for part in exact))
    whole = [int(part * common) for part in exact]
    shares = [part // math.gcd(*whole) for part in whole]
    if sum(shares) > LONGEST_BLOCK:
        given = ", ".join(f"{weight:g}" for weight in weights)
        raise ConfigError(
            f"data.mixture: the weights {given} are whole numbers of windows only in blocks of more than "
            f"{LONGEST_BLOCK:,}; round them"
        )
    return shares
