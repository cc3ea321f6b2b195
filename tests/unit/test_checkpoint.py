"""Checkpoints: safetensors byte for byte, one-file save and load, run folders that are verified and passed over."""

import dataclasses
import io
import json
from collections.abc import Callable

import pytest
import safetensors.torch
import torch
from harness.syscalls import SUPPORTED, run

from hornbook import load_checkpoint, save_checkpoint
from hornbook.checkpoint.background import Saver
from hornbook.checkpoint.store import Checkpoint, CheckpointStore
from hornbook.checkpoint.tensors import load_module, read_tensors, write_tensors
from hornbook.errors import CheckpointError, FormatError, HornbookError


def pair(width=4, lr=0.1, optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW):
    torch.manual_seed(width)
    model = torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.Linear(width, 2))
    return model, optimizer(model.parameters(), lr=lr)


def trained(steps=3, **settings):
    model, optimizer = pair(**settings)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(5, 3)).square().sum().backward()
        optimizer.step()
    return model, optimizer


def checkpoint(step, value=None):
    tensors = {"w": torch.full((4, 3), float(step if value is None else value))}
    return Checkpoint(step, tensors, {"0.exp_avg": -tensors["w"]}, {"progress": {"step": step}})


def test_the_bytes_are_those_of_the_safetensors_library():
    tensors = {
        "b": torch.randn(3, 5), "a": torch.arange(4), "h": torch.randn(2, 2).bfloat16(), "t": torch.randn(4, 3).T,
        "e": torch.zeros(0, 3), "s": torch.tensor(2.5), "u": torch.arange(5, dtype=torch.uint8), "m":
        torch.tensor([True]),
    }  # fmt: skip
    for metadata in (None, {"one": "1"}):
        out = io.BytesIO()
        write_tensors(out, tensors, metadata)
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        assert out.getvalue() == safetensors.torch.save(contiguous, metadata)


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad])
@pytest.mark.parametrize("kind", ["path", "file"])
def test_save_and_load_give_back_the_same_training(tmp_path, kind, optimizer):
    model, opt = trained(optimizer=optimizer)
    target = tmp_path / "a.safetensors" if kind == "path" else io.BytesIO()
    save_checkpoint(model, opt, 17, target)
    if kind == "file":
        target.seek(0)
    other, other_opt = pair(lr=0.5, optimizer=optimizer)
    assert load_checkpoint(target, other, other_opt) == 17
    for m, o in ((model, opt), (other, other_opt)):
        o.zero_grad()
        m(torch.ones(5, 3)).sum().backward()
        o.step()
    for mine, its in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_hornbooks_own_optimizers_survive_the_round_trip(tmp_path):
    from hornbook import SGD, AdamW
    from hornbook.optim.muon import Muon

    for make in (AdamW, SGD, Muon):
        model, optimizer = pair(optimizer=lambda p, lr, make=make: make(list(p), lr))
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.ones(5, 3)).sum().backward()
            optimizer.step()
        save_checkpoint(model, optimizer, 2, tmp_path / "x")
        other, other_optimizer = pair(optimizer=lambda p, lr, make=make: make(list(p), lr))
        load_checkpoint(tmp_path / "x", other, other_optimizer)
        for m, o in ((model, optimizer), (other, other_optimizer)):
            o.zero_grad()
            m(torch.ones(5, 3)).sum().backward()
            o.step()
        for mine, its in zip(model.parameters(), other.parameters(), strict=True):
            assert torch.equal(mine, its), make


def test_another_shape_names_the_tensor_and_both_shapes(tmp_path):
    save_checkpoint(*trained(), 1, tmp_path / "a")
    model, optimizer = pair(width=6)
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(CheckpointError, match=r"0\.weight has shape \(4, 3\), the model needs \(6, 3\)"):
        load_checkpoint(tmp_path / "a", model, optimizer)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)), "nothing half-loaded"


def test_missing_and_unknown_tensors_are_named():
    model, _ = pair()
    tensors = dict(model.state_dict())
    with pytest.raises(CheckpointError, match=r"has a tensor extra of shape \(2,\)"):
        load_module(model, {**tensors, "extra": torch.zeros(2)}, "x")
    del tensors["1.bias"]
    with pytest.raises(CheckpointError, match=r"has no tensor 1\.bias, which the model needs with shape \(2,\)"):
        load_module(model, tensors, "x")


