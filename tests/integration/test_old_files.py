"""Runs, checkpoints, tokenizers, token files, counts and studies written by earlier versions still load and mean the
same (tests/fixtures/README.md)."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import hornbook as hb
from hornbook.cli.main import main
from hornbook.report.render import write_report

OLD = Path(__file__).parent.parent / "fixtures" / "fff94a8"
EXPECTED = json.loads((OLD / "expected.json").read_text())
TEXT = "Once upon a time, Tom's dog didn't bark.\n\n  <|endoftext|>é🙂"
RUNS = ("adamw", "muon", "sgd")


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_loads_with_the_same_logits_and_text(name):
    model, tokenizer, config = hb.load_run(OLD / "runs" / name)
    ids = torch.arange(3, 27)
    with torch.no_grad():
        logits = model(ids[None])[0, -1, :8]
    np.testing.assert_allclose(logits.numpy(), EXPECTED["logits_row"][name], atol=2e-5)
    assert hb.generate(model, ids, 12, temperature=0).tolist() == EXPECTED["greedy"][name]
    assert config.optimizer.name == name
    assert tokenizer.encode(TEXT) == EXPECTED["text_ids"]


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_resumes_to_the_loss_that_it_had(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    shutil.copy(OLD / "text.txt", "text.txt")
    run = Path("runs") / name
    shutil.copytree(OLD / "runs" / name, run)
    shutil.rmtree(run / "checkpoints" / "step-00000040")
    for file in ("DONE", "status.json", "checkpoints/best.json"):
        (run / file).unlink()
    assert main(["train", str(run), "--resume", "--json"]) == 0
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    losses = [record["val_loss"] for record in records if record.get("val_loss")]
    assert losses[-1] == pytest.approx(EXPECTED["val_loss"][name], abs=1e-4)


@pytest.mark.parametrize("name", sorted(EXPECTED["ids"]))
def test_an_old_tokenizer_gives_the_same_ids(name):
    path = OLD / name
    tokenizer = hb.Tokenizer.load(path / "tokenizer.tiktoken" if name == "tiktoken" else path)
    assert tokenizer.encode(TEXT) == EXPECTED["ids"][name]


def test_old_counts_give_the_same_merges():
    counts = hb.PretokenCounts.load(OLD / "counts")
    _, merges = hb.train_bpe_from_counts(counts, 400, ["<|endoftext|>"])
    assert hashlib.sha256(repr(merges).encode()).hexdigest() == EXPECTED["merges_sha256"]


def test_an_old_token_file_is_what_its_text_encodes_to_today(tmp_path):
    tokenizer = hb.Tokenizer.load(OLD / "tokenizer")
    old = hb.TokenFile.open(OLD / "tokens.npy")
    fresh = tokenizer.encode_file(OLD / "text.txt", tmp_path / "fresh.npy")
    assert old.manifest["tokenizer_fingerprint"] == tokenizer.fingerprint
    assert np.array_equal(old.ids, fresh.ids)


def test_an_old_single_file_checkpoint_loads():
    config = hb.ModelConfig(vocab_size=50, context_length=8, d_model=8, num_layers=1, num_heads=2)
    model = hb.TransformerLM(config)
    optimizer = hb.AdamW(model.parameters(), lr=1e-2)
    assert hb.load_checkpoint(OLD / "single.safetensors", model, optimizer) == 1
    with torch.no_grad():
        logits = model(torch.arange(8)[None])[0, -1, :8]
    np.testing.assert_allclose(logits.numpy(), EXPECTED["single"], atol=2e-5)


def test_an_old_study_shows_and_reports(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(OLD / "studies", "studies")
    assert main(["study", "show", "studies/weight-tying-tiny"]) == 0
    assert "tied" in capsys.readouterr().out
    write_report([Path("studies/weight-tying-tiny")], Path("page.html"))
    assert "weight" in Path("page.html").read_text()
