"""What pyproject.toml asks for, what constraints.txt pins, and what the code tells people to install are the same."""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD = {"nanobind", "scikit-build-core", "cmake", "ninja", "pathspec"}
"""Of the build, which pip makes in an environment of its own."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> tuple[set[str], set[str]]:
    """Every distribution that `pip install -e ".[test,dev]"` brings on this machine, and those that are not here."""
    extras = PROJECT["optional-dependencies"]
    waiting = [Requirement(r) for r in (*PROJECT["dependencies"], *extras["test"], *extras["dev"])]
    found: set[tuple[str, str]] = set()
    absent = set()
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            key = (plain(requirement.name), extra)
            if key in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            found.add(key)
            try:
                needs = metadata.requires(requirement.name) or []
            except metadata.PackageNotFoundError:
                absent.add(requirement.name)
                continue
            for need in map(Requirement, needs):
                if need.marker is None or need.marker.evaluate({"extra": extra}):
                    need.marker = None
                    waiting.append(need)
    return {name for name, _ in found}, absent


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the pins are of Python 3.11")
def test_constraints_pin_what_is_installed_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {plain(line.partition("==")[0]) for line in lines if "==" in line}
    names, absent = wanted()
    assert names - pins == set(), "without a pin"
    if absent:
        pytest.skip(f"what {', '.join(sorted(absent))} would need is not known: not installed")
    assert pins - names - BUILD == set(), "pinned, and nothing asks for it"


def test_every_extra_is_one_that_the_code_names_or_a_sink_needs():
    named = {
        extra
        for path in (ROOT / "src").rglob("*.py")
        for extra in re.findall(r"hornbook\[(\w+)\]", path.read_text(encoding="utf-8"))
    }
    extras = set(PROJECT["optional-dependencies"])
    assert named <= extras
    assert extras - named <= {"track", "test", "dev"}
