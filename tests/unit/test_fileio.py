"""Files that are whole or not there, and JSON objects read from them."""

import pytest

from hornbook.errors import FormatError
from hornbook.fileio import read_json_object


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
