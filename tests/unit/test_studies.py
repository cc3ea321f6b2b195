"""The study machinery with training replaced by a formula: what is run, skipped, resumed, counted and said."""

import csv
import dataclasses
import io
import itertools
import json
import math
import time
from pathlib import Path

import pytest
import tomli_w

from hornbook.checkpoint.store import CheckpointStore
from hornbook.cli.study import print_study
from hornbook.config import parse_overrides
from hornbook.errors import ConfigError, DataError, FormatError, HornbookError
from hornbook.locks import hold
from hornbook.report.render import write_report
from hornbook.studies import analysis, execution, runner
from hornbook.studies.data import StudyData, recipe_key
from hornbook.studies.folder import is_study, read_study, run_path
from hornbook.studies.runner import StudyStoppedError, config_digest, run_study
from hornbook.studies.search import Range, parse_space, search_settings
from hornbook.studies.study import Arm, Options, Plan, Results, Study
from hornbook.studies.verdict import ending_of
from hornbook.tracking.console import Console, Stage
from hornbook.tracking.run import Run
from hornbook.training.signals import OUT_OF_TIME
from tests.harness.recipes import tiny_recipe

BASE = {
    "model": {"context_length": 8, "d_model": 8, "num_layers": 1, "num_heads": 1},
    "tokenizer": {"vocab_size": 300},
    "data": {"corpus": "storyworld", "corpus_bytes": 10_000},
    "training": {"steps": 20},
}
WIDER = BASE | {"model": BASE["model"] | {"d_model": 16}}
FLOOR = 0.75


def plan_of(lrs=(1e-3, 3e-3, 1.0), seeds=5):
    arms = tuple(Arm(name=f"lr-{lr:g}", overrides={"optimizer.lr": lr}, x=lr) for lr in lrs)
    return Plan(base=BASE, arms=arms, seeds=tuple(range(seeds)), baseline=arms[0].name, x_label="lr")


def study_of(plan=None, name="made_up"):
    return Study(
        name=name,
        question="Does the formula hold?",
        design="Losses from a formula.",
        cost={},
        plan=lambda scale, options: plan or plan_of(),
        analyse=analysis.standard,
    )


def formula(recipe, resume):
    """Loss 2 at lr 1e-3, 1.9 at 3e-3, with a seed's own offset; lr 1 diverges."""
    lr, seed = recipe["optimizer"]["lr"], recipe["training"]["seed"]
    return 2 - 0.1 * (lr == 3e-3) + 0.05 * seed + 0.001 * ((seed * 7 + int(lr * 1000)) % 3), lr >= 1


class Trainer:
    """Stands in for `execution.train_one`: writes a run folder from a formula and remembers what it was asked."""

    def __init__(self):
        self.calls = []
        self.stop_after = None
        self.fail = None
        self.in_time = None

    def __call__(self, path: Path, recipe, resume, summary, deadline=math.inf):
        if self.in_time is not None and len(self.calls) >= self.in_time:
            return "stopped", OUT_OF_TIME
        self.calls.append((path.parent.name, recipe["training"]["seed"], resume))
        loss, diverged = formula(recipe, resume)
        resolved = {**recipe, "model": {**recipe["model"], "vocab_size": 300}}
        path.mkdir(parents=True, exist_ok=True)
        (path / "config.toml").write_text(tomli_w.dumps(resolved))
        (path / "environment.json").write_text(json.dumps({"version": 1, "commit": "c1"}))
        (path / "summary.json").write_text(json.dumps(summary))
        stopped = self.stop_after is not None and len(self.calls) > self.stop_after
        status = "stopped" if stopped else "diverged" if diverged else "done"
        if self.fail and self.fail in str(path):
            status = "failed"
        records = [
            {"step": s, "tokens": s * 64, "seconds": s * 0.5, "train_loss": loss + 2 / s, "tokens_per_second": 128.0}
            | {"val_loss": loss + 1 / s - 0.05, "val_bits_per_byte": (loss + 1 / s) / 2}
            for s in (5, 10, 20)
        ]
        (path / "metrics.jsonl").write_text(
            "".join(json.dumps(r) + "\n" for r in records[: 1 if status != "done" else 3])
        )
        (path / "samples.jsonl").write_text(
            json.dumps({"step": 20, "prompt": "", "text": f"text of {path.parent.name}"}) + "\n"
        )
        if stopped:
            (path / "checkpoints" / "step-00000005").mkdir(parents=True, exist_ok=True)
        reason = {"diverged": "loss is not finite", "failed": "out of memory: 7 GB"}.get(status, "")
        (path / "status.json").write_text(json.dumps({"version": 1, "status": status, "reason": reason}))
        return status, reason


