"""Write docs/map.md, the map of the tree, from the first sentence of every file's head comment (`--check` compares)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from generated import update

ROOT = Path(__file__).resolve().parents[1]
MAP = ROOT / "docs" / "map.md"
HEAD = """# The map

What each file is for: the first sentence of its own head. Written by `python tools/write_map.py`; not edited by hand.

"""
FOLDERS = ("src/hornbook", "cpp", "bindings", "benchmarks", "examples", "tools", "recipes")
WIDTH = 88


def main() -> int:
    """Bring the map up to date; return 1 if `--check` finds that it is not."""
    return update({MAP: HEAD + "```\n" + "\n".join(tree_map()) + "\n```\n"})


def tree_map() -> list[str]:
    """Return one line per folder and file."""
    listed = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines: list[str] = []
    folder = None
    seen: set[str] = set()
    for name in sorted(listed.split(), key=lambda n: (str(Path(n).parent), Path(n).name)):
        path = Path(name)
        if path.suffix not in (".py", ".hpp", ".cpp", ".toml", ".story") or path.name == "__main__.py":
            continue
        if path.parent != folder:
            folder = path.parent
            package = ROOT / folder / "__init__.py"
            lines.append(f"{folder}/" + (f"  {phrase(package)}" if package.exists() else ""))
        if path.name == "__init__.py" or (path.stem in seen and path.suffix == ".cpp"):
            continue
        words = phrase(ROOT / path)
        if path.suffix in (".hpp", ".cpp"):
            seen.add(path.stem)
        lines.append(f"  {path.name:<26} {shorten(words)}")
    return lines


def shorten(words: str) -> str:
    """Return at most WIDTH characters, cut where a clause ends if that leaves enough of it."""
    if len(words) <= WIDTH:
        return words
    cut = words[: WIDTH + 1]
    clause = max(cut.rfind(mark) for mark in (", ", ": ", " (", ", and "))
    return cut[:clause] if clause > WIDTH // 3 else cut[: cut.rfind(" ")] + " …"


def phrase(path: Path) -> str:
    """Return the first clause of a file's head comment."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        head = ast.get_docstring(ast.parse(text)) or ""
    else:
        head = " ".join(line.lstrip("/# ") for line in text.splitlines()[:3] if line.startswith(("//", "#")))
        head = "" if head.startswith(("pragma", "include")) else head.removeprefix("Purpose").strip()
    first = re.split(r"(?<=[.;])\s", " ".join(head.split("\n\n")[0].split()))[0].rstrip(".;")
    return re.sub(r"^`hornbook[^`]*`: ", "", first)


if __name__ == "__main__":
    sys.exit(main())
