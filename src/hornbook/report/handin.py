"""One page with the answers of one's own runs to CS336 assignment 1, in the order of its handout: `hornbook handin`.

An answer is what one's own runs and studies measured, or what can be computed here (text encodings, accounting); where
there is none yet the command stands that makes it. Of several folders of one study the largest finished scale counts,
of several runs the lowest validation loss in bits per byte. Problems that ask for code name where hornbook has it.
Left out: words of one's own, which the person who hands in adds.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.accounting.flops import GROUPS
from hornbook.accounting.summary import account
from hornbook.errors import HornbookError
from hornbook.fileio import read_json_object
from hornbook.format import counted, duration, number, quantity
from hornbook.report.figures import run_figures
from hornbook.report.handin_computed import adamw, unicode
from hornbook.report.load import RunData, as_number, read_run, run_folders
from hornbook.report.render import section, write_page
from hornbook.report.tables import final_metrics
from hornbook.studies.charts import Table, columns
from hornbook.studies.folder import STUDY_FILE, StudyResults, read_study
from hornbook.studies.study import SCALES
from hornbook.tokenizer.formats.own import TRAINING_FILE
from hornbook.tokenizer.inspection import longest_tokens, readable
from hornbook.tokenizer.tokenizer import Tokenizer

Answer = dict[str, Any]
FIGURES = 2
"""Of a study, shown under each problem; the study's own page has the rest."""


