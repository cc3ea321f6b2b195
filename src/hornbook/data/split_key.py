"""What a prepared data set depends on, as one value with a digest: the one key of the cache and of resumed runs.

Equal keys mean equal files, those of earlier versions too (earlier.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hornbook.data.scan import TextFile
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.earlier import LATER_OF_SPLIT, without_later
from hornbook.fileio import canonical_json, sha256_bytes

if TYPE_CHECKING:
    from hornbook.tokenizer.tokenizer import Tokenizer

# Changes when the same key would give other files.
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class SplitKey:
    """Everything that decides the token files and the tokenizer of a prepared data set: contents, never names or
    times."""

    training: tuple[tuple[str, int], ...]
    """SHA-256 and size of each text, in order; of one stream a single entry, of a mixture one for each source."""
    validation: tuple[str, ...] | float
    """The share that is cut off, or the SHA-256 of each text of its own."""
    errors: str
    """What is done with bytes that are not UTF-8."""
    tokenizer: str | tuple[Any, ...]
    """Fingerprint of the tokenizer that is given, or vocabulary size, special tokens, pattern and separator of the one
    to train."""
    version: int = VERSION
    one_stream: bool = False
    """All texts, or all of a source, make one token file."""
    validation_seed: int | None = None
    """Draws the documents of validation; None: they are the last ones, or have a text of their own."""
    last_of_stream: bool = False
    """Validation is the end of the one stream. Said apart, as the digest does not tell seed 0 from None."""
    separator: str | None = None
    """Of one stream by a tokenizer that is given: what stands between documents."""
    special_tokens_as_text: bool = False
    """Special tokens stand inside the text and are ordinary text there."""

    @classmethod
    def of(
        cls,
        sources: list[list[TextFile]],
        held_out: list[TextFile],
        data: DataSection,
        section: TokenizerSection,
        given: Tokenizer | None,
        separator: str | None,
        *,
        as_text: bool = False,
    ) -> SplitKey:
        """Return the key of each source's scanned texts (`held_out`: the validation's own), a recipe, and the tokenizer
        in use."""
        stream = data.one_stream
        drawn = data.validation_from == "seeded" and not held_out
        return cls(
            training=tuple(entry for files in sources for entry in _contents(files, stream)),
            validation=tuple(sha256 for sha256, _ in _contents(held_out, stream)) or data.validation,
            errors=data.errors,
            tokenizer=given.fingerprint
            if given
            else (section.vocab_size, section.special_tokens, section.pattern, section.separator),
            one_stream=stream,
            validation_seed=data.validation_seed if drawn else None,
            last_of_stream=stream and not drawn and not held_out,
            separator=separator if stream and given else None,
            special_tokens_as_text=as_text,
        )

    @property
    def description(self) -> str:
        """The key as canonical JSON, which the prepared folder keeps."""
        return canonical_json(without_later(asdict(self), LATER_OF_SPLIT))

    @property
    def digest(self) -> str:
        """SHA-256 of the description."""
        return sha256_bytes(self.description.encode())


def validation_digest(key: Mapping[str, Any]) -> str:
    """Return what stands for the validation part of a described key, whatever tokenizer encoded it."""
    named = "training", "validation", "one_stream", "validation_seed", "last_of_stream"
    own = isinstance(key["validation"], list)  # a text of its own, whatever is trained on
    return sha256_bytes(canonical_json(key["validation"] if own else [key.get(name) for name in named]).encode())


def _contents(files: list[TextFile], one_stream: bool) -> tuple[tuple[str, int], ...]:
    """Return SHA-256 and size of each text, or of the list of them where they are one stream."""
    contents = tuple((file.sha256, file.num_bytes) for file in files)
    if not one_stream or not contents:
        return contents
    lines = "".join(f"{sha256} {size}\n" for sha256, size in contents)
    return ((sha256_bytes(lines.encode()), sum(size for _, size in contents)),)
