"""Every entry of the catalogue: plans that resolve at every scale, true costs, and readings of made-up results."""

import dataclasses
import json
import math
import platform
import re
from pathlib import Path

import pytest

from hornbook.accounting.memory import Memory
from hornbook.cli.main import main
from hornbook.data.corpora import python_docs as documentation
from hornbook.errors import ConfigError
from hornbook.models.config import ModelConfig
from hornbook.studies import analysis, catalogue
from hornbook.studies.catalogue import (
    batch_size,
    bpe_ladder,
    feed_forward,
    learning_rate,
    optimizer,
    sampling,
    shape,
    toy_sgd,
)
from hornbook.studies.catalogue import tokenizer as tokenizer_study
from hornbook.studies.study import SCALES, Options, Outcome, Results
from hornbook.tracking.console import Console
from hornbook.training.config import load, resolve

TRAINED = [name for name in catalogue.NAMES if catalogue.load_study(name).plan("tiny", Options()).arms]


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_entry_asks_a_question_and_says_what_it_costs(name):
    study = catalogue.load_study(name)
    assert study.name == name
    assert study.question.endswith("?")
    assert study.design.endswith(".")
    assert set(study.cost) == set(SCALES)
    for scale in SCALES:
        plan = study.plan(scale, Options())
        stated = re.match(r"(\d+) runs? of", study.cost[scale])
        assert (int(stated[1]) if stated else 0) == len(plan.arms) * len(plan.seeds), scale


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", TRAINED)
def test_every_recipe_of_a_plan_resolves(name, scale):
    plan = catalogue.load_study(name).plan(scale, Options())
    for arm in plan.arms:
        recipe = plan.recipe(arm, 3)
        recipe["data"] = {k: v for k, v in recipe["data"].items() if v is not None}
        config = resolve(recipe)
        assert config.training.seed == 3
        assert re.fullmatch(r"[\w.+-]+", arm.name), "an arm's name is a folder's name"
    assert len(plan.seeds) >= (5 if scale != "tiny" else 2)


def test_seeds_and_overrides_of_the_user_reach_the_plan():
    options = Options(seeds=7, text=Path("mine.txt"), overrides={"model": {"d_model": 16}})
    plan = catalogue.load_study("norm").plan("tiny", options)
    assert plan.seeds == tuple(range(7))
    assert plan.base["data"] == {"text": ["mine.txt"]}
    assert plan.base["model"]["d_model"] == 16


def test_unknown_study_names_its_neighbour(capsys):
    with pytest.raises(ConfigError, match="did you mean 'learning_rate'"):
        catalogue.load_study("learning-rat")
    assert main(["study", "run", "norm", "--scale", "huge"]) == 2
    assert "there is no scale 'huge'" in capsys.readouterr().err