def test_a_truncated_file_is_a_format_error_at_every_length(tmp_path):
    path = tmp_path / "a"
    save_checkpoint(*trained(), 1, path)
    whole = path.read_bytes()
    for length in [*range(0, 200, 7), len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            load_checkpoint(path, *pair())
        with pytest.raises(FormatError):
            load_checkpoint(io.BytesIO(whole[:length]), *pair())


def test_a_safetensors_file_that_is_no_checkpoint_is_refused(tmp_path):
    safetensors.torch.save_file({"x": torch.zeros(3)}, tmp_path / "x")
    with pytest.raises(FormatError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "x", *pair())


def test_a_missing_file_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_tensors(tmp_path / "nowhere")


def test_keep_last_and_best(tmp_path):
    store = CheckpointStore(tmp_path, keep_last=2)
    for step, best in ((1, 3.0), (2, 2.0), (3, None), (4, None), (5, None)):
        store.save(checkpoint(step), best)
    assert store.steps() == [2, 4, 5]
    assert store.best_step() == 2
    assert store.load("best").step == 2
    assert store.load("last").step == 5
    assert store.load(4).step == 4
    with pytest.raises(CheckpointError, match="no checkpoint of step 3"):
        store.load(3)


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "manifest", "state", "swap"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(tmp_path, damage):
    warnings = []
    store = CheckpointStore(tmp_path, warn=warnings.append)
    store.save(checkpoint(1))
    path = store.save(checkpoint(2))
    file = path / (
        "MANIFEST.json" if damage == "manifest" else "state.json" if damage == "state" else "model.safetensors"
    )
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-5] ^= 4
    file.write_bytes(content[:-1] if damage == "truncate" else b"{}" if damage in ("manifest", "state") else content)
    if damage == "remove":
        file.unlink()
    if damage == "swap":
        file.write_bytes((path / "optimizer.safetensors").read_bytes())
    assert store.load().step == 1
    assert len(warnings) == 1
    assert "passing over the checkpoint of step 2" in warnings[0]
    with pytest.raises(HornbookError):
        store.load(2)
    store.save(checkpoint(2, value=7))  # training goes over the damaged one again
    assert float(store.load().model["w"][0, 0]) == 7


def test_without_any_sound_checkpoint_there_is_a_sentence(tmp_path):
    store = CheckpointStore(tmp_path)
    with pytest.raises(CheckpointError, match="there is no checkpoint in"):
        store.load()
    path = store.save(checkpoint(1))
    (path / "state.json").unlink()
    with pytest.raises(CheckpointError, match="no sound checkpoint is left"):
        store.load()


def test_a_manifest_cannot_point_out_of_its_folder(tmp_path):
    store = CheckpointStore(tmp_path)
    path = store.save(checkpoint(1))
    manifest = json.loads((path / "MANIFEST.json").read_text())
    manifest["files"]["../../secret"] = manifest["files"].pop("state.json")
    (path / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="lists"):
        store.load(1)


def test_the_memory_of_a_copy_serves_the_next_checkpoint_too(tmp_path):
    store = CheckpointStore(tmp_path)
    saver = Saver(store)
    first, second = checkpoint(1), checkpoint(2, value=6)
    saver.save(first)
    saver.wait()
    places = {name: copy.data_ptr() for name, copy in saver._copies.items()}
    saver.save(second)
    saver.wait()
    assert {name: copy.data_ptr() for name, copy in saver._copies.items()} == places
    assert len(places) == len(first.model) + len(first.optimizer)
    assert torch.equal(store.load(1).model["w"], first.model["w"])
    assert torch.equal(store.load(2).model["w"], first.model["w"] + 5)
    wider = dataclasses.replace(checkpoint(3), model={"w": torch.full((7, 9), 3.0)})
    saver.save(wider)
    saver.wait()
    assert torch.equal(store.load(3).model["w"], wider.model["w"])


def test_saving_in_the_background_keeps_the_moment_and_reports_errors_later(tmp_path):
    store = CheckpointStore(tmp_path)
    saver = Saver(store)
    moment = checkpoint(1)
    saver.save(moment)
    moment.model["w"].zero_()
    saver.wait()
    assert float(store.load().model["w"][0, 0]) == 1
    store.folder = tmp_path / "file"
    store.folder.write_text("in the way")
    saver.save(checkpoint(2))
    with pytest.raises(CheckpointError, match="could not be written"):
        saver.wait()
    saver.check()


@pytest.mark.skipif(not SUPPORTED, reason="the filter is written for Linux on x86-64")
def test_an_error_of_the_disk_while_weights_are_read_is_not_a_damaged_file(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file({"a": torch.ones(4)}, path)
    read_tensors(path)  # so that every module is there
    codes = [
        run(lambda: read_tensors(path), at, "EIO", lambda error: 0 if error is None else 1 + isinstance(error, OSError))
        for at in range(1, 10)
    ]
    assert {code for code, _ in codes} == {0, 2}
