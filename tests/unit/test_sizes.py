"""The code stays small enough to be read: a file fits in a sitting, a function on a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "hornbook"
MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 300, 60
CLASSES = {"training/trainer.py:Trainer": 180, "tokenizer/tokenizer.py:Tokenizer": 220}


def length(node: ast.AST, *, with_help: bool = True) -> int:
    """Return the lines of a definition, decorators apart; of a subcommand's also the help apart, its docstring."""
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    assert node.end_lineno is not None
    text = ast.get_docstring(node)
    return node.end_lineno - node.lineno + 1 - (0 if with_help or text is None else len(text.splitlines()))


def test_no_file_is_too_long():
    sizes = {str(path.relative_to(SOURCE)): len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py")}
    assert len(sizes) > 100
    assert {name: lines for name, lines in sizes.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_too_long():
    long = {
        f"{path.relative_to(SOURCE)}:{node.name}": lines
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (lines := length(node, with_help=path.parent.name != "cli")) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("place", CLASSES)
def test_the_two_large_classes_stay_within_their_bounds(place: str):
    file, name = place.split(":")
    (found,) = [
        node
        for node in ast.parse((SOURCE / file).read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    assert length(found) < CLASSES[place]
