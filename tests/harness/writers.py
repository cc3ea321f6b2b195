"""Every writer of hornbook over an existing good file, with a fault at each of its system calls.

Afterwards what is read is the old or the new, whole; an error says which; and the next write works and leaves nothing
behind. `python tests/harness/writers.py` tries them all and says how many faults that were.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader

import hornbook as hb
from harness.syscalls import DEAD, run
from hornbook.checkpoint.store import Checkpoint, CheckpointStore
from hornbook.cli.lr_find import write_html
from hornbook.data.corpora.storyworld.cloze import cloze_items
from hornbook.data.download import download
from hornbook.data.prepare import prepare
from hornbook.data.sections import DataSection, TokenizerSection
from hornbook.errors import HornbookError
from hornbook.evaluation.cloze import write_harness_task
from hornbook.fileio import NotConfirmedError, atomic_write, new_folder, sha256_bytes
from hornbook.interop.gguf import write_gguf
from hornbook.interop.huggingface import llama_config, llama_tensors
from hornbook.interop.huggingface_export import write_huggingface_model
from hornbook.report.render import write_report
from hornbook.studies.folder import read_study, write_results, write_study
from hornbook.studies.study import Analysis, Plan, Study
from hornbook.tokenizer.formats import read_parts, write_parts
from hornbook.tracking.console import Console
from hornbook.tracking.records import RecordWriter, read_records
from hornbook.tracking.run import Run
from hornbook.training.launch.import_run import import_run
from hornbook.training.launch.lr_range import RangeTest
from hornbook.training.sections import RunSection

OK, OLD_SAID, NEW_SAID, WRONG = 0, 2, 3, 9


@dataclasses.dataclass(frozen=True)
class Writer:
    """How something is written and read again, as number 1 or 2."""

    write: Callable[[Path, int], object]
    read: Callable[[Path], object]
    """Returns 1 or 2; raises where what is there is not whole."""
    decides: str = ""
    """Of several files the one that decides; an error about another one says nothing of it."""
    says: bool = True
    """Whether an error says which one is there: not where reading or appending goes on after the writing."""


def tokenizer(number: int) -> hb.Tokenizer:
    pairs = [[(b"a", b"b"), (b"ab", b"c")], [(b"c", b"d"), (b"cd", b"e")]][number - 1]
    vocab = dict(enumerate([bytes([i]) for i in range(256)] + [left + right for left, right in pairs]))
    return hb.Tokenizer(vocab, pairs, ["<|endoftext|>"], pattern=["gpt2", "cl100k"][number - 1])


def written_as(kind: Any, name: str) -> Writer:
    prints = {tokenizer(number).fingerprint: number for number in (1, 2)}
    return Writer(
        lambda folder, number: write_parts(tokenizer(number).parts(), folder / name, kind),
        lambda folder: prints[hb.Tokenizer.from_parts(read_parts(folder / name)).fingerprint],
    )


def _write_tokens(folder: Path, number: int) -> None:
    (folder / "text").write_text("abcd" * number)
    tokenizer(number).encode_file(folder / "text", folder / "ids.npy")


def _read_tokens(folder: Path) -> int:
    file = hb.TokenFile.open(folder / "ids.npy")
    number = {tokenizer(number).fingerprint: number for number in (1, 2)}[file.manifest["tokenizer_fingerprint"]]
    assert file.manifest["sources"][0]["bytes"] == 4 * number
    assert tokenizer(number).decode(file.ids.tolist()) == "abcd" * number
    return number


def _counts(number: int) -> hb.PretokenCounts:
    counts = hb.PretokenCounts()
    counts.add(b"a", number)
    return counts


def checkpoint(number: int) -> Checkpoint:
    tensors = {"a": torch.full((3, 5), float(number))}
    return Checkpoint(number, tensors, {"0.exp_avg": tensors["a"]}, {"progress": {"step": number}})


def _read_store(folder: Path) -> int:
    complaints: list[str] = []
    store = CheckpointStore(folder, warn=complaints.append)
    found, best = store.load(), store.load("best")
    assert not complaints, complaints
    assert found.model["a"][0, 0] == found.step
    assert best.step in (found.step, 1)
    return found.step


def _single(number: int) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
    model = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(model.weight, number)
    return model, hb.SGD(model.parameters(), lr=0.1)


def _read_single(folder: Path) -> int:
    model, optimizer = _single(7)
    number = hb.load_checkpoint(folder / "a.safetensors", model, optimizer)
    assert model.weight[0, 0] == number
    return number


def _run_of(folder: Path) -> Run:
    return Run.open(folder) if (folder / "config.toml").exists() else Run.create(folder, {"run": {"note": "x"}}, {})


def _set_status(folder: Path, number: int) -> None:
    run = _run_of(folder)
    run.set_status(["stopped", "done"][number - 1])
    run.release()


def _write_records(folder: Path, number: int) -> None:
    if number == 1:
        (folder / "m.jsonl").write_text("".join(json.dumps({"step": step}) + "\n" for step in range(6)))
    else:
        RecordWriter(folder / "m.jsonl", keep_through=2).close()


def _write_study(folder: Path, number: int) -> None:
    plan = Plan(base={}, arms=(), seeds=(number,))
    study = Study(name="a", question=f"{number}?", design="", cost={}, plan=lambda *_: plan, analyse=lambda _: None)  # type: ignore[arg-type, return-value]
    write_study(folder, study, plan, scale="tiny", command="")


def _write_results(folder: Path, number: int) -> None:
    if number == 1:
        _write_study(folder, 1)
    write_results(folder, Analysis(findings=[str(number)], figures=[], tables=[], rows=[{"a": number}]), [], {})


def _write_folder(folder: Path, number: int) -> None:
    target = folder / f"made-{number}"
    if not target.exists():
        with new_folder(target) as place:
            (place / "a").write_text(str(number))


def _read_folder(folder: Path) -> int:
    number = 2 if (folder / "made-2").exists() else 1
    assert (folder / f"made-{number}" / "a").read_text() == str(number)
    return number


def _model(number: int) -> hb.TransformerLM:
    model = hb.TransformerLM(hb.ModelConfig(tokenizer(number).vocab_size, 8, 4, 1, 1, d_ff=4))
    torch.nn.init.constant_(model.token_embeddings.weight, number)
    return model


def _export_folder(folder: Path, number: int) -> None:
    if not (folder / f"hf-{number}").exists():
        with new_folder(folder / f"hf-{number}") as place:
            write_huggingface_model(_model(number), tokenizer(number), place)


def _read_export(folder: Path) -> int:
    number = 2 if (folder / "hf-2").exists() else 1
    place = folder / f"hf-{number}"
    assert llama_tensors(place, llama_config(place))["token_embeddings.weight"][0, 0] == number
    assert hb.Tokenizer.load(place).fingerprint == tokenizer(number).fingerprint
    return number


def _export_file(folder: Path, number: int) -> None:
    if not (folder / f"{number}.gguf").exists():
        write_gguf(_model(number), tokenizer(number), folder / f"{number}.gguf", name="a")


def _read_file(folder: Path) -> int:
    number = 2 if (folder / "2.gguf").exists() else 1
    (table,) = [t for t in GGUFReader(folder / f"{number}.gguf").tensors if t.name == "token_embd.weight"]
    assert (np.asarray(table.data) == number).all()
    return number


def _prepare(folder: Path, number: int) -> None:
    """Records into the cache as plain text, split, a tokenizer trained, both parts encoded."""
    os.environ["HORNBOOK_CACHE"] = str(folder / "cache")
    text = folder / f"{number}.jsonl"
    if not text.exists():
        text.write_text("".join(json.dumps({"text": f"{number} cats {n} sat"}) + "\n" for n in range(30)))
    prepare(DataSection(text=(str(text),)), TokenizerSection(vocab_size=260), Console(silent=True))


def _read_prepared(folder: Path) -> int:
    """Every folder that is ready is whole; the larger of their numbers."""
    found = []
    for ready in (folder / "cache" / "prepared").glob("*/READY.json"):
        own = hb.Tokenizer.load(ready.parent / "tokenizer")
        files = [hb.TokenFile.open(ready.parent / f"{part}-00000.npy") for part in ("train", "validation")]
        texts = [own.decode(file.ids.tolist()) for file in files]
        assert sum(text.count("cats") for text in texts) == 30
        assert {file.manifest["tokenizer_fingerprint"] for file in files} == {own.fingerprint}
        found.append(int(texts[0][0]))
    return max(found)


@functools.cache
def _server() -> str:
    """A web server of its own process, with the files 1.txt and 2.txt."""
    folder = tempfile.mkdtemp()
    for number in (1, 2):
        Path(folder, f"{number}.txt").write_text(str(number) * 20_000)
    words = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.wait)
    atexit.register(server.kill)
    return "http://127.0.0.1:" + server.stdout.readline().split("port ")[1].split()[0]


def _download(folder: Path, number: int) -> None:
    os.environ["HORNBOOK_CACHE"] = str(folder / "cache")
    url = f"{_server()}/{number}.txt"
    download(url, folder / f"{number}.txt", Console(silent=True), sleep=lambda seconds: None)


def _read_download(folder: Path) -> int:
    number = 2 if (folder / "2.txt").exists() else 1
    assert (folder / f"{number}.txt").read_text() == str(number) * 20_000
    for path in (folder / "cache" / "downloads").glob("*.json"):
        known = json.loads(path.read_text())
        assert known["sha256"] == sha256_bytes((known["url"][-5] * 20_000).encode())
    return number


@functools.cache
def _noted(number: int) -> Path:
    """A run whose note is the number."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    Run.create(folder / "run", {"run": {"note": f"number {number}"}}, {}).release()
    (folder / "run" / "metrics.jsonl").write_text('{"step": 1, "train_loss": 2.0}\n{"step": 2, "train_loss": 1.0}\n')
    return folder / "run"


