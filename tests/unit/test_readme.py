"""The README tells the truth about the tree."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_map_of_the_tree_is_up_to_date():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = [sys.executable, str(ROOT / "tools" / "write_map.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_reference_of_recipes_is_up_to_date():
    command = [sys.executable, str(ROOT / "tools" / "write_reference.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_layers_told_are_those_that_are_checked():
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    layers = [layer.replace("hornbook.", "").split(" | ") for layer in linted]
    told = re.search(r"^cli →.*?(?=\n\n)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    assert told
    assert [sorted(layer.split(" / ")) for layer in " ".join(told[0].split()).split(" → ")] == [*map(sorted, layers)]


def test_every_link_of_a_page_leads_somewhere():
    dead = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in link and not link.startswith("mailto:") and not (page.parent / link).exists():
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    assert not dead, dead


def test_every_page_is_found_from_the_list_of_pages():
    listed = (ROOT / "docs" / "README.md").read_text("utf-8")
    folders = ("docs", "docs/handbook", "docs/reference")
    pages = [str(path.relative_to(ROOT / "docs")) for folder in folders for path in (ROOT / folder).glob("*.md")]
    assert [page for page in pages if f"({page})" not in listed and page != "README.md"] == []
