"""What a prepared data set depends on, as one value with a digest: the one key of the cache and of resumed runs.

Equal keys mean equal files. A field that a later version adds is left out of the digest while it holds what earlier
versions did, so that what they prepared is found again and their runs resume.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hornbook.data.scan import TextFile
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.fileio import canonical_json, sha256_bytes

# Changes when the same key would give other files.
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class SplitKey:
    """Everything that decides the token files and the tokenizer of a prepared data set: contents, never names or
    times."""

    training: tuple[tuple[str, int], ...]
    """SHA-256 and size of each text, in order."""
    validation: tuple[str, ...] | float
    """The share that is cut off, or the SHA-256 of each text of its own."""
    errors: str
    """What is done with bytes that are not UTF-8."""
    tokenizer: str | tuple[Any, ...]
    """Fingerprint of the tokenizer that is given, or vocabulary size, special tokens, pattern and separator of the one
    to train."""
    version: int = VERSION

    @classmethod
    def of(
        cls,
        files: list[TextFile],
        held_out: list[TextFile],
        data: DataSection,
        section: TokenizerSection,
        fingerprint: str | None,
    ) -> SplitKey:
        """Return the key of scanned texts (`held_out`: the validation's own) and the sections of a recipe."""
        return cls(
            training=tuple((file.sha256, file.num_bytes) for file in files),
            validation=tuple(file.sha256 for file in held_out) or data.validation,
            errors=data.errors,
            tokenizer=fingerprint or (section.vocab_size, section.special_tokens, section.pattern, section.separator),
        )

    @property
    def description(self) -> str:
        """The key as canonical JSON, which the prepared folder keeps."""
        return canonical_json(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the description."""
        return sha256_bytes(self.description.encode())
