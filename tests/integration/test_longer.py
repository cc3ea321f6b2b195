"""A run goes on with more steps, or more time, than it was planned for, and says what its learning rate does there."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hornbook.cli.main import main
from hornbook.optim.schedule import lr_cosine_schedule
from hornbook.tracking.console import Console
from hornbook.tracking.run import Run
from hornbook.training.launch.estimate import Estimate
from hornbook.training.loop import train
from hornbook.training.progress import Budget
from tests.harness.recipes import quiet_train, tiny_recipe

pytestmark = pytest.mark.usefixtures("own_folders")


def state_of(run: Path) -> list[Any]:
    """Return what the last checkpoint goes on from: weights, optimizer, counters, without what took time."""
    last = sorted((run / "checkpoints").glob("step-*"))[-1]
    state = json.loads((last / "state.json").read_text())
    del state["progress"]["seconds"], state["budget"]
    return [(last / f"{name}.safetensors").read_bytes() for name in ("model", "optimizer")] + [state]


def longer(recipe: dict[str, Any], steps: int) -> dict[str, Any]:
    return {**recipe, "training": {**recipe["training"], "steps": steps}}


@pytest.mark.parametrize("schedule", [{"name": "constant"}, {"name": "wsd", "decay_steps": 6}])
def test_where_no_rate_so_far_differs_the_run_is_the_longer_one_bit_for_bit(
    tmp_path: Path, schedule: dict[str, Any]
) -> None:
    recipe = tiny_recipe(tmp_path, schedule=schedule, checkpoint={"keep_last": 9}, evaluation={"full": True})
    whole = quiet_train({**recipe, "run": {"directory": str(tmp_path / "whole")}})
    short = 20 if schedule["name"] == "constant" else 30
    run = quiet_train(longer(recipe, short))
    # Of the shorter WSD run that checkpoint is left which was written before its decline began at step 24.
    for folder in (run.path / "checkpoints").glob("step-*"):
        if schedule["name"] == "wsd" and int(folder.name[5:]) > short - schedule["decay_steps"]:
            shutil.rmtree(folder)
    said = io.StringIO()
    run = train(recipe, resume=True, console=Console(stream=said))
    assert "another rate: the weights are those of one run of 40 steps" in said.getvalue()
    assert run.summary()["step"] == 40
    assert state_of(run.path) == state_of(whole.path)


def test_a_run_at_the_end_of_its_cosine_jumps_to_the_longer_one_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_recipe(tmp_path, logging={"every": 1})
    run = quiet_train(longer(recipe, 20))
    sizes = Estimate.load(run.path)
    assert main(["train", "--resume", str(run.path), "--training.steps", "40"]) == 0
    said = capsys.readouterr().out
    assert "the learning rate was 0.001 at step 20 and is 0.0061 at step 21" in said
    assert "a run of 40 steps from its start would have had 0.0065 at step 20" in said
    rates = {r["step"]: r["lr"] for r in Run.open(run.path).metrics() if "lr" in r}
    for step in range(21, 41):
        assert rates[step] == pytest.approx(lr_cosine_schedule(step, 1e-2, 1e-3, 5, 40)), step
    assert rates[20] == pytest.approx(1e-3)
    plan = Estimate.load(run.path)
    assert plan is not None
    assert sizes is not None
    assert (plan.steps, plan.expected_seconds > sizes.expected_seconds) == (40, True)
    assert plan.evaluation is not None
    assert sizes.evaluation is not None
    assert plan.evaluation.each == sizes.evaluation.each
    # Resumed again it has nothing to do, and says how it would.
    assert main(["train", str(run.path), "--resume"]) == 0
    assert "all 40 steps are done; with --resume --training.steps 80 it goes on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--training.steps", "10"], "the run has made 20 updates, and training.steps = 10 came"),
        (["--max-minutes", "2"], "the run was planned for 20 steps and goes on by the same measure"),
        (["--training.steps", "40", "--model.d-model", "32"], "the run was made with model.d_model = 16"),
        (["--training.steps", "40", "--schedule.name", "wsd"], "the run was made with schedule.name = 'cosine'"),
    ],
)
def test_what_a_longer_run_may_not_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    run = quiet_train(longer(tiny_recipe(tmp_path), 20))
    before = state_of(run.path)
    assert main(["train", "--resume", str(run.path), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert state_of(run.path) == before
    assert Run.open(run.path).status == "done"
    assert Run.open(run.path).config["training"]["steps"] == 20


def test_a_stopped_run_is_not_ended_where_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan of just the updates that are made has nothing left to do, and no last evaluation was made."""
    run = quiet_train(tiny_recipe(tmp_path, checkpoint={"keep_last": 9}))
    for folder in (run.path / "checkpoints").glob("step-*"):
        if int(folder.name[5:]) > 20:
            shutil.rmtree(folder)
    assert main(["train", "--resume", str(run.path), "--training.steps", "20"]) == 2
    assert "the run has made 20 updates, and training.steps = 20 came" in capsys.readouterr().err


def test_a_time_budget_can_be_lengthened_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = quiet_train(tiny_recipe(tmp_path, training={"max_minutes": 0.02}, logging={"every": 1}))
    step = run.summary()["step"]
    assert main(["train", "--resume", str(run.path), "--max-minutes", "0.01"]) == 2
    assert "planned for 0.02 minutes, and 0.01 came" in capsys.readouterr().err
    assert main(["train", "--resume", str(run.path), "--max-minutes", "0.06"]) == 0
    assert "planned for 1.2 s, now for 3.6 s: the learning rate was 0.001 at step" in capsys.readouterr().out
    records = {r["step"]: r["lr"] for r in run.metrics() if "lr" in r}
    assert records[step] == pytest.approx(1e-3)
    assert 5e-3 < records[step + 1] < 9.9e-3
    assert records[max(records)] == pytest.approx(1e-3)


def test_a_share_of_one_budget_becomes_a_share_of_another(tmp_path: Path) -> None:
    from hornbook.training.config import resolve

    def budget(minutes: float) -> Budget:
        recipe = tiny_recipe(tmp_path, training={"max_minutes": minutes})
        recipe["model"]["vocab_size"] = 61
        return Budget(resolve(recipe))

    state = budget(1).state() | {"share": 1.0, "warmed_at": 0.1}
    same, twice = budget(1), budget(2)
    same.load(state)
    twice.load(state)
    assert (same.share, same.finished(9), same.warmed_at) == (1.0, True, 0.1)
    assert (twice.share, twice.finished(9), twice.warmed_at) == (0.5, False, 0.05)
