"""Files that are whole or not there, and JSON objects read from them."""

import contextlib

import pytest

from hornbook.errors import FormatError
from hornbook.fileio import new_folder, read_json_object


@pytest.mark.parametrize("content", ["{", "", "[" * 100_000, "[1]", '"text"', b"\xff\xfe{"])
def test_what_is_no_json_object_is_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FormatError, match=r"a\.json (is not JSON|holds no JSON object)"):
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
