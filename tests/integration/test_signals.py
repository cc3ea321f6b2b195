"""Signals and readers that leave: Ctrl-C at any instant, SIGHUP, a closed pipe or terminal; and closed descriptors."""

import os
import signal
import subprocess
import sys

import pytest
from harness.ctrl_c import START, press
from harness.recipes import tiny_recipe

from hornbook.checkpoint.store import CheckpointStore
from hornbook.cli.main import main
from hornbook.config import dump_toml
from hornbook.tracking.run import Run


@pytest.mark.parametrize(
    "tries", [8, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.hours, pytest.mark.timeout(3600)])]
)
def test_ctrl_c_at_any_instant_ends_with_130_and_no_traceback(tries):
    codes, wrong = press(tries)
    assert not wrong, "\n\n".join(wrong)
    assert codes[130] > tries // 4


def start(tmp_path, **options):
    recipe = tiny_recipe(tmp_path, training={"steps": 100_000}, logging={"every": 1})
    (tmp_path / "recipe.toml").write_text(dump_toml(recipe))
    command = [sys.executable, "-W", "ignore", "-c", START, "train", str(tmp_path / "recipe.toml")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options), tmp_path / "run"


def wait_for_step(process, number=2):
    for line in process.stdout:
        if f"step {number}".encode() in line:
            return
    pytest.fail(process.stderr.read().decode())


@pytest.mark.parametrize("how", ["SIGHUP", "the reader of the pipe leaves"])
def test_a_training_saves_and_stops_as_at_sigterm(tmp_path, how):
    process, folder = start(tmp_path)
    with process:
        wait_for_step(process)
        if how == "SIGHUP":
            process.send_signal(signal.SIGHUP)
            said, complaint = process.communicate(timeout=60)
        else:
            process.stdout.close()
            complaint = process.stderr.read()
            process.wait(60)
            said = None
    assert process.returncode == 130, complaint
    assert complaint == b""
    assert said is None or "stopped (signal 1 at step" in str(said)
    run = Run.open(folder)
    assert run.status == "stopped"
    number = signal.SIGHUP if how == "SIGHUP" else signal.SIGPIPE
    assert run.status_record()["reason"].startswith(f"signal {number:d} at step")
    assert CheckpointStore(folder / "checkpoints").load().step > 0


def test_a_run_under_nohup_goes_on_when_the_terminal_closes(tmp_path):
    process, _ = start(tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    with process:
        wait_for_step(process)
        process.send_signal(signal.SIGHUP)
        wait_for_step(process, 4)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_descriptors_do_not_let_prints_into_files(tmp_path, closed):
    out = tmp_path / "stories.txt"
    command = [sys.executable, "-c", START.replace('os.write(1, b".")', "0"), "data", "storyworld", "--bytes", "50KB"]
    process = subprocess.Popen(
        [*command, "--out", str(out)],
        preexec_fn=lambda: [os.close(number) for number in closed],
        stderr=None if 2 in closed else subprocess.PIPE,
    )
    with process:
        assert process.wait(60) == 0
    assert main(["data", "storyworld", "--bytes", "50KB", "--out", str(tmp_path / "again.txt")]) == 0
    assert out.read_bytes() == (tmp_path / "again.txt").read_bytes()


def test_processes_take_no_code_from_the_working_folder(tmp_path):
    """A planted `struct.py` ran in the workers of a free pattern, of the ladder and of `study run --jobs`."""
    from hornbook.processes import start_module, starting_workers

    (tmp_path / "struct.py").write_text("import os; os._exit(77)")
    (tmp_path / "text.txt").write_text("one two\n" * 300_000)
    command = [sys.executable, "-c", START, "tokenizer", "train", "text.txt", "--vocab-size", "260"]
    command[1:1] = ["-P"]
    done = subprocess.run([*command, "--pattern", r"\w+|[^\w]", "--out", "t"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    with start_module("hornbook.tokenizer.ladder.parallel", cwd=tmp_path, stderr=subprocess.PIPE) as process:
        assert process.wait() != 77
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test process of several ignores it
    try:
        with starting_workers():
            assert os.environ["PYTHONSAFEPATH"] == "1"
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
