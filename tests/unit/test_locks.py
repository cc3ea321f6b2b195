"""Locks of a folder: the operating system's, and a lease where the file system has none."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import time

import pytest

from hornbook import locks
from hornbook.errors import HornbookError
from hornbook.locks import FolderLock, hold, holder, is_held


@pytest.fixture
def lease(monkeypatch):
    """Let flock answer as NFS without a lock server does."""

    def none(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)


@pytest.fixture(params=["flock", "lease"])
def kind(request):
    """The two ways, for tests that must hold for both."""
    if request.param == "lease":
        request.getfixturevalue("lease")
    return request.param


def test_one_holds_and_the_next_only_after_it(tmp_path, kind):
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert first.take()
    assert first.take(), "it holds it already"
    assert is_held(tmp_path)
    assert not second.take()
    first.release()
    assert not is_held(tmp_path)
    assert second.take()
    second.release()
    assert not (tmp_path / ".lease").exists()


def test_hold_refuses_by_a_sentence_and_lets_go_after_an_error(tmp_path, kind):
    folder = tmp_path / "a" / "b"
    with hold(folder, "baking"):
        assert is_held(folder)
        with pytest.raises(HornbookError, match=r"another process is baking in .*b; wait"), hold(folder, "baking"):
            pass
    with pytest.raises(ZeroDivisionError), hold(folder, "baking"):
        raise ZeroDivisionError
    assert not is_held(folder)


def test_only_a_lease_is_told(tmp_path, kind, capfd):
    lock = FolderLock(tmp_path)
    lock.take()
    lock.release()
    assert capfd.readouterr().err.count("has no locks: a lease") == (kind == "lease")


HOLD = """
import errno, fcntl, sys, time
from pathlib import Path
from hornbook.locks import FolderLock
if sys.argv[2] == "lease":
    def none(descriptor, operation):
        raise OSError(errno.ENOLCK, "")
    fcntl.flock = none
print(FolderLock(Path(sys.argv[1])).take(), flush=True)
time.sleep(60)
"""


def test_the_hold_of_a_killed_process_ends_with_it(tmp_path, kind):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), kind], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"True\n"
        assert is_held(tmp_path)
        assert not FolderLock(tmp_path).take()
        process.kill()
    assert not is_held(tmp_path)
    lock = FolderLock(tmp_path)
    assert lock.take()
    lock.release()


def test_a_lease_of_another_machine_counts_until_it_is_no_longer_renewed(tmp_path, lease):
    (tmp_path / ".lock").touch()
    file = tmp_path / ".lease"
    for content in (json.dumps({"host": "elsewhere", "pid": 1, "started": ""}), "", "[]", '{"pid": 10'):
        file.write_text(content)
        assert is_held(tmp_path)
        assert not FolderLock(tmp_path).take()
        old = time.time() - locks.LEASE_SECONDS - 1
        os.utime(file, (old, old))
        assert not is_held(tmp_path)
        lock = FolderLock(tmp_path)
        assert lock.take()
        lock.release()


def test_a_lease_is_renewed(tmp_path, monkeypatch, lease):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.01)
    lock = FolderLock(tmp_path)
    lock.take()
    os.utime(tmp_path / ".lease", (1, 1))
    for _ in range(500):
        if (tmp_path / ".lease").stat().st_mtime > 1:
            break
        time.sleep(0.01)
    else:
        pytest.fail("not renewed")
    lock.release()


def test_a_process_id_that_is_used_again_holds_nothing(tmp_path, lease):
    (tmp_path / ".lock").touch()
    (tmp_path / ".lease").write_text(json.dumps({**locks._myself(), "started": "7"}))
    assert not is_held(tmp_path)


def test_a_lease_that_was_taken_meanwhile_is_put_back(tmp_path):
    """Two processes find the same dead lease; the slower one must not bury the new lease of the faster one."""
    (tmp_path / ".lease").write_text(json.dumps(locks._myself()))
    assert not locks._bury(tmp_path / ".lease")
    assert [path.name for path in tmp_path.iterdir()] == [".lease"]


def test_who_holds_a_folder_is_known_while_it_does(tmp_path, kind):
    lock = FolderLock(tmp_path)
    assert holder(tmp_path) is None
    lock.take()
    assert holder(tmp_path) == os.getpid()
    lock.release()
    assert holder(tmp_path) is None


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"{", b'{"pid": 1}', json.dumps({**locks._myself(), "started": "7"}).encode()],
    ids=["empty", "list", "cut", "pid alone", "started at another time"],  # two workers must find the same names
)
def test_a_lock_that_names_no_living_process_of_ours_names_none(tmp_path, said):
    lock = FolderLock(tmp_path)
    lock.take()
    (tmp_path / ".lock").write_bytes(said)
    assert is_held(tmp_path)
    assert holder(tmp_path) is None
    lock.release()
