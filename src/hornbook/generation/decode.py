"""Complete prompts token by token.

A sequence grows until it has `max_new_tokens` more tokens or its stop token comes. The model sees at most
`context_length` tokens: when its window is full, the older half is dropped and the newer half is read again from
position 0, so that the cost per token stays bounded. Rows of a batch may differ in length; a row that has stopped
goes on drawing unseen, so that the others' draws do not depend on it. Left out: beam search, speculative decoding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.errors import ConfigError, DataError
from hornbook.format import counted
from hornbook.generation.sampling import check_sampling, sample
from hornbook.models.kv_cache import KVCache, NativeStep
from hornbook.models.transformer import TransformerLM
from hornbook.nn.dropout import evaluating
from hornbook.nn.plain import check_ids

Overflow = Literal["error", "slide"]
WeightType = Literal["auto", "float32", "bfloat16", "int8"]
Prompts = Tensor | Sequence[int] | Sequence[Sequence[int]]
Reader = Callable[[list[list[int]]], Float[Tensor, "B V"]]
"""Windows of token ids → the logits of the token that follows each."""


def generate(
    model: TransformerLM,
    prompt_ids: Prompts,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    top_k: int | None = None,
    stop_token: int | None = None,
    generator: torch.Generator | None = None,
    overflow: Overflow = "error",
    cache: bool = True,
    dtype: WeightType = "float32",
) -> Any:
    """Return the ids that follow the prompt, without the prompt and without the stop token.

    Args:
        model: the language model; it is read in evaluation mode and left as it was.
        prompt_ids: (T,) one prompt, or (B, T) or a list of lists of different lengths: a batch.
        max_new_tokens: at most so many new ids per row.
        temperature: divides the logits; 0 takes the most probable token (ties: the lower id).
        top_p: draw from the smallest set of tokens whose probabilities sum to at least this.
        top_k: draw from the k most probable tokens.
        stop_token: the id that ends a row.
        generator: source of randomness; the same state gives the same ids. None: torch's global one.
        overflow: a prompt longer than the context is an "error", or only its end is read ("slide").
        cache: keep keys and values, so that each token is computed once; off: the plain way, which gives the same.
        dtype: "bfloat16" lets a small batch on a CPU read half as many bytes per token, "auto" where a trial shows
            that it pays, "int8" a quarter; "float32" gives the same tokens with and without the cache.

    Returns:
        An int64 tensor (n,) for one prompt; a list of B such tensors for a batch.

    Raises:
        ConfigError: a setting out of range.
        DataError: an empty prompt, a prompt longer than the context, or an id outside the vocabulary.
    """
    rows, single = _as_rows(prompt_ids)
    new: list[list[int]] = [[] for _ in rows]
    steps = stream(
        model, rows, max_new_tokens, temperature=temperature, top_p=top_p, top_k=top_k, stop_token=stop_token,
        generator=generator, overflow=overflow, cache=cache, dtype=dtype,
    )  # fmt: skip
    for step in steps:
        for row, token in zip(new, step, strict=True):
            if token is not None:
                row.append(token)
    results = [torch.tensor(row, dtype=torch.int64) for row in new]
    return results[0] if single else results


def stream(
    model: TransformerLM,
    prompt_ids: Prompts,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    top_k: int | None = None,
    stop_token: int | None = None,
    generator: torch.Generator | None = None,
    overflow: Overflow = "error",
    cache: bool = True,
    dtype: WeightType = "float32",
    observe: Callable[[Float[Tensor, "B V"]], object] = lambda logits: None,
) -> Iterator[list[int | None]]:
    """Yield the new ids one step at a time, one per row; None for a row that has stopped.

    Arguments and errors as `generate`, which is this, collected; `observe` is shown the logits of each step before
    its tokens are drawn.
    """
    check_sampling(temperature, top_p, top_k)
    if max_new_tokens < 0:
        raise ConfigError(f"max_new_tokens = {max_new_tokens} must not be negative")
    rows, _ = _as_rows(prompt_ids)
    check_weight_type(model, dtype, len(rows), cache)
    context = model.config.context_length
    windows = [_first_window(row, context, model.config.vocab_size, overflow) for row in rows]
    stopped = [False] * len(rows)
    with evaluating(model):
        read = cached_reader(model, len(rows), dtype) if cache else plain_reader(model)
        for _ in range(max_new_tokens):
            with torch.no_grad():
                logits = read(windows)
                observe(logits)
                tokens = sample(logits, temperature, top_p, top_k, generator).tolist()
            stopped = [s or t == stop_token for s, t in zip(stopped, tokens, strict=True)]
            if all(stopped):
                return
            yield [None if s else t for s, t in zip(stopped, tokens, strict=True)]
            windows = [grown(window, token, context) for window, token in zip(windows, tokens, strict=True)]


def plain_reader(model: TransformerLM) -> Reader:
    """Return the reader that computes every window from its beginning: slow, and what the cache must equal."""
    device = next(model.parameters()).device

    def read(windows: list[list[int]]) -> Tensor:
        longest = max(map(len, windows))
        # Padding stands to the right, where the causal mask hides it from the positions that are read.
        ids = torch.tensor([w + [0] * (longest - len(w)) for w in windows], device=device)  # (B, T)
        hidden = model.hidden(ids)
        last = torch.tensor([len(w) - 1 for w in windows], device=device)
        return model.logits(hidden[torch.arange(len(windows), device=device), last])

    return read


def cached_reader(model: TransformerLM, batch_size: int, dtype: WeightType = "float32") -> Reader:
    """Return the reader that computes each token once.

    A window that grew by one token since the last call is read on; any other is read anew from its beginning.
    """
    device = next(model.parameters()).device
    kept = KVCache(model, batch_size)
    native = NativeStep.obstacle(model, batch_size) is None
    step: NativeStep | None = None

    def read(windows: list[list[int]]) -> Tensor:
        nonlocal step
        longer = [i for i, w in enumerate(windows) if len(w) == kept.lengths[i] + 1 and kept.lengths[i] > 0]
        if native and len(longer) == len(windows):
            if step is None:  # not before: who wants the token after a prompt alone need not wait for it
                step = NativeStep(kept, weight_type(model, dtype))
            return step([w[-1] for w in windows])
        logits = model.output_weight.new_empty(len(windows), model.config.vocab_size)
        fresh = sorted(set(range(len(windows))) - set(longer))
        for rows, anew in ((longer, False), (fresh, True)):
            if rows:
                inputs = [windows[i] if anew else windows[i][-1:] for i in rows]
                longest = max(map(len, inputs))
                # Padding stands to the right: the causal mask hides it, and the next token overwrites it.
                ids = torch.tensor([w + [0] * (longest - len(w)) for w in inputs], device=device)
                logits[rows] = kept.read(ids, rows, [len(w) for w in inputs], anew=anew).to(logits.dtype)
        return logits

    return read


def check_weight_type(model: TransformerLM, dtype: WeightType, batch_size: int = 1, cache: bool = True) -> None:
    """Raise ConfigError unless there is this type, and int8 weights can be had: they are known to the kernel alone."""
    if dtype not in get_args(WeightType):
        raise ConfigError(f"dtype = {dtype!r} is not one of {', '.join(map(repr, get_args(WeightType)))}")
    obstacle = NativeStep.obstacle(model, batch_size) if cache else "keeps keys and values (not with --no-cache)"
    if dtype == "int8" and obstacle:
        raise ConfigError(f"int8 weights need the CPU kernel for generation, which {obstacle}; take dtype float32")


def weight_type(model: TransformerLM, dtype: WeightType) -> torch.dtype:
    """Return the type that "auto" means here: the faster of two short trials of the whole step."""
    if dtype != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "int8": torch.int8}[dtype]
    seconds = {}
    for candidate in (torch.float32, torch.bfloat16):
        cache = KVCache(model, 1)
        step = NativeStep(cache, candidate)
        times = []
        for _ in range(4):
            start = time.perf_counter()
            step([0])
            times.append(time.perf_counter() - start)
            cache.lengths = [0]
        seconds[candidate] = min(times)
    return torch.bfloat16 if seconds[torch.bfloat16] < 0.9 * seconds[torch.float32] else torch.float32


def _as_rows(prompt_ids: Prompts) -> tuple[list[list[int]], bool]:
    """Return the prompts as lists and whether there was just one, given without a batch dimension."""
    values: Any = prompt_ids.tolist() if isinstance(prompt_ids, Tensor) else prompt_ids
    values = [v.tolist() if isinstance(v, Tensor) else v for v in values]
    single = not values or not isinstance(values[0], Sequence)
    return ([list(values)] if single else [list(row) for row in values]), single


def _first_window(prompt: list[int], context: int, vocab_size: int, overflow: Overflow) -> list[int]:
    if not prompt:
        raise DataError(
            "an empty prompt gives the model nothing to continue; give at least one token, such as <|endoftext|>"
        )
    check_ids(torch.tensor(prompt), vocab_size, "a prompt's token id")
    if len(prompt) <= context:
        return prompt
    if overflow == "error":
        raise DataError(
            f"the prompt has {counted(len(prompt), 'token')} and the model's context {context}; shorten it, or let "
            'only its end be read (overflow="slide", on the command line --overflow slide)'
        )
    return prompt[-context:]


def grown(window: list[int], token: int, context: int) -> list[int]:
    """Return the window with `token` added; where that would pass the context, the newer half of it."""
    longer = [*window, token]
    return longer if len(longer) <= context else longer[-max(1, context // 2) :]
