"""The score against the corpus's true entropy: a model that knows the corpus's own probabilities scores 1."""

import math

import pytest
import torch

import hornbook as hb
from hornbook.data.corpora import storyworld
from hornbook.evaluation.story_score import sample_stories, score_stories

LEVEL = "easy"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("stories") / "corpus.txt"
    path.write_text(storyworld.generate(60_000, 3, LEVEL), encoding="utf-8")
    return hb.Tokenizer(*hb.train_bpe(path, 400, ["<|endoftext|>"]), ["<|endoftext|>"])


def model_of(tokenizer, context_length=256):
    torch.manual_seed(0)
    return hb.TransformerLM(hb.ModelConfig(tokenizer.vocab_size, context_length, 32, 1, 2))


def test_score_equals_a_direct_computation(tokenizer):
    stories = storyworld.split_stories(storyworld.generate(3_000, 5, LEVEL))
    model = model_of(tokenizer)
    score = score_stories(model, tokenizer, stories, LEVEL, batch_size=3)
    nats, num_bytes, true_nats = 0.0, 0, 0.0
    for story in stories:
        ids = torch.tensor(tokenizer.encode(f"<|endoftext|>\n{story}\n<|endoftext|>"))
        with torch.no_grad():
            logits = model(ids[:-1])
        nats += float(torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum"))
        num_bytes += len(story.encode()) + 2
        true_nats -= storyworld.log_probability(story, LEVEL)
    assert score.num_stories == len(stories)
    assert score.num_too_long == 0
    assert score.bits_per_byte == pytest.approx(nats / math.log(2) / num_bytes, rel=1e-5)
    assert score.floor_bits_per_byte == pytest.approx(true_nats / math.log(2) / num_bytes, rel=1e-12)
    assert score.ratio > 1


def test_score_does_not_depend_on_the_batch(tokenizer):
    stories = storyworld.split_stories(storyworld.generate(3_000, 6, LEVEL))
    model = model_of(tokenizer)
    one, many = (score_stories(model, tokenizer, stories, LEVEL, batch_size=b) for b in (1, 64))
    assert one.bits_per_byte == pytest.approx(many.bits_per_byte, rel=1e-6)


def test_stories_longer_than_the_context_are_counted_and_passed_over(tokenizer):
    stories = storyworld.split_stories(storyworld.generate(6_000, 7, LEVEL))
    lengths = sorted(len(tokenizer.encode(f"\n{story}\n")) + 1 for story in stories)
    score = score_stories(model_of(tokenizer, lengths[len(lengths) // 2]), tokenizer, stories, LEVEL)
    assert score.num_too_long > 0
    assert score.num_stories + score.num_too_long == len(stories)
    with pytest.raises(hb.HornbookError, match=r"none of .* stories fits"):
        score_stories(model_of(tokenizer, 8), tokenizer, stories, LEVEL)


def test_sampling_is_decided_by_the_seed(tokenizer):
    model = model_of(tokenizer, 48)
    first, again, other = (sample_stories(model, tokenizer, 3, seed=s, batch_size=2) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(first) == 3
