"""`hornbook eval RUN [--text FILE…]`: loss, perplexity and bits per byte of a run, on its validation set or on text.

Where the corpus that the run was trained on has an evaluation of its own (evaluation/registry.py), also by that.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.cli.common import command, encoder_of, open_corpus, refuse_unused
from hornbook.data.special_text import InText
from hornbook.errors import CheckpointError, ConfigError, DataError
from hornbook.fileio import read_json_object
from hornbook.tracking.run import Run

if TYPE_CHECKING:
    from hornbook.data.sections import MixtureSource
    from hornbook.data.token_data import TokenData
    from hornbook.evaluation.loss import Evaluation
    from hornbook.evaluation.registry import CorpusMetrics
    from hornbook.tokenizer.utf8 import Errors
    from hornbook.tracking.console import Console


def main(
    run: str,
    *,
    text: tuple[str, ...] = (),
    checkpoint: str = "best",
    context_length: int | None = None,
    batch_size: int = 32,
    field: str | None = None,
    errors: Literal["strict", "replace"] = "strict",
    special_tokens_in_text: InText | None = None,
    max_tokens: int | None = None,
    stories: int = 100,
    samples: int = 200,
    seed: int = 0,
    task: Literal["cloze"] | None = None,
    items: int = 400,
    per_token: int | None = None,
    html: Path | None = None,
    dtype: Literal["float32", "bfloat16", "int8"] = "float32",
    device: str = "cpu",
    json_: bool = False,
) -> int:
    """Measure a run: loss, perplexity and bits per byte over a whole validation set or a text.

    Args:
        run: the run's folder.
        text: text to measure on instead of the run's validation set: files of every kind that training reads.
        checkpoint: "best", "last" or a step.
        context_length: window of the evaluation; the model's context if not given.
        batch_size: windows per forward pass; changes the time taken, not the result.
        field: of records, the field or column with the text; that of the run if not given.
        errors: of text: replace puts U+FFFD for bytes that are not UTF-8; strict refuses them.
        special_tokens_in_text: of text: split, text or error, as data.special_tokens_in_text; that of the run if not
            given.
        max_tokens: use the first so many tokens only.
        stories: on storyworld: compare so many whole validation stories with their true entropy; 0 for none.
        samples: on storyworld: let the model write so many stories and have the corpus's parser read them; 0 for none.
        seed: of the stories that the model writes.
        task: measure this alone; cloze: which of two sentences goes on with a story of storyworld?
        items: of a task, how many questions.
        per_token: show the first so many tokens instead, each tinted by its loss: where is the model surprised?
        html: also write them as a page.
        dtype: round the weights first to those that generate --dtype takes, to see what that costs; all else stays
            float32, and nothing is kept for the run's report.
        device: where to compute.
        json_: print JSON.

    Examples:
        hornbook eval runs/tinystories
        hornbook eval runs/tinystories --text other.txt --context-length 128
        hornbook eval runs/stories --task cloze --items 1000
        hornbook eval runs/stories --text new.txt --per-token 300 --html surprise.html
    """
    _check(dict(locals()))
    from hornbook.tracking.console import Console
    from hornbook.training.launch.device import choose_device
    from hornbook.training.load import load_run

    console = Console(stream=sys.stderr)
    model, tokenizer, config = load_run(run, checkpoint, choose_device(device))
    if dtype != "float32":
        _round_weights(model, dtype)
    if task == "cloze":
        keep = checkpoint == "best" and dtype == "float32"
        return _cloze(run, model, tokenizer, config.data.corpus_level, items, console, json_, keep=keep)
    data, name = _data(run, text, (field, errors, special_tokens_in_text), tokenizer, config, console)
    if per_token is not None:
        from hornbook.cli.surprise import show
        from hornbook.evaluation.loss import token_losses

        if tokenizer is None:
            raise DataError(f"{run} has no tokenizer, so its tokens are no text; it was trained on bare token files")
        found = list(token_losses(model, data, per_token, context_length))
        show(found, tokenizer, f"{run} on {name}", html, as_json=json_)
        return 0
    sizes = (batch_size, context_length, max_tokens)
    result = _measure(model, data, sizes, f"{run} on {name}", console)
    sources = {} if text else _measure_sources(model, data, sizes, config.data.mixture, console)
    metrics = None
    if not text and tokenizer is not None and (stories or samples):
        counts, save = (stories, samples), checkpoint == "best" and dtype == "float32"
        metrics = _evaluate_on_corpus(Path(run), model, tokenizer, config, console, counts=counts, seed=seed, save=save)
    facts = {} if metrics is None else {config.data.corpus: metrics.to_dict()}
    facts |= {"sources": sources} if sources else {}
    as_json = {"run": run, "data": name, "dtype": dtype, **result.to_dict(), **facts}
    lines = [*_words(f"{run} on {name}", result), *(metrics.lines() if metrics else [])]
    lines += [f"loss {loss:.4f} on the part of {source}" for source, loss in sources.items()]
    print(json.dumps(as_json) if json_ else "\n".join(lines))
    return 0


def _check(given: dict[str, Any]) -> None:
    """Raise for what can be seen to be wrong in the arguments before torch is imported."""
    of_text = ("field", "errors", "special_tokens_in_text")
    if given["task"]:
        refuse_unused(main, given, ("run", "checkpoint", "task", "items", "dtype", "device", "json_"), "with --task")
    else:
        refuse_unused(main, given, given.keys() - {"items"}, "without --task")
    if not given["text"]:
        refuse_unused(main, given, given.keys() - {*of_text}, "without --text")
    if given["html"] is not None and given["per_token"] is None:
        raise ConfigError("--html is the page of the tinted tokens: give --per-token N with it")
    for flag in ("--stories", "--samples"):
        if (value := given[flag[2:]]) < 0:
            raise ConfigError(f"{flag} {value} is less than none")
    Run.open(given["run"])
    if given["text"]:
        from hornbook.data.text_files import find_files

        find_files(given["text"])


def _round_weights(model: Any, dtype: Literal["bfloat16", "int8"]) -> None:
    import torch

    from hornbook.generation.decode import check_weight_type
    from hornbook.models.narrow import round_weights_

    check_weight_type(model, dtype)
    round_weights_(model, torch.int8 if dtype == "int8" else torch.bfloat16)


def _measure(
    model: Any, data: TokenData, sizes: tuple[int, int | None, int | None], what: str, console: Console
) -> Evaluation:
    """Return the loss over `data`; `sizes` are batch size, context and most tokens. Raises CheckpointError for NaN."""
    from hornbook.evaluation.loss import evaluate
    from hornbook.tracking.console import Stage

    batch_size, context_length, max_tokens = sizes
    stage = Stage("evaluating", len(data))
    with console.watch(stage):
        result = evaluate(model, data, batch_size, context_length, max_tokens=max_tokens, progress=stage.update)
    if not math.isfinite(result.loss):
        raise CheckpointError(
            f"the loss of {what} is {result.loss}: its logits overflow, so its training diverged or its "
            "weights are damaged; measure an earlier checkpoint (--checkpoint STEP)"
        )
    return result


def _measure_sources(
    model: Any,
    data: TokenData,
    sizes: tuple[int, int | None, int | None],
    mixture: Sequence[MixtureSource],
    console: Console,
) -> dict[str, float]:
    """Return the loss on the validation part of each source of a mixture, by its text. Raises as `_measure`."""
    from hornbook.data.token_data import TokenData

    names = [f"{number}: {', '.join(source.text)}" for number, source in enumerate(mixture, 1)]
    parts = zip(names, data.arrays, strict=True) if len(mixture) > 1 else ()
    return {name: _measure(model, TokenData([ids]), sizes, name, console).loss for name, ids in parts if len(ids) > 1}


def _cloze(
    run: str, model: Any, tokenizer: Any, level: str, items: int, console: Console, as_json: bool, *, keep: bool
) -> int:
    from hornbook.data.corpora.storyworld.cloze import cloze_items
    from hornbook.evaluation.cloze import evaluate_cloze
    from hornbook.evaluation.storyworld import save_cloze

    if tokenizer is None:
        raise DataError(f"{run} has no tokenizer, so it cannot read questions; it was trained on bare token files")
    with console.stage("answering cloze questions", items) as stage:
        score = evaluate_cloze(model, tokenizer, cloze_items(items, level), progress=stage.update)
    if keep:
        _keep(lambda: save_cloze(score, Path(run)), run, console)
    facts = {"run": run, "task": "cloze", "level": level, "items": items, "accuracy": score.accuracy}
    print(json.dumps({**facts, "standard_error": score.standard_error}) if as_json else score.line())
    return 0


def _keep(save: Callable[[], Path], run: str | Path, console: Console) -> None:
    """Keep figures for the run's report, and say where; a folder that cannot be written costs only that."""
    try:
        console.print(f"kept in {save()}; `{command('report', run)}` shows it")
    except OSError as error:
        console.print(f"the run's folder cannot be written ({error.strerror}), so its report will not show this")


