"""`hornbook serve RUN`: a trained model behind OpenAI's completions API."""

from __future__ import annotations

from typing import Literal

from hornbook.errors import ConfigError
from hornbook.serve import check_installed
from hornbook.serve.security import is_loopback, read_api_key
from hornbook.tokenizer.special import END_OF_TEXT
from hornbook.tracking.run import Run


def main(
    run: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key: str | None = None,
    api_key_file: str | None = None,
    slots: int = 8,
    queue: int = 256,
    deadline: float = 600.0,
    max_tokens: int = 4096,
    max_body: int = 1 << 20,
    drain: float = 30.0,
    name: str = "",
    stop: str = END_OF_TEXT,
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = "float32",
    checkpoint: str = "best",
    device: str = "auto",
) -> int:
    """Serve a trained model to programs that speak OpenAI's API: /v1/completions, /v1/models, /health, /metrics.

    A seed's completion depends on nothing else that is served. Ctrl-C or SIGTERM lets answers under way be finished.

    Args:
        run: the run's folder.
        host: where to listen; other than this machine alone needs an API key.
        port: where to listen; 0 takes a free one.
        api_key: what clients must send; better in HORNBOOK_API_KEY or a file, as others see a command line. On this
            machine alone, any key does where none is given.
        api_key_file: a file with the key.
        slots: how many completions are written at once.
        queue: how many more may wait, or be read slowly, before requests are refused for now (429).
        deadline: seconds in which a request must be answered.
        max_tokens: how many tokens a completion may ask for.
        max_body: bytes of a request.
        drain: seconds that answers under way have when the server is ended.
        name: what clients call the model; the run's own name if not given.
        stop: the special token that ends a completion; "" to go on past it.
        dtype: of the weights on a CPU, as `hornbook generate`; "auto" may take another on another day, and with it the
            last digits of what a seed writes.
        checkpoint: "best", "last" or a step.
        device: where to compute.

    Examples:
        hornbook serve runs/my
        HORNBOOK_API_KEY=… hornbook serve runs/my --host 0.0.0.0 --port 80
    """
    _check(slots, queue, deadline, max_tokens, max_body, drain)
    key = read_api_key(api_key, api_key_file, host)
    opened = Run.open(run)
    check_installed()
    from hornbook.cli.generate import load_writer, stop_token
    from hornbook.generation.slots import open_slots
    from hornbook.serve.api import Served, create_app
    from hornbook.serve.engine import BatchEngine
    from hornbook.serve.process import listen, run_server, url_of
    from hornbook.serve.security import RequestGuard

    model, tokenizer = load_writer(run, checkpoint, device)
    served = Served(
        name=name or opened.path.name, tokenizer=tokenizer, vocab_size=model.config.vocab_size,
        context_length=model.config.context_length, stop_token=stop_token(tokenizer, stop),
        document_start=tokenizer.special_token_ids.get(END_OF_TEXT), max_tokens=max_tokens, deadline=deadline,
    )  # fmt: skip
    engine = BatchEngine(open_slots(model, slots, dtype), slots, queue_limit=queue)
    app = RequestGuard(create_app(engine, served), host=host, api_key=key, max_body=max_body)
    asks = "any API key does" if key is None else "the API key is asked for"
    who = "programs on this machine" if is_loopback(host) else "whoever reaches it"
    with listen(host, port) as bound:
        print(f"{served.name} is served to {who} at {url_of(bound)}/v1 ({asks}; Ctrl-C ends)", flush=True)
        return run_server(app, bound, drain=drain)


def _check(slots: int, queue: int, deadline: float, max_tokens: int, max_body: int, drain: float) -> None:
    for flag, value, least, most in (
        ("slots", slots, 1, 1024), ("queue", queue, 0, 1_000_000), ("deadline", deadline, 0.1, 86_400),
        ("max-tokens", max_tokens, 1, 1_000_000), ("max-body", max_body, 1024, 1 << 30), ("drain", drain, 0, 86_400),
    ):  # fmt: skip
        if not least <= value <= most:
            raise ConfigError(f"--{flag} {value} is not within {least} to {most}")
