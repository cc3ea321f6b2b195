"""Records, run folders, the console and the sinks."""

import contextlib
import importlib.util
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hornbook.cli.main import main
from hornbook.cli.runs import describe_runs
from hornbook.errors import FormatError, HornbookError
from hornbook.tracking.console import Console, Stage, describe_record
from hornbook.tracking.records import RecordWriter, read_records
from hornbook.tracking.run import Run, find_runs
from hornbook.tracking.sinks import SinkThread, open_sinks


def test_parts_of_one_step_become_one_line(tmp_path):
    writer = RecordWriter(tmp_path / "m.jsonl")
    writer.add(1, train_loss=2.0)
    writer.add(1, val_loss=3.0)
    writer.add(2, train_loss=float("nan"))
    writer.close()
    assert read_records(tmp_path / "m.jsonl") == [
        {"step": 1, "train_loss": 2.0, "val_loss": 3.0},
        {"step": 2, "train_loss": None},
    ]


def test_a_torn_last_line_is_left_out_and_a_torn_middle_one_is_an_error(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2, "tr')
    assert read_records(path) == [{"step": 1}]
    path.write_bytes(b'{"step": 1}\n{"ste\n{"step": 3}\n')
    with pytest.raises(FormatError, match="line 2"):
        read_records(path)


def test_on_resume_records_after_the_checkpoint_are_cut(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text("".join(f'{{"step": {i}}}\n' for i in range(10)) + '{"step": 10, "tr')
    writer = RecordWriter(path, keep_through=6)
    writer.add(7, new=True)
    writer.close()
    assert [r["step"] for r in read_records(path)] == [0, 1, 2, 3, 4, 5, 6, 7]


def make(path: Path, **sections) -> Run:
    return Run.create(path, {"run": {"tags": ["a"], "note": "n"}, **sections}, {"time": time.time()})


def test_a_run_knows_its_status_by_its_lock(tmp_path):
    run = make(tmp_path / "r")
    assert Run.open(tmp_path / "r").status == "running"
    run.release()  # as if the process had been killed
    assert Run.open(tmp_path / "r").status == "stopped"
    run.set_status("done")
    assert Run.open(tmp_path / "r").status == "done"
    assert (tmp_path / "r" / "DONE").exists()


def test_two_processes_cannot_train_in_one_folder(tmp_path):
    run = make(tmp_path / "r")
    pid = os.fork()
    if pid == 0:
        try:
            Run.open(tmp_path / "r").hold()
        except HornbookError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    run.release()


def test_a_second_run_of_the_same_name_is_refused(tmp_path):
    make(tmp_path / "r").release()
    with pytest.raises(HornbookError, match="already holds a run; continue it with --resume"):
        make(tmp_path / "r")


def test_a_missing_run_names_the_ones_there_are(tmp_path):
    make(tmp_path / "first").release()
    with pytest.raises(HornbookError, match=r"there is no run in .*; .* has first"):
        Run.open(tmp_path / "frist")


def test_runs_are_listed_with_what_changed(tmp_path):
    for i, lr in enumerate((0.1, 0.2)):
        run = make(tmp_path / f"r{i}", optimizer={"lr": lr}, training={"steps": 5})
        writer = RecordWriter(run.path / "metrics.jsonl")
        writer.add(0, val_loss=3.0, seconds=1.0)
        writer.add(5, val_loss=2.0 + i, seconds=60.0)
        writer.close()
        run.set_status("done")
        run.release()
    rows = describe_runs(find_runs([tmp_path]))
    assert [row["changed"] for row in rows] == ["", "optimizer.lr=0.2"]
    assert [row["best_val_loss"] for row in rows] == [2.0, 3.0]
    assert rows[0]["status"] == "done"
    assert rows[0]["tags"] == "a"
    assert rows[0]["minutes"] == 1.0


def test_runs_are_sorted_and_the_best_is_told(tmp_path, capsys):
    for name, loss, lr in (("a", 2.5, 0.1), ("b", 2.0, 0.2), ("c", None, 0.3), ("d|e", 3.0, 0.4)):
        run = make(tmp_path / name, optimizer={"lr": lr})
        if loss is not None:
            writer = RecordWriter(run.path / "metrics.jsonl")
            writer.add(5, val_loss=loss, seconds=60.0)
            writer.close()
        run.release()

    def say(*words):
        assert main(["runs", str(tmp_path), *words]) == 0
        return capsys.readouterr().out

    rows = json.loads(say("--sort", "val_loss", "--json"))
    assert [Path(row["name"]).name for row in rows] == ["b", "a", "d|e", "c"]
    assert [row["changed"] for row in rows] == ["", *(f"optimizer.lr={lr}" for lr in (0.1, 0.4, 0.3))], "against b"
    (best,) = json.loads(say("--best", "--json"))
    assert Path(best["name"]).name == "b"
    lines = say("--markdown").splitlines()
    assert lines[1] == "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |"
    assert len(lines) == 6
    assert "d\\|e" in lines[-1]
    assert main(["runs", str(tmp_path), "--sort", "val_los"]) == 2
    assert "did you mean 'val_loss'" in capsys.readouterr().err
    assert say("--best", "--sort", "bits_per_byte").startswith("no runs with a bits_per_byte in")


def test_damaged_run_folders_do_not_hide_the_sound_ones(tmp_path):
    make(tmp_path / "good").release()
    bad = make(tmp_path / "bad")
    bad.release()
    (bad.path / "config.toml").write_text("= = =")
    assert [run.name for run in find_runs([tmp_path])] == ["good"]


def test_the_console_is_never_silent_for_two_seconds(tmp_path):
    with (tmp_path / "out").open("w") as stream:
        console = Console(tmp_path / "log.txt", stream=stream)
        with console.stage("thinking", 10) as stage:
            stage.update(3, "so far")
            time.sleep(2.3)
        console.close()
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines[0].startswith("thinking 30 % · so far")
    assert lines[-1].startswith("thinking: so far, 2.")
    assert (tmp_path / "log.txt").read_text().splitlines() == lines


def test_a_live_bar_and_lines_can_be_shown_together(tmp_path):
    with (tmp_path / "out").open("w") as stream:
        console = Console(stream=stream, live=True)
        with console.watch(Stage("training", 10)):
            console.print("a line [with brackets]")
    assert "a line [with brackets]" in (tmp_path / "out").read_text()


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_live_line_fits_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    stage = Stage("step 1,230/5,000", 5000, speaks=True)
    stage.expect(245)
    stage.update(1230, "loss 1.2345 · lr 1.00e-03 · 12.3 k tok/s · MFU 45 % · 123 MB · at 1,200: val 1.3333")
    with os.fdopen(slave, "w") as terminal, Console(stream=terminal).watch(stage):
        time.sleep(0.3)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(master, 100_000).decode())
    os.close(master)
    shown = [line.rstrip() for line in re.split(r"[\r\n]", drawn) if "step" in line]
    assert shown
    for line in shown:
        assert len(line) <= columns
        assert re.search(r"step 1,230/5,000 · 4 min 0\d s left · loss 1.2345", line)
        assert "…" not in line
        assert ("━" in line) == (columns >= 100)


def test_a_record_is_shown_in_a_few_words():
    words = describe_record({"step": 1500, "train_loss": 2.0, "val_loss": 3.0, "val_bits_per_byte": 1.5}, 5000)
    assert words == "step 1,500/5,000 · loss 2.0000 · val 3.0000 (1.5000 bits/byte)"


class Backend:
    def __init__(self, pause=0.0, fail_at=None):
        self.got, self.pause, self.fail_at, self.closed = [], pause, fail_at, False

    def log(self, record):
        time.sleep(self.pause)
        if record["step"] == self.fail_at:
            raise SystemExit("the service is gone")
        self.got.append(record["step"])

    def close(self):
        self.closed = True


def test_a_sink_gets_every_record():
    backend, warnings = Backend(), []
    sink = SinkThread("x", lambda: backend, warnings.append)
    for step in range(50):
        sink.log({"step": step})
    sink.close()
    assert backend.got == list(range(50))
    assert backend.closed
    assert not warnings


def test_a_sink_that_fails_is_switched_off_with_one_sentence():
    backend, warnings = Backend(fail_at=3), []
    sink = SinkThread("x", lambda: backend, warnings.append)
    for step in range(50):
        sink.log({"step": step})
        time.sleep(0.001)
    sink.close()
    assert backend.got == [0, 1, 2]
    assert len(warnings) == 1
    assert "x is off for the rest of this run (the service is gone)" in warnings[0]


def test_a_sink_that_hangs_costs_nothing_and_is_left_behind():
    backend, warnings = Backend(pause=30), []
    sink = SinkThread("x", lambda: backend, warnings.append, queue_length=10)
    began = time.monotonic()
    for step in range(10_000):
        sink.log({"step": step})
    assert time.monotonic() - began < 1.0
    sink.close(seconds=0.2)
    assert time.monotonic() - began < 2.0
    assert "left behind" in warnings[0]


def test_a_sink_whose_library_is_absent_is_one_warning(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trackio", None)
    warnings = []
    (sink,) = open_sinks(["trackio"], "n", tmp_path, {}, warnings.append)
    sink.log({"step": 1})
    sink.close()
    assert len(warnings) == 1
    assert "trackio is off" in warnings[0]


def test_tensorboard_gets_the_numbers(tmp_path):
    pytest.importorskip("tensorboard")
    warnings = []
    (sink,) = open_sinks(["tensorboard"], "n", tmp_path, {}, warnings.append)
    for step in range(3):
        sink.log({"step": step, "train_loss": 3.5 - step, "word": "no number"})
    sink.close()
    assert not warnings
    (file,) = (tmp_path / "tensorboard").iterdir()
    content = file.read_bytes()
    assert content.count(b"train_loss") == 3


def test_trackio_gets_the_records_in_a_local_folder_and_leaves_the_machine_and_the_output_alone(tmp_path):
    if importlib.util.find_spec("trackio") is None:
        pytest.skip("trackio is not installed")
    # In a process of its own, as trackio takes its folder from the environment when it is imported.
    code = """
import socket, sys
from pathlib import Path

def no_network(self, address):
    raise OSError(f"a sink called {address}")

socket.socket.connect = no_network
from hornbook.tracking.sinks import open_sinks

warnings = []
(sink,) = open_sinks(["trackio"], "my-run", Path(sys.argv[1]), {"model": {"d_model": 8}}, warnings.append)
for step in range(3):
    sink.log({"step": step, "train_loss": 3.5 - step})
sink.close(60)
assert not warnings, warnings
"""
    environment = {**os.environ, "TRACKIO_DIR": str(tmp_path / "store"), "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    with contextlib.closing(sqlite3.connect(tmp_path / "store" / "hornbook.db")) as store:
        rows = store.execute("select run_name, step, metrics from metrics order by step").fetchall()
        ((config,),) = store.execute("select config from configs").fetchall()
    assert [(name, step, json.loads(metrics)) for name, step, metrics in rows] == [
        ("my-run", step, {"train_loss": 3.5 - step}) for step in range(3)
    ]
    assert json.loads(config)["model"] == {"d_model": 8}


def test_wandb_offline_gets_the_records(tmp_path, monkeypatch, capfd):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    warnings = []
    (sink,) = open_sinks(["wandb"], "n", tmp_path, {"model": {"d_model": 8}}, warnings.append)
    for step in range(3):
        sink.log({"step": step, "train_loss": 3.5 - step})
    sink.close(60)
    assert not warnings
    (again,) = open_sinks(["wandb"], "n", tmp_path, {"model": {"d_model": 8}}, warnings.append)
    again.log({"step": 1, "train_loss": 9.0})  # after a resume, with a step that was there before
    again.close(60)
    assert not warnings
    files = list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    assert {file.stem.removeprefix("run-") for file in files} == {(tmp_path / "wandb-id.txt").read_text()}
    # W&B's own process writes the file, and may be a moment behind.
    end = time.monotonic() + 30
    while b"train_loss" not in files[0].read_bytes() and time.monotonic() < end:
        time.sleep(0.05)
    assert b"train_loss" in files[0].read_bytes()
    assert capfd.readouterr().out == ""


def test_the_environment_is_plain_values():
    from hornbook.tracking.environment import describe_environment

    environment = describe_environment()
    assert json.loads(json.dumps(environment)) == environment
    assert environment["packages"]["torch"]
