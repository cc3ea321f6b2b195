"""`data.mixture`: exact shares, each source at its own pace, any window at once, and bad ones told in a sentence."""

import numpy as np
import pytest

from hornbook.config import build
from hornbook.data.permutation import permute_blocks
from hornbook.data.prepare import prepare
from hornbook.data.sampler import WINDOWS_PER_DRAW, BatchSampler
from hornbook.data.sections import DataSection, MixtureSource, TokenizerSection, whole_shares
from hornbook.data.token_data import TokenData
from hornbook.errors import ConfigError, DataError
from hornbook.tracking.console import Console

T = 4


def data(*lengths: int) -> TokenData:
    return TokenData([np.arange(n, dtype=np.uint16) for n in lengths])


def windows(sampler: BatchSampler, first: int, count: int) -> np.ndarray:
    """Return (file, start) of the windows of batches first … first+count−1."""
    return np.concatenate([np.stack(sampler.starts(first + i), 1) for i in range(count)])


@pytest.mark.parametrize(
    ("weights", "shares"),
    [((2, 1), [2, 1]), ((1, 1, 1), [1, 1, 1]), ((0.7, 0.3), [7, 3]), ((4, 6, 2.5), [8, 12, 5]), ((1e-3, 1), [1, 1000]),
     ((5,), [1]), ((100.0, 300.0), [1, 3])],
)  # fmt: skip
def test_weights_become_the_smallest_whole_numbers_in_their_ratio(weights, shares):
    assert whole_shares(weights) == shares


def test_a_block_is_every_place_once_and_a_matter_of_its_number_alone():
    orders = permute_blocks(0, 400, 7, seed=3)
    assert (np.sort(orders, axis=1) == np.arange(7)).all()
    assert np.array_equal(permute_blocks(123, 5, 7, seed=3), orders[123:128])
    assert not np.array_equal(permute_blocks(0, 400, 7, seed=4), orders)
    # Every number at every place about equally often: 7/6 of chi squared with 36 degrees of freedom; 99.9 % lie below.
    counts = np.stack([np.bincount(orders[:, place], minlength=7) for place in range(7)])
    assert ((counts - 400 / 7) ** 2 / (400 / 7)).sum() < 79


