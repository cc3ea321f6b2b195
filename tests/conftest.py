"""Fixtures that every part uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.messages import (  # noqa: F401  (hooks: pytest finds them by their names here)
    pytest_addoption,
    pytest_collection_finish,
    pytest_configure,
    pytest_deselected,
    pytest_runtest_call,
    pytest_sessionfinish,
)

pytest_plugins = ["harness.cpu_times"]

# Every process that a test starts says where it was if a signal such as SIGSEGV ends it.
os.environ.setdefault("PYTHONFAULTHANDLER", "1")
if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # several test processes: one thread each, also for the processes that they start
    os.environ.setdefault("OMP_NUM_THREADS", "1")
SHARED = Path(os.environ.get("HORNBOOK_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real text beside the project (HORNBOOK_SHARED names another place); skips where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the real text beside the project (../shared/data) is absent")
    return folder


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache and a working folder of the test's own; torch has as many threads afterwards as before."""
    import torch

    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
