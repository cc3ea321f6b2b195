"""Batches: uniform windows, epochs without replacement, any position at once, ids checked, memory constant."""

import itertools
import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.data.sampler import BatchSampler, get_batch
from hornbook.data.token_data import TokenData, check_in_vocabulary
from hornbook.data.window_order import aligned_starts
from hornbook.errors import ConfigError, DataError


def data(*lengths: int) -> TokenData:
    return TokenData([np.arange(n, dtype=np.uint16) for n in lengths])


def test_targets_are_the_tokens_after_the_inputs():
    inputs, targets = get_batch(np.arange(100, dtype=np.uint16), 8, 10, "cpu", torch.Generator().manual_seed(1))
    assert inputs.shape == targets.shape == (8, 10)
    assert inputs.dtype == targets.dtype == torch.int64
    assert torch.equal(inputs + 1, targets)


def test_starts_are_uniform_over_every_window():
    generator = torch.Generator().manual_seed(0)
    inputs, _ = get_batch(np.arange(12, dtype=np.uint16), 9000, 2, "cpu", generator)
    counts = torch.bincount(inputs[:, 0], minlength=10)
    assert counts.shape == (10,)
    # 9 degrees of freedom: 27.9 is the 99.9 % point of chi squared.
    assert float(((counts - 900) ** 2 / 900).sum()) < 27.9


def test_the_same_generator_state_gives_the_same_batch():
    batches = [get_batch(np.arange(50), 4, 5, "cpu", torch.Generator().manual_seed(7))[0] for _ in range(2)]
    assert torch.equal(*batches)


@pytest.mark.parametrize("length", [0, 1, 5])
def test_too_few_tokens_for_a_window_is_an_error(length):
    with pytest.raises(DataError, match="too few"):
        get_batch(np.zeros(length, np.uint16), 2, 5, "cpu")
    with pytest.raises(DataError, match="too few"):
        BatchSampler(data(length), 2, 5, seed=0)


def test_one_batch_is_the_first_of_random_for_ever():
    first = BatchSampler(data(1000), 4, 8, seed=5).batch(0)
    again = BatchSampler(data(1000), 4, 8, seed=5, order="one-batch")
    for index in (0, 1, 7, 10_000):
        assert all(torch.equal(a, b) for a, b in zip(again.batch(index), first, strict=True))
    assert again.epochs(10_000) == pytest.approx([32 / 1000], rel=0.01)


@pytest.mark.parametrize("weights", [(), (2, 1)])
@pytest.mark.parametrize("order", ["random", "epochs"])
def test_any_batch_is_the_same_whether_reached_in_order_or_at_once(order, weights):
    def sampler() -> BatchSampler:
        return BatchSampler(data(300, 57), 3, 7, seed=5, order=order, weights=weights)

    in_order = sampler()
    batches = [in_order.batch(i) for i in range(200)]
    for i in (199, 0, 63, 64, 127, 130):
        assert torch.equal(sampler().batch(i)[0], batches[i][0])
        assert torch.equal(sampler().batch(i)[1], batches[i][1])


@pytest.mark.parametrize("weights", [(), (0.7, 0.3)])
@pytest.mark.parametrize("order", ["random", "epochs"])
def test_rows_are_parts_of_the_batch(order, weights):
    sampler = BatchSampler(data(300, 70), 6, 7, seed=5, order=order, weights=weights)
    whole = sampler.batch(3)[0]
    parts = [sampler.batch(3, rows=slice(2 * i, 2 * i + 2))[0] for i in range(3)]
    assert torch.equal(torch.cat(parts), whole)


