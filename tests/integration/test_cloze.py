"""Cloze questions: each has one right answer by the grammar; a model's score is lm-evaluation-harness's to the item."""

from __future__ import annotations

import json
import shlex

import pytest
import torch

import hornbook as hb
from hornbook.cli.main import main
from hornbook.data.corpora import storyworld
from hornbook.data.corpora.storyworld.cloze import KINDS, SEED, cloze_items
from hornbook.errors import DataError
from hornbook.evaluation.cloze import START, evaluate_cloze, write_harness_task
from hornbook.interop.huggingface_export import write_huggingface_model


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("stories") / "corpus.txt"
    path.write_text(storyworld.generate(60_000, 3, "easy"), encoding="utf-8")
    return hb.Tokenizer(*hb.train_bpe(path, 400, ["<|endoftext|>"]), ["<|endoftext|>"])


def model_of(tokenizer, context_length=256):
    torch.manual_seed(0)
    return hb.TransformerLM(hb.ModelConfig(tokenizer.vocab_size, context_length, 32, 1, 2)).eval()


@pytest.mark.parametrize("level", ["easy", "normal", "rich"])
def test_one_choice_goes_on_with_the_story_and_the_other_breaks_it(level):
    items = cloze_items(60, level)
    stories = {storyworld.story(index, SEED, level) for index in range(300)}
    for item in items:
        right, wrong = item.choices[item.label], item.choices[1 - item.label]
        (whole,) = [story for story in stories if story.startswith(item.context + right)]
        with pytest.raises(storyworld.StoryError) as failure:
            storyworld.parse(whole.replace(item.context + right, item.context + wrong, 1), level)
        assert failure.value.kind == item.kind
        assert item.kind in KINDS
        assert len(item.context) <= failure.value.position < len(item.context + wrong)
        differing = [pair for pair in zip(right.split(), wrong.split(), strict=True) if pair[0] != pair[1]]
        assert len(differing) == 1, "they differ in one word"
    assert 0.3 < sum(item.label for item in items) / len(items) < 0.7
    assert items == cloze_items(60, level)
    assert len({item.kind for item in items}) >= 3


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(DataError, match="at least 1"):
        cloze_items(0)
    with pytest.raises(DataError, match="no level"):
        cloze_items(3, "grim")


@pytest.mark.parametrize("context_length", [256, 24])
def test_accuracy_equals_a_direct_computation(tokenizer, context_length):
    """Also where a story loses its beginning, as it does not fit into the context."""
    model, items = model_of(tokenizer, context_length), cloze_items(40, "easy")
    right = 0
    for item in items:
        scores = []
        for choice in item.choices:
            context = tokenizer.encode(START + item.context)
            whole = tokenizer.encode(START + item.context + choice)
            kept = torch.tensor(whole[-(context_length + 1) :])
            with torch.no_grad():
                logs = model(kept[:-1]).log_softmax(-1)
            number = len(whole) - len(context)
            scores.append(sum(float(logs[i, kept[i + 1]]) for i in range(len(kept) - 1 - number, len(kept) - 1)))
        right += scores[item.label] > scores[1 - item.label]
    score = evaluate_cloze(model, tokenizer, items, batch_size=7)
    assert score.accuracy == right / 40
    assert score.num_items == 40


def test_a_model_that_knows_the_corpus_is_right_and_one_that_does_not_is_at_chance(tokenizer):
    items = cloze_items(200, "easy")
    untrained = evaluate_cloze(model_of(tokenizer), tokenizer, items).accuracy
    assert 0.3 < untrained < 0.7

    class Knows(hb.TransformerLM):
        """Gives the story's own tokens a higher logit, as it has all stories by heart."""

        def forward(self, ids, token_positions=None):
            logits = torch.zeros(*ids.shape, tokenizer.vocab_size)
            for row, out in zip(ids.tolist(), logits, strict=True):
                text = tokenizer.decode(row)
                for item in items:
                    if text.startswith(START + item.context[:40]):
                        true = tokenizer.encode(START + item.context + item.choices[item.label])
                        for i, token in enumerate(true[1 : len(row) + 1]):
                            out[i, token] = 9.0
            return logits

    knowing = Knows(model_of(tokenizer).config).eval()
    assert evaluate_cloze(knowing, tokenizer, items).accuracy > 0.9


