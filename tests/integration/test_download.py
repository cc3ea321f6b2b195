"""Downloads against a server on this machine: continued, checked, tried again, whole or not there, sentences."""

import dataclasses
import fcntl
import gzip
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import httpx
import pytest
from harness.web import serving

from hornbook.cli.main import main
from hornbook.data import download as module
from hornbook.data import download_checks
from hornbook.data.datasets import DATASETS, RemoteDataset, RemoteFile
from hornbook.data.download import download
from hornbook.errors import DataError
from hornbook.tracking.console import Console

CONTENT = random.Random(0).randbytes(3_000_000)
QUIET = Console(silent=True)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def site():
    with serving(CONTENT) as site:
        yield site


def fetch(site, folder, path="/a.txt", **settings):
    """Fetch without waiting; return the file and the pauses that were asked for."""
    pauses = []
    return download(site.url + path, folder / "a.txt", QUIET, sleep=pauses.append, **settings), pauses


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_a_file_is_fetched_whole_and_left_alone_the_next_time(site, tmp_path):
    path, pauses = fetch(site, tmp_path)
    assert path.read_bytes() == CONTENT
    assert (leftovers(tmp_path), pauses) == ([], [])
    fetch(site, tmp_path)
    assert len(site.asked) == 1


def test_a_cut_connection_goes_on_where_it_stopped(site, tmp_path):
    site.cuts = [1_000_000, 500_000, 700_000]
    path, pauses = fetch(site, tmp_path)
    assert path.read_bytes() == CONTENT
    assert [r for _, r in site.asked] == [None, "bytes=1000000-", "bytes=1500000-", "bytes=2200000-"]
    assert pauses == [0.0, 0.0, 0.0], "bytes came each time, so there is nothing to wait for"


