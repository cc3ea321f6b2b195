"""`hornbook handin`: one page with the answers of one's own runs, in the order of the handout."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import hornbook as hb
from hornbook.cli.arguments import parse_words
from hornbook.cli.main import find, load_subcommand, main
from hornbook.report.handin import PROBLEMS, Own, find_own
from hornbook.report.load import RunData
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
    row = re.search(rf"<th scope=row[^>]*>{re.escape(problem)}</th><td[^>]*>([^<]*)</td>", page)
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


@pytest.mark.usefixtures("own_folders")
def test_a_tokenizer_that_was_trained_by_itself_has_its_time_and_memory(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Once upon a time there was a hen. " * 50)
    (tmp_path / "runs").mkdir()
    words = ["tokenizer", "train", "a.txt", "--vocab-size", "270"]
    assert main([*words, "--out", "runs/timed"]) == 0
    assert main([*words, "--out", "runs/another"]) == 0
    hb.Tokenizer.load("runs/timed").save("runs/another")
    noted = json.loads((tmp_path / "runs" / "another" / "training.json").read_text())
    noted["fingerprint"] = "0"
    (tmp_path / "runs" / "another" / "training.json").write_text(json.dumps(noted))
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "training.json").write_text("[]")
    assert main(["handin"]) == 0
    page = (tmp_path / "handin.html").read_text()
    assert state_of(page, "train_bpe_tinystories, train_bpe_expts_owt") == "below"
    rows = {
        row.split("</th>")[0].rpartition(">")[2]: row
        for row in re.findall(r"<tr>(<th scope=row.*?)</tr>", page, re.DOTALL)
    }
    assert re.search(r">\d+(\.\d+)? s</td>.*>[\d.]+ [MG]B</td>", rows["runs/timed"], re.DOTALL)
    assert not re.search(r" [MG]B</td>", rows["runs/another"]), "of another tokenizer"
    assert "runs/broken" not in rows


@pytest.mark.usefixtures("own_folders")
def test_a_tokenizer_that_a_run_trained_has_its_time_and_memory(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Once upon a time there was a hen. " * 500)
    for name in ("one", "two"):  # the second takes both from the cache
        recipe = tiny_recipe(tmp_path, tokenizer={"vocab_size": 270}, training={"steps": 1})
        quiet_train(recipe | {"data": {"text": ["a.txt"], "validation": 0.1}, "run": {"name": name}})
    assert main(["handin"]) == 0
    page = (tmp_path / "handin.html").read_text()
    found = re.findall(r"<tr><th scope=row[^>]*>(one|two)</th>(.*?)</tr>", page, re.DOTALL)
    timed = [name for name, row in found if re.search(r">\d+(\.\d+)? m?s</td>.*>[\d.]+ [MG]B</td>", row)]
    assert sorted(timed) == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "vocab_size", "is_said"),
    [("TinyStoriesV2-GPT4-train.txt", 10_000, True), ("TinyStories.txt", 4000, False), ("other.txt", 10_000, False)],
)
def test_the_lowest_loss_stands_beside_the_bar_of_the_handout(text: str, vocab_size: int, is_said: bool) -> None:
    def made(name: str, loss: float) -> RunData:
        config = {"data": {"text": [text]}, "model": {"vocab_size": vocab_size}}
        return RunData(
            path=Path(name), name=name, config=config, environment={}, status="done", reason="", metrics=[
                {"step": 1, "val_loss": loss}], samples=[], summary={})  # fmt: skip

    problem = next(p for p in PROBLEMS if p.name == "learning_rate")
    answer = problem.answer(Own([made("a", 1.6), made("b", 1.4)], {}))
    if not is_said:
        assert answer is None
        return
    assert answer is not None
    assert answer["findings"][0].startswith("The lowest validation loss on TinyStories is 1.4000 nats per token (b); ")
    assert "1.45 (327.68 M tokens), and 2.00" in answer["findings"][0]
