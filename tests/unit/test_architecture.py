"""Every place that docs/architecture.md names by file and function is in the source; its figure is of its table."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "hornbook"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"([\w/]+\.py)\b", PAGE)))
PLACES = sorted(set(re.findall(r"`([\w/]+\.py):([\w.]+)`", PAGE)))


def defined(path):
    """The functions and classes of a file, methods as Class.method."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return names


def test_the_page_names_places_from_the_sampler_to_the_log():
    assert len(PLACES) >= 40
    assert {"data/sampler.py", "nn/attention.py", "optim/adamw.py"} <= {file for file, _ in PLACES}


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_the_page_is_there(file):
    assert (SOURCE / file).is_file() or (ROOT / file).is_file()


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_every_function_of_the_page_is_in_its_file(file, name):
    assert name in defined(SOURCE / file)


def test_the_figure_is_drawn_from_the_table():
    check = [sys.executable, str(ROOT / "tools" / "draw_batch_path.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run python tools/draw_batch_path.py"