def test_the_ablations_run_by_one_command_and_make_one_page(tmp_path, capsys):
    words = ["--seeds", "1", "--training.steps", "3", "--data.corpus-bytes", "60000", "--evaluation.sample-tokens", "4"]
    command = ["study", "run", "ablations", "--out", str(tmp_path), *words]
    assert main([*command, "--dry-run"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if " at scale tiny: " in line] == [
        "norm", "position", "feed_forward",
    ]  # fmt: skip
    assert main(command) == 0
    assert f"all of them on one page: {tmp_path / 'ablations-tiny.html'}" in capsys.readouterr().out
    page = (tmp_path / "ablations-tiny.html").read_text(encoding="utf-8")
    for name in catalogue.SETS["ablations"]:
        assert catalogue.load_study(name).question in page
        assert (tmp_path / f"{name.replace('_', '-')}-tiny" / "report.html").is_file()
    assert main(["study", "run", "ablation"]) == 2
    assert "did you mean 'ablations'" in capsys.readouterr().err


def test_batch_sizes_keep_tokens_and_scale_the_learning_rate():
    plan = batch_size.plan("cpu", Options())
    base = plan.base["training"]["batch_size"] * plan.base["training"]["steps"]
    lr = plan.base["optimizer"]["lr"]
    for arm in plan.arms:
        batch, steps = arm.overrides["training.batch_size"], arm.overrides["training.steps"]
        assert batch * steps <= base
        assert batch * steps > 0.9 * base or steps == batch_size.LONGEST * plan.base["training"]["steps"]
    by_name = {arm.name: arm.overrides["optimizer.lr"] for arm in plan.arms}
    ratio = 64 / plan.base["training"]["batch_size"]
    assert by_name["batch-64-none"] == lr
    assert by_name["batch-64-sqrt"] == pytest.approx(lr * math.sqrt(ratio))
    assert by_name["batch-64-linear"] == pytest.approx(lr * ratio)


def test_the_batch_size_study_says_which_batch_memory_allows():
    plan = batch_size.plan("cpu", Options())
    said = batch_size.memory_sentence(plan)
    found = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) in \d+ GB", said)]
    assert len(found) == 3
    assert found == sorted(set(found))
    config = ModelConfig(vocab_size=plan.base["tokenizer"]["vocab_size"], **plan.base["model"])
    memory = Memory(config=config)
    assert memory.measured(found[1]).peak <= 16e9 < memory.measured(2 * found[1]).peak


@pytest.mark.parametrize("scale", SCALES)
def test_shapes_cost_nearly_the_same(scale):
    from hornbook.accounting.flops import training_flops_per_token

    plan = shape.plan(scale, Options())
    costs = []
    for arm in plan.arms:
        model = plan.base["model"] | {k.split(".")[1]: v for k, v in arm.overrides.items()}
        costs.append(training_flops_per_token(ModelConfig(vocab_size=plan.base["tokenizer"]["vocab_size"], **model)))
    assert max(costs) / min(costs) < 1.02


@pytest.mark.parametrize("scale", SCALES)
def test_feed_forwards_have_the_same_parameters(scale):
    from hornbook.accounting.parameters import count_parameters

    plan = feed_forward.plan(scale, Options())
    totals = set()
    for arm in plan.arms:
        model = plan.base["model"] | {k.split(".")[1]: v for k, v in arm.overrides.items()}
        totals.add(count_parameters(ModelConfig(vocab_size=512, **model)).total)
    assert len(totals) == 1


def test_optimizers_are_swept_with_equal_effort():
    plan = optimizer.plan("cpu", Options())
    groups = [arm.group for arm in plan.arms]
    assert groups.count("adamw") == groups.count("muon") == len(groups) // 2


def made_up(plan, loss, diverged=lambda arm, seed: False, step=100) -> Results:
    """Results made up from a loss per arm and seed."""
    outcomes = [
        Outcome(
            arm=arm.name,
            seed=seed,
            status="diverged" if diverged(arm, seed) else "done",
            path=Path(arm.name) / str(seed),
            values={"val_loss": loss(arm, seed), "tokens_per_second": 100.0, "step": step, "tokens": 640}
            | {"val_bits_per_byte": loss(arm, seed) / 2, "uniform_loss": math.log(1024)},
            records=[{"step": step, "tokens": 640, "seconds": 6.4, "val_loss": loss(arm, seed)}],
        )
        for arm in plan.arms
        for seed in plan.seeds
    ]
    console = Console(silent=True)
    return Results(
        plan=plan, scale="cpu", options=Options(), outcomes=outcomes, folder=Path(), console=console, commit="made up"
    )