def test_the_files_for_the_harness_hold_the_items(tmp_path):
    items = cloze_items(5, "easy")
    task = write_harness_task(tmp_path / "my task", items, "easy")
    lines = [json.loads(line) for line in (tmp_path / "my task" / "cloze.jsonl").read_text().splitlines()]
    assert [tuple(line["choices"]) for line in lines] == [item.choices for item in items]
    assert lines[0]["context"] == START + items[0].context
    assert [line["label"] for line in lines] == [item.label for item in items]
    assert 'doc_to_text: "{{context}}"' in task.read_text()
    assert "level: easy" in task.read_text()
    for path in (tmp_path / "my task").iterdir():
        assert str(tmp_path) not in path.read_text(), "the folder may be moved"


def test_questions_are_never_written_over_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split("data cloze mine --items 2 --level easy")) == 0
    before = {path: path.read_text() for path in (tmp_path / "mine").iterdir()}
    assert main(shlex.split("data cloze mine --items 3")) == 2
    assert "mine is there already; nothing was written" in capsys.readouterr().err
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_command_says_what_the_evaluation_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    words = (
        "train --data.corpus storyworld --data.corpus-level easy --data.corpus-bytes 60000 --tokenizer.vocab-size 400 "
        "--model.d-model 16 --model.num-layers 1 --model.num-heads 2 --model.context-length 256 --training.steps 5 "
        "--training.batch-size 4 --evaluation.every 0 --evaluation.sample-every 0 --training.device cpu --name a"
    )
    assert main(shlex.split(words)) == 0
    torch.set_num_threads(threads)
    capsys.readouterr()
    model, tokenizer, _ = hb.load_run("runs/a")
    assert tokenizer is not None
    wanted = evaluate_cloze(model, tokenizer, cloze_items(30, "easy")).accuracy
    assert main(shlex.split("eval runs/a --task cloze --items 30 --json")) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == wanted
    assert main(["report", "runs/a"]) == 0
    assert "right of two sentences" in (tmp_path / "runs" / "a" / "report.html").read_text(), "the task alone is enough"
    (tmp_path / "t.txt").write_text("Once")
    for words, said in (
        ("--task cloze --text t.txt", "--text is not used with --task; leave it out"),
        ("--task cloze --context-length 8", "--context-length is not used with --task"),
        ("--task cloze --batch-size 8", "--batch-size is not used with --task"),
        ("--task cloze --per-token 8", "--per-token is not used with --task"),
        ("--task cloze --html a.html", "--html is not used with --task"),
        ("--task cloze --stories 3", "--stories is not used with --task"),
        ("--items 3", "--items is not used without --task"),
        ("--field story", "--field is not used without --text"),
        ("--errors replace", "--errors is not used without --text"),
    ):
        assert main(shlex.split(f"eval runs/a {words}")) == 2
        assert said in capsys.readouterr().err
    assert main(shlex.split("eval runs/a --stories 0 --samples 2 --json")) == 0
    found = json.loads(capsys.readouterr().out)["storyworld"]
    assert (found["cloze_items"], found["cloze_accuracy"]) == (
        400,
        evaluate_cloze(model, tokenizer, cloze_items(400, "easy")).accuracy,
    )
    assert main(["report", "runs/a"]) == 0
    assert "cloze" in (tmp_path / "runs" / "a" / "report.html").read_text()
    assert main(shlex.split("export runs/a out --to hf")) == 0
    assert "Made by hornbook: storyworld, level easy, seed 1." in (tmp_path / "out" / "README.md").read_text()
    capsys.readouterr()
    assert main(shlex.split("eval runs/a --task cloze --items 0")) == 2
    assert "at least 1" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("context_length", [256, 96])
def test_the_harness_finds_the_same_accuracy(tokenizer, tmp_path, monkeypatch, context_length):
    lm_eval = pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    tasks = pytest.importorskip("lm_eval.tasks")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    model, items = model_of(tokenizer, context_length), cloze_items(120, "easy")
    (tmp_path / "model").mkdir()
    write_huggingface_model(model, tokenizer, tmp_path / "model")
    write_harness_task(tmp_path / "made", items, "easy")
    (tmp_path / "made").rename(tmp_path / "task")
    monkeypatch.chdir(tmp_path / "model")
    found = lm_eval.simple_evaluate(
        model="hf",
        model_args=f"pretrained={tmp_path / 'model'},dtype=float32",
        tasks=["storyworld_cloze"],
        task_manager=tasks.TaskManager(include_path=str(tmp_path / "task"), include_defaults=False),
        device="cpu",
        batch_size=16,
        bootstrap_iters=0,
    )
    assert found["results"]["storyworld_cloze"]["acc,none"] == evaluate_cloze(model, tokenizer, items).accuracy
