"""The guard before the web applications: who may come in, and with how much."""

import asyncio
import json

import pytest

from hornbook.errors import ConfigError
from hornbook.serve import security
from hornbook.serve.security import RequestGuard, error_body, is_loopback, read_api_key

HOME = ("host", "127.0.0.1:8000")


async def echo(scope, receive, send):
    """Answer with the body that came."""
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(*headers, body=(b"",), path="/v1/models", host="127.0.0.1", kind="http", **settings):
    """Send a request through a guard; return the status (or the message's type) and the body."""
    chunks = [{"type": "http.request", "body": c, "more_body": i + 1 < len(body)} for i, c in enumerate(body)]
    sent = []

    async def receive():
        if not chunks:
            await asyncio.sleep(60)
        return chunks.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "path": path, "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers]}
    guard = RequestGuard(echo, host=host, api_key=settings.pop("api_key", None), **settings)
    asyncio.run(guard(scope, receive, send))
    if not sent or "status" not in sent[0]:
        return (sent[0] if sent else None), b""
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent)


@pytest.mark.parametrize("name", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "127.3.2.1"])
def test_names_of_this_machine_come_in(name):
    assert ask(("host", name), body=(b"a", b"b")) == (200, b"ab")


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "", "[::2]"]
)
def test_rebound_names_do_not(name):
    status, body = ask(("host", name))
    assert status == 421
    assert json.loads(body)["error"]["code"] == "wrong_host"


def test_no_host_and_two_hosts_are_refused():
    assert ask()[0] == 421
    assert ask(HOME, ("host", "evil.example"))[0] == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8001", "http://localhost:8000"])
def test_pages_of_other_origins_are_refused(origin):
    assert ask(HOME, ("origin", origin))[0] == 403


def test_its_own_page_comes_in():
    assert ask(HOME, ("origin", "http://127.0.0.1:8000"))[0] == 200


def test_any_key_does_where_none_is_set():
    assert ask(HOME, ("authorization", "Bearer whatever"))[0] == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", "Basic right", "right", "Bearer right2", "Bearer ré"])
def test_a_wrong_key_is_refused(value):
    status, body = ask(HOME, ("authorization", value), api_key="right")
    assert status == 401
    assert json.loads(body)["error"]["type"] == "authentication_error"


def test_the_right_key_comes_in_and_health_needs_none():
    assert ask(HOME, ("authorization", "Bearer right"), api_key="right")[0] == 200
    assert ask(HOME, path="/health", api_key="right")[0] == 200
    assert ask(HOME, api_key="right")[0] == 401
    assert ask(("host", "box.example"), ("authorization", "Bearer right"), api_key="right", host="0.0.0.0")[0] == 200


def test_a_body_above_the_cap_is_refused_announced_or_not():
    assert ask(HOME, ("content-length", "11"), max_body=10)[0] == 413
    assert ask(HOME, body=(b"x" * 6, b"x" * 5), max_body=10)[0] == 413
    assert ask(HOME, body=(b"x" * 6, b"x" * 4), max_body=10)[0] == 200


def test_a_body_that_does_not_come_is_given_up(monkeypatch):
    monkeypatch.setattr(security, "BODY_SECONDS", 0.05)
    assert ask(HOME, body=())[0] == 408


def test_websockets_are_closed():
    assert ask(HOME, kind="websocket")[0] == {"type": "websocket.close", "code": 1008}


def test_loopback_needs_no_key_and_anything_else_does(monkeypatch, tmp_path):
    monkeypatch.delenv(security.KEY_VARIABLE, raising=False)
    assert read_api_key(None, None, "127.0.0.1") is None
    for host in ("0.0.0.0", "::", "192.168.1.5", "box.example"):
        assert not is_loopback(host)
        with pytest.raises(ConfigError, match="needs an API key"):
            read_api_key(None, None, host)
    (tmp_path / "key").write_text("from-file\n")
    assert read_api_key(None, str(tmp_path / "key"), "0.0.0.0") == "from-file"
    assert read_api_key("given", None, "0.0.0.0") == "given"
    monkeypatch.setenv(security.KEY_VARIABLE, "from-environment")
    assert read_api_key(None, None, "0.0.0.0") == "from-environment"
    assert read_api_key("given", None, "::1") == "given"


@pytest.mark.parametrize("key", ["", " ", "a\nb", "schlüssel", " a"])
def test_a_key_that_no_header_holds_is_refused(key):
    with pytest.raises(ConfigError, match="API key"):
        read_api_key(key, None, "127.0.0.1")


def test_two_keys_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="both"):
        read_api_key("a", str(tmp_path / "key"), "127.0.0.1")


def test_errors_have_the_shape_that_clients_read():
    assert error_body(429, "later", code="queue_full") == {
        "error": {"message": "later", "type": "rate_limit_error", "param": None, "code": "queue_full"}
    }