@pytest.mark.parametrize("name", ["leaderboard", "learning_rate", "norm", "optimizer", "position"])
def test_below_twenty_updates_nothing_is_judged(name):
    study = catalogue.load_study(name)
    plan = study.plan("cpu", Options())

    def said(step):
        made = made_up(plan, lambda arm, seed: 2 + 6 * (arm is plan.arms[-1]) + seed / 100, step=step)
        found = study.analyse(made)
        (verdicts,) = [{row["verdict"] for row in t.rows} for t in found.tables if t.id == "differences"]
        return " ".join(found.findings), verdicts

    words = re.compile("better|worse|best|lowest|learned nothing|distinguishable", re.IGNORECASE)
    sentences, verdicts = said(4)
    assert not words.search(sentences)
    assert "a run made only 4 updates, and 20 are needed" in sentences
    assert verdicts == {"not tested: 4 updates, 20 are needed"}
    sentences, verdicts = said(20)
    assert {"lowest", "learned nothing"} <= {word.lower() for word in words.findall(sentences)}
    assert "worse" in verdicts


def test_two_seeds_are_dots_and_not_an_interval():
    plan = catalogue.load_study("norm").plan("tiny", Options())
    found = catalogue.load_study("norm").analyse(made_up(plan, lambda arm, seed: 2 + seed))
    shown = {row["val_loss"]["text"] for table in found.tables if table.id == "arms" for row in table.rows}
    assert shown == {"2.0000 · 3.0000"}
    (final,) = [figure for figure in found.figures if figure.id == "final-val_loss"]
    dots = [series for series in final.series if series.name.endswith("each seed")]
    assert [list(series.y) for series in dots] == [[2, 3, 2, 3]] * 3
    assert all(series.low is None for series in final.series)
    assert "±" not in " ".join(found.findings)


def test_a_difference_that_nothing_tested_is_not_counted(tmp_path):
    rows = [
        {"trained_on": trained, "vocab_size": size, "seed": seed, "entries": size, "bytes_per_second": 1e6}
        | {f"on_{text}": 4.0 + seed / 100 - (text != trained) for text in tokenizer_study.CORPORA}
        for trained in tokenizer_study.CORPORA
        for size in (512, 1024)
        for seed in (0, 1)
    ]
    said = " ".join(tokenizer_study._findings(rows, (512, 1024)))
    assert "is not tested: 2 seeds, 5 are needed." in said
    assert "cases" not in said


@pytest.mark.parametrize("whole", [1, 3])
@pytest.mark.parametrize("name", TRAINED)
def test_every_study_reads_what_is_whole_where_the_time_was_short(name, whole):
    study = catalogue.load_study(name)
    made = made_up(study.plan("cpu", Options()), lambda arm, seed: 2 + 0.1 * seed)
    made = dataclasses.replace(made, outcomes=made.outcomes[:whole])
    found = study.analyse(made) if name != "sampling" else analysis.standard(made)
    assert found.tables
    said = " ".join(found.findings)
    assert not re.search(
        "(?<!No run of the grid )diverged|stable over all seeds", re.sub(r"0 of [1-9]\d* runs diverged", "", said)
    )


def test_learning_rate_study_names_the_best_and_the_edge():
    plan = learning_rate.plan("cpu", Options())
    made = made_up(
        plan, lambda arm, seed: 2 + abs(math.log10(arm.x / 1e-2)) / 10 + seed / 100, lambda arm, seed: arm.x >= 0.3
    )
    said = " ".join(learning_rate.analyse(made).findings)
    assert "stable up to lr 0.1; the first learning rate of the grid at which a seed diverges" in said
    assert "The best learning rate of the grid is 0.01, 30 × below the first that diverges." in said
    calm = " ".join(learning_rate.analyse(made_up(plan, lambda arm, seed: 2 + arm.x / 10)).findings)
    assert "No run of the grid diverged, up to lr 10:" in calm


@pytest.mark.parametrize("name", TRAINED)
def test_every_reading_works_on_made_up_results_and_is_json(name):
    study = catalogue.load_study(name)
    plan = study.plan("cpu", Options())
    made = made_up(plan, lambda arm, seed: 2 + 0.01 * len(arm.name) + 0.1 * seed)
    found = study.analyse(made) if name != "sampling" else analysis.standard(made)
    from hornbook.studies.charts import figure_from_dict, record_to_dict, table_from_dict

    assert found.findings
    for figure in found.figures:
        figure_from_dict(json.loads(json.dumps(record_to_dict(figure), allow_nan=False)), "f")
    for table in found.tables:
        for column in table.columns:  # nats per token and bits per byte stand in one table
            assert not re.search("loss|SD|difference to", column.label) or re.search(
                r"\((nats/token|bits/byte)\)", column.label
            )
        table_from_dict(json.loads(json.dumps(record_to_dict(table), allow_nan=False)), "t")


