"""`hornbook serve` as OpenAI's own client sees it: a real server on a real port, a model that was really trained."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import schemathesis
import torch
from harness.serving import Writer, serving, train_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

import hornbook as hb
from hornbook.generation.slots import ModuleSlots
from hornbook.nn import cpu_kernels
from hornbook.serve import completions

CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance, checks.negative_data_rejection,
]  # fmt: skip
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
PROMPT = "7 Äpfel für"


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    model, tokenizer, _ = hb.load_run(train_writer(tmp_path_factory.mktemp("serve")))
    assert tokenizer is not None
    return Writer(model, tokenizer)


@pytest.fixture(scope="module")
def server(writer):
    with serving(writer) as server:
        yield server


def complete(server, prompt: Any = PROMPT, **settings: Any) -> Any:
    return server.client.completions.create(model="tiny", prompt=prompt, **settings)


def written(writer, prompt: str | list[int] = PROMPT, tokens=16, seed=0, **settings):
    """What `hornbook generate` writes."""
    ids = hb.generate(
        writer.model, writer.tokenizer.encode(prompt) if isinstance(prompt, str) else prompt, tokens,
        generator=torch.Generator().manual_seed(seed), overflow="slide",
        stop_token=writer.tokenizer.special_token_ids["<|endoftext|>"], **settings,
    )  # fmt: skip
    return ids.tolist()


def streamed(server, prompt: Any = PROMPT, **settings: Any):
    """The texts of a stream's chunks and the reason of its end."""
    chunks = list(complete(server, prompt, stream=True, **settings))
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert all(reason is None for reason in reasons[:-1])
    return [chunk.choices[0].text for chunk in chunks], reasons[-1]


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0}, {"temperature": 0.7, "top_p": 0.9}, {"top_k": 5}], ids=str
)
def test_a_seed_writes_what_generate_writes(server, writer, settings):
    extra = {"extra_body": {"top_k": settings["top_k"]}} if "top_k" in settings else settings
    for seed in range(3):  # 100 tokens are past the context of 48
        answer = complete(server, seed=seed, max_tokens=100, **extra)
        ids = written(writer, tokens=100, seed=seed, **settings)
        assert answer.choices[0].text == writer.tokenizer.decode(ids)
        assert answer.choices[0].finish_reason == ("length" if len(ids) == 100 else "stop")
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (
            len(writer.tokenizer.encode(PROMPT)), len(ids),
        )  # fmt: skip


def test_a_stream_is_the_same_text_in_whole_characters(server):
    for seed in range(5):
        whole = complete(server, seed=seed, max_tokens=60).choices[0]
        texts, reason = streamed(server, seed=seed, max_tokens=60)
        assert "".join(texts) == whole.text
        assert reason == whole.finish_reason
        assert len(texts) > 5
        assert not any("\ufffd" in text for text in texts[:-1])


def test_a_stop_string_cuts_exactly_wherever_tokens_end(server):
    text = complete(server, seed=1, max_tokens=80).choices[0].text
    assert len(text) > 30
    stop, wanted = "", text
    for start, length in itertools.product(range(2, len(text) - 4, 3), (1, 2, 4)):
        stop = text[start : start + length]
        wanted = text[: text.index(stop)]
        answer = complete(server, seed=1, max_tokens=80, stop=[stop, "nowhere"]).choices[0]
        assert (answer.text, answer.finish_reason) == (wanted, "stop")
    texts, reason = streamed(server, seed=1, max_tokens=80, stop=stop)
    assert ("".join(texts), reason) == (wanted, "stop")


def test_log_probabilities_are_the_models(server, writer):
    answer = complete(server, seed=2, max_tokens=10, logprobs=3, temperature=0.5)
    ids = writer.tokenizer.encode(PROMPT)
    new = written(writer, tokens=10, seed=2, temperature=0.5)
    with torch.no_grad():
        logits = writer.model(torch.tensor([ids + new]))[0, len(ids) - 1 : -1].double()
    wanted = logits.log_softmax(-1)
    scores = answer.choices[0].logprobs
    np.testing.assert_allclose(scores.token_logprobs, wanted[torch.arange(len(new)), new], atol=1e-4)
    for top, row in zip(scores.top_logprobs, wanted, strict=True):
        np.testing.assert_allclose(sorted(top.values())[-3:], row.topk(3).values.flip(0), atol=1e-4)
        assert len(top) in (3, 4)
    assert scores.text_offset[0] == 0
    assert scores.text_offset == sorted(scores.text_offset)
    parts = [
        chunk.choices[0].logprobs
        for chunk in complete(server, seed=2, max_tokens=10, logprobs=3, temperature=0.5, stream=True)
    ]
    assert [value for part in parts for value in part.token_logprobs] == scores.token_logprobs
    assert [value for part in parts for value in part.text_offset] == scores.text_offset


