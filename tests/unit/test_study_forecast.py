"""`hornbook study run --dry-run`: the runs, what they would take here, and nothing written."""

import json

import pytest

from hornbook.cli.main import main
from hornbook.studies import catalogue, forecast
from hornbook.studies.folder import run_path
from hornbook.studies.study import SCALES, Options
from hornbook.training.launch.device import StepTime


@pytest.fixture
def timed(monkeypatch):
    shapes = []

    def time_updates(config, seconds):
        shapes.append(config)
        return StepTime(1.0, 0.002 * config.training.batch_size)

    monkeypatch.setattr(forecast, "time_updates", time_updates)
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