@pytest.fixture
def trainer(monkeypatch):
    made = Trainer()
    monkeypatch.setattr(execution, "train_one", made)
    monkeypatch.setattr(runner, "current_commit", lambda: "c1")
    monkeypatch.setattr(
        runner,
        "prepare_all",
        lambda recipes, console: {
            recipe_key(r): StudyData(
                section=r["data"], vocab_size=300, digest="d1", summary={"entropy_floor_bits_per_byte": FLOOR}
            )
            for r in recipes
        },
    )
    return made


def run(tmp_path, study=None, **options):
    stream = io.StringIO()
    folder = run_study(
        study or study_of(), "tiny", Options(), out=tmp_path, console=Console(stream=stream), command="again", **options
    )
    return folder, stream.getvalue()


def test_every_arm_runs_with_every_seed_and_the_folder_says_all(tmp_path, trainer):
    folder, said = run(tmp_path)
    assert len(trainer.calls) == 15
    # Seed by seed: after a third of the time every arm has been seen.
    assert [name for name, _, _ in trainer.calls[:3]] == ["lr-0.001", "lr-0.003", "lr-1"]
    study = read_study(folder)
    assert (study.name, study.scale, study.command, study.finished) == ("made_up", "tiny", "again", True)
    assert len(study.runs()) == 15
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15
    assert {row["status"] for row in rows} == {"done", "diverged"}
    assert rows[0]["run"] == "runs/lr-0.001/seed-0"
    assert "15 runs, 0 done before, 15 to do" in said
    assert "left" in said


def test_findings_name_the_better_arm_the_diverged_one_and_the_floor(tmp_path, trainer):
    folder, _ = run(tmp_path)
    said = " ".join(read_study(folder).findings)
    assert "lr-0.003 is better than lr-0.001" in said
    assert "lr-1 diverged in 5 of 5 seeds" in said
    assert f"entropy floor of the validation text is {FLOOR:.4f}" in said
    verdicts = {row["arm"]: row["verdict"] for row in read_study(folder).tables[1].rows}
    assert verdicts == {"lr-0.003": "better", "lr-1": "diverged in 5 of 5 seeds"}


def test_with_fewer_than_five_seeds_nothing_is_called_better(tmp_path, trainer):
    folder, _ = run(tmp_path, study_of(plan_of(seeds=4)))
    said = " ".join(read_study(folder).findings)
    assert "better" not in said
    assert "Not tested against lr-0.001 (fewer than 5 seeds): lr-0.003" in said


def test_done_runs_are_skipped_and_a_diverged_one_is_done(tmp_path, trainer):
    run(tmp_path)
    trainer.calls.clear()
    _, said = run(tmp_path)
    assert trainer.calls == []
    assert "15 done before, 0 to do" in said


def test_a_changed_recipe_or_commit_runs_again_unless_older_ones_are_accepted(tmp_path, trainer, monkeypatch):
    run(tmp_path)
    trainer.calls.clear()
    monkeypatch.setattr(runner, "current_commit", lambda: "c2")
    run(tmp_path, accept_older=True)
    assert trainer.calls == []
    run(tmp_path, replace=True)
    assert len(trainer.calls) == 15
    trainer.calls.clear()
    run(tmp_path, study_of(plan_of(lrs=(1e-3, 2e-3))))
    assert [name for name, _, _ in trainer.calls] == ["lr-0.002"] * 5


