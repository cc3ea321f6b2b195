"""Sampling and decoding: the definitions, the invariants, the sentences."""

import dataclasses

import pytest
import torch

import hornbook as hb
from hornbook.errors import ConfigError, DataError, HornbookError
from hornbook.generation.decode import stream
from hornbook.generation.sampling import filtered_probabilities, sample

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


def test_draws_follow_the_filtered_distribution():
    """χ² over 20,000 draws: 99.9 % of correct samplers stay below the bound."""
    from scipy.stats import chi2

    logits = torch.randn(1, 20, generator=torch.Generator().manual_seed(1)) * 2
    expected = filtered_probabilities(logits, 0.9, 0.9, 15)[0]
    draws = sample(logits.expand(20_000, -1), 0.9, 0.9, 15, torch.Generator().manual_seed(2))
    counts = torch.bincount(draws, minlength=20).double()
    kept = expected > 0
    assert counts[~kept].sum() == 0
    statistic = ((counts[kept] - 20_000 * expected[kept]) ** 2 / (20_000 * expected[kept])).sum().item()
    assert statistic < chi2.ppf(0.999, int(kept.sum()) - 1)


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
    for temperature in (0.0, 1.0):
        with pytest.raises(HornbookError, match="not numbers"):
            hb.generate(broken, [1], 5, temperature=temperature)
