import ctypes
import json
import os
import sys

import numpy as np
import pytest

import hornbook as hb
from hornbook.data.token_data import TokenData
from hornbook.errors import DataError, FormatError
from hornbook.fileio import sha256_file
from hornbook.tokenizer import encode_files, token_file
from hornbook.tokenizer.token_header import token_dtype
from hornbook.tokenizer.token_writer import TokenFileWriter

WHAT = {"tokenizer_fingerprint": "f" * 64, "sources": [], "num_bytes": 9, "num_documents": 1}


def test_written_ids_come_back_mapped_and_read_only(tmp_path):
    path = tmp_path / "a.npy"
    file = hb.TokenFile.write(path, [np.arange(5), np.arange(3)], vocab_size=70_000, **WHAT)
    assert file.ids.tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert (file.ids.dtype, len(file), file.manifest["num_tokens"]) == (np.uint32, 8, 8)
    assert isinstance(file.ids, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        file.ids[0] = 1
    assert np.array_equal(np.load(path), file.ids), "any reader of NumPy files reads it"


def test_the_type_follows_the_vocabulary():
    assert token_dtype(65_536) == np.uint16
    assert token_dtype(65_537) == np.uint32


def test_a_bare_npy_opens_without_a_manifest(tmp_path):
    np.save(tmp_path / "bare.npy", np.arange(10, dtype=np.uint16))
    file = hb.TokenFile.open(tmp_path / "bare.npy")
    assert file.manifest == {}
    assert file.ids.tolist() == list(range(10))


def test_an_id_outside_the_vocabulary_is_refused_and_nothing_is_left(tmp_path):
    for ids in ([1, 256], [-1]):
        with pytest.raises(DataError, match="vocabulary of 256"):
            hb.TokenFile.write(tmp_path / "a.npy", ids, vocab_size=256, **WHAT)
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_does_not_appear_and_the_old_one_stays(tmp_path):
    path = tmp_path / "a.npy"
    hb.TokenFile.write(path, [1, 2], vocab_size=256, **WHAT)
    with pytest.raises(DataError), TokenFileWriter(path, vocab_size=256) as writer:
        writer.append(np.array([3, 300]))
    assert hb.TokenFile.open(path).ids.tolist() == [1, 2]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.npy"]


@pytest.mark.parametrize("length", [0, 5, 11, 64, 127, 131])
def test_a_file_cut_short_is_refused(tmp_path, length):
    path = tmp_path / "a.npy"
    hb.TokenFile.write(path, [1, 2, 3], vocab_size=256, **WHAT)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(FormatError):
        hb.TokenFile.open(path)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2), np.uint16), np.zeros(3, np.int64), np.zeros(3, np.float32), np.zeros(3, ">u2")]
)
def test_other_arrays_are_refused(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(FormatError):
        hb.TokenFile.open(tmp_path / "a.npy")


def test_object_arrays_are_refused_without_being_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError):
        hb.TokenFile.open(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"num_tokens": 4},
        {"dtype": "uint32"},
        {"sources": 3},
        {"num_bytes": None},
        {"num_documents": True},
    ],
)
def test_a_manifest_that_does_not_describe_the_ids_is_refused(tmp_path, change):
    path = tmp_path / "a.npy"
    hb.TokenFile.write(path, [1, 2, 3], vocab_size=256, **WHAT)
    manifest = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(manifest | change))
    with pytest.raises(FormatError, match=r"a\.json"):
        hb.TokenFile.open(path)
    path.with_suffix(".json").write_text("[" * 100_000)
    with pytest.raises(FormatError):
        hb.TokenFile.open(path)


def test_ids_that_are_not_those_of_the_manifest_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    facts = {"tokenizer_fingerprint": "x", "sources": [], "num_bytes": 3, "num_documents": 1}
    hb.TokenFile.write(path, [1, 2, 3], vocab_size=9, **facts)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"does not hold the ids that a\.json describes"):
        hb.TokenFile.open(path)
    monkeypatch.setattr(token_file, "CHECKED_AT_ONCE", 0)  # as for a large file
    TokenData.open([path])
    with pytest.raises(FormatError, match=r"does not hold the ids that a\.json describes"):
        TokenData.open([path], verify=True)


def test_a_shape_of_thousands_of_digits_is_refused(tmp_path):
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': (0x{'f' * 5000},), }}\n".encode()
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(FormatError, match=r"a\.npy is not a token file"):
        hb.TokenFile.open(path)


def opens_of(path, call):
    """Return how many times `call` opens a file, as Linux counts it (inotify)."""
    libc, opened, closed = ctypes.CDLL(None), 0x20, 0x10
    notices = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        assert libc.inotify_add_watch(notices, os.fsencode(path), opened | closed) > 0
        call()
        return os.read(notices, 4096).count(opened.to_bytes(4, "little"))
    finally:
        os.close(notices)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_a_file_is_opened_once_so_that_it_cannot_outgrow_its_array(tmp_path, errors):
    """The size of the array came from one opening, the bytes from another: what was appended in between overran it."""
    tokenizer = hb.Tokenizer({i: bytes([i]) for i in range(256)}, [])
    path = tmp_path / "a.txt"
    path.write_bytes(b"one two " * 300_000)
    assert opens_of(path, lambda: tokenizer.encode_to_array(path, errors=errors)) == 1


def test_a_file_that_changes_while_it_is_encoded_is_refused(tmp_path, monkeypatch):
    tokenizer = hb.Tokenizer({i: bytes([i]) for i in range(256)}, [])
    path = tmp_path / "a.txt"
    path.write_bytes(b"one two ")

    def grow_and_hash(path):
        with path.open("ab") as file:
            file.write(b"three")
        return sha256_file(path)

    monkeypatch.setattr(encode_files, "sha256_file", grow_and_hash)
    with pytest.raises(DataError, match=r"a\.txt changed while it was encoded"):
        tokenizer.encode_file(path, tmp_path / "a.npy")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
