"""Looking into a training: norms of weights, gradients and activations by layer (`--log-norms`), and a trace
(`--profile`).

Both are the handout's debugging advice as switches. They wait for the device, so they cost time only
at the steps that are logged or traced. Left out: histograms, per-head statistics.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from hornbook.fileio import atomic_write
from hornbook.models.transformer import TransformerLM
from hornbook.nn.dropout import evaluating

# The first steps warm up caches and allocators; these are traced after them.
WARM_STEPS, TRACED_STEPS = 3, 3
TOP = 10


@torch.no_grad()
def layer_norms(model: TransformerLM, inputs: Tensor) -> dict[str, float]:
    """Return norms by name, from the gradients of the last update and one forward pass.

    Args:
        model: just updated, its gradients still there.
        inputs: (B, T) token ids to run through it.

    Returns:
        `weight/NAME` and `gradient/NAME`: l2 norms of each parameter and of its (clipped) gradient;
        `activation/MODULE`: root mean square of each block's output.
    """
    values: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        values[f"weight/{name}"] = torch.linalg.vector_norm(parameter)
        if parameter.grad is not None:
            values[f"gradient/{name}"] = torch.linalg.vector_norm(parameter.grad)
    with _recorded(model, values), torch.random.fork_rng(devices=[]), evaluating(model):
        model(inputs)
    numbers = torch.stack([value.float() for value in values.values()]).tolist()
    return dict(zip(values, numbers, strict=True))


@contextlib.contextmanager
def _recorded(model: TransformerLM, values: dict[str, Tensor]) -> Iterator[None]:
    def recorder(name: str) -> Callable[..., None]:
        def record(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            values[f"activation/{name}"] = output.float().square().mean().sqrt()

        return record

    watched = {"token_embeddings": model.token_embeddings, "ln_final": model.ln_final}
    watched |= {f"layers.{i}": layer for i, layer in enumerate(model.layers)}
    watched |= {f"layers.{i}.attn": block.attn for i, block in enumerate(model.blocks)}
    watched |= {f"layers.{i}.ffn": block.ffn for i, block in enumerate(model.blocks)}
    handles = [module.register_forward_hook(recorder(name)) for name, module in watched.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Profiler:
    """Traces a few updates of a run.

    Args:
        folder: gets `trace.json` (for chrome://tracing or Perfetto) and `top.txt`.
        first_step: the step that the run starts or continues at.
        log: takes the lines of the table.
    """

    def __init__(self, folder: Path, first_step: int, log: Callable[[str], None]):
        self.folder, self.log = folder, log
        self._from = first_step + WARM_STEPS
        self._profile: torch.profiler.profile | None = None

    def step(self, step: int) -> None:
        """Take in that `step` updates are done; starts and ends the trace when it is time."""
        if step == self._from:
            self._profile = torch.profiler.profile()
            self._profile.start()
        elif self._profile is not None and step == self._from + TRACED_STEPS:
            self.close()

    def close(self) -> None:
        """End the trace, if one is going on, and write it down."""
        if self._profile is None:
            return
        profile, self._profile = self._profile, None
        profile.stop()
        self.folder.mkdir(exist_ok=True)
        profile.export_chrome_trace(str(self.folder / "trace.json"))
        key = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
        table = profile.key_averages().table(sort_by=key, row_limit=TOP, max_name_column_width=48)
        atomic_write(self.folder / "top.txt", table)
        for line in _top(profile):
            self.log(line)
        self.log(f"the whole table and a trace are in {self.folder}")


def _top(profile: torch.profiler.profile) -> list[str]:
    def cost(event: object) -> float:
        return getattr(event, "self_device_time_total", 0.0) or getattr(event, "self_cpu_time_total", 0.0)

    events = sorted(profile.key_averages(), key=cost, reverse=True)
    total = sum(map(cost, events)) or 1.0
    lines = [f"the {TOP} most expensive operations of {TRACED_STEPS} steps:"]
    return lines + [f"  {100 * cost(e) / total:5.1f} %  {e.count:>6} ×  {e.key[:80]}" for e in events[:TOP]]
