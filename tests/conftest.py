"""Fixtures that every part uses."""

import os
from pathlib import Path

import pytest

# Every process that a test starts says where it was if a signal such as SIGSEGV ends it.
os.environ.setdefault("PYTHONFAULTHANDLER", "1")
SHARED = Path(os.environ.get("HORNBOOK_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real text beside the project (HORNBOOK_SHARED names another place); skips where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the real text beside the project (../shared/data) is absent")
    return folder
