"""The run logger, fed with values alone: what it records, what it leaves out of the rate, what a rewind cuts."""

import json
import re
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hornbook.evaluation.loss import Evaluation
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.clock import RunClock
from hornbook.training.config import resolve
from hornbook.training.divergence import BadBatch, Divergence
from hornbook.training.launch.estimate import Estimate
from hornbook.training.monitoring.run_logger import RunLogger
from hornbook.training.step import StepResult

CONFIG = resolve(
    {
        "model": {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1},
        "training": {"batch_size": 4, "device": "cpu"},
        "guard": {"action": "rewind"},
    }
)
ESTIMATE = Estimate(
    parameters=10, train_tokens=1000, validation_tokens=200, tokens_per_step=32, steps=100, epochs=3.2,
    seconds_per_step=0.5, expected_seconds=50.0, flops_per_token=60, peak_flops=38400.0, device="cpu", dtype="float32",
    threads=1,
)  # fmt: skip


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def logger(tmp_path, now):
    run = Run.create(tmp_path / "run", CONFIG.to_dict(), {})
    clock = RunClock(lambda: now[0])
    with RunLogger(run, CONFIG, ESTIMATE, clock, Console(silent=True), step=0, fresh=True) as logger:
        yield logger
    run.release()


def records(logger, name="metrics.jsonl"):
    return [json.loads(line) for line in (logger.run.path / name).read_text().splitlines()]


def result(step, loss=2.0):
    return StepResult(step, torch.tensor(loss), torch.tensor(0.5), 1e-3, 32 * step, 0.1)


def test_a_record_has_the_values_of_its_step_and_the_rate_since_the_last_record(logger, now):
    for step in (1, 2):
        now[0] += 0.1
        logger.on_step(result(step, loss=3.0 - step), 9.8, record=step == 2)
    logger.sync()
    (record,) = records(logger)
    assert (record["step"], record["tokens"], record["train_loss"], record["grad_norm"]) == (2, 64, 1.0, 0.5)
    assert record["tokens_per_second"] == pytest.approx(320)
    assert record["mfu"] == pytest.approx(320 * 60 / 38400)
    assert record["seconds"] == pytest.approx(0.2)


def test_what_happened_aside_does_not_slow_the_rate(logger, now):
    now[0] += 0.1
    with logger.clock.aside("evaluation"):
        now[0] += 100
    logger.on_step(result(1), None, record=True)
    logger.sync()
    (record,) = records(logger)
    assert record["tokens_per_second"] == pytest.approx(320)
    assert record["seconds"] == pytest.approx(100.1)


def test_an_evaluation_joins_the_record_of_its_step(logger, now):
    now[0] += 0.1
    logger.on_step(result(1), None, record=True)
    logger.on_evaluation(1, Evaluation(1.5, 0.7, 200, 8), best=True)
    logger.sync()
    (record,) = records(logger)
    assert (record["train_loss"], record["val_loss"], record["val_bits_per_byte"]) == (2.0, 1.5, 0.7)


def test_a_rewind_cuts_what_was_recorded_after_the_step_that_it_goes_back_to(logger, now):
    for step in range(1, 5):
        now[0] += 0.1
        logger.on_step(result(step), None, record=True)
    logger.log_divergence(Divergence(4, "spike", 50.0), 2, 1)
    now[0] += 0.1
    logger.on_step(result(3), None, record=True)
    logger.sync()
    assert [record["step"] for record in records(logger)] == [1, 2, 3]
    assert records(logger)[-1]["tokens_per_second"] == pytest.approx(320), "one step since the rewind"


def test_a_bad_batch_is_kept_with_its_place_and_its_text(logger):
    ids = torch.arange(32).reshape(4, 8)
    files = (Path("train.npy"),)
    batch = BadBatch(7, files, [0, 0, 0, 0], [5, 9, 1, 3], ids, ids + 1, ["a", "b", "c", "d"])
    logger.save_bad_batch(Divergence(8, "loss", float("nan")), batch)
    folder = logger.run.path / "divergence"
    about = json.loads((folder / "step-00000008.json").read_text())
    assert (about["kind"], about["batch"], about["start"], about["loss"]) == ("loss", 7, [5, 9, 1, 3], "nan")
    assert about["files"] == ["train.npy"]
    assert torch.equal(load_file(folder / "step-00000008.safetensors")["targets"], ids + 1)


def words(logger):
    return logger.stage.line().split(" · ")


def without_times(logger):
    return [word for word in words(logger) if not word.endswith(" left")]


def test_the_line_shows_the_step_that_it_names(logger, now):
    now[0] += 0.1
    logger.on_step(result(10, loss=2.5), 45.0, record=True)
    assert without_times(logger)[:2] == ["step 10/100", "loss 2.5000"], "in the moment of the record"
    logger.on_step(result(11, loss=2.4), 44.5, record=False)
    assert without_times(logger)[:2] == ["step 11/100", "at 10: loss 2.5000"]
    logger.on_evaluation(11, Evaluation(1.5, 0.7, 200, 8), best=True)
    assert words(logger)[-1] == "val 1.5000 (0.7000 bits/byte)"
    logger.on_step(result(12), 44.0, record=False)
    assert words(logger)[-1] == "at 11: val 1.5000 (0.7000 bits/byte)"


def test_an_evaluation_is_seen_to_move(logger, now):
    logger.on_eval_progress(50, 200)
    assert words(logger)[:2] == ["evaluating 25 %", "step 0/100"]
    first = logger.stage.line()
    logger.stage.expect(40.0)
    logger.on_eval_progress(100, 200)
    time.sleep(0.2)
    assert float(words(logger)[2].removesuffix(" s left")) <= 39.8, "time runs on during an evaluation"
    assert logger.stage.line() != first


@pytest.mark.parametrize("width", [58, 78])
def test_the_line_fits_a_narrow_terminal_by_whole_words(logger, now, width):
    now[0] += 0.1
    logger.on_step(result(10, loss=2.5), 245.0, record=True)
    logger.on_evaluation(10, Evaluation(1.5, 0.7, 200, 8), best=True)
    line = logger.stage.line(width)
    assert len(line) <= width
    assert line.split(" · ")[2:] == words(logger)[2 : line.count(" · ") + 1]
    assert re.match(r"step 10/100 · 4 min 0\d s left · loss 2.5000", line)


def test_off_a_terminal_there_is_a_line_for_each_record(tmp_path, now):
    run = Run.create(tmp_path / "run", CONFIG.to_dict(), {})
    with (
        (tmp_path / "out").open("w") as stream,
        RunLogger(
            run, CONFIG, ESTIMATE, RunClock(lambda: now[0]), Console(stream=stream), step=0, fresh=True
        ) as logger,
    ):
        for step in range(1, 7):
            now[0] += 0.1
            logger.on_step(result(step), 10.0, record=step % 2 == 0)
        time.sleep(2.2)
    run.release()
    lines = (tmp_path / "out").read_text().splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["step 2/100", "step 4/100", "step 6/100"]
