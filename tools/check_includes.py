"""Check that no C++ file of the project includes itself by way of others; exit code 1 and the circle where one does."""

from __future__ import annotations

import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("cpp", "bindings")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def included(path: Path) -> list[Path]:
    """Return the project's files that a file includes: beside it, or in cpp/include."""
    names = INCLUDE.findall(path.read_text(encoding="utf-8"))
    places = [[(path.parent / name).resolve(), ROOT / "cpp" / "include" / name] for name in names]
    return [next(place for place in both if place.exists()) for both in places]


def main() -> int:
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ch]pp"))
    try:
        TopologicalSorter({path: included(path) for path in files}).prepare()
    except CycleError as error:
        circle = reversed(error.args[1])
        print("includes go in a circle: " + " → ".join(str(p.relative_to(ROOT)) for p in circle), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
