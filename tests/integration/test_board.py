"""The data and the writes of `hornbook ui`, without a browser: what is told, what is refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from harness.boards import HOSTILE, Page, append_records, write_run
from hypothesis import HealthCheck, given, settings

from hornbook.cli.main import main
from hornbook.config import dump_toml
from hornbook.fileio import atomic_write
from hornbook.locks import FolderLock
from hornbook.serve.board import _events
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.tokenizer.train import train_bpe
from hornbook.tracking.run import Run


@pytest.fixture
def page(tmp_path: Path) -> Page:
    write_run(tmp_path / "a", run={"tags": ["one"], "note": "the first"})
    write_run(tmp_path / "study" / "runs" / "slow" / "seed-1", optimizer={"lr": 0.1})
    return Page(tmp_path)


def test_the_table_has_every_run_with_what_changed(page: Page) -> None:
    rows = {row["id"]: row for row in page.get("/api/runs")["rows"]}
    assert rows.keys() == {"a", "study/runs/slow/seed-1"}
    first = rows["a"]
    assert (first["status"], first["step"], first["tokens"], first["tags"]) == ("done", 50, 50_000, ["one"])
    assert first["val_loss"] == first["best_val_loss"] == pytest.approx(1.04)
    assert first["tokens_per_second"] == 10_000
    assert rows["study/runs/slow/seed-1"]["changed"] == "optimizer.lr=0.1"


def test_only_what_was_appended_is_read(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    run = page.board.folder.runs["a"]
    before, read = run.version, []
    decode = __import__("hornbook.serve.columns", fromlist=["x"]).decode_records
    monkeypatch.setattr("hornbook.serve.columns.decode_records", lambda f, *a: read.extend(r := decode(f, *a)) or r)
    append_records(run.path, 51, 53)
    page.look()
    assert [record["step"] for record in read] == [51, 52]
    assert run.version > before
    page.look()
    assert len(read) == 2


def test_a_torn_line_waits_and_a_resume_that_cuts_begins_anew(page: Page) -> None:
    run = page.board.folder.runs["a"]
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 51, "train_')
    page.look()
    assert run.data is not None
    assert run.data.last("step") == 50
    lines = (run.path / "metrics.jsonl").read_text().splitlines(keepends=True)
    atomic_write(run.path / "metrics.jsonl", "".join(lines[:20]))
    append_records(run.path, 21, 61)
    generation = run.generation
    page.look()
    assert run.data.columns.count == 60
    assert run.generation == generation + 1
    assert run.data.best_val_loss() == pytest.approx(1 + 2 / 60)
    assert len(run.data.metrics) == 6


def test_a_damaged_run_is_a_row_that_says_why_and_hides_no_other(page: Page) -> None:
    with (page.root / "a" / "metrics.jsonl").open("a") as file:
        file.write("nonsense\n")
    page.look()
    rows = {row["id"]: row for row in page.get("/api/runs")["rows"]}
    assert rows["a"]["status"] == "damaged"
    assert "line 51 is not a JSON object" in rows["a"]["reason"]
    assert rows["study/runs/slow/seed-1"]["status"] == "done"


def test_events_tell_rows_then_records_within_a_second(page: Page) -> None:
    async def heard() -> list[tuple[str, dict]]:
        page.board.folder.start()
        events, found = _events(page.board, "a", 50, 1), []
        while len(found) < 6:
            text = await asyncio.wait_for(anext(events), 1.0)
            if text.startswith("event"):
                kind, data = text.strip().split("\n")
                found.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
            if len(found) == 2 and page.board.folder.runs["a"].data.columns.count == 50:
                append_records(page.root / "a", 51, 53)
            if sum(kind == "records" for kind, _ in found):
                break
        page.board.folder.stop()
        return found

    found = asyncio.run(heard())
    assert found[0][0] == "rows"
    records = [data["records"] for kind, data in found if kind == "records"]
    came = [record for some in records for record in some]
    assert [(record["step"], record["tokens"]) for record in came] == [(51, 51_000), (52, 52_000)]


def test_note_and_tags_are_written_where_the_command_writes_them(page: Page) -> None:
    assert page.post("/api/note", run="a", note="better", tags=["x", "y"]).status_code == 200
    run = Run.open(page.root / "a")
    assert (run.note, run.tags) == ("better", ["x", "y"])
    page.look()
    row = next(row for row in page.get("/api/runs")["rows"] if row["id"] == "a")
    assert (row["note"], row["tags"]) == ("better", ["x", "y"])
    assert page.post("/api/note", run="a", tags=["two words"]).status_code == 409
    assert page.get("/api/note", run="a") == {"note": "better", "tags": ["x", "y"]}


@pytest.mark.parametrize("path", ["/api/note", "/api/stop", "/api/resume"])
def test_a_write_without_the_token_of_the_page_is_refused(page: Page, path: str) -> None:
    for token in ("", "x" * 32):
        assert page.ask("POST", path, token=token, json={"run": "a"}).status_code == 403
    assert page.ask("POST", path, headers={"origin": "http://evil.example"}, json={"run": "a"}).status_code == 403
    assert page.ask("POST", path, headers={"host": "evil.example"}, json={"run": "a"}).status_code == 421
    assert Run.open(page.root / "a").note == "the first"


@pytest.mark.parametrize("name", ["../a", "/etc", "a/../../x", "a/", "..%2f", "study", "a\x00", "a" * 900])
def test_no_path_of_a_request_is_opened(page: Page, name: str) -> None:
    assert page.ask("GET", "/api/run", params={"run": name}).status_code == 404
    assert page.post("/api/note", run=name, note="x").status_code == 404
    assert page.get("/api/figures", run=name)["figures"] == []
    assert page.ask("GET", f"/static/{quote(name, safe='')}").status_code == 404


def test_strings_of_a_stranger_only_show(tmp_path: Path) -> None:
    write_run(tmp_path / "a", run={"note": HOSTILE, "tags": ["</script>"]})
    (tmp_path / "a" / "samples.jsonl").write_text(json.dumps({"step": 1, "prompt": HOSTILE, "text": HOSTILE}) + "\n")
    (tmp_path / "a" / "log.txt").write_text(HOSTILE)
    page = Page(tmp_path)
    for path, parameters in (("/api/runs", {}), ("/api/run", {"run": "a"}), ("/api/figures", {"run": "a"})):
        answer = page.ask("GET", path, params=parameters)
        assert answer.headers["content-type"] == "application/json"
        assert "\\\\u202eevil" in answer.text
        assert not set(answer.text) & set("\u202e\u2066\x1b")
    assert page.get("/api/note", run="a")["note"] == HOSTILE, "what is edited goes back as it was"


def test_every_answer_forbids_what_the_page_does_not_need(page: Page) -> None:
    for path in ("/", "/static/app.js", "/api/runs", "/nowhere"):
        headers = page.ask("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    text = page.ask("GET", "/").text
    assert page.board.token in text
    assert "{{" not in text
    assert "<script>" not in text


def test_a_body_that_is_no_request_is_a_sentence(page: Page) -> None:
    headers = {"content-type": "application/json"}
    for content in (b"", b"[]", b'{"run": 3}', b'{"run": "\\ud800"}', b'{"run": "a", "note": "\\udfff"}', b"\xff"):
        answer = page.ask("POST", "/api/note", content=content, headers=headers)
        assert answer.status_code in (400, 404, 422), answer.text
        assert answer.json()["error"]["message"]


def test_nobody_is_stopped_where_nobody_trains(page: Page) -> None:
    answer = page.post("/api/stop", run="a")
    assert answer.status_code == 409
    assert "no process trains in" in answer.json()["error"]["message"]
    answer = page.post("/api/resume", run="a")
    assert answer.status_code == 409
    assert "more --training.steps, beside --resume" in answer.json()["error"]["message"]


def test_a_run_whose_process_is_not_known_is_neither_stopped_nor_resumed(page: Page) -> None:
    path = page.board.folder.runs["a"].path
    Run.open(path).set_status("running")
    lock = FolderLock(path)
    lock.take()
    try:
        (path / ".lock").write_bytes(b"")  # as an earlier version left it
        answer = page.post("/api/stop", run="a")
        assert "is of another machine or an earlier version; stop it there by Ctrl-C" in answer.text
        answer = page.post("/api/resume", run="a")
        assert (answer.status_code, "is training already" in answer.text) == (409, True)
    finally:
        lock.release()


def test_curves_of_several_runs_lie_over_each_other_and_their_recipes_are_compared(page: Page) -> None:
    names = ["a", "study/runs/slow/seed-1"]
    found = page.get("/api/figures", run=names)
    assert found["names"] == names
    assert [row["key"] for row in found["config"] if row["differs"]][:1] == ["optimizer.lr"]
    loss = next(figure for figure in found["figures"] if figure["id"] == "train_loss")
    assert [series["name"] for series in loss["series"]] == names
    assert loss["series"][0]["x"]["tokens"][-1] == 50_000
    smooth = next(f for f in page.get("/api/figures", run=names, smoothing=0.9)["figures"] if f["id"] == "train_loss")
    plain, calm = loss["series"][0]["y"], smooth["series"][0]["y"]
    assert calm[0] == pytest.approx(plain[0]), "not pulled towards zero"
    assert calm[1] == pytest.approx((0.09 * plain[0] + 0.1 * plain[1]) / 0.19, rel=1e-5)
    assert page.ask("GET", "/api/figures", params={"run": "a", "smoothing": 1}).status_code == 422


def test_a_study_shows_its_plan_and_its_runs_before_it_ends(tmp_path: Path) -> None:
    run = tmp_path / "lr-cpu" / "runs" / "slow" / "seed-1"
    write_run(run, optimizer={"lr": 0.1})
    plan = {
        "version": 1,
        "name": "lr",
        "scale": "cpu",
        "question": "Which </b>?",
        "design": "Two arms.",
        "command": "c",
    }
    arms = [{"name": name, "overrides": {}} for name in ("slow", "fast")]
    atomic_write(tmp_path / "lr-cpu" / "study.toml", dump_toml(plan | {"seeds": [1, 2], "arms": arms}))
    page = Page(tmp_path)
    listed = page.get("/api/studies")["studies"]
    assert [(one["id"], one["done"]) for one in listed] == [("lr-cpu", "1 of 4 runs begun")]
    study = page.get("/api/study", study="lr-cpu")
    assert study["title"] == "Which </b>?"
    assert study["seeds"] == [1, 2]
    assert study["arms"][0]["runs"] == ["lr-cpu/runs/slow/seed-1", "lr-cpu/runs/slow/seed-2"]
    assert study["figures"]
    assert page.ask("GET", "/api/study", params={"study": "../lr-cpu"}).status_code == 404


def test_a_text_splits_and_a_word_shows_its_merges(page: Page) -> None:
    text = "low low lower lowest new newer newest <|endoftext|>" * 4
    (page.root / "text.txt").write_text(text)
    vocab, merges = train_bpe(page.root / "text.txt", 275, ["<|endoftext|>"])
    Tokenizer(vocab, merges, ["<|endoftext|>"]).save(page.root / "a" / "tokenizer")
    tokenizer = Tokenizer.load(page.root / "a" / "tokenizer")
    listed = page.get("/api/tokenizers")["tokenizers"]
    assert [(one["run"], one["vocab_size"]) for one in listed] == [("a", tokenizer.vocab_size)]
    answer = page.post("/api/split", text="lower 東<|endoftext|>", word="lower", runs=["a"]).json()
    (split,) = answer["splits"]
    assert [token["id"] for token in split["tokens"]] == tokenizer.encode("lower 東<|endoftext|>")
    assert split["tokens"][-1]["special"]
    assert split["bytes_per_token"] == pytest.approx(len("lower 東<|endoftext|>".encode()) / len(split["tokens"]))
    tree = split["trees"][0]
    assert tree["left"]["text"] + tree["right"]["text"] == tree["text"]
    assert page.post("/api/split", text="a", runs=["none"]).status_code == 404
    assert page.post("/api/split", text="😀" * 100, word="x" * 100, runs=["a"]).status_code == 200


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["--host", "0.0.0.0"], "can be reached from other machines"),
        (["--port", "99999"], "99999"),
    ],
)
def test_what_the_command_refuses(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ui", *words, "--no-browser"]) == 2
    assert said in capsys.readouterr().err


def test_any_request_is_answered_by_the_schema(page: Page) -> None:
    """Requests drawn from the application's own OpenAPI: no answer is a failure of the server."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(page.get("/openapi.json"))
    for operation in schema.get_all_operations():
        drawn = operation.ok()  # pyright: ignore[reportAttributeAccessIssue]

        @settings(
            max_examples=15,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        )
        @given(case=drawn.as_strategy())
        def ask(case: Any) -> None:
            query = {key: value for key, value in (case.query or {}).items() if value is not None}
            content = json.dumps(case.body).encode() if isinstance(case.body, dict | list | str) else b""
            headers = {"content-type": "application/json"}
            answer = page.ask(case.method, case.path, params=query, content=content, headers=headers)
            assert answer.status_code < 500, answer.text

        ask()
    assert Run.open(page.root / "a").config["optimizer"]["lr"] == 0.001


def test_a_line_without_an_end_is_not_read_again_and_again(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.serve.columns.LONGEST_LINE", 1 << 20)
    with (page.root / "a" / "metrics.jsonl").open("a") as file:
        file.write("1" * (2 << 20))
    page.look()
    page.look()
    row = next(row for row in page.get("/api/runs")["rows"] if row["id"] == "a")
    assert "line 51 is above 1 MB" in row["reason"]
