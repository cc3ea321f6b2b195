"""Sampling and decoding: the definitions, the invariants, the sentences."""

import dataclasses

import numpy as np
import pytest
import torch

import hornbook as hb
from hornbook.errors import ConfigError, DataError, HornbookError
from hornbook.generation.decode import stream
from hornbook.generation.sampling import CANDIDATES, filtered_probabilities, sample, sample_row

CONFIG = hb.ModelConfig(vocab_size=37, context_length=12, d_model=16, num_layers=2, num_heads=2)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return hb.TransformerLM(CONFIG)


def nucleus_by_definition(probabilities: list[float], p: float) -> set[int]:
    """The smallest set of tokens that sums to ≥ p, ties by lower id: written straight from the definition."""
    kept, mass = set(), 0.0
    for i in sorted(range(len(probabilities)), key=lambda i: (-probabilities[i], i)):
        if mass >= p:
            break
        kept.add(i)
        mass += probabilities[i]
    return kept


@pytest.mark.parametrize("seed", range(20))
def test_top_p_keeps_the_set_of_the_definition(seed):
    generator = torch.Generator().manual_seed(seed)
    # Steps of 1/2 in the logits make many ties.
    logits = (torch.randn(1, 30, generator=generator) * 4).round() / 2
    full = torch.softmax(logits.double(), -1)[0].tolist()
    for p in (0.05, 0.3, 0.5, 0.9, 0.999):
        kept = nucleus_by_definition(full, p)
        result = filtered_probabilities(logits, top_p=p)[0]
        assert {i for i in range(30) if result[i] > 0} == kept
        mass = sum(full[i] for i in kept)
        torch.testing.assert_close(result[sorted(kept)], torch.tensor([full[i] / mass for i in sorted(kept)]).double())