@pytest.mark.parametrize("order", ["random", "epochs"])
@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_every_block_has_exactly_the_shares(order, batch_size):
    sampler = BatchSampler(data(900, 60, 300), batch_size, T, 5, order, weights=(0.5, 0.2, 0.3))
    # Past the end of a draw too: 16 does not divide 10, and 3 does not divide what is drawn at once.
    files = windows(sampler, 0, 2 * WINDOWS_PER_DRAW // batch_size)[:, 0]
    blocks = files[: len(files) // 10 * 10].reshape(-1, 10)
    for source, share in enumerate((5, 2, 3)):
        assert ((blocks == source).sum(axis=1) == share).all()
    assert len(np.unique(blocks, axis=0)) > 500  # each block in an order of its own


def test_each_source_goes_through_its_windows_once_per_epoch_of_its_own():
    sampler = BatchSampler(data(81, 21), 1, T, 5, "epochs", weights=(2, 1))  # 20 and 5 windows
    seen = windows(sampler, 0, 3 * 20)
    large, small = (seen[seen[:, 0] == source, 1] for source in (0, 1))
    assert [len(set(large[i : i + 20])) for i in (0, 20)] == [20, 20]
    assert [len(set(small[i : i + 5])) for i in (0, 5, 10, 15)] == [5, 5, 5, 5]
    assert sampler.epochs(60) == [2.0, 4.0]
    assert large[:20].tolist() != large[20:].tolist()


def test_equal_sources_are_not_seen_in_step():
    seen = windows(BatchSampler(data(4001, 4001), 1, T, 5, "epochs", weights=(1, 1)), 0, 200)
    first, second = (seen[seen[:, 0] == source, 1].tolist() for source in (0, 1))
    assert first != second


def test_documents_of_a_mixture_begin_windows():
    ids = np.array([0, 5, 6, 0, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 0, 1], np.uint16)
    sampler = BatchSampler(TokenData([ids, ids]), 2, T, 3, "documents", separator=0, weights=(1, 2))
    assert {tuple(window) for window in windows(sampler, 0, 12)} == {(f, s) for f in (0, 1) for s in (0, 3, 7, 11)}


def test_a_far_batch_is_reached_at_once_and_another_seed_gives_another_order():
    first, again, other = (BatchSampler(data(900, 60), 8, T, seed, "epochs", weights=(3, 1)) for seed in (5, 5, 6))
    far = 10**12
    assert np.array_equal(windows(first, far, 20), windows(again, far, 20))
    assert not np.array_equal(windows(first, 0, 20), windows(other, 0, 20))
    windows(first, 0, 1)
    assert np.array_equal(windows(first, far + 3, 1), windows(again, far + 3, 1))


def test_a_source_without_a_whole_window_is_named():
    with pytest.raises(DataError, match=r"source 2 of data\.mixture: the longest token file has 3 tokens, too few"):
        BatchSampler(data(900, 3), 8, T, 0, weights=(1, 1))


A, B = {"text": "a.txt"}, {"text": ["b.txt"], "weight": 2}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"mixture": [{"text": "a.txt", "weight": 0}]}, r"\[data.mixture\[0\]\] weight = 0.0 must be above 0"),
        ({"mixture": [A, {"text": "a.txt", "weight": -1}]}, r"\[data.mixture\[1\]\] weight = -1.0 must be above 0"),
        ({"mixture": [{"text": "a.txt", "weight": float("nan")}]}, r"weight = nan must be above 0"),
        ({"mixture": [A, {"weight": 2}]}, r"\[data.mixture\[1\]\] a source of a mixture names no text"),
        ({"mixture": [A, {"txt": "a"}]}, r"data.mixture\[1\].txt: there is no such key"),
        ({"mixture": [A, "b.txt"]}, r"data.mixture\[1\]: wanted a section \(a table of keys\), got text"),
        ({"mixture": [A, B], "text": ["c.txt"]}, "data.text and data.mixture are both given"),
        ({"mixture": [A, B], "corpus": "storyworld"}, "data.mixture and data.corpus are both given"),
        ({"mixture": [A, B], "validation_text": ["c.txt"]}, "leave out data.validation_text"),
        ({"mixture": [A, B], "one_stream": False, "validation_from": "tail"}, "leave out data.one_stream = false"),
        ({"mixture": [A, {"text": "b", "weight": 0.123457}]}, "weights 1, 0.123457 are whole numbers of windows only"),
    ],
)  # fmt: skip
def test_what_is_no_mixture_is_a_sentence(section, words):
    with pytest.raises(ConfigError, match=words) as raised:
        build(DataSection, section, "data")
    assert "\n" not in str(raised.value)


def test_sources_are_prepared_each_with_its_validation_part_and_one_tokenizer(tmp_path, monkeypatch):
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    for word, count in (("cat", 40), ("dog", 400)):
        stories = "".join(f"The {word} number {i} ran home.\n<|endoftext|>\n" for i in range(count))
        (tmp_path / f"{word}.txt").write_text(stories)

    def prepared(*weights: float, **keys):
        names = [str(tmp_path / f"{word}.txt") for word in ("cat", "dog")]
        mixture = tuple(MixtureSource(text=(name,), weight=weight) for name, weight in zip(names, weights, strict=True))
        section = DataSection(mixture=mixture, **keys)
        return prepare(section, TokenizerSection(vocab_size=300), Console(silent=True))

    dataset = prepared(1, 3)
    texts = [[dataset.tokenizer.decode(np.load(path).tolist()) for path in part]
             for part in (dataset.train, dataset.validation)]  # fmt: skip
    counts = [[(text.count("cat"), text.count("dog")) for text in part] for part in texts]
    assert counts == [[(38, 0), (0, 380)], [(2, 0), (0, 20)]]
    assert not list(dataset.train[0].parent.glob("*.txt"))
    assert prepared(5, 1).digest == dataset.digest  # weights do not decide the token files
    assert prepared(1, 3, validation_seed=1).digest != dataset.digest
    names = tuple(str(tmp_path / f"{word}.txt") for word in ("cat", "dog"))
    one = prepare(DataSection(text=names), TokenizerSection(vocab_size=300), Console(silent=True))
    assert len(one.train) == 1
    assert one.digest != dataset.digest