@dataclasses.dataclass(frozen=True)
class Own:
    """What the person who hands in has."""

    runs: list[RunData]
    """Finished runs outside studies, the best first."""
    studies: Mapping[str, StudyResults]
    """The largest finished one of each name."""
    tokenizers: Sequence[Path] = ()
    """Folders in which `hornbook tokenizer train` noted how long it took."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """A problem of the handout."""

    name: str
    """As the handout calls it; several that one answer serves stand together."""
    asks: str
    command: str
    """What makes the answer."""
    answer: Callable[[Own], Answer | None]
    """Parts of a section of the page; None where there is nothing yet."""


def write_handin(folders: Sequence[Path], out: Path) -> tuple[int, int]:
    """Write the page; return how many problems have an answer, and how many there are. Raises OSError."""
    own = find_own(folders)
    answers = [(problem, problem.answer(own)) for problem in PROBLEMS]
    rows = [
        {"problem": p.name, "answer": "below" if answer else "not run yet", "command": p.command}
        for p, answer in answers
    ]
    answered = sum(answer is not None for _, answer in answers)
    overview = section(
        "overview",
        lead=f"{answered} of {len(rows)} problems have an answer, from {counted(len(own.runs), 'run')} and "
        f"{counted(len(own.studies), 'study')} in {', '.join(map(str, folders))}. What is computed and measured stands "
        "here; the words about it are yours.",
        tables=[_table("overview", "Problems", rows, {"problem": "problem", "answer": "answer", "command": "command"})],
    )
    parts = [overview, *(_part(i, p, answer) for i, (p, answer) in enumerate(answers))]
    write_page(parts, "CS336 assignment 1: basics", out)
    return answered, len(rows)


def _part(place: int, problem: Problem, answer: Answer | None) -> dict[str, Any]:
    answer = None if answer is None else {"findings_title": "Answer", **answer}
    heading = f"{problem.name}: {problem.asks}"
    if answer is None:
        return section(f"problem-{place}", title=heading, lead="Not run yet.", commands=[problem.command],
                       commands_title="To answer it")  # fmt: skip
    return section(f"problem-{place}", **{"title": heading, "commands": [problem.command], **answer})


def find_own(folders: Sequence[Path]) -> Own:
    """Return the runs and studies below folders; what is damaged or not finished is passed over."""
    studies: dict[str, StudyResults] = {}
    runs: list[RunData] = []
    for folder in folders:
        for file in sorted(folder.rglob(STUDY_FILE)):
            study = _try(read_study, file.parent)
            known = None if study is None else studies.get(study.name)
            if study is not None and study.finished and (known is None or _size(study) > _size(known)):
                studies[study.name] = study
        in_studies = [file.parent for file in folder.rglob(STUDY_FILE)]
        for path in run_folders(folder) if folder.is_dir() else []:
            run = None if any(path.is_relative_to(study) for study in in_studies) else _try(read_run, path)
            if run is not None and run.status == "done" and run.last("val_loss") is not None:
                runs.append(run)
    runs.sort(key=lambda run: run.last("val_bits_per_byte") or run.last("val_loss"))
    notes = [file.parent for folder in folders for file in sorted(folder.rglob(TRAINING_FILE))]
    notes = [folder for folder in notes if not (folder.parent / "config.toml").exists()]  # those have rows of their own
    given = [run.config.get("tokenizer", {}).get("path") for run in runs]
    return Own(runs, studies, list(dict.fromkeys([*notes, *(Path(path) for path in given if path)])))


def _size(study: StudyResults) -> int:
    return SCALES.index(study.scale) if study.scale in SCALES else -1


def _try(read: Callable[[Path], Any], path: Path) -> Any:
    try:
        return read(path)
    except (HornbookError, OSError):
        return None


def _found(*names: str) -> Callable[[Own], Answer | None]:
    """Return an answer that is what studies found: their findings, first figures and first table."""

    def answer(own: Own) -> Answer | None:
        found = [own.studies[name] for name in names if name in own.studies]
        if not found:
            return None
        return {
            "findings_title": "What was measured",
            "lead": " ".join(f"{s.design} (scale {s.scale}, {counted(len(s.seeds), 'seed')}, {s.path})" for s in found),
            "findings": [finding for s in found for finding in s.findings],
            "figures": [figure for s in found for figure in s.figures[:FIGURES]],
            "tables": [table for s in found for table in s.tables[:1]],
            "commands": [s.command for s in found],
        }

    return answer


def _code(*files: str) -> Callable[[Own], Answer | None]:
    """Return the answer to a problem that asks for code: where hornbook's is, and the handout's tests of it."""
    return lambda own: {"lead": f"Code: {', '.join('src/hornbook/' + file for file in files)}."}


def _tokenizers(own: Own) -> Answer | None:
    rows = []
    for run in own.runs:
        text = run.config.get("data", {}).get("text") or [run.config.get("data", {}).get("corpus")]
        rows += _tokenizer_row(run.path / "tokenizer", run.name, text)
    for folder in own.tokenizers:
        rows += _tokenizer_row(folder, str(folder))
    labels = {"run": "run or folder", "text": "trained on", "entries": "entries", "longest": "longest tokens",
              "time": "time", "memory": "peak memory"}  # fmt: skip
    timed = "Time is that of counting and merging; peak memory that of the whole process until the tokenizer was there."
    return {"tables": [_table("tokenizers", "Tokenizers", rows, labels)], "findings": [timed]} if rows else None


def _tokenizer_row(folder: Path, name: str, text: Sequence[object] = ()) -> list[dict[str, Any]]:
    tokenizer = _try(Tokenizer.load, folder) if folder.is_dir() else None
    if tokenizer is None:
        return []
    words = ", ".join(readable(row.content) for row in longest_tokens(tokenizer, 3))
    noted = _try(read_json_object, folder / TRAINING_FILE) or {}
    text = text or noted.get("files", ["?"])
    row = {"run": name, "text": ", ".join(map(str, text)), "entries": tokenizer.vocab_size, "longest": words}
    counting, merging, peak = (as_number(noted.get(key)) for key in ("count_seconds", "merge_seconds", "peak_mb"))
    of_this = noted.get("fingerprint") == tokenizer.fingerprint
    if of_this and counting is not None and merging is not None and peak is not None:
        row |= {"time": duration(counting + merging), "memory": quantity(peak * 1e6, "B")}
    return [row]


BARS = "the handout's bar is 1.45 (327.68 M tokens), and 2.00 for its low-resource recipe (40.96 M tokens)"


def _learning_rate(own: Own) -> Answer | None:
    """The sweep, and the lowest loss on TinyStories (nats per token of 10,000 entries) beside the handout's bar."""
    found = _found("learning_rate")(own)
    losses = {run.name: run.last("val_loss") for run in own.runs if _is_tinystories(run)}
    if not losses:
        return found
    name = min(losses, key=lambda run: losses[run])
    lead = f"The lowest validation loss on TinyStories is {number(losses[name])} nats per token ({name}); {BARS}."
    return {**(found or {"findings": []}), "findings": [lead, *(found or {}).get("findings", [])]}


def _is_tinystories(run: RunData) -> bool:
    source = run.config.get("data", {})
    names = [str(name).lower() for key in ("text", "tokens") for name in source.get(key) or ()]
    return any("tinystories" in name for name in names) and run.config.get("model", {}).get("vocab_size") == 10_000


def _accounting(own: Own) -> Answer:
    rows = []
    for name, length in (("gpt2-small", 1024), ("gpt2-medium", 1024), ("gpt2-large", 1024), ("gpt2-xl", 1024),
                         ("gpt2-xl", 16_384)):  # fmt: skip
        a = account(name, context_length=length)
        shares = {group: f"{100 * a.flops.share(group):.1f} %" for group in GROUPS}
        size, products = quantity(a.parameters.bytes(), "B", 4), quantity(a.flops.forward(), "FLOP", 4)
        counts = {"T": length, "parameters": a.parameters.total, "bytes": size, "forward": products}
        rows.append({"model": name, **counts, **shares})
    labels = {"model": "model", "T": "T", "parameters": "parameters", "bytes": "float32", "forward": "forward pass"}
    labels |= {group: group for group in GROUPS}
    return {"tables": [_table("accounting", "Parameters and matrix products of a sequence", rows, labels)],
            "findings": ["The feed-forward networks dominate at T = 1,024, the scores at T = 16,384."]}  # fmt: skip


