"""`hornbook serve` under load: 64 streaming clients beside one, every stream held against what its request is alone.

    python benchmarks/bench_serving.py RUN [--seconds 60] [--clients 64] [--slots 8] [--tokens 64]
    pip install 'llama-cpp-python[server]'       # then llama.cpp's server on the same weights is measured too

Server and clients share the machine, which `taskset -c 0,1` can make two cores. Each client sends one request after the
other, of 16 prompts, seeds and temperatures by turns. Then, without HTTP: tokens per second of the engine at one slot
and at all of them, and of the kernel alone at that batch (the products, with no draws and no text).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import hornbook as hb
from hornbook.generation.slots import open_slots
from hornbook.models.kv_cache import KVCache, NativeStep
from hornbook.serve.engine import BatchEngine
from hornbook.serve.sequence import CompletionSettings, Sequence, WrittenPiece

PROMPTS = ("Once upon a time", "The little girl", "One day, a dog", "Tom and Mia went to the park because they")
NEEDED = ("sse_starlette", "starlette_context", "pydantic_settings")
"""What llama.cpp's server needs beside llama_cpp."""


@dataclass
class Times:
    """What the clients saw."""

    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    tokens: int = 0
    requests: int = 0
    wrong: int = 0
    failed: int = 0
    texts: dict[int, str] = field(default_factory=dict)


def request(model: str, number: int, tokens: int) -> dict[str, Any]:
    return {
        "model": model, "prompt": PROMPTS[number % 4], "seed": number, "temperature": (0.0, 0.7, 1.0)[number % 3],
        "max_tokens": tokens, "stream": True,
    }  # fmt: skip


async def ask(port: int, body: dict[str, Any], number: int, times: Times, known: dict[int, str]) -> None:
    """Send a request, read its stream, note the times."""
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"connection: close\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    start = last = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + data)
    text, ended, first = [], False, True
    while line := await reader.readline():
        if not line.startswith(b"data: "):
            continue
        if line.startswith(b"data: [DONE]"):
            ended = True
            break
        now = time.perf_counter()
        (times.first if first else times.gaps).append(now - last)
        first, last = False, now
        text.append(json.loads(line[6:])["choices"][0]["text"])
        times.tokens += 1
    writer.close()
    times.requests += 1
    times.failed += not ended
    written = "".join(text)
    times.wrong += known.get(number, written) != written
    times.texts[number] = written
    assert start <= last


async def load(port: int, model: str, clients: int, seconds: float, tokens: int, known: dict[int, str]) -> Times:
    """Let clients ask for a while; a request that has begun is finished."""
    times, until = Times(), time.perf_counter() + seconds

    async def client(number: int) -> None:
        while time.perf_counter() < until:
            which = number % 16
            await ask(port, request(model, which, tokens), which, times, known)
            number += 7

    await asyncio.gather(*map(client, range(clients)))
    return times


def report(name: str, times: Times, seconds: float) -> None:
    first, gaps = (np.percentile(values or [0], [50, 99]) * 1e3 for values in (times.first, times.gaps))
    print(
        f"{name:<28} {times.requests / seconds:7.1f} requests/s {times.tokens / seconds:8.0f} tokens/s   first token "
        f"p50 {first[0]:7.1f} p99 {first[1]:7.1f} ms   gap p50 {gaps[0]:6.2f} p99 {gaps[1]:6.2f} ms   "
        f"{times.failed} lost, {times.wrong} other than alone"
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


def measure(name: str, command: list[str], port: int, model: str, args: argparse.Namespace) -> None:
    """Start a server, ask it by one client, then by many."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"{name} did not start: {' '.join(command)}") from None
                time.sleep(0.2)
        known: dict[int, str] = {}
        for number in range(16):  # what each request is alone
            times = Times()
            asyncio.run(ask(port, request(model, number, args.tokens), number, times, {}))
            known |= times.texts
        for clients in (1, args.clients):
            start = time.perf_counter()
            times = asyncio.run(load(port, model, clients, args.seconds, args.tokens, known))
            report(f"{name}, {clients} clients", times, time.perf_counter() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def engine_rate(model: hb.TransformerLM, slots: int, seconds: float, greedy: bool) -> float:
    """Return the tokens per second that the engine writes with all slots in use."""
    engine = BatchEngine(open_slots(model, slots), slots)
    count = 0

    def take(pieces: list[tuple[Sequence, WrittenPiece]]) -> None:
        nonlocal count
        count += len(pieces)

    engine.deliver = take
    how: dict[str, Any] = {"temperature": 0} if greedy else {"temperature": 0.8, "top_p": 0.95}
    settings = CompletionSettings(max_tokens=10**9, seed=1, **how)
    engine.submit([Sequence([1], settings, lambda _: b"a", model.config.context_length) for _ in range(slots)])
    engine.start()
    time.sleep(seconds / 4)
    before, start = count, time.perf_counter()
    time.sleep(seconds)
    rate = (count - before) / (time.perf_counter() - start)
    engine.stop()
    return rate


def kernel_rate(model: hb.TransformerLM, batch: int, seconds: float) -> float:
    """Return the tokens per second of the decoding kernel alone, at all lengths of a window."""
    cache = KVCache(model, batch)
    step = NativeStep(cache, torch.float32)
    count, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        if cache.lengths[0] == model.config.context_length:
            cache.lengths = [model.config.context_length // 2] * batch
        step([1] * batch)
        count += batch
    return count / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    args = parser.parse_args()
    model, _, _ = hb.load_run(args.run)
    c = model.config
    print(f"V {c.vocab_size}, T {c.context_length}, d {c.d_model}, L {c.num_layers}, H {c.num_heads}; ", end="")
    print(f"{len(os.sched_getaffinity(0))} cores, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    few = min(args.seconds, 5)
    one, many, alone = (engine_rate(model, n, few, True) for n in (1, args.slots, args.slots))
    drawn = [engine_rate(model, n, few, False) for n in (1, args.slots)]
    kernel = kernel_rate(model, args.slots, few)
    many = max(many, alone)
    print(f"engine, greedy: {one:.0f} tokens/s at 1 slot, {many:.0f} at {args.slots}: {many / one:.2f} ×")
    print(f"engine, drawn at top-p 0.95: {drawn[0]:.0f} and {drawn[1]:.0f}: {drawn[1] / drawn[0]:.2f} ×")
    print(f"kernel alone at batch {args.slots}: {kernel:.0f}; the engine reaches {many / kernel:.0%} of it")
    port = free_port()
    serve = [sys.executable, "-m", "hornbook", "serve", args.run, "--port", str(port), "--slots", str(args.slots)]
    measure("hornbook serve", [*serve, "--name", "it"], port, "it", args)
    missing = [name for name in ("llama_cpp", *NEEDED) if importlib.util.find_spec(name) is None]
    if missing:
        print(f"llama.cpp's server: not measured, {', '.join(missing)} missing: pip install 'llama-cpp-python[server]'")
        return
    with tempfile.TemporaryDirectory() as folder:
        gguf, port = Path(folder) / "model.gguf", free_port()
        subprocess.run([sys.executable, "-m", "hornbook", "export", args.run, "--to", "gguf", str(gguf)], check=True)
        peer = [sys.executable, "-m", "llama_cpp.server", "--model", str(gguf), "--port", str(port)]
        peer += ["--n_ctx", str(c.context_length), "--n_threads", str(torch.get_num_threads()), "--model_alias", "it"]
        measure("llama.cpp's server", peer, port, "it", args)


if __name__ == "__main__":
    main()
