"""The handbook pages in docs/ are what the code says today."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
from quoted import fill, without_docstring

ROOT = Path(__file__).resolve().parents[2]


def test_the_accounting_pages_are_current():
    command = [sys.executable, str(ROOT / "tools" / "handbook.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_what_python_is_asked_on_a_page_it_answers():
    page = (ROOT / "docs" / "handbook" / "unicode.md").read_text("utf-8")
    asked = "\n".join(re.findall(r"^```pycon\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    test = doctest.DocTestParser().get_doctest(asked, {}, "unicode.md", None, 0)
    assert len(test.examples) > 20
    said: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(test, out=said.append).failed == 0, "".join(said)


def test_code_is_quoted_without_its_docstring_and_with_its_comments():
    source = 'def f(x):\n    """Say\n    x."""\n    # why\n    return x\n'
    assert without_docstring(source) == "def f(x):\n    # why\n    return x\n"
    assert without_docstring("def f(x):\n    return x\n") == "def f(x):\n    return x\n"
    assert fill("a\n[[hornbook.nn.plain.embedding]]\nb [[x]]").endswith("    return table[ids]\n```\nb [[x]]")
    with pytest.raises(AttributeError, match="nothing"):
        fill("[[hornbook.nn.plain.nothing]]")
