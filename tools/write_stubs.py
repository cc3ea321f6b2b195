"""Write the type stubs (.pyi) of the extension modules from the modules as built: what editors and pyright read.

python tools/write_stubs.py            # after a change in bindings/ and an installation
python tools/write_stubs.py --check    # exit code 1 when a committed stub differs
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

from generated import update
from nanobind.stubgen import StubGen

SOURCE = Path(__file__).resolve().parents[1] / "src"
MODULES = ("hornbook.tokenizer._core", "hornbook.nn._kernels", "hornbook.data.corpora.storyworld._machine")


def render(name: str, target: Path) -> str:
    """Return the formatted stub of one module."""
    stub = StubGen(importlib.import_module(name), quiet=True)
    stub.put(stub.module)
    text = "# Written by tools/write_stubs.py; do not edit.\n" + stub.get()
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(target), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def main() -> int:
    targets = {name: SOURCE / Path(*name.split(".")).with_suffix(".pyi") for name in MODULES}
    return update({target: render(name, target) for name, target in targets.items()})


if __name__ == "__main__":
    sys.exit(main())