def _words(what: str, result: Evaluation) -> list[str]:
    bits = "unknown" if result.bits_per_byte is None else f"{result.bits_per_byte:.4f}"
    return [
        f"{what}: {result.num_tokens:,} tokens, context {result.context_length}",
        f"loss {result.loss:.4f} nats per token · perplexity {result.perplexity:.3f} · bits per byte {bits}",
    ]


def _evaluate_on_corpus(
    run: Path,
    model: Any,
    tokenizer: Any,
    config: Any,
    console: Console,
    *,
    counts: tuple[int, int],
    seed: int,
    save: bool,
) -> CorpusMetrics | None:
    """Return what the corpus's own evaluation finds of `counts` read and written stories; None where it has none."""
    from hornbook.data.prepare import prepare
    from hornbook.evaluation.registry import find_evaluator

    evaluator = find_evaluator(config.data.corpus)
    if evaluator is None:
        return None
    record = _record(run)
    if obstacle := evaluator.obstacle(tokenizer, record):
        console.print(obstacle)
        return None
    text = Path(record.get("validation_text") or "")
    if not text.is_file():
        text = prepare(config.data, config.tokenizer, console).validation_text or Path()
    documents = evaluator.documents(text.read_text(encoding="utf-8"))[: counts[0]] if text.is_file() else []
    metrics = evaluator.evaluate(
        model, tokenizer, config.data, documents, num_written=counts[1], seed=seed, console=console
    )
    if save:
        _keep(lambda: evaluator.save(metrics, run), run, console)
    return metrics


