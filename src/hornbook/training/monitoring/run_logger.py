"""What a run writes about itself while it trains: metrics, samples, norms, bad batches, and the console's lines.

The loop passes in what happened, as values; here it becomes records (`metrics.jsonl`, `samples.jsonl`, `norms.jsonl`),
and everything shown is a view of a record. The device is waited for only where a record is made.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from contextlib import ExitStack
from typing import Any

import torch

from hornbook.checkpoint.tensors import write_tensors
from hornbook.evaluation.loss import Evaluation
from hornbook.fileio import atomic_write, canonical_json, open_atomic
from hornbook.tracking.console import Console, Stage, describe_record
from hornbook.tracking.environment import peak_memory
from hornbook.tracking.records import RecordWriter
from hornbook.tracking.run import Run
from hornbook.tracking.sinks import SinkThread, open_sinks
from hornbook.training.clock import RunClock
from hornbook.training.config import TrainConfig
from hornbook.training.divergence import BadBatch, Divergence
from hornbook.training.launch.device import peak_flops
from hornbook.training.launch.estimate import Estimate
from hornbook.training.monitoring.diagnostics import Profiler
from hornbook.training.step import StepResult


class RunLogger:
    """The record of one run; use it as a context.

    Args:
        run: its folder.
        config: the recipe.
        estimate: FLOPs per token and the peak rate that MFU is a share of.
        clock: of the run.
        console: where lines go.
        step: updates done so far; records of later ones, from before a resume, are cut.
        fresh: nothing of this run counts yet, not even what was recorded at step 0.
        processes: how many share the work.
    """

    def __init__(
        self,
        run: Run,
        config: TrainConfig,
        estimate: Estimate,
        clock: RunClock,
        console: Console,
        *,
        step: int,
        fresh: bool,
        processes: int = 1,
    ):
        self.run, self.config, self.estimate, self.clock, self.console = run, config, estimate, clock, console
        self.device = torch.device(config.training.device)
        self.processes = processes
        self.stage = Stage("training", estimate.steps, speaks=True)
        self.sinks: list[SinkThread] = []
        self._stack = ExitStack()
        self._step, self._fresh = step, fresh
        self._profiler: Profiler | None = None
        self._shown: dict[str, Any] = {}
        self._validation: dict[str, Any] = {}
        self._since = (step, 0.0)  # step and training seconds at the last record

    def __enter__(self) -> RunLogger:
        self._open_records(-1 if self._fresh else self._step)
        self.sinks = open_sinks(
            self.config.logging.sinks, self.run.name, self.run.path, self.run.config, self.console.print
        )
        self._stack.enter_context(self.console.watch(self.stage))
        if self.config.logging.profile:
            self._profiler = Profiler(self.run.path / "profile", self._step, self.console.print)
            self._stack.callback(self._profiler.close)
        self._since = (self._step, self.clock.training_seconds)
        steps, seconds = self.estimate.steps, self.estimate.seconds_per_step
        self._expect((steps - self._step) * seconds if steps else self.estimate.expected_seconds - self.clock.seconds)
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._flush()
        self.metrics.close()
        self.samples.close()
        for sink in self.sinks:
            sink.close()

    def on_step(self, result: StepResult, seconds_left: float | None, *, record: bool) -> None:
        """Take in an update.

        Args:
            result: what it came to.
            seconds_left: of the run, as far as is known.
            record: make a record of it; this waits for the device.
        """
        self._step = result.step
        if seconds_left is not None:
            self._expect(seconds_left)
        if self._profiler is not None:
            self._profiler.step(result.step)
        if record:
            self._flush()
            self._record(result)
        self._show()
        if record:
            self.console.tell(self.stage)

    def _record(self, result: StepResult) -> None:
        loss, grad_norm = torch.stack([result.loss.detach().float(), result.grad_norm.detach().float()]).tolist()
        step, seconds = self._since
        self._since = (result.step, self.clock.training_seconds)
        tokens = (result.step - step) * self.config.tokens_per_step
        rate = tokens / max(1e-9, self._since[1] - seconds)
        self._check_peak(rate * self.estimate.flops_per_token)
        self._shown = {
            "step": result.step,
            "tokens": result.tokens,
            "seconds": round(self.clock.seconds, 4),
            "train_loss": loss,
            "lr": result.lr,
            "grad_norm": grad_norm,
            "tokens_per_second": round(rate, 1),
            "mfu": round(rate * self.estimate.flops_per_token / self.estimate.peak_flops, 4),
            "memory_bytes": memory_bytes(self.device),
        }
        self.metrics.add(**self._shown)

    def _check_peak(self, achieved: float) -> None:
        """Measure the machine's peak anew where the run is beyond it: other work held the machine up at the start."""
        if achieved <= self.estimate.peak_flops:
            return
        with self.clock.aside("peak"):
            peak = peak_flops(self.device, self.config.training.dtype) * self.processes
            self.estimate = dataclasses.replace(self.estimate, peak_flops=max(peak, achieved))
            self.estimate.save(self.run.path)

    def log_norms(self, step: int, norms: dict[str, float]) -> None:
        """Take in the norms by layer at a step (diagnostics.py)."""
        self.norms.add(step, **norms)
        self.norms.flush()

    def on_eval_progress(self, tokens: int, total: int) -> None:
        """Show how far an evaluation is: tokens that are predicted, of how many."""
        self._show(f"evaluating {min(100, 100 * tokens // max(1, total))} %")

    def on_sampling(self) -> None:
        """Show that the model writes a sample."""
        self._show("writing a sample")

    def on_evaluation(self, step: int, result: Evaluation, *, best: bool) -> None:
        """Take in an evaluation; `best`: no earlier one was as good."""
        tokens = step * self.config.tokens_per_step
        self.metrics.add(step, tokens=tokens, seconds=round(self.clock.seconds, 4), **result.record())
        self._validation = {"step": step, **result.record()}
        self.console.print(
            describe_record({"step": step, **result.record()}, self.estimate.steps) + (" · best so far" if best else "")
        )
        self._show()

    def on_sample(self, step: int, text: str) -> None:
        """Take in what the model wrote after the recipe's prompt."""
        prompt = self.config.evaluation.prompt
        self.samples.add(step, prompt=prompt, text=text)
        self.samples.flush()
        self._show()
        self.console.print(f"step {step:,} writes: {json.dumps((prompt + text)[:300], ensure_ascii=False)}")

    def sync(self) -> None:
        """Make the records durable before a checkpoint that continues from here."""
        self._flush()
        self.metrics.sync()
        self.samples.sync()

    def log_divergence(self, divergence: Divergence, back_to: int | None, rewinds: int) -> None:
        """Take in a divergence and what was done about it: back to a step for the `rewinds`-th time, or (None) the
        end."""
        self._flush()
        if back_to is None:
            self.console.print(f"diverged: {divergence}; the run ends here (see {self.run.path / 'divergence'})")
            return
        self.console.print(
            f"{divergence}; back to step {back_to} without that batch "
            f"({rewinds} of at most {self.config.guard.max_rewinds} times)"
        )
        self.metrics.close()
        self.samples.close()
        self._open_records(back_to if back_to else -1)
        self._step, self._since = back_to, (back_to, self.clock.training_seconds)

    def save_bad_batch(self, divergence: Divergence, batch: BadBatch) -> None:
        """Keep the batch that training diverged on, for inspection."""
        path = self.run.path / "divergence" / f"step-{divergence.step:08d}"
        about = {
            "version": 1, "step": divergence.step, "kind": divergence.kind, "loss": repr(divergence.loss),
            "batch": batch.position, "files": [str(path) for path in batch.files], "file": batch.file,
            "start": batch.start,
        }  # fmt: skip
        if batch.text is not None:
            about["text"] = batch.text
        path.parent.mkdir(exist_ok=True)
        atomic_write(path.with_suffix(".json"), canonical_json(about))
        with open_atomic(path.with_suffix(".safetensors")) as out:
            write_tensors(out, {"inputs": batch.inputs, "targets": batch.targets})

    def _open_records(self, keep_through: int) -> None:
        self.metrics = RecordWriter(self.run.path / "metrics.jsonl", keep_through)
        self.samples = RecordWriter(self.run.path / "samples.jsonl", keep_through)
        if self.config.logging.norms:
            self.norms = RecordWriter(self.run.path / "norms.jsonl", keep_through)
            self._stack.callback(self.norms.close)

    def _flush(self) -> None:
        record = self.metrics.flush()
        if record:
            for sink in self.sinks:
                sink.log(record)

    def _expect(self, seconds: float) -> None:
        """Show the time left, from that of the updates; a time budget has the evaluations and samples in it."""
        steps = self.estimate.steps
        aside = 0.0 if steps is None else self.estimate.aside_seconds * (1 - self._step / steps)
        self.stage.expect(seconds + aside)

    def _show(self, phase: str = "") -> None:
        """Show what is done now, and the last record and evaluation, each with its step where that is another one."""
        step = describe_record({"step": self._step}, self.estimate.steps)
        self.stage.title = f"{phase} · {step}" if phase else step
        words = [
            ("" if values["step"] == self._step else f"at {values['step']:,}: ")
            + describe_record({key: value for key, value in values.items() if key != "step"})
            for values in (self._shown, self._validation)
            if values
        ]
        self.stage.update(done=self._step, text=" · ".join(words))


class Silence(contextlib.nullcontext[Any]):
    """The logger of a process that writes no records: it takes whatever it is given."""

    def __enter__(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def memory_bytes(device: torch.device) -> int:
    """Return the most memory used so far: on the GPU, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return peak_memory()