def contents(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("change", ["commit", "recipe"])
def test_runs_made_otherwise_are_not_removed_unasked(tmp_path, trainer, monkeypatch, change):
    folder, _ = run(tmp_path)
    before = contents(folder)
    study = study_of()
    if change == "commit":
        monkeypatch.setattr(runner, "current_commit", lambda: "c2")
    else:
        study = study_of(dataclasses.replace(plan_of(), base=WIDER))
    with pytest.raises(HornbookError, match=r"holds 15 runs made by .*, such as runs/lr-0\.001/seed-0; --accept-older"):
        run(tmp_path, study)
    assert contents(folder) == before
    trainer.calls.clear()
    run(tmp_path, study, replace=True)
    assert len(trainer.calls) == 15


def test_a_study_that_is_running_is_left_alone(tmp_path, trainer):
    folder, _ = run(tmp_path)
    before = contents(folder)
    with hold(folder, "a test"), pytest.raises(HornbookError, match="another process is running this study in"):
        run(tmp_path)
    assert contents(folder) == before


def test_a_run_in_which_a_process_trains_is_not_removed(tmp_path, trainer):
    folder, _ = run(tmp_path)
    held = folder / "runs" / "lr-0.001" / "seed-0"
    before = contents(held)
    with hold(held, "a test"), pytest.raises(HornbookError, match="another process is training in"):
        run(tmp_path, study_of(dataclasses.replace(plan_of(), base=WIDER)), replace=True)
    after = contents(held)
    assert after.pop(str(held / ".lock"))
    assert after == before


def test_a_stopped_study_resumes_the_run_that_was_cut_and_only_makes_what_is_missing(tmp_path, trainer):
    trainer.stop_after = 6
    with pytest.raises(StudyStoppedError, match="stopped after 6 of 15 runs"):
        run(tmp_path)
    trainer.stop_after = None
    trainer.calls.clear()
    run(tmp_path)
    assert len(trainer.calls) == 9
    assert trainer.calls[0] == ("lr-0.001", 2, True)
    assert not any(resume for _, _, resume in trainer.calls[1:])


def test_out_of_time_the_whole_runs_are_analysed_and_what_is_missing_is_said(tmp_path, trainer, capsys):
    trainer.in_time = 11
    folder, _ = run(tmp_path)
    study = read_study(folder)
    sentence = (
        "Not finished: 4 of 15 runs missing (lr-1, seed 3; lr-0.001, seed 4; lr-0.003, seed 4 …); go on with: again"
    )
    assert (study.finished, study.unfinished) == (False, sentence)
    (arms,) = [table for table in study.tables if table.id == "arms"]
    assert [(row["done"], row["diverged"], row["failed"]) for row in arms.rows] == [(4, 0, 0), (4, 0, 0), (0, 3, 0)]
    print_study(folder)
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert sentence in write_report([folder], tmp_path / "r.html").read_text()
    trainer.in_time = None
    trainer.calls.clear()
    run(tmp_path)
    assert len(trainer.calls) == 4
    assert read_study(folder).finished
    assert read_study(folder).unfinished == ""


def test_out_of_time_before_a_run_is_whole(tmp_path, trainer):
    trainer.in_time = 0
    with pytest.raises(StudyStoppedError, match="the time was up before a run of made_up was whole"):
        run(tmp_path)
    assert not read_study(tmp_path / "made-up-tiny").finished


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_deadline_saves_the_run_that_is_made_and_begins_no_other(tmp_path, monkeypatch, jobs):
    """By the clock of the machine with two processes, by one that ticks at each look with one."""
    if jobs == 1:
        monkeypatch.setattr(execution.time, "time", itertools.count().__next__)
    recipes = {name: tiny_recipe(tmp_path / name, training={"steps": 100_000}) for name in ("a", "b", "c")}
    made = [
        execution.Job(arm=n, seed=0, path=tmp_path / n / "run", recipe=r, mark={}, state="new", summary={})
        for n, r in recipes.items()
    ]
    deadline = 20 if jobs == 1 else time.time() + 20
    ended = {
        job.name: (status, reason) for job, status, reason in execution.execute(made, jobs, Stage("runs", 3), deadline)
    }
    assert all(status == "stopped" and reason.startswith(OUT_OF_TIME) for status, reason in ended.values())
    assert ended["c, seed 0"] == ("stopped", OUT_OF_TIME)
    assert not (tmp_path / "c" / "run").exists()
    assert CheckpointStore(tmp_path / "a" / "run" / "checkpoints").load().step > 0
    assert Run.open(tmp_path / "a" / "run").status == "stopped"


def test_a_failed_run_is_a_result_with_its_reason(tmp_path, trainer):
    trainer.fail = "lr-0.003/seed-1"
    folder, _ = run(tmp_path)
    assert "lr-0.003 failed: out of memory: 7 GB" in read_study(folder).findings
    trainer.calls.clear()
    run(tmp_path)
    assert trainer.calls == [("lr-0.003", 1, False)], "a failed run is tried again, the others are not"


def test_digest_ignores_names_paths_device_and_threads_and_nothing_else():
    config = {
        "run": {"name": "a", "directory": "x"},
        "data": {"text": ["/a"], "order": "random"},
        "tokenizer": {"path": "/t", "vocab_size": 300},
        "training": {"steps": 5, "device": "cpu", "threads": 2, "seed": 0},
        "model": {"d_model": 8},
    }
    digest = config_digest(config, "d")
    same = json.loads(json.dumps(config))
    same["run"]["name"], same["data"]["text"], same["tokenizer"]["path"] = "b", ["/b"], "/u"
    same["training"] |= {"device": "cuda", "threads": 8}
    assert config_digest(same, "d") == digest
    for section, key, value in (
        ("training", "steps", 6),
        ("training", "seed", 1),
        ("model", "d_model", 16),
        ("data", "order", "epochs"),
    ):
        other = json.loads(json.dumps(config))
        other[section][key] = value
        assert config_digest(other, "d") != digest, key
    assert config_digest(config, "e") != digest


def test_report_of_a_study_has_bands_samples_side_by_side_and_differences(tmp_path, trainer):
    folder, _ = run(tmp_path)
    page = write_report([folder], tmp_path / "r.html").read_text()
    for expected in (
        "Does the formula hold?",
        "text of lr-0.001",
        "text of lr-0.003",
        "verdict-better",
        "optimizer.lr",
        "again",
    ):
        assert expected in page, expected
    data = json.loads(page.split('<script type="application/json" id="figures">')[1].split("</script>")[0])
    curves = next(f for f in data if f["id"] == "curves-val_loss")
    assert [key for key, _ in curves["x_axes"]] == ["step", "tokens", "seconds"]
    first = curves["series"][0]
    assert all(low < mean < high for low, mean, high in zip(first["low"], first["y"], first["high"], strict=True))


def test_a_study_without_results_is_shown_as_far_as_it_is(tmp_path, trainer):
    trainer.stop_after = 4
    with pytest.raises(StudyStoppedError):
        run(tmp_path)
    assert "Not finished" in write_report([tmp_path / "made-up-tiny"], tmp_path / "r.html").read_text()


def test_damaged_study_folders_are_refused_with_the_place(tmp_path, trainer):
    folder, _ = run(tmp_path)
    assert is_study(folder)
    with pytest.raises(DataError, match="not a study folder"):
        read_study(tmp_path)
    good = (folder / "results.json").read_text()
    for text, message in (("{", "not JSON"), ('{"version": 9}', "lists findings"), ("[]", "no JSON object")):
        (folder / "results.json").write_text(text)
        with pytest.raises(FormatError, match=message):
            read_study(folder)
    (folder / "results.json").write_text(good.replace('"version": 1', '"version": 2'))
    with pytest.raises(FormatError, match="version 2"):
        read_study(folder)
    (folder / "results.json").write_text(good)
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text(text.replace('name = "lr-1"', 'name = "../../elsewhere"'))
    with pytest.raises(FormatError, match="cannot be the name of an arm"):
        read_study(folder)


def test_measurements_are_kept_and_taken_again_when_inputs_or_commit_change(tmp_path):
    taken = []
    results = Results(
        plan=Plan(),
        scale="tiny",
        options=Options(),
        outcomes=[],
        folder=tmp_path,
        console=Console(silent=True),
        commit="c1",
    )

    def measure():
        taken.append(1)
        return {"value": len(taken)}

    assert results.measured("m", {"a": 1}, measure) == {"value": 1}
    assert results.measured("m", {"a": 1}, measure) == {"value": 1}
    assert results.measured("m", {"a": 2}, measure) == {"value": 2}
    (tmp_path / "measurements" / "m.json").write_text("{")
    assert results.measured("m", {"a": 2}, measure) == {"value": 3}


def test_no_better_than_guessing_is_not_diverged(tmp_path, trainer):
    folder, _ = run(tmp_path)
    outcome = runner.read_outcome(run_path(folder, "lr-0.001", 0), "lr-0.001", 0)
    assert outcome.values["uniform_loss"] == pytest.approx(math.log(300))
    assert outcome.ending == "finished"
    worse = dataclasses.replace(outcome, values={**outcome.values, "val_loss": math.log(300) + 0.01})
    start = [{"step": 0, "val_loss": math.log(300) + 0.1}]
    fallen, risen = (dataclasses.replace(worse, records=r) for r in (start, [{"step": 0, "val_loss": 5.0}]))
    assert (fallen.ending, fallen.diverged) == ("learned nothing", False)
    assert (risen.ending, risen.diverged) == ("diverged", True)
    lost = dataclasses.replace(fallen, status="diverged")
    assert (lost.ending, lost.diverged) == ("diverged", True)
    assert dataclasses.replace(fallen, status="failed").ending == "failed"


def test_a_loss_that_ran_away_for_a_time_is_a_divergence_whatever_was_repaired_later():
    """Learning rate 3 of the published study: 7.05 at the start, 14.6 at step 100, below ln V at the end."""

    def ending(*losses, first=7.05, every=10):
        records = [{"step": 0, "val_loss": first}]
        records += [{"step": every * (i + 1), "train_loss": loss} for i, loss in enumerate(losses)]
        return ending_of("done", {"val_loss": 6.5, "uniform_loss": math.log(1024), "step": 400}, records)

    assert ending(9.0, 14.6, 9.0, 6.8, 6.5) == "diverged"
    assert ending(9.0, None, 9.0, 6.8, 6.5) == "diverged"  # NaN is no number in JSON
    assert ending(9.0, 14.6, 6.8, 9.0, 14.6, 6.5) == "finished"  # two spikes of ten updates
    assert ending(7.7, 7.7, 7.7, 6.5) == "finished"  # within a tenth of its start
    assert ending(9.0, 14.6, 9.0, 6.8, first=50.0) == "finished"  # a deep model without norms comes down from there
    assert ending(2.9, 2.9, 2.9, 2.9, first=2.0) == "finished"  # begun with weights, on harder text than its validation
    assert ending(9.0, 9.0, 9.0, 9.0, 9.0, every=4) == "finished"
    assert ending(*[9.0] * 6, every=4) == "diverged"


def test_an_arm_that_learned_nothing_stays_in_the_table_and_is_named(tmp_path, trainer):
    folder, _ = run(tmp_path)
    plan, uniform = study_of().plan("tiny", Options()), math.log(300)
    ran = [runner.read_outcome(run_path(folder, arm.name, 0), arm.name, 0) for arm in plan.arms]
    records = [{"step": 0, "val_loss": uniform + 1}]
    worse = [
        dataclasses.replace(o, values={**o.values, "val_loss": uniform + 0.5}, records=records)
        if o.arm == "lr-0.003"
        else o
        for o in ran
    ]
    results = Results(
        plan=plan,
        scale="tiny",
        options=Options(),
        outcomes=worse,
        folder=folder,
        console=Console(silent=True),
        commit="c1",
    )
    said = " ".join(analysis.findings(results))
    assert "lr-0.003 learned nothing in 1 of 1 seeds (validation loss 6.20" in said
    assert "lr-0.003 diverged" not in said
    row = next(row for row in analysis.arm_table(results).rows if row["arm"] == "lr-0.003")
    assert row["learned nothing"] == row["done"]
    assert row["val_loss"] is not None


def test_search_ranges_are_read_and_bad_ones_refused():
    typed = "--optimizer.lr 1e-4:1e-2:log --model.norm=pre|post --model.num-layers 2:8 --training.steps 9"
    space, fixed = parse_space(parse_overrides(typed.split()))
    assert space == {
        "optimizer.lr": Range(1e-4, 1e-2, True),
        "model.norm": Range(choices=("pre", "post")),
        "model.num_layers": Range(2, 8, whole=True),
    }
    assert fixed == {"training.steps": "9"}
    with pytest.raises(ConfigError, match="not a range"):
        parse_space({"optimizer": {"lr": "0:1:log"}})


def test_search_finds_the_better_setting_and_goes_on_where_it_was(tmp_path, trainer, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.setattr("hornbook.studies.search.train_one", trainer)
    quiet = Console(silent=True)
    space = {"optimizer.lr": Range(1e-3, 3e-3)}
    monkeypatch.setitem(
        globals(), "formula", lambda recipe, resume: (2 + abs(recipe["optimizer"]["lr"] - 2e-3) * 100, False)
    )
    search_settings(BASE, space, tmp_path / "s", trials=4, console=quiet)
    assert len(trainer.calls) == 4
    best, value, _ = search_settings(BASE, space, tmp_path / "s", trials=12, console=quiet)
    assert len(trainer.calls) == 12
    assert best["optimizer.lr"] == pytest.approx(2e-3, abs=4e-4)
    assert value == pytest.approx(2 + abs(best["optimizer.lr"] - 2e-3) * 100)
    with pytest.raises(ConfigError, match="another --out"):
        search_settings(BASE, {"optimizer.eps": Range(1e-9, 1e-8)}, tmp_path / "s", trials=1, console=quiet)
    assert issubclass(ConfigError, HornbookError)
