"""The assignment's training hooks: optimizer, schedule, clipping, batches, checkpoints."""

import io

import numpy as np
import pytest
import torch
from cs336 import adapters


def test_adamw_trains_a_regression_as_torchs_does():
    # The assignment accepts torch's own order of the equations too; over these steps the two stay close.
    results = []
    for cls in (adapters.get_adamw_cls(), torch.optim.AdamW):
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2, bias=False)
        optimizer = cls(model.parameters(), lr=1e-3, weight_decay=0.01, betas=(0.9, 0.999), eps=1e-8)
        for _ in range(100):
            optimizer.zero_grad()
            x = torch.rand(model.in_features)
            y = torch.tensor([x[0] + x[1], -x[2]])
            ((y - model(x)) ** 2).sum().backward()
            optimizer.step()
        results.append(model.weight.detach())
    torch.testing.assert_close(results[0], results[1], rtol=1e-4, atol=1e-4)


def test_cosine_schedule():
    seen = [adapters.run_get_lr_cosine_schedule(it, 1.0, 0.1, 7, 21) for it in (0, 1, 7, 14, 21, 25)]
    assert seen == pytest.approx([0.0, 1 / 7, 1.0, 0.55, 0.1, 0.1])


def test_gradient_clipping_changes_gradients_in_place():
    parameters = [torch.nn.Parameter(torch.randn(5, 5)) for _ in range(3)]
    parameters[-1].requires_grad_(False)
    for parameter in parameters[:-1]:
        parameter.grad = torch.full((5, 5), 2.0)
    assert adapters.run_gradient_clipping(parameters, 0.01) is None
    total = torch.cat([p.grad.flatten() for p in parameters[:-1]]).norm()
    assert total.item() == pytest.approx(0.01, rel=1e-4)


def test_get_batch_gives_windows_and_their_successors_from_everywhere():
    dataset = np.arange(100, dtype=np.uint16)
    starts = set()
    for _ in range(200):
        x, y = adapters.run_get_batch(dataset, 32, 7, "cpu")
        assert x.shape == y.shape == (32, 7)
        assert x.dtype == y.dtype == torch.int64
        assert torch.equal(y, x + 1)
        starts |= set(x[:, 0].tolist())
    assert starts == set(range(93))  # 0 … n − T − 1: the last window's last target is the last token


def test_get_batch_names_a_device_that_is_not_there():
    with pytest.raises((RuntimeError, AssertionError)):
        adapters.run_get_batch(np.arange(100), 32, 7, "cuda:99")


@pytest.mark.parametrize("where", ["path", "buffer"])
def test_a_checkpoint_restores_model_optimizer_and_iteration(tmp_path, where):
    def build():
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        return model, adapters.get_adamw_cls()(model.parameters(), lr=1e-2)

    def advance(model, optimizer, seed):
        torch.manual_seed(seed)
        for _ in range(5):
            optimizer.zero_grad()
            (model(torch.randn(3, 4)) ** 2).mean().backward()
            optimizer.step()

    model, optimizer = build()
    advance(model, optimizer, 1)
    out = tmp_path / "checkpoint" if where == "path" else io.BytesIO()
    adapters.run_save_checkpoint(model, optimizer, 17, out)
    if isinstance(out, io.BytesIO):
        out.seek(0)
    restored, fresh = build()
    assert adapters.run_load_checkpoint(out, restored, fresh) == 17
    for m, o in ((model, optimizer), (restored, fresh)):
        advance(m, o, 2)
    for a, b in zip(model.parameters(), restored.parameters(), strict=True):
        assert torch.equal(a, b)