def _record(run: Path) -> dict[str, Any]:
    """Return what the run noted about its data, or nothing."""
    return read_json_object(run / "data.json", missing_ok=True)


def _data(
    run: str,
    texts: tuple[str, ...],
    reading: tuple[str | None, Errors, InText | None],
    tokenizer: Any,
    config: Any,
    console: Console,
) -> tuple[TokenData, str]:
    """Return the tokens to measure on, and what they are called: those of `texts`, or the run's validation set.

    `reading` is the field, what becomes of malformed bytes, and of special tokens in the text.
    """
    import tempfile

    from hornbook.data.prepare import prepare
    from hornbook.data.token_data import TokenData

    if not texts:
        known = _record(Path(run)).get("validation", [])
        if not known or not all(Path(path).exists() for path in known):
            known = prepare(config.data, config.tokenizer, console).validation
        return TokenData.open(known, config.model.vocab_size), "its validation set"
    if tokenizer is None:
        raise DataError(f"{run} has no tokenizer, so it cannot read text; it was trained on bare token files")
    field, errors, in_text = reading
    separator = config.tokenizer.separator_among(tokenizer.special_tokens)
    special = sorted(tokenizer.special_tokens, key=lambda token: token != separator)  # the separator first
    corpus = open_corpus(
        texts,
        special,
        in_text=in_text or config.data.special_tokens_in_text,
        field=field or config.data.field,
        errors=errors,
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "text.npy"
        encoder_of(corpus, tokenizer).encode_file(
            corpus.files[0] if corpus.is_plain_file else corpus, out, errors=errors
        )
        # The ids stay mapped after the name is gone.
        return TokenData.open([out], config.model.vocab_size), ", ".join(texts)
