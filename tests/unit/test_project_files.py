"""What stands in several of the project's own files is the same in all of them."""

import re
import tomllib
from pathlib import Path

import hornbook

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_is_the_same_everywhere():
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    assert citation is not None
    assert citation[1] == PROJECT["version"] == hornbook.__version__


def test_ci_runs_every_python_that_is_declared():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    matrix = re.search(r"python: \[(.*)\]", workflow)
    assert matrix is not None
    declared = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert re.findall(r"3\.\d+", matrix[1]) == declared
    assert PROJECT["requires-python"] == f">={declared[0]}"
