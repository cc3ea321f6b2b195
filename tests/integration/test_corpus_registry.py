"""A corpus is a module and a line in the registry: nothing else asks for one by name."""

import dataclasses
import json
import math
import random
import sys
import types
from typing import Any

import pytest

from hornbook.cli.main import main
from hornbook.data.corpora.registry import CORPORA, CorpusSpec, corpus_file, find_corpus
from hornbook.data.sections import DataSection
from hornbook.errors import ConfigError
from hornbook.evaluation.registry import find_evaluator
from hornbook.fileio import atomic_write
from hornbook.studies.data import prepare_all, recipe_key
from hornbook.tracking.console import Console
from hornbook.training.loop import train

QUIET = Console(silent=True)


def write_throws(path, data, progress):
    """Write documents of twenty throws of a coin."""
    coin, text = random.Random(data.corpus_seed), ""
    while len(text) < data.corpus_bytes:
        text += "".join(coin.choice("HT") for _ in range(20)) + "\n<|endoftext|>\n"
        progress(len(text))
    atomic_write(path, text)


class Evaluation:
    """Counts heads instead of asking a model."""

    documents = staticmethod(lambda text: text.split("<|endoftext|>"))
    obstacle = staticmethod(lambda tokenizer, record: None if record["coin"] == 3 else "another coin")
    save = staticmethod(lambda metrics, run: atomic_write(run / "heads.json", json.dumps(metrics.to_dict())))

    @staticmethod
    def evaluate(model, tokenizer, data, documents, *, num_written, seed, console):
        heads = sum(document.count("H") for document in documents)
        return types.SimpleNamespace(to_dict=lambda: {"heads": heads}, lines=lambda: [f"{heads} heads"])


@pytest.fixture
def coin(monkeypatch, tmp_path):
    """A corpus that nobody has heard of."""
    module: Any = types.ModuleType("made_up_coin")
    module.EVALUATOR = Evaluation
    module.CORPUS = CorpusSpec(
        about="throws of a coin",
        version=3,
        keys=("corpus_seed", "corpus_bytes"),
        write=write_throws,
        floor=lambda text, data: sum(text.count(c) for c in "HT") / len(text.replace("<|endoftext|>", "")),
        evaluator="made_up_coin",
    )
    monkeypatch.setitem(sys.modules, "made_up_coin", module)
    monkeypatch.setitem(CORPORA, "coin", "made_up_coin")
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return {
        "data": {"corpus": "coin", "corpus_bytes": 6000, "corpus_seed": 7},
        "tokenizer": {"vocab_size": 261},
        "model": {"context_length": 16, "d_model": 16, "num_layers": 1, "num_heads": 2},
        "training": {"steps": 3, "batch_size": 4, "device": "cpu", "threads": 1, "compile": False, "dtype": "float32"},
        "evaluation": {"sample_every": 0},
        "run": {"directory": "run"},
    }


def test_training_evaluation_and_lists_take_a_corpus_by_its_name(coin, tmp_path, capsys):
    run = train(coin, console=QUIET)
    assert run.status == "done"
    text = (tmp_path / "cache" / "corpora" / "coin-3-7-6000.txt").read_text()
    assert set(text.replace("<|endoftext|>", "")) == set("HT\n")
    known = json.loads((run.path / "data.json").read_text())
    assert known["coin"] == 3
    capsys.readouterr()
    assert main(["eval", str(run.path), "--stories", "5"]) == 0
    counted = json.loads((run.path / "heads.json").read_text())["heads"]
    assert f"{counted} heads" in capsys.readouterr().out
    assert 0 < counted < 100
    assert main(["data", "list"]) == 0
    assert 'throws of a coin\n             data.corpus = "coin", data.corpus_seed = 1' in capsys.readouterr().out


def test_a_study_knows_its_floor(coin):
    data = prepare_all([coin], QUIET)[recipe_key(coin)]
    floor = data.summary["entropy_floor_bits_per_byte"]
    assert floor == pytest.approx(20 / 22, abs=0.01)


def test_an_unknown_name_is_an_error_with_the_names_that_there_are(coin):
    with pytest.raises(ConfigError, match=r"did you mean 'storyworld'.*python-docs, coin; .*--data\.text FILE"):
        train({**coin, "data": {"corpus": "storyword"}}, console=QUIET)
    assert find_evaluator("nowhere") is None


@pytest.mark.parametrize("name", CORPORA)
def test_every_entry_is_whole(name):
    corpus = find_corpus(name)
    assert set(corpus.keys) <= {field.name for field in dataclasses.fields(DataSection)}
    assert (find_evaluator(name) is None) == (corpus.evaluator is None)


def test_pythons_documentation_is_a_corpus_without_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path))
    monkeypatch.setattr("hornbook.data.corpora.python_docs.python_documents", lambda: ["one", "two"])
    path = corpus_file("python-docs", DataSection(), QUIET)
    assert path.read_text() == "one\n<|endoftext|>\ntwo\n<|endoftext|>\n"
    monkeypatch.setattr("hornbook.data.corpora.python_docs.python_documents", lambda: ["three"])
    assert corpus_file("python-docs", DataSection(corpus_bytes=5000), QUIET).read_text() == path.read_text()


def test_storyworlds_floor_is_that_of_its_text():
    from hornbook.data.corpora import storyworld

    text = storyworld.generate(3000, 1, "easy")
    floor = find_corpus("storyworld").floor
    assert floor is not None
    nats = -sum(storyworld.log_probability(s, "easy") for s in storyworld.split_stories(text))
    ordinary = len(text.replace("<|endoftext|>", "").encode())
    assert floor(text, DataSection(corpus_level="easy")) == pytest.approx(nats / math.log(2) / ordinary)
