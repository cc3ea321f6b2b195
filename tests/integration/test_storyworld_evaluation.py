"""storyworld's instruments where people meet them: `hornbook eval`, the report page, the study of sampling."""

import dataclasses
import itertools
import json
import math
import re
from pathlib import Path

import pytest
import torch

from hornbook.cli.main import main
from hornbook.data.corpora import storyworld
from hornbook.data.sections import DataSection
from hornbook.data.stream import document_key, draw
from hornbook.evaluation import storyworld as evaluation
from hornbook.evaluation.registry import find_evaluator
from hornbook.report.render import write_report
from hornbook.training.load import load_run

DATA = DataSection(corpus="storyworld", corpus_level="easy", corpus_bytes=60_000, corpus_seed=4, validation=0.1)
SMALL = [
    "--data.corpus", "storyworld", "--data.corpus-level", "easy", "--data.corpus-bytes", "60000",
    "--data.corpus-seed", "4", "--data.validation", "0.1", "--tokenizer.vocab-size", "400",
    "--model.d-model", "16", "--model.num-layers", "1", "--model.num-heads", "2", "--model.context-length", "384",
    "--training.steps", "5", "--training.batch-size", "4", "--evaluation.every", "0", "--evaluation.sample-every", "0",
    "--training.device", "cpu", "--training.threads", "1",
]  # fmt: skip
WHOLE = storyworld.split_stories(storyworld.generate(60_000, 4, "easy"))
DRAWN = draw([document_key(story.encode(), 0) for story in WHOLE], 0.1)
SEEN = [story for story, drawn in zip(WHOLE, DRAWN, strict=True) if not drawn]
HELD_OUT = [story for story, drawn in zip(WHOLE, DRAWN, strict=True) if drawn]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on storyworld, by the command."""
    folder = tmp_path_factory.mktemp("storyworld")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HORNBOOK_CACHE", str(folder / "cache"))
        threads = torch.get_num_threads()
        assert main(["train", *SMALL, "--run.directory", str(folder / "run")]) == 0
        torch.set_num_threads(threads)
        yield folder / "run"


def written(monkeypatch, *texts):
    """Let the model write these texts."""
    monkeypatch.setattr(evaluation, "sample_stories", lambda *_, **__: list(texts))


def test_first_places_finds_samples_in_a_stream_and_counts_the_stories():
    pieces = list(storyworld.corpus_bytes(60_000, 4, "easy"))
    places, total = storyworld.first_places([WHOLE[7], f"\n{WHOLE[3]} ", "no story", ""], pieces)
    assert total == len(WHOLE)
    assert places == {WHOLE[7]: WHOLE.index(WHOLE[7]), WHOLE[3]: WHOLE.index(WHOLE[3])}


def test_the_stories_held_out_are_those_that_preparation_gives_to_validation(run):
    record = json.loads((run / "data.json").read_text())
    assert storyworld.split_stories(Path(record["validation_text"]).read_text()) == HELD_OUT
    assert len(HELD_OUT) == math.ceil(0.1 * len(WHOLE))


def test_with_the_tail_the_last_stories_are_new():
    last, data = math.ceil(0.1 * len(WHOLE)), dataclasses.replace(DATA, validation_from="tail")
    assert evaluation.assess_samples(WHOLE[:-last][-20:], data).novelty == 0
    assert evaluation.assess_samples(WHOLE[-last:], data).novelty == 1


def test_stories_of_the_training_part_are_known_and_those_of_the_validation_part_are_new():
    assert len(set(SEEN) & set(HELD_OUT)) == 0
    assert evaluation.assess_samples(SEEN[:20], DATA).novelty == 0
    assert evaluation.assess_samples(HELD_OUT, DATA).novelty == 1
    assert evaluation.assess_samples([*SEEN[-5:], *HELD_OUT[:5]], DATA).novelty == 0.5
    other = list(itertools.islice(storyworld.stories(77, "easy"), 10))
    assert evaluation.assess_samples(other, DATA).novelty == 1


def test_eval_prints_the_instruments_and_keeps_them_for_the_report(run, tmp_path, monkeypatch, capsys):
    fresh = storyworld.story(0, 99, "easy")
    written(monkeypatch, SEEN[0], SEEN[1], fresh, SEEN[2] + " Zzyx.", SEEN[3][:40], "")
    assert main(["eval", str(run), "--stories", "8", "--samples", "6"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"8 whole stories: \d\.\d{4} bits per byte, true entropy 0\.\d{4}: \d+\.\d{3} × the floor", out)
    assert "stories that storyworld's parser accepts: 3 of 6 (50%)" in out
    assert "where the others stop being stories: dead end 2, unknown word 1" in out
    assert "of the accepted ones 33% are not in the training text" in out
    page = write_report([run], tmp_path / "report.html").read_text()
    for words in ("What storyworld&#39;s parser says", "Where samples stop being stories", "dead end", "0.3333"):
        assert words in page, words
    plots = storyworld.true_plot_shares("easy")
    assert all(f">{name}<" in page for name in plots)
    assert f"{100 * max(plots.values()):.1f} %" in page


def test_eval_as_json_has_every_instrument(run, capsys):
    command = ["eval", str(run), "--stories", "5", "--samples", "3", "--json"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    found = first["storyworld"]
    assert found["stories_measured"] == 5
    assert found["ratio_to_floor"] == pytest.approx(found["story_bits_per_byte"] / found["entropy_floor_bits_per_byte"])
    assert found["ratio_to_floor"] > 1
    said = found["written"]
    # A model of five updates writes no story: nothing is valid, every sample fails somewhere, no share is made up.
    assert (said["samples"], said["valid"], sum(said["failures"].values())) == (3, 0, 3)
    assert said["novelty"] is None
    assert said["plot_distance"] is None
    assert set(said["plots"]) == set(storyworld.true_plot_shares("easy"))
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == first, "the same seed gives the same stories"


def test_eval_asks_no_instrument_of_another_text_or_when_told_not_to(run, tmp_path, capsys):
    (tmp_path / "other.txt").write_text("Once upon a time there was a hen.\n")
    for more in (["--text", str(tmp_path / "other.txt")], ["--stories", "0", "--samples", "0"]):
        assert main(["eval", str(run), "--json", *more]) == 0
        assert "storyworld" not in json.loads(capsys.readouterr().out)
    assert main(["eval", str(run), "--samples", "-1"]) == 2
    assert "--samples -1 is less than none" in capsys.readouterr().err


def test_a_context_too_short_for_any_story_is_said_and_the_rest_is_done(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    short = [word if word != "384" else "32" for word in SMALL]
    assert main(["train", *short, "--run.directory", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert main(["eval", str(tmp_path / "run"), "--stories", "4", "--samples", "2", "--json"]) == 0
    said = capsys.readouterr()
    assert "none of 4 stories fits into the context of 32 tokens" in said.err
    found = json.loads(said.out)["storyworld"]
    assert "ratio_to_floor" not in found
    assert found["written"]["samples"] == 2


def test_a_run_of_another_version_of_storyworld_is_not_measured(run, capsys):
    record = run / "data.json"
    before = record.read_text()
    assert json.loads(before)["storyworld"] == storyworld.VERSION
    record.write_text(json.dumps(json.loads(before) | {"storyworld": 1}))
    try:
        assert main(["eval", str(run), "--json"]) == 0
    finally:
        record.write_text(before)
    said = capsys.readouterr()
    assert "storyworld" not in json.loads(said.out)
    assert "was trained on version 1 of storyworld" in said.err


def test_metrics_are_put_beside_what_the_summary_has(run, tmp_path, monkeypatch):
    model, tokenizer, config = load_run(run)
    assert tokenizer is not None
    written(monkeypatch, SEEN[0])
    from hornbook.tracking.console import Console

    found = evaluation.evaluate_on_storyworld(
        model, tokenizer, config.data, HELD_OUT[:2], num_written=1, seed=0, console=Console(silent=True)
    )
    (tmp_path / "summary.json").write_text('{"entropy_floor_bits_per_byte": 0.5, "mine": 1}')
    kept = json.loads(evaluation.save_metrics(found, tmp_path).read_text())
    assert (kept["entropy_floor_bits_per_byte"], kept["mine"]) == (0.5, 1)
    assert kept["storyworld"]["written"]["valid"] == 1
    (tmp_path / "summary.json").unlink()
    kept = json.loads(evaluation.save_metrics(found, tmp_path).read_text())
    assert kept["entropy_floor_bits_per_byte"] == found.score.floor_bits_per_byte


def test_a_corpus_without_an_evaluation_of_its_own_has_none():
    assert find_evaluator("storyworld") is evaluation.EVALUATOR
    assert find_evaluator("python") is find_evaluator(None) is None


def test_hostile_numbers_in_a_summary_break_no_page(run, tmp_path):
    path = run / "summary.json"
    before = path.read_text() if path.exists() else None
    hostile = {"samples": "<b>", "valid_share": [1], "failures": {"<script>": 3, "x": {}}, "plots": {"p": 7, "<i>": {}}}
    try:
        for written_ in (hostile, 7, [], {"plots": []}, {"failures": None}):
            path.write_text(json.dumps({"storyworld": {"written": written_}}))
            page = write_report([run], tmp_path / "report.html").read_text()
            assert "<script>3" not in page
            assert "<i>" not in page
        path.write_text('{"storyworld": 7}')
        write_report([run], tmp_path / "report.html")
    finally:
        path.unlink() if before is None else path.write_text(before)


def test_the_study_of_sampling_asks_the_same_function(run, monkeypatch):
    from pathlib import Path

    from hornbook.studies.catalogue import sampling
    from hornbook.studies.study import Outcome

    asked = []
    monkeypatch.setattr(evaluation, "assess_samples", lambda texts, data: asked.append(len(texts)) or real(texts, data))
    rows = sampling.measure(Outcome(arm="model", seed=0, status="done", path=Path(run), values={}), "tiny")
    assert asked == [row["samples"] for row in rows] == [1, 4]
    for row in rows:
        assert (row["valid"], row["novelty"]) == (0, None)
        assert sum(row["failures"].values()) == row["samples"]
        assert 0 <= row["valid_part"] < 1
    tables = sampling._failures(rows)
    assert sum(sum(v for k, v in row.items() if k in storyworld.KINDS) for row in tables[0].rows) == 5


real = evaluation.assess_samples