@pytest.mark.parametrize("scale", [0.3, 2.0, 6.0])
@pytest.mark.parametrize("ties", [False, True])
def test_top_p_of_a_large_vocabulary_keeps_the_set_of_the_definition(scale, ties):
    """Flat rows need more tokens than are looked at first, steep ones fewer; a batch holds both at once."""
    logits = torch.randn(4, 3 * CANDIDATES, generator=torch.Generator().manual_seed(1))
    logits *= torch.tensor([0.1, 1.0, scale, 4.0])[:, None]
    logits = (logits * 2).round() / 2 if ties else logits
    full = torch.softmax(logits.double(), -1).tolist()
    for p in (0.2, 0.7, 0.95):
        result = filtered_probabilities(logits, top_p=p)
        for row, probabilities in zip(result, full, strict=True):
            assert set(row.nonzero().flatten().tolist()) == nucleus_by_definition(probabilities, p)
            torch.testing.assert_close(row.sum().item(), 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_top_k_then_top_p_keeps_the_set_of_the_definition(seed):
    logits = (torch.randn(1, 700, generator=torch.Generator().manual_seed(seed)) * 4).round() / 2
    full = torch.softmax(logits.double(), -1)[0].tolist()
    for k in (1, 3, 40, 600, 700, 5000):
        best = sorted(range(700), key=lambda i: (-full[i], i))[:k]
        assert set(filtered_probabilities(logits, top_k=k)[0].nonzero().flatten().tolist()) == set(best)
        mass = sum(full[i] for i in best)
        left = [full[i] / mass if i in best else 0.0 for i in range(700)]
        kept = filtered_probabilities(logits, top_k=k, top_p=0.9)[0].nonzero().flatten().tolist()
        assert set(kept) == nucleus_by_definition(left, 0.9)


def test_top_k_breaks_ties_towards_the_lower_id():
    logits = torch.tensor([[1.0, 3.0, 2.0, 2.0, 2.0]])
    assert filtered_probabilities(logits, top_k=2)[0].nonzero().flatten().tolist() == [1, 2]
    assert sample(torch.tensor([[0.0, 5.0, 5.0]]), temperature=0).tolist() == [1]


def test_order_is_temperature_then_top_k_then_top_p():
    logits = torch.log(torch.tensor([[0.4, 0.3, 0.2, 0.1]]))
    # At temperature 1 the first two hold 0.7 of all, but 4/7 and 3/7 of what top-k leaves.
    assert filtered_probabilities(logits, top_k=2, top_p=0.57)[0].nonzero().flatten().tolist() == [0]
    assert filtered_probabilities(logits, top_p=0.57)[0].nonzero().flatten().tolist() == [0, 1]
    # At temperature 1/2 the probabilities are the squares: 16 9 4 1 of 30.
    torch.testing.assert_close(filtered_probabilities(logits, 0.5)[0, 0].item(), 16 / 30)
    assert filtered_probabilities(logits, 0.5, top_p=0.53)[0].nonzero().flatten().tolist() == [0]


@pytest.mark.parametrize(("vocabulary", "scale"), [(20, 2.0), (2000, 3.0), (2000, 0.3)])
def test_draws_follow_the_nucleus_of_the_definition(vocabulary, scale):
    """χ² over 20,000 draws against the definition itself: 99.9 % of correct samplers stay below the bound."""
    from scipy.stats import chi2

    logits = torch.randn(1, vocabulary, generator=torch.Generator().manual_seed(1)) * scale
    full = torch.softmax(logits.double() / 0.8, -1)[0].tolist()
    kept = sorted(nucleus_by_definition(full, 0.95))
    expected = torch.tensor([full[i] for i in kept]).double()
    expected *= 20_000 / expected.sum()
    draws = [
        sample(logits.expand(2000, -1), 0.8, 0.95, generator=torch.Generator().manual_seed(seed)) for seed in range(10)
    ]
    counts = torch.bincount(torch.cat(draws), minlength=vocabulary).double()
    assert counts[kept].sum() == 20_000
    order = expected.argsort(descending=True)
    # χ² wants cells of some size: the rarest tokens are counted together.
    cells = (expected[order].cumsum(0) / 50).long()
    seen = torch.zeros(int(cells.max()) + 1, dtype=torch.float64).index_add_(0, cells, counts[kept][order])
    wanted = torch.zeros_like(seen).index_add_(0, cells, expected[order])
    large = wanted >= 10
    statistic = ((seen[large] - wanted[large]) ** 2 / wanted[large]).sum().item()
    assert statistic < chi2.ppf(0.999, int(large.sum()) - 1)


def test_greedy_takes_the_most_probable_token_each_time(model):
    prompt = [3, 1, 4]
    new = hb.generate(model, prompt, 5, temperature=0)
    ids = list(prompt)
    for token in new.tolist():
        assert token == model(torch.tensor(ids))[-1].argmax().item()
        ids.append(token)


def test_same_seed_same_ids(model):
    first, second = (hb.generate(model, [1, 2], 20, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.dtype == torch.int64
    other = hb.generate(model, [1, 2], 20, generator=torch.Generator().manual_seed(8))
    assert not torch.equal(first, other)


def test_stop_token_ends_a_row_and_is_not_returned(model):
    free = hb.generate(model, [5], 30, temperature=0, overflow="slide").tolist()
    stop = free[4]
    stopped = hb.generate(model, [5], 30, temperature=0, stop_token=stop, overflow="slide").tolist()
    assert stopped == free[: free.index(stop)]


def test_batch_of_different_lengths_equals_each_prompt_alone(model):
    prompts = [[1, 2, 3], [4], [9, 8, 7, 6, 5, 4, 3]]
    together = hb.generate(model, prompts, 30, temperature=0)
    for prompt, row in zip(prompts, together, strict=True):
        assert torch.equal(row, hb.generate(model, prompt, 30, temperature=0))


def test_shapes_of_prompts(model):
    single = hb.generate(model, torch.tensor([1, 2]), 3, temperature=0)
    assert single.shape == (3,)
    batch = hb.generate(model, torch.tensor([[1, 2], [1, 2]]), 3, temperature=0)
    assert len(batch) == 2
    assert torch.equal(batch[1], single)
    assert hb.generate(model, [1], 0).tolist() == []


def test_generation_goes_past_the_context_by_half_windows(model):
    new = hb.generate(model, [1, 2, 3], 40, temperature=0).tolist()
    window = [1, 2, 3]
    for token in new:
        assert token == model(torch.tensor(window))[-1].argmax().item()
        window.append(token)
        if len(window) > 12:
            window = window[-6:]


def test_stream_yields_what_generate_returns(model):
    steps = list(stream(model, [1, 2], 10, generator=torch.Generator().manual_seed(3)))
    whole = hb.generate(model, [1, 2], 10, generator=torch.Generator().manual_seed(3))
    assert [step[0] for step in steps] == whole.tolist()


def test_the_model_is_left_in_the_mode_it_was_in(model):
    model.train()
    hb.generate(model, [1], 2)
    assert model.training


def test_prompts_that_cannot_be_used(model):
    with pytest.raises(DataError, match="an empty prompt"):
        hb.generate(model, [], 5)
    with pytest.raises(DataError, match="the prompt has 13 tokens and the model's context 12"):
        hb.generate(model, [1] * 13, 5)
    slid = hb.generate(model, [9, *[1] * 12], 5, temperature=0, overflow="slide")
    assert torch.equal(slid, hb.generate(model, [1] * 12, 5, temperature=0))
    with pytest.raises(DataError, match="a prompt's token id is 37"):
        hb.generate(model, [37], 5)


@pytest.mark.parametrize(
    "setting", [{"temperature": -1.0}, {"temperature": float("inf")}, {"top_p": 0.0}, {"top_p": 1.5}, {"top_k": 0}]
)
def test_settings_out_of_range(model, setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        hb.generate(model, [1], 5, **setting)


def test_a_diverged_model_gives_a_sentence():
    broken = hb.TransformerLM(dataclasses.replace(CONFIG, num_layers=1))
    torch.nn.init.constant_(broken.token_embeddings.weight, float("nan"))
    for settings in ({"temperature": 0.0}, {}, {"top_p": 0.9}, {"top_k": 3}):
        with pytest.raises(HornbookError, match="not numbers"):
            hb.generate(broken, [1], 5, **settings)


@pytest.mark.parametrize("spread", [0.1, 3.0, 20.0])
def test_a_row_alone_is_drawn_as_in_a_batch(spread):
    draw = torch.Generator().manual_seed(0)
    for i in range(300):
        logits = spread * torch.randn(1, 2000 if i % 3 else 7, generator=draw)
        if i % 2:
            logits = logits.round()  # with ties
        settings = ((0.0, 0.5, 1.0)[i % 3], (1.0, 0.9, 0.05)[i // 3 % 3], (None, 1, 5, 400)[i // 9 % 4])
        one, other = (torch.Generator().manual_seed(i) for _ in range(2))
        for _ in range(3):
            assert sample_row(logits[0].numpy(), *settings, one) == int(sample(logits, *settings, other))
    with pytest.raises(HornbookError, match="not numbers"):
        sample_row(np.array([1.0, np.nan], dtype=np.float32), 0.0, 1.0, None, draw)
    with pytest.raises(HornbookError, match="not numbers"):
        sample_row(np.array([1.0, np.inf], dtype=np.float32), 1.0, 1.0, None, draw)