def _log(own: Own) -> Answer | None:
    return {"tables": [final_metrics(own.runs)], "figures": run_figures(own.runs)[:FIGURES]} if own.runs else None


def _samples(own: Own) -> Answer | None:
    written = [run for run in own.runs if run.samples][:1]
    parts = _found("sampling")(own) or ({} if written else None)
    if parts is None or not written:
        return parts
    run, last = written[0], written[0].samples[-1]
    bits = run.last("val_bits_per_byte")
    text = {"run": run.name, "text": str(last.get("text", "")), "cut": False,
            "details": {} if bits is None else {"bits per byte": number(bits)}}  # fmt: skip
    group = {"step": last.get("step"), "prompt": str(last.get("prompt", "")), "samples": [text]}
    return {**parts, "samples": [group]}


def _table(name: str, title: str, rows: list[dict[str, Any]], labels: Mapping[str, str]) -> Table:
    numbers = {key for key in labels if rows and all(isinstance(row.get(key), (int, float)) for row in rows)}
    words = [key for key in labels if key not in numbers]
    return Table(id=name, title=title, columns=columns(labels, *words), rows=rows)


HOOKS = "make test  # tests/cs336 are the handout's hooks"


def _study(name: str) -> str:
    return shlex.join(["hornbook", "study", "run", name, "--scale", "cpu"])


PROBLEMS = (
    Problem("unicode1, unicode2", "code points and UTF-8", "hornbook handin", unicode),
    Problem("train_bpe", "train a byte-level BPE", HOOKS, _code("tokenizer/train.py", "tokenizer/reference.py")),
    Problem("train_bpe_tinystories, train_bpe_expts_owt", "tokenizers of two corpora, their longest tokens",
            "hornbook train recipes/tinystories-cpu.toml", _tokenizers),
    Problem("train_bpe, its profile", "which part dominates", _study("bpe-ladder"), _found("bpe_ladder")),
    Problem("tokenizer", "encode, decode, iterate", HOOKS, _code("tokenizer/tokenizer.py")),
    Problem("tokenizer_experiments", "compression, throughput", _study("tokenizer"), _found("tokenizer")),
    Problem("linear … transformer_lm", "the parts of the model", HOOKS, _code("nn/", "models/transformer.py")),
    Problem("transformer_accounting", "parameters and FLOPs of GPT-2", "hornbook account gpt2-xl --explain",
            _accounting),
    Problem("cross_entropy", "a stable loss", HOOKS, _code("nn/plain.py")),
    Problem("learning_rate_tuning", "the toy SGD at 1, 10, 100, 1000", _study("toy-sgd"), _found("toy_sgd")),
    Problem("adamw", "the optimizer", HOOKS, _code("optim/adamw.py")),
    Problem("adamwAccounting", "its memory, FLOPs and days", "hornbook account gpt2-xl --batch-size 1024", adamw),
    Problem("learning_rate_schedule, gradient_clipping", "schedule and clipping", HOOKS,
            _code("optim/schedule.py", "optim/clip.py")),
    Problem("data_loading, checkpointing, training_together", "the training loop", HOOKS,
            _code("data/sampler.py", "checkpoint/store.py", "training/loop.py")),
    Problem("decoding", "completion with temperature and top-p", HOOKS, _code("generation/decode.py")),
    Problem("experiment_log", "everything tried, by step and by wall clock",
            "hornbook train recipes/tinystories-cpu.toml", _log),
    Problem("learning_rate", "a sweep, to divergence", _study("learning-rate"), _learning_rate),
    Problem("batch_size_experiment", "from 1 to the memory limit", _study("batch-size"), _found("batch_size")),
    Problem("generate", "text of the model, and what affects it", _study("sampling"), _samples),
    Problem("layer_norm_ablation, pre_norm_ablation", "no RMSNorm, post-norm", _study("norm"), _found("norm")),
    Problem("no_pos_emb", "without positions", _study("position"), _found("position")),
    Problem("swiglu_ablation", "SiLU instead of SwiGLU", _study("feed-forward"), _found("feed_forward")),
    Problem("main_experiment", "the same model on web text", _study("web-text"), _found("web_text")),
    Problem("leaderboard", "the lowest loss in a given time", _study("leaderboard"), _found("leaderboard")),
)  # fmt: skip
