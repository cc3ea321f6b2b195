"""Check that no C++ file of the project includes itself by way of others; exit code 1 and the circle where one does."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("cpp", "bindings")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def included(path: Path) -> list[Path]:
    """Return the project's files that a file includes: beside it, or in cpp/include."""
    names = INCLUDE.findall(path.read_text(encoding="utf-8"))
    places = [[(path.parent / name).resolve(), ROOT / "cpp" / "include" / name] for name in names]
    return [next(place for place in both if place.exists()) for both in places]


def find_circle(graph: dict[Path, list[Path]]) -> list[Path] | None:
    """Return the files of one circle, the first of them once more at the end, or None."""
    clear: set[Path] = set()

    def visit(path: Path, above: list[Path]) -> list[Path] | None:
        if path in above:
            return [*above[above.index(path) :], path]
        if path in clear:
            return None
        for below in graph[path]:
            if circle := visit(below, [*above, path]):
                return circle
        clear.add(path)
        return None

    return next((circle for path in graph if (circle := visit(path, []))), None)


def main() -> int:
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ch]pp"))
    circle = find_circle({path: included(path) for path in files})
    if circle:
        print("includes go in a circle: " + " → ".join(str(p.relative_to(ROOT)) for p in circle), file=sys.stderr)
    return int(circle is not None)


if __name__ == "__main__":
    sys.exit(main())
