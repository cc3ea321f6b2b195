"""The compiled step equals the plain one, its code is kept between runs, and its cost is counted apart."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.models.transformer import TransformerLM
from hornbook.optim.registry import make_optimizer
from hornbook.training.compilation import backend_of, can_compile
from hornbook.training.config import resolve
from hornbook.training.distributed.strategies import SingleProcess
from hornbook.training.step import TrainStep

CPU = torch.device("cpu")
# PyTorch's own, while it traces.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
needs_compiler = pytest.mark.skipif(not can_compile(CPU), reason="no C++ compiler")
MODEL = {"vocab_size": 61, "context_length": 12, "d_model": 16, "num_layers": 2, "num_heads": 4}
SWITCHES = [
    {}, {"norm": "post", "tie_embeddings": True}, {"norm": "none", "position": "none", "ffn": "silu"},
    {"qk_norm": True, "value_embeddings": 1, "logit_softcap": 8.0, "ffn": "relu2"},
]  # fmt: skip


def updates(recipe, parts, backend=None):
    """Losses, norms and weights of three updates."""
    torch.manual_seed(0)
    model = TransformerLM(recipe.model)
    strategy = SingleProcess(model, recipe.with_training(compile=recipe.training.compile and backend is None))
    if backend is not None:
        strategy.loss = torch.compile(strategy.loss, backend=backend, dynamic=False, fullgraph=True)
    step = TrainStep(strategy, make_optimizer(recipe.optimizer, model.named_parameters()), recipe)
    results = [torch.stack(step(parts, number, 10)[:2]) for number in (1, 2, 3)]  # loss and norm
    return [*results, *model.parameters()]


def compare(compile, backend, switches, tolerance=2e-5):
    recipe = resolve({"model": MODEL | switches, "training": {"compile": compile, "dtype": "float32", "device": "cpu"}})
    ids = torch.randint(0, 61, (2, 3, 13), generator=torch.Generator().manual_seed(1))
    parts = [lambda rows=rows: (rows[:, :-1], rows[:, 1:]) for rows in ids]
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    fast = updates(recipe, parts, backend)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1  # one graph, compiled once
    assert not torch._dynamo.utils.counters["graph_break"]
    for got, want in zip(fast, updates(recipe.with_training(compile=False), parts), strict=True):
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


@needs_compiler
def test_compiled_updates_equal_plain_ones():
    compare(True, None, {})


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_every_model_is_one_graph_that_computes_the_same(switches):
    """As on an Apple GPU: the graph, without generated code."""
    compare(False, "aot_eager", switches)


def test_the_backend_follows_the_device(monkeypatch):
    assert backend_of(torch.device("mps")) == "aot_eager"
    assert backend_of(torch.device("cuda")) == backend_of(CPU) == "inductor"
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CXX", "")
    assert not can_compile(CPU)
    assert can_compile(torch.device("mps"))


RECIPE = """
[data]
tokens = ["tokens.npy"]
validation_tokens = ["tokens.npy"]
[model]
vocab_size = 61
context_length = 12
d_model = 16
num_layers = 1
num_heads = 2
[training]
steps = 6
batch_size = 4
dtype = "float32"
device = "cpu"
compile = true
[checkpoint]
every = 3
[logging]
every = 1
"""


TRAIN = "import json, sys; from hornbook.cli.main import main; sys.exit(max(map(main, json.loads(sys.argv[1]))))"


def train(folder, *runs, **environment):
    """Train in a process of its own, by these commands one after the other."""
    commands = json.dumps([["train", "recipe.toml", *words.split()] for words in runs])
    return subprocess.run(
        [sys.executable, "-c", TRAIN, commands], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"HORNBOOK_CACHE": str(folder / "cache")} | environment,
    )  # fmt: skip


def kept(folder):
    return {str(path) for path in (folder / "cache" / "compiled").rglob("*.so")}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    np.save(tmp_path / "tokens.npy", np.random.default_rng(0).integers(0, 61, 500).astype(np.uint16))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


@needs_compiler
def test_compiled_code_is_kept_and_its_time_is_counted_apart(folder):
    first = train(folder, "--run.directory first")
    assert first.returncode == 0, first.stderr
    assert "compiled in" in first.stdout
    code = kept(folder)
    assert code
    plan = json.loads((folder / "first" / "plan.json").read_text())
    records = [json.loads(line) for line in (folder / "first" / "metrics.jsonl").read_text().splitlines()]
    assert plan["compile_seconds"] > 20 * plan["seconds_per_step"]
    assert max(record["seconds"] for record in records) < plan["compile_seconds"]
    resume = "--run.directory first --resume"
    again = train(folder, "--run.directory second", resume, f"{resume} --training.compile false")
    assert again.returncode == 0, again.stderr
    assert kept(folder) == code  # nothing had to be compiled again
    assert float(re.findall(r"compiled in ([\d.]+) s", again.stdout)[0]) > 0
    assert "not compiled" in again.stdout


def test_a_compiler_that_is_missing_is_a_sentence(folder):
    done = train(folder, "--run.directory run", CXX="/nowhere/c++")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "could not be compiled" in done.stderr
    assert "--training.compile false" in done.stderr
