"""A small Hugging Face hub on this machine: repositories are made, committed to and read as by huggingface_hub."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """What the hub holds.

    Attributes:
        files: repository → path → content.
        refuses: a status to answer every request with.
        refuses_files: a status to answer with where files would come.
        tokens: those that requests came with.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.refuses: int | None = None
        self.refuses_files: int | None = None
        self.tokens: set[str | None] = set()
        self.url = ""


@contextlib.contextmanager
def serving_hub() -> Iterator[Hub]:
    """Serve a hub at `hub.url` until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def answer(self, value: object = None, status: int = 200, content: bytes | None = None, **headers: str) -> None:
            body = json.dumps(value).encode() if content is None else content
            self.send_response(status)
            for name, text in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def handle_request(self) -> None:
            hub.tokens.add(self.headers.get("Authorization"))
            body = self.body()
            if hub.refuses:
                return self.answer({"error": "no"}, hub.refuses)
            if self.path == "/api/whoami-v2":
                return self.answer({"type": "user", "name": "me", "orgs": []})
            if self.path == "/api/repos/create":
                given = json.loads(body)
                if given.get("organization") not in (None, "me"):
                    return self.answer({"error": "no rights there"}, 403)
                name = f"{given.get('organization') or 'me'}/{given['name']}"
                hub.files.setdefault(name, {})
                return self.answer({"url": f"{hub.url}/{name}", "name": name})
            if self.path.startswith("/api/validate-yaml"):
                return self.answer({"errors": [], "warnings": []})
            found = re.match(r"/api/models/([\w.-]+/[\w.-]+)(?:/(\w+)/(\w+))?", self.path)
            if found and found[1] in hub.files:
                return self.repository(found[1], found[2], body)
            found = re.match(r"/([\w.-]+/[\w.-]+)/resolve/\w+/(.+)", self.path)
            if found and found[2] in hub.files.get(found[1], {}):
                content = hub.files[found[1]][found[2]]
                etag = hashlib.sha256(content).hexdigest()
                return self.answer(content=content, ETag=f'"{etag}"', X_Repo_Commit=COMMIT)
            return self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")

        def repository(self, name: str, action: str | None, body: bytes) -> None:
            if action in ("preupload", "commit") and hub.refuses_files:
                return self.answer({"error": "no"}, hub.refuses_files)
            if action == "preupload":
                asked = json.loads(body)["files"]
                kinds = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked]
                return self.answer({"files": kinds})
            if action == "commit":
                for line in body.splitlines():
                    entry = json.loads(line)
                    if entry["key"] == "file":
                        hub.files[name][entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                address = f"{hub.url}/{name}/commit/{COMMIT}"
                return self.answer({"commitUrl": address, "commitOid": COMMIT, "success": True})
            if action == "tree":
                sizes = hub.files[name].items()
                return self.answer(
                    [{"type": "file", "path": p, "size": len(c), "oid": hashlib.sha1(c).hexdigest()} for p, c in sizes]
                )
            siblings = [{"rfilename": path} for path in hub.files[name]]
            return self.answer({"id": name, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False})

        do_GET = do_POST = do_HEAD = handle_request  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
