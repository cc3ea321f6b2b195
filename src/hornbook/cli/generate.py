"""`hornbook generate RUN --prompt TEXT`: complete a prompt with a trained model, printing as it goes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

from hornbook import config
from hornbook.encodings import joined
from hornbook.errors import DataError
from hornbook.format import counted, visible
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tracking.run import Run

if TYPE_CHECKING:
    from hornbook.models.transformer import TransformerLM
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tokenizer.utf8 import Errors


def main(
    run: str,
    *,
    prompt: str = "",
    prompt_file: str | None = None,
    field: str = "text",
    errors: Literal["strict", "replace"] = "strict",
    max_new_tokens: int = 256,
    temperature: Annotated[str, "NUMBER[,NUMBER…]"] = "0.8",
    top_p: float = 0.95,
    top_k: int | None = None,
    num_samples: int = 1,
    seed: int = 0,
    stop: str = END_OF_TEXT,
    overflow: Literal["error", "slide"] = "error",
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = "auto",
    cache: bool = True,
    checkpoint: str = "best",
    device: str = "cpu",
    json_: bool = False,
) -> int:
    """Complete a prompt with a trained model.

    Args:
        run: the run's folder.
        prompt: the text to continue; empty starts a new document.
        prompt_file: read the prompt from a file instead, packed or a record too; - for standard input.
        field: of a record, the field that holds the prompt.
        errors: of prompt_file: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        max_new_tokens: stop after so many tokens.
        temperature: 0 takes the most probable token each time; below 1 is more cautious, 1 samples as trained;
            several, as in 0,0.7,1, are shown side by side.
        top_p: draw from the smallest set of tokens whose probabilities sum to at least this.
        top_k: draw from the k most probable tokens.
        num_samples: number of completions of the same prompt.
        seed: the same seed gives the same text on the same machine.
        stop: the special token that ends a completion; "" to go on past it.
        overflow: a prompt longer than the context is an "error", or only its end is read ("slide").
        dtype: of the weights while generating on a CPU; "auto" takes the faster of the first two; int8 reads a quarter
            of the bytes, its logits are within a hundredth.
        cache: keep keys and values of the tokens read; the text is the same without, only slower.
        checkpoint: "best", "last" or a step.
        device: where to compute.
        json_: print one JSON object per completion instead of text.

    Examples:
        hornbook generate runs/my --prompt "Once upon a time" --temperature 0.7
        hornbook generate runs/my --prompt "Once upon a time" --temperature 0,0.7,1
    """
    if num_samples < 1:
        raise DataError(f"num_samples = {num_samples} must be at least 1")
    prompt = prompt if prompt_file is None else _read_prompt(prompt_file, field, errors)
    words = [config.Word(word.strip()) for word in temperature.split(",")]
    temperatures: list[float] = [config.convert(word, float, "--temperature") for word in words]
    Run.open(run)
    import torch

    from hornbook.generation.decode import generate, stream

    model, tokenizer = load_writer(run, checkpoint, device)
    ids = tokenizer.encode(prompt) or [_document_start(tokenizer)]
    settings = {"top_p": top_p, "top_k": top_k, "dtype": dtype, "cache": cache, "overflow": overflow}
    settings |= {"stop_token": stop_token(tokenizer, stop)}

    def at(temperature: float) -> dict[str, Any]:
        """Every temperature draws from the same seed: it writes what it writes alone."""
        return settings | {"temperature": temperature, "generator": torch.Generator().manual_seed(seed)}

    if num_samples == len(temperatures) == 1 and not json_:
        _print_live(prompt, tokenizer, stream(model, ids, max_new_tokens, **at(temperatures[0])))
        return 0
    written = [generate(model, [ids] * num_samples, max_new_tokens, **at(value)) for value in temperatures]
    texts = [[tokenizer.decode(new.tolist()) for new in row] for row in written]
    if json_:
        for value, row, shown in zip(temperatures, written, texts, strict=True):
            for number, (new, text) in enumerate(zip(row, shown, strict=True)):
                record = {"prompt": prompt, "completion": text, "tokens": new.tolist(), "temperature": value}
                print(json.dumps(record | {"seed": seed, "sample": number}, ensure_ascii=False))
    elif len(temperatures) == 1:
        for number, text in enumerate(texts[0], 1):
            print(f"--- {number} ---\n{prompt}{text}")
    else:
        _print_side_by_side(prompt, temperatures, texts)
    return 0


def _print_side_by_side(prompt: str, temperatures: list[float], texts: list[list[str]]) -> None:
    """Print a column for each temperature, a row for each sample."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 1, 0), header_style="bold")
    for temperature in temperatures:
        table.add_column(f"temperature {temperature:g}", ratio=1, overflow="fold")
    for row in zip(*texts, strict=True):
        table.add_row(*(Text(visible(prompt + text)) for text in row))
    Console().print(table)


def load_writer(run: str, checkpoint: str, device: str) -> tuple[TransformerLM, Tokenizer]:
    """Return the model of a run and its tokenizer. Raises DataError for a run that has none."""
    from hornbook.training.launch.device import choose_device
    from hornbook.training.load import load_run

    model, tokenizer, _ = load_run(run, checkpoint, choose_device(device))
    if tokenizer is None:
        raise DataError(f"{run} was trained on bare token files and keeps no tokenizer, so it cannot read a prompt")
    return model, tokenizer


def _read_prompt(name: str, field: str, errors: Errors) -> str:
    from hornbook.data.text_reader import TextReader

    corpus = TextReader(name, field=field, separator="", errors=errors)
    text = "" if len(corpus.files) > 1 else joined(corpus, name, DataError).decode()
    if len(corpus.files) > 1 or corpus.records > 1:
        many = counted(corpus.records, "record") if corpus.records else counted(len(corpus.files), "file")
        raise DataError(f"a prompt is one text, and {name} holds {many}; name a file with the one that you mean")
    return text


def _print_live(prompt, tokenizer, steps) -> None:
    """Print the completion as its bytes become whole characters."""
    waiting: list[int] | None = None
    for (token,) in steps:
        if waiting is None:  # only now, so that a refused setting has printed nothing
            sys.stdout.write(prompt)
        waiting = [*(waiting or ()), token]
        text = tokenizer.decode(waiting)
        # A character may span four tokens; until it is whole, decode ends in the replacement character.
        if not text.endswith("\ufffd") or len(waiting) > 4:
            sys.stdout.write(text)
            sys.stdout.flush()
            waiting = []
    print(prompt if waiting is None else tokenizer.decode(waiting))


def stop_token(tokenizer: Tokenizer, stop: str) -> int | None:
    """Return the id of the special token `stop`, None for none. Raises DataError."""
    if not stop:
        return None
    if stop in tokenizer.special_token_ids:
        return tokenizer.special_token_ids[stop]
    if stop == END_OF_TEXT:  # the default: a tokenizer without it just has no stop token
        return None
    known = ", ".join(map(repr, tokenizer.special_tokens)) or "none"
    raise DataError(f"{stop!r} is not a special token of this run's tokenizer (it has {known})")


def _document_start(tokenizer) -> int:
    if END_OF_TEXT in tokenizer.special_token_ids:
        return tokenizer.special_token_ids[END_OF_TEXT]
    raise DataError("an empty prompt needs a tokenizer with <|endoftext|>, to start a new document; give a --prompt")