def _read_report(folder: Path) -> int:
    page = (folder / "report.html").read_text()
    assert page.rstrip().endswith("</html>")
    return next(number for number in (1, 2) if f"number {number}" in page)


def _annotate(folder: Path, number: int) -> None:
    run = _run_of(folder)
    run.annotate(str(number), ["one"] * number)
    run.release()


def _read_note(folder: Path) -> int:
    run = Run.open(folder)
    assert run.tags == ["one"]
    return int(run.note)


@functools.cache
def _foreign(number: int) -> Path:
    """A Hugging Face folder whose embeddings are the number."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    _export_folder(folder, number)
    return folder / f"hf-{number}"


def _import(folder: Path, number: int) -> None:
    if not (folder / f"run-{number}").exists():
        import_run(_foreign(number), RunSection(name="a", directory=str(folder / f"run-{number}")), "there")


def _read_import(folder: Path) -> int:
    number = 2 if (folder / "run-2").exists() else 1
    model, known, _ = hb.load_run(folder / f"run-{number}")
    assert model.token_embeddings.weight[0, 0] == number
    assert known.fingerprint == tokenizer(number).fingerprint
    return number


def _write_cloze(folder: Path, number: int) -> None:
    if not (folder / f"task-{number}").exists():
        write_harness_task(folder / f"task-{number}", cloze_items(number, "easy"), "easy")


def _read_cloze(folder: Path) -> int:
    number = 2 if (folder / "task-2").exists() else 1
    assert (folder / f"task-{number}" / "storyworld_cloze.yaml").stat().st_size
    assert len(read_records(folder / f"task-{number}" / "cloze.jsonl", flat=False)) == number
    return number


def _write_curve(folder: Path, number: int) -> None:
    found = RangeTest([0.1, 0.2, 0.4], [3.0, 2.0, 1.0], False, [3.0, 2.0, 1.0], [-1.0, -2.0, -3.0])
    write_html(found, [f"number {number}"] * 2, folder / "report.html", "hornbook lr-find")


WRITERS = {
    "any file": Writer(
        lambda f, n: atomic_write(f / "a" / "b" / "c", str(n) * 20_000),
        lambda f: {str(n) * 20_000: n for n in (1, 2)}[(f / "a" / "b" / "c").read_text()],
    ),
    "new folder": Writer(_write_folder, _read_folder),
    "token file": Writer(_write_tokens, _read_tokens),
    "token file of an array": Writer(
        lambda f, n: hb.TokenFile.write(
            f / "a.npy", [n] * 9, vocab_size=9, tokenizer_fingerprint=str(n), sources=[], num_bytes=n, num_documents=1
        ),
        lambda f: {(n, n): n for n in (1, 2)}[
            (lambda t: (int(np.unique(t.ids).item()), t.manifest["num_bytes"]))(hb.TokenFile.open(f / "a.npy"))
        ],
    ),
    "tokenizer, own": written_as("hornbook", "tokenizer"),
    "tokenizer, gpt2": written_as("gpt2", "gpt2"),
    "tokenizer, tiktoken": written_as("tiktoken", "a.tiktoken"),
    "tokenizer, huggingface": written_as("huggingface", "hf"),
    "counts": Writer(
        lambda f, n: _counts(n).save(f / "c"), lambda f: dict(hb.PretokenCounts.load(f / "c").items())[b"a"]
    ),
    "checkpoints": Writer(lambda f, n: CheckpointStore(f).save(checkpoint(n), best_val_loss=1 / n), _read_store),
    "one checkpoint": Writer(lambda f, n: hb.save_checkpoint(*_single(n), n, f / "a.safetensors"), _read_single),
    "status of a run": Writer(_set_status, lambda f: {"stopped": 1, "done": 2}[Run.open(f).status], "status.json"),
    "records cut": Writer(_write_records, lambda f: {6: 1, 3: 2}[len(read_records(f / "m.jsonl"))], says=False),
    "export, hf": Writer(_export_folder, _read_export),
    "export, gguf": Writer(_export_file, _read_file),
    "study": Writer(_write_study, lambda f: read_study(f).seeds[0]),
    "prepared data": Writer(_prepare, _read_prepared, "/prepared/", says=False),
    "download": Writer(_download, _read_download, "/2.txt"),
    "report": Writer(lambda f, n: write_report([_noted(n)], f / "report.html"), _read_report),
    "note and tags": Writer(_annotate, _read_note, "config.toml"),
    "import, hf": Writer(_import, _read_import),
    "cloze task": Writer(_write_cloze, _read_cloze),
    "page of lr-find": Writer(_write_curve, _read_report),
    "results of a study": Writer(_write_results, lambda f: int(read_study(f).findings[0]), "results.json"),
}


def code_of(error: BaseException | None, decides: str = "") -> int:
    """Return what the child's error says of the disk; any other kind of error is a defect."""
    while isinstance(error, HornbookError) and isinstance(error.__cause__, OSError):
        if "is whole in" in str(error):
            return NEW_SAID
        error = error.__cause__
    if error is None:
        return OK
    if isinstance(error, NotConfirmedError):
        return NEW_SAID if decides in str(error.filename) else OLD_SAID
    if not isinstance(error, OSError):
        traceback.print_exception(error)
        return WRONG
    return OLD_SAID