@pytest.mark.parametrize("rate", toy_sgd.RATES)
def test_toy_sgd_follows_the_closed_form(rate):
    losses = toy_sgd.measure(0, rate)
    for measured, exact in zip(losses, toy_sgd.predicted(losses[0], rate), strict=True):
        assert measured == pytest.approx(exact, rel=1e-5, abs=1e-9)


def test_toy_sgd_runs_from_the_command_line_and_is_shown(tmp_path, capsys):
    assert main(["study", "run", "toy-sgd", "--out", str(tmp_path), "--figures"]) == 0
    assert "lr 1000: diverges" in capsys.readouterr().out
    folder = tmp_path / "toy-sgd-tiny"
    assert {p.name for p in folder.iterdir()} >= {"study.toml", "results.json", "results.csv", "report.html", "figures"}
    # Nothing was trained, so no run folder says where this was measured: the page has it all the same.
    page = (folder / "report.html").read_text()
    assert "versions, device, commit" in page
    assert f'<td class="text">{platform.python_version()}</td>' in page
    assert main(["study", "show", "toy_sgd", "--out", str(tmp_path)]) == 0
    assert "learning rate" in capsys.readouterr().out
    assert main(["study", "show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "toy_sgd"
    assert main(["study", "list"]) == 0
    assert "leaderboard" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ({"naive": 12.0, "native": 0.2}, "native takes 0.200 s, naive 12.000 s, 60 × as long"),
        (
            {"naive": 3.0, "heap": 0.04, "native": 0.06},
            "naive takes 3.000 s; not ranked, because under 0.1 s a time is mostly starting: heap, native",
        ),
        (
            {"heap": 0.004, "native": 0.006},
            "each takes under 0.1 s, which is mostly starting and says nothing of their speed",
        ),
    ],
)
def test_a_trainer_that_has_hardly_run_is_not_ranked(seconds, said):
    assert bpe_ladder.ranking(seconds) == said


def test_the_note_under_the_price_of_a_foreign_tokenizer_is_a_whole_sentence():
    rows = [
        {"seed": seed, "trained_on": corpus, "vocab_size": 512, "on_stories": 3.0 + seed, "on_web-text": 2.0 + seed}
        for corpus in tokenizer_study.CORPORA
        for seed in (0, 1)
    ]
    assert tokenizer_study._difference_table(rows, (512,)).note.endswith("their Holm step.")


def test_text_measures_count_what_they_say():
    measured = sampling.text_measures(["a b c d a b c d", "e f"])
    assert measured["words"] == 5
    assert measured["distinct_1"] == pytest.approx(6 / 10)
    # The first text has five 4-word sequences, of which "a b c d" comes twice.
    assert measured["repetition"] == pytest.approx(1 / 5)
    assert sampling.text_measures(["", ""])["distinct_2"] is None


def test_python_documentation_is_real_text_in_a_fixed_order():
    path = Path(json.__file__)
    docs = list(documentation._docstrings(path))
    assert docs[0].startswith("JSON (JavaScript Object Notation)")
    assert list(documentation._docstrings(path)) == docs
    assert list(documentation._docstrings(path.with_name("absent.py"))) == []


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.toml")), ids=lambda p: p.stem
)
def test_recipe_resolves_and_opens_with_purpose_cost_command_and_figure(path):
    head = path.read_text().split("\n\n")[0]
    for word in ("# Purpose ", "# Cost ", "# Command ", "# Figure "):
        assert word in head, word
    config = load(path)
    assert config.run.name == path.stem
    assert f"hornbook train recipes/{path.name}" in head
