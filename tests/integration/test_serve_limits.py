"""What `hornbook serve` does with clients that ask for too much, leave, or read slowly, and when it is ended."""

import contextlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.serving import Writer, serving, train_writer

import hornbook as hb
from hornbook.cli.main import main
from hornbook.serve import completions

HEAD = (
    "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_writer(tmp_path_factory.mktemp("serve"))


@pytest.fixture(scope="module")
def writer(run):
    model, tokenizer, _ = hb.load_run(run)
    assert tokenizer is not None
    return Writer(model, tokenizer)


def post(url, **settings):
    return httpx.post(f"{url}/v1/completions", json={"model": "tiny", "prompt": "1", **settings}, timeout=30)


def eventually(holds, seconds=5.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_frees_its_slot(writer, stream):
    with serving(writer, slots=1, stop_token=None, max_tokens=10**6) as server:
        body = json.dumps({"model": "tiny", "prompt": "1", "max_tokens": 10**6, "stream": stream}).encode()
        with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":")[-1]))) as client:
            head = HEAD.format(len(body))
            client.sendall(head.encode() + body)
            eventually(lambda: server.engine.running == 1)
            if stream:
                eventually(lambda: b"data: {" in client.recv(65536))
        eventually(lambda: server.engine.running == 0)
        assert post(server.url).status_code == 200


def test_a_full_queue_says_when_to_come_again(writer):
    with serving(writer, slots=1, queue=1, stop_token=None, max_tokens=10**6) as server:
        asked: dict[str, Any] = {"json": {"model": "tiny", "prompt": "1", "max_tokens": 10**6, "stream": True}}
        url = f"{server.url}/v1/completions"
        with httpx.stream("POST", url, **asked) as first:
            lines = first.iter_lines()  # kept: with it the answer would be closed
            next(lines)
            waits = threading.Thread(target=lambda: post(server.url, max_tokens=1))
            waits.start()
            eventually(lambda: server.engine.waiting == 1)
            refused = post(server.url)
            assert refused.status_code == 429
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert refused.json()["error"]["code"] == "queue_full"
        waits.join()
        assert post(server.url).status_code == 200


def test_who_does_not_read_is_given_up_after_the_deadline(writer, monkeypatch):
    monkeypatch.setattr(completions, "SLOW_SECONDS", 0.2)
    with serving(writer, deadline=0.5, stop_token=None, max_tokens=10**6) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(server.url.rsplit(":")[-1])))
        body = json.dumps({"model": "tiny", "prompt": ["1"] * 4, "max_tokens": 10**6, "stream": True, "logprobs": 5})
        head = HEAD.format(len(body))
        client.sendall(head.encode() + body.encode())
        eventually(lambda: server.engine.running == 4)
        eventually(lambda: server.engine.running == 0)
        eventually(lambda: 'status="200"} 1.0' in httpx.get(f"{server.url}/metrics").text)
        assert post(server.url).status_code == 200


@contextlib.contextmanager
def started(run, *words, **environment):
    """Start `hornbook serve`; yields the process and its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "hornbook", "serve", str(run), "--port", "0", *words], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, re.search(r"http://[\d.]+:\d+", process.stdout.readline())[0]
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_lets_answers_be_finished(run, number, code):
    with started(run, "--stop", "", "--name", "other") as (process, url):
        asked = {"model": "other", "prompt": "1", "max_tokens": 2000, "seed": 1, "stream": True}
        with httpx.stream("POST", f"{url}/v1/completions", json=asked, timeout=30) as answer:
            lines = answer.iter_lines()
            next(lines)
            process.send_signal(number)
            assert list(lines)[-2:] == ["data: [DONE]", ""]
        assert process.wait(10) == code
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


def test_answers_that_do_not_end_are_cut_off(run):
    with started(run, "--stop", "", "--drain", "0.5", "--max-tokens", "1000000") as (process, url):
        asked = {"model": "tiny", "prompt": "1", "max_tokens": 1000000, "stream": True}
        with httpx.stream("POST", f"{url}/v1/completions", json=asked, timeout=30) as answer:
            lines = answer.iter_lines()
            next(lines)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()


def test_a_key_from_the_environment_is_asked_for(run):
    with started(run, HORNBOOK_API_KEY="secret") as (process, url):
        assert post(url).status_code == 401
        assert httpx.get(f"{url}/v1/models", headers={"authorization": "Bearer secret"}).status_code == 200
        assert httpx.get(f"{url}/health").status_code == 200
        assert httpx.get(f"{url}/v1/models", headers={"host": "evil.example"}).status_code == 421
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(("words", "says"), [
    (["--host", "0.0.0.0"], "needs an API key"), (["--slots", "0"], "--slots 0 is not within 1 to 1024"),
    (["--port", "70000"], "port 70000 is not one of 0 to 65535"), (["--api-key", ""], "API key"),
    (["--host", "nowhere.invalid", "--api-key", "a"], "cannot listen on nowhere.invalid"),
    (["--dtype", "float64"], "float64"), (["--checkpoint", "77"], "77"),
])  # fmt: skip
def test_what_cannot_be_served_is_told_in_a_sentence(run, capsys, monkeypatch, words, says):
    monkeypatch.delenv("HORNBOOK_API_KEY", raising=False)
    assert main(["serve", str(run), "--port", "0", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(run, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", str(run), "--port", str(taken.getsockname()[1])]) == 2
    assert "is taken by another program" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(run, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", str(run)]) == 2
    assert "serving needs uvicorn: pip install 'hornbook[serve]'" in capsys.readouterr().err


def test_the_page_about_it_is_true(run, tmp_path, monkeypatch):
    """Every command of docs/how-to/serve.md is started as it stands, on a free port, and its program is run on it."""
    shutil.copytree(run, tmp_path / "runs" / "my")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "serve.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.S | re.M)
    commands = [shlex.split(text) for kind, text in blocks if not kind]
    (program,) = [text for kind, text in blocks if kind == "python"]
    assert len(commands) == 2
    for words in commands:
        environment = dict(word.split("=") for word in itertools.takewhile(lambda word: word != "hornbook", words))
        asked = words[words.index("serve") + 2 :]
        with started("runs/my", *asked, "--port", "0", **environment) as (process, url):
            port = url.rsplit(":")[-1]
            if environment:
                assert httpx.get(f"http://127.0.0.1:{port}/v1/models").status_code == 401
                continue
            code = program.replace("8000", port)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            assert len(done.stdout) > 5
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
