"""`hornbook note RUN [TEXT]`: the note and the tags of a run, read or changed afterwards."""

from __future__ import annotations

from pathlib import Path

from hornbook.tracking.run import Run


def main(run: Path, text: str | None = None, *, tag: tuple[str, ...] = (), untag: tuple[str, ...] = ()) -> int:
    """Read or change the note and the tags of a run; they stand in its config.toml, whether it is training or not.

    Args:
        run: the run's folder.
        text: the new note; "" for none. Left out: it stays as it is.
        tag: words to find the run by, added to those that it has.
        untag: words to take away.

    Examples:
        hornbook note runs/my "the one with the longer warm-up" --tag baseline
        hornbook note runs/my
    """
    opened = Run.open(run)
    if text is not None or tag or untag:
        tags = [*opened.tags, *tag]
        opened.annotate(text, [word for word in tags if word not in untag] if tag or untag else None)
    print(f"note: {opened.note or 'none'}\ntags: {' '.join(opened.tags) or 'none'}")
    return 0