def test_other_seeds_give_other_orders():
    first, second = (BatchSampler(data(5000), 8, 7, seed=seed).batch(0)[0] for seed in (1, 2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("lengths", "T"), [((101,), 10), ((107,), 10), ((1000, 333, 11, 5), 10), ((64, 64), 1)])
def test_an_epoch_has_every_target_at_most_once_and_misses_fewer_than_a_window_per_file(lengths, T):
    arrays, start = [], 0
    for n in lengths:
        arrays.append(np.arange(start, start + n, dtype=np.uint32))
        start += n
    sampler = BatchSampler(TokenData(arrays), 1, T, seed=3, order="epochs")
    missed = []
    for epoch in range(3):
        first = epoch * sampler.num_windows
        targets = torch.cat([sampler.batch(first + i)[1].flatten() for i in range(sampler.num_windows)]).tolist()
        assert len(set(targets)) == len(targets)
        wanted = {t for array in arrays for t in array[1:].tolist()}
        assert set(targets) <= wanted
        for array in arrays:
            assert len(set(array[1:].tolist()) - set(targets)) < T or len(array) <= T
        missed.append(wanted - set(targets))
    orders = [[int(sampler.batch(e * sampler.num_windows + i)[0][0, 0]) for i in range(8)] for e in range(3)]
    assert orders[0] != orders[1] or sampler.num_windows < 4


def test_windows_never_cross_from_one_file_into_the_next():
    arrays = [np.full(20, number, np.uint16) for number in range(5)]
    for order in ("random", "epochs"):
        sampler = BatchSampler(TokenData(arrays), 16, 6, seed=0, order=order)
        for i in range(20):
            inputs, targets = sampler.batch(i)
            assert (inputs == inputs[:, :1]).all()
            assert (targets == inputs[:, :1]).all()


def test_random_windows_of_several_files_are_uniform_over_all_of_them():
    arrays = [np.full(n, number, np.uint16) for number, n in enumerate((1010, 3010, 10))]
    sampler = BatchSampler(TokenData(arrays), 4000, 10, seed=0)
    shares = np.bincount(sampler.starts(0)[0], minlength=3) / 4000
    assert shares[0] == pytest.approx(0.25, abs=0.03)
    assert shares[2] == 0


@pytest.mark.parametrize("types", [("u2", "u2"), ("u4", "u2"), ("u4",)], ids=str)
def test_a_copy_on_the_device_gives_the_same_batches(types, monkeypatch):
    """The path of a GPU, with the copy in the CPU's own memory."""
    monkeypatch.setattr("hornbook.data.token_data.COPIED_AT_ONCE", 97)
    draw = np.random.default_rng(3)
    highest = {"u2": 2**16, "u4": 2**32}  # ids that a signed type reads as negative, too
    arrays = [draw.integers(0, highest[t], 400, dtype=t) for t in types]
    there = TokenData(arrays)
    size = max(array.itemsize for array in arrays) * 400 * len(arrays)
    assert not there.copy_to(torch.device("cpu"), size - 1)
    assert not there.copied_on("cpu")
    assert there.copy_to(torch.device("cpu"), size)
    assert there.copied_on("cpu")
    assert not there.copied_on("cuda")
    monkeypatch.setattr(there, "gather", None)  # what is read now is the copy
    for order in ("random", "epochs"):
        near = BatchSampler(TokenData(arrays), 6, 9, 5, order)
        far = BatchSampler(there, 6, 9, 5, order)
        for index in (0, 3, 70):
            for here, copied in zip(near.batch(index), far.batch(index), strict=True):
                assert here.dtype == copied.dtype == torch.int64
                assert torch.equal(here, copied)


def test_an_id_outside_the_vocabulary_is_found_and_named():
    ids = np.zeros(5_000_000, np.uint16)
    ids[4_321_987] = 700
    check_in_vocabulary(ids, 701, "a.npy", exact=True)
    with pytest.raises(DataError, match=r"a\.npy: the token at position 4,321,987 has id 700, .* 700 entries"):
        check_in_vocabulary(ids, 700, "a.npy", exact=True)
    ids[-1] = 900
    with pytest.raises(DataError, match="position 4,999,999 has id 900"):
        check_in_vocabulary(ids, 701, "a.npy")  # a sample always holds both ends


def test_100_gigabytes_of_sparse_files_are_one_data_set_read_in_constant_memory(tmp_path):
    paths = []
    for number in range(2):
        path = tmp_path / f"{number}.npy"
        count = 25_000_000_000  # uint16: 50 GB each, all holes
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<u2", "fortran_order": False, "shape": (count,)})
            header = file.tell()
            file.truncate(header + 2 * count)
        paths.append(path)
    if sum(path.stat().st_blocks for path in paths) > 1000:
        pytest.skip("this file system has no sparse files")
    tokens = TokenData([np.load(path, mmap_mode="r") for path in paths])
    assert len(tokens) == 50_000_000_000
    sampler = BatchSampler(tokens, 32, 256, seed=0, order="epochs")
    sampler.batch(10**7)
    resident = []
    for i in range(400):
        sampler.batch(i * 1000)
        if i % 100 == 99:
            resident.append(_resident_bytes())
    # 12,800 windows touch at least 52 MB of pages; they are handed back every 4,096 windows.
    assert max(resident) - min(resident) < 40e6


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_windows_of_documents_begin_with_one_and_hold_all():
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 50, 5000).astype(np.uint16)
    ids[rng.choice(np.arange(1, 5000), 120, replace=False)] = 0  # documents of 42 ids on average, some longer than T
    documents = [0, *np.flatnonzero(ids == 0)]
    T, covered = 64, np.zeros(5000, bool)
    starts = aligned_starts(ids, T, 0)
    for start, following in itertools.pairwise(starts):
        covered[start : start + T + 1] = True
        inside = [place for place in documents if start < place <= start + T]
        # The last document that begins in the window opens the next one; without any, the document goes on.
        assert following == (inside[-1] if inside else start + T)
    covered[starts[-1] : starts[-1] + T + 1] = True
    assert covered[: starts[-1] + T + 1].all()
    assert 5000 - (starts[-1] + T + 1) < T


def test_an_epoch_of_documents_is_every_window_once_and_any_batch_is_reached_at_once():
    first = np.array([0, 5, 6, 0, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 0, 1], np.uint16)
    files = TokenData([first, np.arange(1, 9, dtype=np.uint16)])
    sampler = BatchSampler(files, 1, 4, seed=3, order="documents", separator=0)
    assert sampler.num_windows == 5
    seen = [tuple(int(x[0]) for x in sampler.starts(i)) for i in range(10)]
    assert sorted(seen[:5]) == sorted(seen[5:]) == [(0, 0), (0, 3), (0, 7), (0, 11), (1, 0)]
    again = BatchSampler(files, 1, 4, seed=3, order="documents", separator=0)
    assert tuple(int(x[0]) for x in again.starts(7)) == seen[7]
    with pytest.raises(ConfigError, match="needs the id of the token that begins a document"):
        BatchSampler(files, 1, 4, seed=3, order="documents")
