"""The exceptions that reach a user.

Each message is one plain sentence: what came, what was wanted, the way out. The command line prints it and exits with
code 2; anything that is neither a `HornbookError` nor an `OSError` is a defect of hornbook and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable


class HornbookError(ValueError):
    """Base of every error that a user of hornbook can cause."""


class ConfigError(HornbookError):
    """A recipe, an override or a constructor argument that cannot be used."""


class DataError(HornbookError):
    """Text or token data that cannot be used: empty, malformed, too short, ids out of range."""


class TokenizerError(HornbookError):
    """A tokenizer that cannot be trained, built or applied as asked."""


class FormatError(HornbookError):
    """A file that is not what its format says: damaged, cut short or hostile."""


class CheckpointError(HornbookError):
    """A checkpoint that cannot be written, read or matched to the model."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the closest known name, or an empty string.

    Args:
        name: what the user wrote.
        known: the names that would have been accepted.
    """
    import difflib  # 10 ms that only a mistake costs

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