def test_a_prompt_is_scored_without_a_completion(server, writer):
    """What lm-evaluation-harness asks for."""
    answer = complete(server, max_tokens=0, echo=True, logprobs=1).choices[0]
    ids = writer.tokenizer.encode(PROMPT)
    with torch.no_grad():
        wanted = writer.model(torch.tensor([ids]))[0].double().log_softmax(-1)
    assert answer.text == PROMPT
    assert answer.logprobs.token_logprobs[0] is None
    np.testing.assert_allclose(
        answer.logprobs.token_logprobs[1:], wanted[torch.arange(len(ids) - 1), ids[1:]], atol=1e-4
    )
    assert len(answer.logprobs.text_offset) == len(ids)


def test_echo_sends_the_prompt_first(server):
    alone = complete(server, seed=3).choices[0].text
    assert complete(server, seed=3, echo=True).choices[0].text == PROMPT + alone
    texts, _ = streamed(server, seed=3, echo=True)
    assert "".join(texts) == PROMPT + alone


def test_several_prompts_and_choices_are_each_what_they_are_alone(server, writer):
    ids = writer.tokenizer.encode("3 Äpfel")
    answer = complete(server, [PROMPT, "3 Äpfel"], n=2, seed=5)
    wanted = [complete(server, prompt, seed=seed).choices[0].text for prompt in (PROMPT, "3 Äpfel") for seed in (5, 6)]
    assert [choice.text for choice in answer.choices] == wanted
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert answer.usage.prompt_tokens == len(writer.tokenizer.encode(PROMPT)) + len(ids)
    assert complete(server, ids, seed=5).choices[0].text == wanted[2]
    assert [c.text for c in complete(server, [ids, ids], seed=5).choices] == [wanted[2]] * 2
    texts = {0: "", 1: ""}
    for chunk in complete(server, n=2, seed=5, stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert list(texts.values()) == wanted[:2]


def test_an_empty_prompt_starts_a_document(server, writer):
    start = [writer.tokenizer.special_token_ids["<|endoftext|>"]]
    assert complete(server, "", seed=1).choices[0].text == writer.tokenizer.decode(written(writer, start, seed=1))


def test_usage_comes_last_where_it_is_asked_for(server):
    chunks = list(complete(server, seed=1, max_tokens=4, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 4
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_model_is_listed(server):
    assert [model.id for model in server.client.models.list()] == ["tiny"]
    assert server.client.models.retrieve("tiny").owned_by == "hornbook"
    with pytest.raises(openai.NotFoundError, match="no model 'other'"):
        server.client.models.retrieve("other")


@pytest.mark.parametrize(("settings", "says"), [
    ({"best_of": 2}, "best_of = 2 must equal n = 1"), ({"suffix": "x"}, "suffix is not supported"),
    ({"frequency_penalty": 0.5}, "not supported"), ({"logit_bias": {"5": 1}}, "not supported"),
    ({"temperature": -1}, "temperature"), ({"temperature": "hot"}, "temperature.*'hot' came"), ({"top_p": 0}, "top_p"),
    ({"max_tokens": -1}, "max_tokens"), ({"max_tokens": 10**9}, "above this server's limit of 4096"), ({"n": 0}, "n:"),
    ({"n": 128}, "more than 68"), ({"logprobs": 6}, "logprobs"), ({"seed": 2**64}, "seed"),
    ({"stop": list("abcde")}, "stop"), ({"stop": ""}, "stop"), ({"stream_options": {}}, "stream_options go with"),
    ({"prompt": []}, "prompt"), ({"prompt": [1, "a"]}, "prompt"), ({"prompt": [280]}, "token id is 280"),
    ({"prompt": [-1]}, "prompt"),
    ({"prompt": "a" * 500}, "tokens and the model's context 48"),
    ({"extra_body": {"min_p": 1}}, "unrecognized request argument: min_p"),
])  # fmt: skip
def test_a_request_that_cannot_be_met_is_refused_in_a_sentence(server, settings, says):
    with pytest.raises(openai.BadRequestError, match=says) as caught:
        complete(server, **settings)
    assert isinstance(caught.value.body, dict)
    assert set(caught.value.body) == {"message", "type", "param", "code"}


def test_other_models_chat_and_paths_are_not_found(server):
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        server.client.completions.create(model="gpt-4", prompt="")
    with pytest.raises(openai.NotFoundError, match="chat completions are not served"):
        server.client.chat.completions.create(model="tiny", messages=[])
    assert httpx.get(f"{server.url}/v1/nothing").status_code == 404
    refused = httpx.get(f"{server.url}/v1/completions")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert httpx.post(f"{server.url}/v1/completions", content=b"{").json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("reader", ["kernel", "modules"])
def test_many_streams_at_once_are_each_what_they_are_alone(writer, reader, monkeypatch):
    """Prompts, lengths and settings of all kinds; the same under one slot, and under many with small chunks."""
    if reader == "modules":  # as on a GPU, and for a model that the kernel does not know
        monkeypatch.setattr(cpu_kernels, "enabled", False)
        monkeypatch.setattr(ModuleSlots, "piece", 8)
    draws = np.random.default_rng(0)
    asked = [
        {
            "prompt": [int(i) for i in draws.integers(0, 279, draws.integers(1, 48))],
            "seed": i, "max_tokens": int(draws.integers(1, 90)), "temperature": float(draws.choice([0, 0.7, 1.3])),
            "top_p": float(draws.choice([0.8, 1])), "logprobs": 2,
        }
        for i in range(40)
    ]  # fmt: skip

    def ask(server, settings):
        chunks = list(complete(server, stream=True, **settings))
        return [(c.choices[0].text, c.choices[0].logprobs.token_logprobs) for c in chunks]

    def joined(chunks):
        return "".join(text for text, _ in chunks), [value for _, values in chunks for value in values]

    with serving(writer, slots=1, stop_token=None) as server:
        alone = [joined(ask(server, settings)) for settings in asked]
    for slots, chunk in ((5, 3), (16, 64)):
        with serving(writer, slots=slots, chunk=chunk, stop_token=None) as server, ThreadPoolExecutor(20) as pool:
            assert [joined(chunks) for chunks in pool.map(lambda s: ask(server, s), asked)] == alone
            assert json.loads(httpx.get(f"{server.url}/health").text)["slots_in_use"] == 0


def test_metrics_count_what_happened(writer):
    with serving(writer) as server:
        complete(server, seed=1, max_tokens=5)
        with pytest.raises(openai.BadRequestError):
            complete(server, n=0)
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    assert 'hornbook_requests_total{status="200"} 1.0' in lines
    assert 'hornbook_requests_total{status="400"} 1.0' in lines
    assert 'hornbook_tokens_total{kind="completion"} 5.0' in lines
    assert "hornbook_first_token_seconds_count 1.0" in lines
    assert "hornbook_token_gap_seconds_count 4.0" in lines
    assert "hornbook_slots 4.0" in lines


def test_a_deadline_ends_a_request(writer, monkeypatch):
    monkeypatch.setattr(completions, "SLOW_SECONDS", 5.0)
    with serving(writer, deadline=0.0, stop_token=None) as server:
        with pytest.raises(openai.InternalServerError, match="deadline") as caught:
            complete(server, max_tokens=4096)
        assert caught.value.status_code == 504
        with pytest.raises(openai.InternalServerError, match="deadline"):
            list(complete(server, max_tokens=4096, stream=True))
    with serving(writer, deadline=0.3, stop_token=None) as server:
        with pytest.raises(openai.APIError, match="deadline"):
            for _ in complete(server, max_tokens=4096, stream=True):
                pass
        assert server.engine.running == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_server_keeps_to_its_own_schema(server):
    """A short run of schemathesis: what the schema allows is answered as it says, what it does not is refused."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    asked = []

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.data())
    def ask(data):
        operations: Any = schema.get_all_operations()
        for operation in operations:
            mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
            case = data.draw(operation.ok().as_strategy(generation_mode=mode))
            if mode is schemathesis.GenerationMode.POSITIVE and isinstance(case.body, dict):
                case.body |= {"model": "tiny", "max_tokens": 3}  # else a random name is all that is ever refused
            asked.append(case.operation.label)
            case.call_and_validate(checks=CHECKS, timeout=30)

    ask()
    assert len(set(asked)) == 5


def test_an_empty_prompt_needs_the_token_that_begins_a_document(writer, server):
    assert complete(server, "", max_tokens=4, seed=1).usage.prompt_tokens == 1
    with serving(writer, document_start=None) as other, pytest.raises(openai.BadRequestError, match="give a prompt"):
        complete(other, "", max_tokens=4)
