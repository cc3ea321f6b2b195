"""Files that are whole or not there, and JSON objects read from them."""

import contextlib
import errno
import os
import subprocess
import sys

import pytest

from hornbook import fileio
from hornbook.errors import FormatError
from hornbook.fileio import NotConfirmedError, atomic_write, new_folder, open_atomic, read_json_object


@pytest.mark.parametrize("content", ["{", "", "[" * 100_000, "[1]", '"text"', b"\xff\xfe{"])
def test_what_is_no_json_object_is_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FormatError, match=r"a\.json (is not JSON|is not UTF-8|holds no JSON object)"):
        read_json_object(path)


def test_a_file_that_is_absent_is_an_error_unless_it_may_be(tmp_path):
    assert read_json_object(tmp_path / "a.json", missing_ok=True) == {}
    with pytest.raises(FileNotFoundError):
        read_json_object(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"x": [1]}')
    assert read_json_object(tmp_path / "a.json", missing_ok=True) == {"x": [1]}


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with contextlib.suppress(OSError), new_folder(tmp_path / "a" / "b") as folder:
        (folder / "half").write_text("half")
        raise OSError("the disk is full")
    assert list((tmp_path / "a").iterdir()) == []
    with new_folder(tmp_path / "a" / "b") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "whole").write_text("whole")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "inner" / "whole").read_text() == "whole"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("place", [".", "..", "/", "../a/..", ""])
def test_a_folder_without_a_name_of_its_own_is_there_already(tmp_path, monkeypatch, place):
    """An empty working folder too: whoever stands in it would be left in one that is gone."""
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    with pytest.raises(FileExistsError), new_folder(place):
        pass
    with pytest.raises(IsADirectoryError):
        atomic_write(place, "x")
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_new_folder_never_replaces_what_is_there(tmp_path, what):
    target = tmp_path / "target"
    if what == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    with pytest.raises(FileExistsError), new_folder(target):
        pass
    assert (target if what == "file" else target / "mine").read_text() == "mine"
    with new_folder(tmp_path / "empty"):
        pass
    with new_folder(tmp_path / "empty") as folder:
        (folder / "x").write_text("x")
    assert (tmp_path / "empty" / "x").exists()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_left_is_removed_by_the_next_one(tmp_path):
    code = (
        "import os, sys; from hornbook.fileio import open_atomic as o; x = o(sys.argv[1]); x.__enter__(); os._exit(9)"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
        assert names(tmp_path) == [".a.tmp"]
    atomic_write(tmp_path / "a", "new")
    assert names(tmp_path) == ["a"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with open_atomic(tmp_path / "a") as first:
        first.write(b"first")
        atomic_write(tmp_path / "a", "second")
        assert (tmp_path / "a").read_text() == "second"
    assert (tmp_path / "a").read_text() == "first"
    assert names(tmp_path) == ["a"]


def test_every_new_parent_is_made_durable(tmp_path, monkeypatch):
    synced = []
    real = fileio.fsync_directory
    monkeypatch.setattr(fileio, "fsync_directory", lambda path: (synced.append(path), real(path)))
    atomic_write(tmp_path / "a" / "b" / "c", "x")
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]


def test_an_error_says_whether_the_new_content_is_in_place(tmp_path, monkeypatch):
    atomic_write(tmp_path / "a", "old")
    real = os.fsync
    calls = []

    def fail_at(number):
        calls.clear()

        def fsync(descriptor):
            calls.append(descriptor)
            if len(calls) == number:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    fail_at(1)
    with pytest.raises(OSError, match="error") as caught:
        atomic_write(tmp_path / "a", "new")
    assert not isinstance(caught.value, NotConfirmedError)
    assert (tmp_path / "a").read_text() == "old"
    fail_at(2)
    with pytest.raises(NotConfirmedError, match="the new content is in place, but the disk did not confirm it"):
        atomic_write(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert names(tmp_path) == ["a"]
