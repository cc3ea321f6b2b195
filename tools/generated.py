"""Files that a tool writes: brought up to date, or with `--check` compared with what is there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def update(files: Mapping[Path, str]) -> int:
    """Write each text to its file; with `--check` only name the files that would change, and return 1 if any would."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        if stale:
            names = ", ".join(os.path.relpath(path) for path in stale)
            print(f"out of date: {names}; run `python tools/{Path(sys.argv[0]).name}`", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return 0
