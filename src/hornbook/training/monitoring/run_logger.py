"""What a run writes about itself while it trains: metrics, samples, the console's lines, dumps of bad batches.

The loop calls it with what happened; here it becomes records (`metrics.jsonl`, `samples.jsonl`) and everything shown is
a view of a record. The device is waited for only where a record is made.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hornbook.checkpoint.tensors import write_tensors
from hornbook.evaluation.loss import Evaluation
from hornbook.fileio import atomic_write, canonical_json, open_atomic
from hornbook.format import duration
from hornbook.tracking.console import Console, Stage, describe_record
from hornbook.tracking.records import RecordWriter
from hornbook.tracking.sinks import SinkThread, open_sinks
from hornbook.training.divergence import Trouble
from hornbook.training.launch.device import peak_flops
from hornbook.training.monitoring.diagnostics import Profiler, layer_norms

if TYPE_CHECKING:
    from hornbook.training.launch.setup import Setup

__all__ = ["Journal"]


class Journal:
    """The record of one run; use it as a context.

    Args:
        setup: the run and its trainer.
        console: where lines go.
    """

    def __init__(self, setup: Setup, console: Console):
        self.run, self.trainer, self.plan = setup.run, setup.trainer, setup.plan
        self.config = setup.trainer.config
        self.console = console
        self.stage = Stage("training", None)
        self.sinks: list[SinkThread] = []
        self._stack = ExitStack()
        self._profiler: Profiler | None = None
        self._shown: dict[str, Any] = {}
        self._since = (0, 0.0, 0.0)  # step, clock and time outside of updates, at the last record

    def __enter__(self) -> Journal:
        p = self.trainer.progress
        self._open_records(p.step if p.step or p.evaluated else -1)
        self.sinks = open_sinks(
            self.config.logging.sinks, self.run.name, self.run.path, self.run.config, self.console.say
        )
        self._stack.enter_context(self.console.watch(self.stage))
        if self.config.logging.profile:
            self._profiler = Profiler(self.run.path / "profile", p.step, self.console.say)
            self._stack.callback(self._profiler.close)
        self._mark()
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._write()
        self.metrics.close()
        self.samples.close()
        for sink in self.sinks:
            sink.close()

    def step(self, loss: Tensor, norm: Tensor) -> None:
        """Take in an update."""
        t, p = self.trainer, self.trainer.progress
        if self._profiler is not None:
            self._profiler.step(p.step)
        if p.step % self.config.logging.every and not t.finished:
            self._show()
            return
        self._write()
        values = torch.stack([loss.detach().float(), norm.detach().float()]).tolist()  # waits for the device
        step, clock, outside = self._since
        spent = t.clock() - clock - (t.outside - outside)
        rate = (p.step - step) * self.config.tokens_per_step / max(1e-9, spent)
        self._mark()
        self._check_peak(rate * self.plan.flops_per_token)
        self.metrics.add(
            p.step,
            tokens=p.step * self.config.tokens_per_step,
            seconds=round(t.seconds, 4),
            train_loss=values[0],
            lr=t.update.learning_rate,
            grad_norm=values[1],
            tokens_per_second=round(rate, 1),
            mfu=round(rate * self.plan.flops_per_token / self.plan.peak_flops, 4),
            memory_bytes=memory_bytes(t.device),
        )
        if self.config.logging.norms:
            began = t.clock()
            inputs, _ = t.parts(p.position - 1)[0]()
            self.norms.add(p.step, **layer_norms(t.model, inputs))
            self.norms.flush()
            t.took("norms", began)
        self._show()

    def _check_peak(self, achieved: float) -> None:
        """Measure the machine's peak anew where the run is beyond it: other work held the machine up at the start."""
        if achieved <= self.plan.peak_flops:
            return
        t = self.trainer
        began = t.clock()
        peak = peak_flops(t.device, self.config.training.dtype) * (t.group.size if t.group else 1)
        self.plan = dataclasses.replace(self.plan, peak_flops=max(peak, achieved))
        atomic_write(self.run.path / "plan.json", canonical_json(self.plan.to_dict()))
        t.took("the peak", began)

    def evaluating(self, tokens: int) -> None:
        """Show how far an evaluation is."""
        total = max(1, len(self.trainer.validation_data))
        self.stage.update(text=f"evaluating, {min(100, 100 * tokens // total)} %")

    def evaluation(self, result: Evaluation) -> None:
        """Take in an evaluation."""
        p = self.trainer.progress
        tokens = p.step * self.config.tokens_per_step
        self.metrics.add(p.step, tokens=tokens, seconds=round(self.trainer.seconds, 4), **result.record())
        self._shown |= result.record()
        best = " · best so far" if p.best_step == p.step and p.step else ""
        self.console.say(describe_record({"step": p.step, **result.record()}, self._total()) + best)
        self._show()

    def sample(self) -> None:
        """Let the model write, and keep what it wrote."""
        t, p, section = self.trainer, self.trainer.progress, self.config.evaluation
        p.sampled = True
        tokenizer = t.prepared.tokenizer
        if tokenizer is None:
            return
        began = t.clock()
        text = write_sample(t.model, tokenizer, section.prompt, section.sample_tokens, self.config)
        if text is not None:
            self.samples.add(p.step, prompt=section.prompt, text=text)
            self.samples.flush()
            self.console.say(f"step {p.step:,} writes: {json.dumps((section.prompt + text)[:300], ensure_ascii=False)}")
        t.took("samples", began)

    def sync(self) -> None:
        """Make the records durable before a checkpoint that continues from here."""
        self._write()
        self.metrics.sync()
        self.samples.sync()

    def trouble(self, trouble: Trouble, back_to: int | None) -> None:
        """Take in a divergence and what was done about it."""
        self._write()
        if back_to is None:
            self.console.say(f"diverged: {trouble}; the run ends here (see {self.run.path / 'divergence'})")
            return
        p = self.trainer.progress
        self.console.say(
            f"{trouble}; back to step {back_to} without that batch "
            f"({p.rewinds} of at most {self.config.guard.max_rewinds} times)"
        )
        self.metrics.close()
        self.samples.close()
        self._open_records(back_to if back_to else -1)
        self._mark()

    def dump(self, trouble: Trouble, position: int) -> None:
        """Keep the batch that training diverged on, for inspection."""
        folder = self.run.path / "divergence"
        file, start = self.trainer.sampler.starts(position)
        inputs, targets = self.trainer.sampler.batch(position)
        about = {
            "version": 1, "step": trouble.step, "kind": trouble.kind, "loss": repr(trouble.loss), "batch": position,
            "files": [str(path) for path in self.trainer.prepared.train], "file": file.tolist(), "start":
            start.tolist(),
        }  # fmt: skip
        tokenizer = self.trainer.prepared.tokenizer
        if tokenizer is not None:
            about["text"] = [tokenizer.decode(row.tolist()) for row in inputs[:8]]
        folder.mkdir(exist_ok=True)
        atomic_write(folder / f"step-{trouble.step:08d}.json", canonical_json(about))
        with open_atomic(folder / f"step-{trouble.step:08d}.safetensors") as out:
            write_tensors(out, {"inputs": inputs, "targets": targets})

    def _open_records(self, keep_through: int) -> None:
        self.metrics = RecordWriter(self.run.path / "metrics.jsonl", keep_through)
        self.samples = RecordWriter(self.run.path / "samples.jsonl", keep_through)
        if self.config.logging.norms:
            self.norms = RecordWriter(self.run.path / "norms.jsonl", keep_through)
            self._stack.callback(self.norms.close)

    def _write(self) -> None:
        record = self.metrics.flush()
        if record:
            self._shown |= record
            for sink in self.sinks:
                sink.log(record)

    def _mark(self) -> None:
        self._since = (self.trainer.progress.step, self.trainer.clock(), self.trainer.outside)

    def _total(self) -> int | None:
        return self.trainer.budget.steps if self.trainer.budget.seconds is None else None

    def _show(self) -> None:
        t, p = self.trainer, self.trainer.progress
        left = t.budget.remaining(p.step, t.seconds)
        # The time left comes early: a narrow terminal cuts the end.
        parts = [describe_record({"step": p.step}, self._total())]
        parts += [f"{duration(left)} left"] if left is not None and p.step else []
        parts += [describe_record({key: value for key, value in self._shown.items() if key != "step"})]
        self.stage.title = " · ".join(part for part in parts if part)
        self.stage.update(text="")


def write_sample(model: Any, tokenizer: Any, prompt: str, num_tokens: int, config: Any) -> str | None:
    """Return what a model writes after `prompt`, or None where it cannot start (no document separator, no prompt)."""
    from hornbook.generation.decode import generate

    separator = config.tokenizer.separator
    end = tokenizer.special_token_ids.get(separator) if separator else None
    ids = tokenizer.encode(prompt) if prompt else ([end] if end is not None else [])
    if not ids:
        return None
    generator = torch.Generator().manual_seed(config.training.seed)
    new = generate(
        model, ids, num_tokens, temperature=0.8, top_p=0.95, stop_token=end, generator=generator, overflow="slide"
    )
    return tokenizer.decode(new.tolist())


def memory_bytes(device: torch.device) -> int:
    """Return the most memory used so far: on the GPU, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