def every_call(name: str, step: int = 1, first: int = 1) -> tuple[Counter, list[str]]:
    """Try a writer with EIO and a kill at its calls `first`, `first + step` …; return counts and what was wrong."""
    writer, counts, wrong = WRITERS[name], Counter(), []
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    good, spare = root / "good", root / "spare"
    for folder, numbers in ((spare, (1, 2)), (good, (1,))):  # the first pass loads every module that the writer needs
        folder.mkdir()
        for number in numbers:
            writer.write(folder, number)
            assert writer.read(folder) == number
    for kind in ("EIO", "kill"):
        at = first
        while True:
            folder = root / "tried"
            shutil.copytree(good, folder)
            said = partial(code_of, decides=writer.decides)
            code, count = run(partial(writer.write, folder, 2), at, kind, said)
            reached = code == DEAD if kind == "kill" else count >= at
            counts[kind] += reached
            if problem := _problem(writer, folder, code):
                wrong.append(f"{name}: {kind} at call {at}: {problem}")
            shutil.rmtree(folder)
            if not reached:
                break
            at += step
    shutil.rmtree(root)
    return counts, wrong


def _problem(writer: Writer, folder: Path, code: int) -> str:
    allowed = {OK: {2}, OLD_SAID: {1} if writer.says else {1, 2}, NEW_SAID: {2}, DEAD: {1, 2}}.get(code)
    if allowed is None:
        return f"the child ended with {code}"
    before = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    try:
        found = writer.read(folder)
        if found not in allowed:
            return f"code {code} was said, and {found} is there: {before}"
        writer.write(folder, 2)
        if (found := writer.read(folder)) != 2:
            return f"after the next write {found} is there"
    except Exception as error:
        out = io.StringIO()
        traceback.print_exception(error, limit=-2, file=out)
        return f"code {code}, {before}: {out.getvalue()}"
    left = [path.name for path in folder.rglob(".*") if path.name != ".lock"]
    return f"the next write leaves {left}" if left else ""


if __name__ == "__main__":
    faults, total = [], Counter()
    for writer_name in sys.argv[1:] or WRITERS:
        made, bad = every_call(writer_name)
        print(f"{writer_name:<24} {dict(made)} {len(bad)} wrong", flush=True)
        faults += bad
        total += made
    print("\n".join(faults))
    print(f"{sum(total.values())} faults over {len(WRITERS)} writers, {len(faults)} wrong")
    sys.exit(1 if faults else 0)
