"""`hornbook handin`: one page with the answers of one's own runs, in the order of the handout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hornbook.cli.arguments import parse_words
from hornbook.cli.main import find, load_subcommand, main
from hornbook.report.handin import PROBLEMS, find_own
from hornbook.studies import catalogue
from hornbook.studies.folder import write_results, write_study
from hornbook.studies.study import Analysis, Options
from hornbook.tracking.run import Run
from tests.harness.recipes import quiet_train, tiny_recipe

HANDOUT = (
    "unicode1", "unicode2", "train_bpe", "train_bpe_tinystories", "train_bpe_expts_owt", "tokenizer",
    "tokenizer_experiments", "linear", "transformer_lm", "transformer_accounting", "cross_entropy",
    "learning_rate_tuning", "adamw", "adamwAccounting", "learning_rate_schedule", "gradient_clipping", "data_loading",
    "checkpointing", "training_together", "decoding", "experiment_log", "learning_rate", "batch_size_experiment",
    "generate", "layer_norm_ablation", "pre_norm_ablation", "no_pos_emb", "swiglu_ablation", "main_experiment",
    "leaderboard",
)  # fmt: skip


def state_of(page: str, problem: str) -> str:
    row = re.search(rf"<td[^>]*>{re.escape(problem)}</td><td[^>]*>([^<]*)</td>", page)
    assert row, problem
    return row[1]


def make_study(folder: Path, name: str, scale: str, *, finished: bool = True) -> None:
    study = catalogue.load_study(name)
    plan = study.plan("tiny", Options())
    write_study(folder, study, plan, scale=scale, command=f"hornbook study run {name} --scale {scale}")
    if finished:
        write_results(folder, Analysis(findings=[f"found at {scale} <b>"], figures=[], tables=[]), [], {})


def test_every_problem_of_the_handout_stands_there_in_its_order() -> None:
    names = " ".join(problem.name for problem in PROBLEMS)
    places = [re.search(rf"(?<![\w]){name}(?![\w])", names) for name in HANDOUT]
    assert all(places), [name for name, place in zip(HANDOUT, places, strict=True) if not place]
    assert [place.start() for place in places if place] == sorted(place.start() for place in places if place)


def test_every_command_on_it_is_understood() -> None:
    for problem in PROBLEMS:
        words = problem.command.split()
        if words[0] == "hornbook":
            name, rest = find(words[1:])
            given = parse_words(load_subcommand(name), rest, name)
            if name == "study run":
                catalogue.load_study(given["name"])


@pytest.mark.usefixtures("own_folders")
def test_with_nothing_run_it_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handin"]) == 0
    assert f"11 of {len(PROBLEMS)} problems have an answer" in capsys.readouterr().out
    page = (tmp_path / "handin.html").read_text()
    assert state_of(page, "unicode1, unicode2") == "below"
    assert state_of(page, "leaderboard") == state_of(page, "experiment_log") == "not run yet"
    assert '<h3>To answer it</h3>\n<pre class="command">hornbook study run leaderboard --scale cpu' in page
    for words in ("2,127,057,600", "4.513 TFLOP", "15.31 GB · batch + 26.17 GB", "5,115 days", "11 bytes in utf-8"):
        assert words in page, words


@pytest.mark.usefixtures("own_folders")
def test_own_runs_and_studies_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = quiet_train(tiny_recipe(tmp_path / "data", run={"directory": str(tmp_path / "runs" / "mine")}))
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "config.toml").write_text("x = ")
    stopped = Run.create(tmp_path / "runs" / "stopped", run.config, {})
    stopped.release()
    make_study(tmp_path / "studies" / "norm-tiny", "norm", "tiny")
    make_study(tmp_path / "studies" / "norm-cpu", "norm", "cpu")
    make_study(tmp_path / "studies" / "position-cpu", "position", "cpu", finished=False)
    own = find_own([tmp_path / "runs", tmp_path / "studies", tmp_path / "nosuch"])
    assert [r.path.name for r in own.runs] == ["mine"]
    assert {name: study.scale for name, study in own.studies.items()} == {"norm": "cpu"}
    assert main(["handin", "--out", "page.html"]) == 0
    assert f"13 of {len(PROBLEMS)} problems have an answer" in capsys.readouterr().out
    page = Path("page.html").read_text()
    assert state_of(page, "layer_norm_ablation, pre_norm_ablation") == "below"
    assert state_of(page, "no_pos_emb") == "not run yet"
    assert "found at cpu &lt;b&gt;" in page
    assert f"{run.summary()['val_loss']:.4f}" in page


def test_a_folder_is_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handin", "--out", str(tmp_path)]) == 2
    assert "is a folder; name the file" in capsys.readouterr().err
