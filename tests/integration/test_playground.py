"""The playground's answers: the tokens that `hornbook generate` writes, with what the model thought of each."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from harness.boards import Page, story_recipe
from harness.recipes import quiet_train

from hornbook.config import read
from hornbook.data.corpora import storyworld
from hornbook.format import visible
from hornbook.generation.decode import generate
from hornbook.training.load import load_run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("play")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HORNBOOK_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        quiet_train(read(story_recipe(folder, steps=30)))
        yield Page(folder)


def play(page: Page, **asked: Any) -> list[dict[str, Any]]:
    answer = page.post("/api/play", run="runs/story", **asked)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_it_writes_what_generate_writes_and_says_what_the_model_thought(page: Page) -> None:
    first, *tokens, last = play(page, prompt="Once", length=12, temperature=0.7, seed=3)
    model, tokenizer, _ = load_run(page.root / "runs" / "story")
    assert tokenizer is not None
    prompt, stop = tokenizer.encode("Once"), tokenizer.special_token_ids["<|endoftext|>"]
    draws = torch.Generator().manual_seed(3)
    same = generate(model, prompt, 12, temperature=0.7, stop_token=stop, generator=draws).tolist()
    assert [token["id"] for token in tokens] == same
    assert "".join(t["text"] for t in tokens) + last["rest"] == visible(tokenizer.decode(same))
    assert first == {"path": [], "step": 30}
    scores = model(torch.tensor([prompt]))[0, -1].double().log_softmax(-1)
    told = tokens[0]
    assert told["p"] == pytest.approx(scores[told["id"]].exp().item(), rel=1e-3)
    assert told["entropy"] == pytest.approx(-(scores.exp() * scores).sum().item(), rel=1e-3)
    assert len(told["alternatives"]) == 5
    assert told["id"] not in [other["id"] for other in told["alternatives"]]
    assert all(a["p"] >= b["p"] for a, b in zip(told["alternatives"], told["alternatives"][1:], strict=False))
    assert sum(a["p"] for a in told["alternatives"]) + told["p"] <= 1 + 1e-9


def test_it_goes_on_from_a_token_that_was_chosen(page: Page) -> None:
    _, *tokens, _ = play(page, prompt="Once", length=6, temperature=0)
    other = tokens[2]["alternatives"][0]["id"]
    path = [tokens[0]["id"], tokens[1]["id"], other]
    first, *more, _ = play(page, prompt="Once", tokens=path, length=4, temperature=0)
    model, tokenizer, _ = load_run(page.root / "runs" / "story")
    assert tokenizer is not None
    start, stop = [*tokenizer.encode("Once"), *path], tokenizer.special_token_ids["<|endoftext|>"]
    assert [token["id"] for token in more] == generate(model, start, 4, temperature=0, stop_token=stop).tolist()
    assert len(first["path"]) == 3


def test_a_run_that_keeps_no_tokenizer_reads_no_prompt(page: Page) -> None:
    bare = page.root / "runs" / "bare"
    shutil.copytree(page.root / "runs" / "story", bare)
    shutil.rmtree(bare / "tokenizer")
    try:
        page.look()
        answer = page.post("/api/play", run="runs/bare", prompt="Once")
        assert "keeps no tokenizer, so it cannot read a prompt" in answer.text
    finally:
        shutil.rmtree(bare)


@pytest.mark.parametrize("cut", [True, False])
def test_the_parser_says_where_a_text_stops_being_a_story(page: Page, cut: bool) -> None:
    whole = storyworld.story(0, 1, "easy")
    prompt = f"{whole[:60]} Zebra" if cut else whole[:60]
    *_, last = play(page, prompt=prompt, length=1, temperature=0)
    if cut:
        assert not last["verdict"]["right"]
        assert 55 <= last["verdict"]["until"] <= 62
        assert last["verdict"]["why"]
    elif not last["verdict"]["right"]:
        assert last["verdict"]["until"] >= 60


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"run": "runs/none"}, 404),
        ({"checkpoint": "../../x"}, 422),
        ({"checkpoint": "7"}, 409),
        ({"temperature": -1}, 422),
        ({"length": 5000}, 422),
        ({"tokens": [399_999]}, 409),
        ({"prompt": "x" * 200_000}, 422),
        ({"top_p": math.pi}, 422),
    ],
)
def test_what_cannot_be_is_refused_by_a_sentence(page: Page, asked: dict[str, Any], status: int) -> None:
    answer = page.post("/api/play", **{"run": "runs/story", **asked})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
