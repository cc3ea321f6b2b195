"""`data.document_mask`: no position attends across the start of a document, on every path."""

import json

import pytest
import torch

import hornbook as hb
from hornbook.accounting.memory import saved_activations
from hornbook.cli.main import main
from hornbook.nn.plain import document_mask
from hornbook.nn.spec import Execution

SEPARATOR = 7
SHAPES = [
    {"qk_norm": True, "value_embeddings": 1},
    {"position": "none", "ffn": "silu"},
    {"norm": "post", "tie_embeddings": True},
]


def model_of(**changes):
    torch.manual_seed(0)
    shape = {"vocab_size": 50, "context_length": 32, "d_model": 32, "num_layers": 2, "num_heads": 4}
    return hb.TransformerLM(hb.ModelConfig(**shape | changes)).eval()


def rows(*batch: int):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(8, 50, (*batch, 32), generator=generator)
    ids[..., 0, 9] = ids[..., 0, 20] = ids[..., 1, 0] = ids[..., 1, 31] = SEPARATOR
    return ids


def test_a_separator_begins_its_document():
    mask = document_mask(torch.tensor([1, 2, SEPARATOR, 3]), SEPARATOR)
    assert mask.int().tolist() == [[[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]]


@pytest.mark.parametrize("changes", SHAPES)
@pytest.mark.parametrize("fused", [False, True])
def test_documents_of_one_window_are_computed_as_if_each_stood_alone(changes, fused):
    model, ids = model_of(**changes).use_fused(fused), rows(2)
    model.document_separator = SEPARATOR
    with torch.no_grad():
        together = model(ids)[0]
        alone = torch.cat([model(part) for part in ids[0].split([9, 11, 12])])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
        model.document_separator = None
        assert (model(ids)[0, 9:] - together[9:]).abs().max() > 1e-2


@pytest.mark.parametrize("changes", SHAPES)
def test_fused_is_plain_in_loss_and_gradient(changes):
    ids, results = rows(3, 2), []
    for fused in (False, True):
        model = model_of(**changes).use_fused(fused)
        model.document_separator = SEPARATOR
        loss = model.loss(ids[..., :-1], ids[..., 1:])
        loss.backward()
        results.append([loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    for plain, fast in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-4)


def test_recomputed_layers_give_the_same_gradient():
    ids, results = rows(2), []
    for recompute in (False, True):
        model = model_of().train()
        model.document_separator, model.activation_checkpointing = SEPARATOR, recompute
        model.loss(ids[:, :-1], ids[:, 1:]).backward()
        results.append(model.output_weight.grad)
    assert torch.equal(*results)


def test_the_account_counts_the_mask():
    config = model_of().config

    def kept(**how):
        return sum(term.value for term in saved_activations(config, 4, Execution(**how)))

    assert kept(document_mask=True, own_kernels=False) - kept(own_kernels=False) == 2 * 4 * 32 * 32 * 4


def test_the_account_of_a_recipe_says_what_the_mask_takes(tmp_path):
    shape = "[model]\nvocab_size = 300\ncontext_length = 128\nd_model = 64\nnum_layers = 2\nnum_heads = 2\n"
    peaks = []
    for number, mask in enumerate(("false", "true")):
        recipe = tmp_path / f"{number}.toml"
        recipe.write_text(
            f"{shape}[data]\ncorpus = 'storyworld'\ndocument_mask = {mask}\n[training]\nbatch_size = 16\n"
        )
        peaks.append(hb.account(recipe).memory.measured(16).peak)
    assert peaks[1] - peaks[0] >= 2 * 16 * 128 * 128 * 4


def test_training_and_evaluation_go_by_the_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    text = "".join(f"The cat number {i} ran home to its {i % 7} mice.\n<|endoftext|>\n" for i in range(300))
    (tmp_path / "a.txt").write_text(text)
    tiny = ["--tokenizer.vocab-size", "300", "--model.context-length", "64", "--model.d-model", "32",
            "--model.num-layers", "1", "--model.num-heads", "2", "--training.batch-size", "4",
            "--training.compile", "false", "--evaluation.full", "true", "--json"]  # fmt: skip
    losses = {}
    for mask in ("true", "false"):
        command = ["train", "--data.text", "a.txt", "--data.document-mask", mask, "--run.name", mask, *tiny]
        assert main([*command, "--training.steps", "20"]) == 0
        records = [json.loads(line) for line in (tmp_path / "runs" / mask / "metrics.jsonl").read_text().splitlines()]
        losses[mask] = [record["val_loss"] for record in records if record.get("val_loss")][-1]
        capsys.readouterr()
        assert main(["eval", f"runs/{mask}", "--checkpoint", "last", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["loss"] == pytest.approx(losses[mask], abs=1e-5)
    assert losses["true"] != losses["false"]
    model, tokenizer, _ = hb.load_run("runs/true")
    assert model.document_separator == tokenizer.special_token_ids["<|endoftext|>"]


def test_a_mask_without_a_separator_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.txt").write_text("one line\n" * 400)
    (tmp_path / "r.toml").write_text(
        "[data]\ntext = ['a.txt']\ndocument_mask = true\n[tokenizer]\nvocab_size = 260\nspecial_tokens = []\n"
        "[model]\ncontext_length = 8\nd_model = 8\nnum_layers = 1\nnum_heads = 1\n"
    )
    assert main(["train", "r.toml"]) == 2
    assert "data.document_mask needs the token between documents" in capsys.readouterr().err