def test_a_killed_download_goes_on_in_the_next_process(site, tmp_path):
    site.silent = 60
    code = (
        "import sys; from hornbook.data.download import download; from hornbook.tracking.console import Console; "
        "download(sys.argv[1], sys.argv[2], Console(silent=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, site.url + "/a.txt", str(tmp_path / "a.txt")])
    part = tmp_path / ".a.txt.part"
    for _ in range(300):
        if part.exists() and part.stat().st_size > 1_000_000:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    have = part.stat().st_size
    assert not (tmp_path / "a.txt").exists()
    path, _ = fetch(site, tmp_path)
    assert path.read_bytes() == CONTENT
    assert site.asked[-1][1] == f"bytes={have}-"
    assert 1_000_000 < have <= 1_500_000


def _half(site, folder):
    """Leave half a download behind."""
    site.cuts = [1_500_000, 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ATTEMPTS", 1)
        with pytest.raises(DataError, match=r"; the 1\.5 MB that came are kept"):
            fetch(site, folder)
    assert (folder / ".a.txt.part").stat().st_size == 1_500_000


def test_a_file_that_changed_meanwhile_is_fetched_anew(site, tmp_path):
    _half(site, tmp_path)
    site.content = CONTENT[::-1]
    path, _ = fetch(site, tmp_path)
    assert path.read_bytes() == site.content


def test_a_file_that_became_shorter_meanwhile_is_fetched_anew(site, tmp_path):
    _half(site, tmp_path)
    (tmp_path / ".a.txt.part.json").write_text(
        json.dumps(json.loads((tmp_path / ".a.txt.part.json").read_text()) | {"etag": None, "sha256": "0" * 64})
    )
    site.content = CONTENT[:1000]
    assert fetch(site, tmp_path)[0].read_bytes() == site.content


@pytest.mark.parametrize("damage", ["another address", "no note", "no validator", "garbage", "wrong types"])
def test_bytes_of_nobody_knows_what_are_not_built_upon(site, tmp_path, damage):
    _half(site, tmp_path)
    note = tmp_path / ".a.txt.part.json"
    fields = json.loads(note.read_text())
    (tmp_path / ".a.txt.part").write_bytes(b"x" * 1_500_000)
    if damage == "no note":
        note.unlink()
    else:
        note.write_text(
            {
                "another address": json.dumps(fields | {"url": site.url + "/b.txt"}),
                "no validator": json.dumps(fields | {"etag": None}),
                "garbage": '{"url": ',
                "wrong types": json.dumps(fields | {"size": "many"}),
            }[damage]
        )
    assert fetch(site, tmp_path)[0].read_bytes() == CONTENT
    assert site.asked[-1][1] is None


def test_a_server_without_ranges_is_read_from_the_start_again(site, tmp_path):
    site.ranges, site.cuts = False, [1_000_000]
    assert fetch(site, tmp_path)[0].read_bytes() == CONTENT


def test_a_server_that_says_no_length_is_read_to_its_end(site, tmp_path):
    site.length = False
    assert fetch(site, tmp_path)[0].read_bytes() == CONTENT


def test_a_silent_connection_is_made_anew(site, tmp_path):
    site.silent = 3.0
    began = time.monotonic()
    path, _ = fetch(site, tmp_path, silent_seconds=0.5)
    assert path.read_bytes() == CONTENT
    assert len(site.asked) == 2
    assert time.monotonic() - began < 3


def test_a_busy_server_is_asked_again_with_pauses_as_it_wishes(site, tmp_path):
    site.answers = [503, 429, 500]
    path, pauses = fetch(site, tmp_path)
    assert path.read_bytes() == CONTENT
    assert pauses == [7.0, 4.0, 8.0]


def test_a_server_that_stays_busy_is_given_up_with_a_sentence(site, tmp_path):
    site.answers = [502] * 50
    with pytest.raises(DataError, match=r"cannot be fetched: the server answered 502 Bad Gateway$"):
        fetch(site, tmp_path)
    assert len(site.asked) == module.ATTEMPTS


def test_nobody_there_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9/a cannot be fetched: the server cannot be reached"):
        download("http://127.0.0.1:9/a", tmp_path / "a", QUIET, sleep=lambda seconds: None)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_there_is_not_asked_for_twice(site, tmp_path, status):
    site.answers = [status] * 9
    with pytest.raises(DataError, match=f"the server answered {status}"):
        fetch(site, tmp_path)
    assert len(site.asked) == 1


@pytest.mark.parametrize("said_by", ["caller", "server"])
def test_the_checksum_is_compared_and_a_wrong_file_is_thrown_away(site, tmp_path, said_by):
    wrong = hashlib.sha256(b"another file").hexdigest()
    site.checksum = wrong if said_by == "server" else site.sha256
    with pytest.raises(DataError, match="came with the SHA-256") as caught:
        fetch(site, tmp_path, "/linked/a.txt", sha256=wrong if said_by == "caller" else None)
    assert wrong[:16] in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    site.checksum = site.sha256
    assert fetch(site, tmp_path, "/linked/a.txt", sha256=site.sha256)[0].read_bytes() == CONTENT


def test_a_gz_is_unpacked_and_a_damaged_one_is_thrown_away(tmp_path):
    packed = gzip.compress(CONTENT)
    with serving(packed) as site:
        path, _ = fetch(site, tmp_path, "/a.txt.gz", unpack=True)
        assert path.read_bytes() == CONTENT
        assert leftovers(tmp_path) == []
        path.unlink()
        for broken in (packed[:-20], packed[:1000] + b"zzzz" + packed[1004:], b"plain text"):
            site.content = broken
            with pytest.raises(DataError, match=r"a\.txt\.gz is (cut short|damaged)"):
                fetch(site, tmp_path, "/other.txt.gz", unpack=True)
            assert list(tmp_path.iterdir()) == []


def test_content_that_the_server_packs_is_refused(site, tmp_path):
    site.headers = {"Content-Encoding": "br"}
    with pytest.raises(DataError, match=r"comes packed \(br\)"):
        fetch(site, tmp_path)


def test_a_disk_without_room_is_said_before_it_is_full(site, tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: os.terminal_size((0, 0)) and _Usage())
    with pytest.raises(DataError, match=r"needs 3 MB more, and the disk of .* has 1 MB free"):
        fetch(site, tmp_path)


class _Usage:
    free = 1_000_000


def test_two_processes_do_not_write_the_same_part(site, tmp_path):
    with (tmp_path / ".a.txt.part").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DataError, match=r"another process is fetching a\.txt"):
            fetch(site, tmp_path)


def test_a_built_in_file_must_be_the_one_that_is_known(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    known = DATASETS["tinystories"].files
    assert all("/resolve/f54c09fd" in file.url and file.sha256 for file in known)
    with serving(CONTENT) as site:
        files = tuple(dataclasses.replace(file, url=f"{site.url}/{file.name}") for file in known)
        monkeypatch.setitem(DATASETS, "tinystories", RemoteDataset("tinystories", "a test", files))
        assert main(["data", "get", "tinystories"]) == 2
    assert "wanted 6418d412de72888f…; what came was thrown away" in capsys.readouterr().err
    assert not [*(tmp_path / "data").iterdir()]


def test_get_fetches_every_file_of_a_data_set_and_list_shows_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with serving(gzip.compress(CONTENT)) as site:
        files = (RemoteFile(f"{site.url}/one.txt.gz", unpack=True), RemoteFile(f"{site.url}/two.bin"))
        monkeypatch.setitem(DATASETS, "mine", RemoteDataset("mine", "a test", files))
        assert main(["data", "get", "mine"]) == 0
        assert main(["data", "get", f"{site.url}/three%20four.bin?download=true", "--out", "elsewhere"]) == 0
        assert main(["data", "get", f"{site.url}/five", "--sha256", "0" * 64]) == 2
    said = capsys.readouterr()
    assert "data/one.txt\n" in said.out
    assert "came with the SHA-256" in said.err
    assert (tmp_path / "data" / "one.txt").read_bytes() == CONTENT
    assert gzip.decompress((tmp_path / "elsewhere" / "three four.bin").read_bytes()) == CONTENT
    assert main(["data", "list"]) == 0
    assert "data/one.txt, 3,000,000 bytes here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tinystory"], "did you mean 'tinystories'"),
        (["ftp://a/b"], "is not the address of a file"),
        (["https://a/"], "is not the address of a file"),
        (["https://a/.."], "is not the address of a file"),
        (["https://a/..%2f..%2fX"], "is not the address of a file"),
        (["https://a/x/%2e%2e%2fX"], "is not the address of a file"),
        (["https://a/%2Fetc%2Fpasswd"], "is not the address of a file"),
        (["https://a/..%5cX"], "is not the address of a file"),
        (["https://a/%2ebashrc"], "is not the address of a file"),
        (["https://a/a%00b"], "is not the address of a file"),
        (["https://a/a%1b%5d0;x"], "is not the address of a file"),
        (["https://a/a%e2%80%aetxt.exe"], "is not the address of a file"),
        (["https://[::1/a"], "is not an address of the web"),
        (["https://a\0b/a"], "cannot be fetched"),
        (["tinystories", "--sha256", "0" * 64], "--sha256 takes the 64 hexadecimal digits of one file"),
        (["https://a/b", "--sha256", "xyz"], "--sha256 takes the 64 hexadecimal digits"),
    ],
)
def test_bad_arguments_get_one_sentence(arguments, words, capsys, tmp_path):
    assert main(["data", "get", *arguments, "--out", str(tmp_path / "deep" / "data")]) == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith(".")]
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_without_httpx_the_way_out_is_said(site, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(DataError, match=r"pip install 'hornbook\[data\]'"):
        fetch(site, tmp_path)


def test_the_recipes_name_the_files_that_get_fetches():
    from pathlib import Path

    from hornbook.data.datasets import which_has
    from hornbook.training.config import load

    for path in (Path(__file__).resolve().parents[2] / "recipes").glob("*.toml"):
        data = load(path).data
        for file in (*data.text, *data.validation_text):
            assert which_has(Path(file).name) is not None, file
            assert Path(file).parent == Path("data")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", "no address of the web"),
        ("ftp://a/b", "no address of the web"),
        ("http://169.254.169.254/latest/meta-data", "in a private network"),
        ("http://10.0.0.1/a", "in a private network"),
    ],
)
def test_a_redirect_out_of_the_web_is_refused_at_once(site, tmp_path, monkeypatch, location, words):
    real = download_checks.is_private
    monkeypatch.setattr(download_checks, "is_private", lambda host: host != "127.0.0.1" and real(host))
    site.location = location
    pauses = []
    with pytest.raises(DataError, match=f"sends on to .*, which is .*{words}|cannot be fetched: .*file|ftp"):
        download(site.url + "/linked/a", tmp_path / "a", QUIET, sleep=pauses.append)
    assert pauses == []


def test_a_redirect_from_https_to_http_is_refused():
    check = download_checks.redirect_check("https://a.invalid/x")
    check(httpx.Request("GET", "https://b.invalid/y"))
    with pytest.raises(DataError, match="not encrypted; give that address itself"):
        check(httpx.Request("GET", "http://a.invalid/x"))


def test_what_an_address_had_first_is_what_it_must_have_later(site, tmp_path, capsys):
    site.etag = False
    fetch(site, tmp_path / "1")
    fetch(site, tmp_path / "2")
    site.content = b"another file"
    with pytest.raises(DataError, match=r"another file than when it was first fetched .* give --sha256 [0-9a-f]{64}$"):
        fetch(site, tmp_path / "3")
    assert list((tmp_path / "3").iterdir()) == []
    fetch(site, tmp_path / "4", sha256=site.sha256)
    fetch(site, tmp_path / "5")
    assert (tmp_path / "5" / "a.txt").read_bytes() == b"another file"
