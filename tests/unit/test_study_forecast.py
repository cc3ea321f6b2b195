"""`hornbook study run --dry-run`: the runs, what they would take here, and nothing written."""

import json

import pytest

from hornbook.cli.main import main
from hornbook.studies import catalogue, forecast, time_budget
from hornbook.studies.folder import run_path, study_path, write_results, write_study
from hornbook.studies.study import SCALES, Analysis, Options
from hornbook.training.launch.device import StepTime


@pytest.fixture
def timed(monkeypatch):
    shapes = []

    def time_updates(config, seconds):
        shapes.append(config)
        return StepTime(1.0, 0.002 * config.training.batch_size)

    monkeypatch.setattr(forecast, "time_updates", time_updates)
    monkeypatch.setattr(time_budget, "seconds_of_the_rest", lambda plan: 0.5)
    return shapes


def test_the_time_is_that_of_the_runs_without_a_result(timed, tmp_path):
    study = catalogue.load_study("batch_size")
    plan = study.plan("tiny", Options(seeds=3))
    arms = [forecast._config(plan, arm).training for arm in plan.arms]
    a_seed = sum(t.steps * 0.002 * t.batch_size for t in arms)
    lines = forecast.forecast(study, "tiny", Options(seeds=3), tmp_path)
    runs = f"{len(arms)} arms × 3 seeds = {3 * len(arms)} runs, of which 0 "
    assert lines[0].startswith(f"batch_size at scale tiny: {runs}")
    assert lines[-2].startswith(f"about {3 * a_seed:.1f} s of updates here")
    assert len(timed) == len({t.batch_size for t in arms}), "arms of one shape are timed once"
    for seed in (0, 2):
        path = run_path(tmp_path / "batch-size-tiny", plan.arms[0].name, seed)
        path.mkdir(parents=True)
        (path / "config.toml").write_text("")
        (path / "environment.json").write_text(json.dumps({"version": 1}))
        (path / "status.json").write_text(json.dumps({"version": 1, "status": "done"}))
    lines = forecast.forecast(study, "tiny", Options(seeds=3), tmp_path)
    assert "of which 2 have a result" in lines[0]
    left = 3 * a_seed - 2 * arms[0].steps * 0.002 * arms[0].batch_size
    assert lines[-2].startswith(f"about {left:.1f} s of updates here")


def test_a_time_budget_is_what_it_takes(timed, tmp_path):
    lines = forecast.forecast(catalogue.load_study("leaderboard"), "tiny", Options(), tmp_path)
    assert "about 150" in lines[2]
    assert lines[-2].startswith("about 19.2 s")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_study_can_be_forecast(name, scale, timed, tmp_path):
    assert forecast.forecast(catalogue.load_study(name), scale, Options(), tmp_path)


def test_it_measures_this_machine_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    assert main(["study", "run", "weight-tying", "--dry-run", "--training.threads", "1"]) == 0
    said = capsys.readouterr().out
    assert "2 arms × 2 seeds = 4 runs, of which 0 have a result in studies/weight-tying-tiny" in said
    assert "Ctrl-C is safe" in said
    assert list(tmp_path.iterdir()) == []


def test_a_budget_in_minutes_becomes_steps(timed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # 4 runs of 40 steps at 0.016 s take 2.56 s; 0.9 of 12 s, less 4 times the 0.5 s beside, holds 3.4 times that.
    words = ["study", "run", "weight-tying", "--minutes", "0.2"]
    assert main([*words, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "0.2 minutes for 4 runs: 137 steps or 35.1 k tokens in a run" in said
    assert "about 8.8 s of updates here" in said
    assert list(tmp_path.iterdir()) == []
    study, options = catalogue.load_study("weight_tying"), Options()
    fitted, _ = time_budget.fit_into([study], "tiny", options, tmp_path, 0.2, keep=True)
    plan = study.plan("tiny", fitted)
    assert plan.base["training"]["steps"] == 137
    assert plan.base["evaluation"]["full"] is False
    assert (plan.base["schedule"]["warmup_steps"], plan.base["evaluation"]["every"]) == (17, 68)
    # What was picked stays, whatever another probe says.
    monkeypatch.setattr(forecast, "time_updates", lambda config, seconds: StepTime(1.0, 0.1))
    assert time_budget.fit_into([study], "tiny", options, tmp_path, 0.2, keep=True)[0] == fitted
    assert time_budget.fit_into([study], "tiny", options, tmp_path, 4, keep=False)[0] != fitted


def test_a_tenth_after_the_minutes_a_study_ends_and_says_so_by_its_code(timed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hornbook.cli.study.time.time", lambda: 1000.0)
    given = []

    def run_study(study, scale, options, *, out, deadline, **settings):
        given.append(deadline)
        folder = study_path(out, study.name, scale)
        write_study(folder, study, study.plan(scale, options), scale=scale, command="again")
        write_results(folder, Analysis(findings=["found"]), [], {}, ["a, seed 1"])
        return folder

    monkeypatch.setattr("hornbook.studies.runner.run_study", run_study)
    assert main(["study", "run", "ablations", "--minutes", "2"]) == 1
    assert given == [1000 + 132], "the other studies of the set do not begin"
    assert "(a, seed 1); go on with: again" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["weight_tying", "norm"])
def test_what_a_run_takes_beside_its_updates_is_measured_and_leaves_nothing(name, tmp_path, monkeypatch):
    monkeypatch.setattr(forecast.tempfile, "tempdir", str(tmp_path))
    options = Options(overrides={"training": {"threads": 1}})
    seconds = forecast.seconds_of_the_rest(catalogue.load_study(name).plan("tiny", options))
    assert 0.05 < seconds < 60
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["weight-tying", "--minutes", "0.05"], "leave 10 updates for each of 4 runs, and fewer than 20 say nothing"),
        (["weight-tying", "--minutes", "1", "--training.steps", "9"], "--minutes picks the steps"),
        (["weight-tying", "--minutes", "0"], "--minutes 0 is no time to train in"),
        (["leaderboard", "--minutes", "1"], "leaderboard gives every run a time of its own"),
        (["toy-sgd", "--minutes", "1"], "toy_sgd trains nothing, it measures"),
    ],
)
def test_minutes_that_cannot_be(timed, tmp_path, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(["study", "run", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_arm_scales_by_the_same_factor(timed, tmp_path):
    study = catalogue.load_study("batch_size")
    usual = study.plan("tiny", Options())
    fitted, _ = time_budget.fit_into([study], "tiny", Options(), tmp_path, 1, keep=False)
    longer = study.plan("tiny", fitted)
    factor = longer.base["training"]["steps"] / usual.base["training"]["steps"]
    for before, after in zip(usual.arms, longer.arms, strict=True):
        assert after.overrides["training.steps"] == pytest.approx(
            factor * before.overrides["training.steps"], abs=factor
        )
