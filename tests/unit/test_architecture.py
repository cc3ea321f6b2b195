"""Every place that a page names by file and function is in the source; the figure of a batch is of its table."""

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
PLACE = re.compile(r"`([\w/]+\.py):([\w.]+)`")
PLACES = sorted(set(PLACE.findall(PAGE)))
GUIDES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "how-to").glob("*.md"))}


def names_of(body):
    """The functions, classes and variables that statements define."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def defined(path):
    """What a file defines, members of a class as Class.member."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    return set(names_of(body)) | {f"{node.name}.{inner}" for node in classes for inner in names_of(node.body)}


def test_the_page_names_places_from_the_sampler_to_the_log():
    assert len(PLACES) >= 40
    assert {"data/sampler.py", "nn/attention.py", "optim/adamw.py"} <= {file for file, _ in PLACES}


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_the_page_is_there(file):
    assert (SOURCE / file).is_file() or (ROOT / file).is_file()


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_every_function_of_the_page_is_in_its_file(file, name):
    assert name in defined(SOURCE / file)


@pytest.mark.parametrize("page", GUIDES)
def test_every_function_of_a_how_to_page_is_in_its_file(page):
    places = PLACE.findall(GUIDES[page])
    assert places or not page.startswith("add-"), "a page about changing the code says where"
    assert [f"{file}:{name}" for file, name in places if name not in defined(SOURCE / file)] == []


@pytest.mark.parametrize(
    ("question", "places"),
    [
        (
            "the learning rate of step k decided?",
            {
                ("training/progress.py", "Budget.schedule_position"),
                ("training/progress.py", "learning_rate_at"),
                ("optim/schedule.py", "learning_rate"),
                ("training/step.py", "TrainStep.set_learning_rate"),
            },
        ),
        ("what must I touch to try another norm?", {("nn/norm.py", "RMSNorm"), ("nn/specs.py", "NORMS")}),
    ],
)
def test_from_the_readme_a_visitor_comes_to_the_place_that_answers(question, places):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (link,) = set(re.findall(r"\]\((docs/architecture\.md)\)", readme))
    rows = (ROOT / link).read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in rows if line.startswith(f"| {question} |")]
    assert set(PLACE.findall(row)) == places


def test_the_figure_is_drawn_from_the_table():
    check = [sys.executable, str(ROOT / "tools" / "draw_batch_path.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run python tools/draw_batch_path.py"
