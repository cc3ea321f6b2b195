"""Sentences for callers in Python, and for states that only a function by itself comes into: each is brought about.

The command line's own are in test_messages_commands.py and in the tests of each subcommand.
"""

import builtins
import contextlib
import io
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.fileio import canonical_json


@contextlib.contextmanager
def refused(words):
    with pytest.raises(HornbookError, match=re.escape(words)) as caught:
        yield
    assert "\n" not in str(caught.value)


@pytest.fixture
def without(monkeypatch):
    """A function that takes a library away."""

    def take(name):
        real = builtins.__import__

        def without_it(wanted, *arguments, **more):
            if wanted.split(".")[0] == name:
                raise ImportError(wanted)
            return real(wanted, *arguments, **more)

        monkeypatch.setattr(builtins, "__import__", without_it)

    return take


def test_accounting():
    from hornbook.accounting.cost_spec import load_spec
    from hornbook.accounting.training_time import training_time

    with refused("a preset has the sections model, training, optimizer, not 'modle' (did you mean 'model'?)"):
        load_spec("gpt2-small", {"modle": {"d_model": 64}})
    with refused("tokens_per_second = 0 must be positive"):
        training_time(SimpleNamespace(tokens=1), 1, steps=1, peak=1.0, tokens_per_second=0)  # type: ignore[arg-type]


def test_a_single_checkpoint(tmp_path):
    from hornbook.checkpoint.single import load_checkpoint, save_checkpoint
    from hornbook.checkpoint.tensors import write_tensors

    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.AdamW(model.parameters())
    good = io.BytesIO()
    save_checkpoint(model, optimizer, 3, good)
    (length,) = struct.unpack("<Q", good.getvalue()[:8])
    header = json.loads(good.getvalue()[8 : 8 + length])["__metadata__"]

    def load(metadata, tensors=None):
        file = io.BytesIO()
        write_tensors(file, tensors or {"model.weight": torch.zeros(2)}, metadata)
        file.seek(0)
        load_checkpoint(file, model, optimizer)

    with refused("has a tensor other.weight, which belongs to neither the model nor the optimizer"):
        load(header, {"other.weight": torch.zeros(2)})
    with refused("'param_groups' in its header cannot be read"):
        load({**header, "param_groups": "["})
    with refused("was written by an optimizer with other parameter groups"):
        load({**header, "param_groups": "[]"})
    groups = json.loads(header["param_groups"])
    with refused("was written by an optimizer with other settings than"):
        load({**header, "param_groups": json.dumps([{**groups[0], "more": 1}])})
    with refused("optimizer state 0.step is -1, wanted a count or a plain number"):
        load({**header, "numbers": json.dumps({"0.step": -1})})
    with refused("the checkpoint is not a sound safetensors file"):
        load_checkpoint(io.BytesIO(b"nonsense"), model, optimizer)
    with refused("a has type torch.complex64, which a checkpoint cannot hold"):
        write_tensors(io.BytesIO(), {"a": torch.zeros(2, dtype=torch.complex64)})


def test_figures_and_reports(tmp_path, without):
    from hornbook.report.drawing import save_figures
    from hornbook.report.render import write_report
    from hornbook.studies.charts import Figure, Series, figure_from_dict, table_from_dict

    with refused("a report needs at least one run or study folder"):
        write_report([], tmp_path / "a.html")
    with refused("series 'a' has no values on axis 'tokens'"):
        series = [Series(name="a", x={"step": [1.0]}, y=[1.0])]
        Figure(id="f", title="t", x_axes={"tokens": "tokens"}, y_label="loss", series=series)
    with refused("figure 1 must be an object, with lists of pairs as"):
        figure_from_dict({"x_axes": 3}, "figure 1")
    with refused("table 1 must be an object, not list"):
        table_from_dict([], "table 1")
    without("matplotlib")
    with refused("SVG and PNG figures need matplotlib: pip install 'hornbook[report]'"):
        save_figures([], tmp_path)


def test_libraries_that_are_missing(tmp_path, without):
    from hornbook.data.text_reader import TextReader
    from hornbook.interop.gguf import write_gguf
    from hornbook.studies.search import search_settings

    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "a.txt.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    without("pyarrow")
    with refused("a.parquet is parquet, which needs pyarrow: pip install 'hornbook[data]'"):
        list(TextReader([str(tmp_path / "a.parquet")]))
    without("zstandard")
    with refused("a.txt.zst is zstd, which needs zstandard: pip install 'hornbook[data]'"):
        list(TextReader([str(tmp_path / "a.txt.zst")]))
    without("gguf")
    with refused("a GGUF file is written by gguf: pip install 'hornbook[interop]'"):
        write_gguf(*[None] * 3, name="a")  # type: ignore[arg-type]
    without("optuna")
    with refused("the search needs optuna: pip install 'hornbook[studies]'"):
        search_settings(*[None] * 3, trials=1)  # type: ignore[arg-type]


def test_parts_of_a_model():
    from hornbook.models.transformer import TransformerBlock
    from hornbook.nn.attention import MultiHeadSelfAttention
    from hornbook.optim.base import dense_gradient

    with refused("norm = 'inner' is not one of 'pre', 'post', 'none'"):
        TransformerBlock(8, 2, 16, norm="inner")  # type: ignore[arg-type]
    with refused("ffn = 'mlp' is not one of"):
        TransformerBlock(8, 2, 16, ffn="mlp")  # type: ignore[arg-type]
    with refused("d_model = 9 is not divisible by num_heads = 2"):
        MultiHeadSelfAttention(9, 2)
    parameter = torch.nn.Parameter(torch.zeros(4, 2))
    parameter.grad = torch.sparse_coo_tensor(torch.tensor([[1]]), torch.ones(1, 2), (4, 2), check_invariants=True)
    with refused("a sparse gradient came"):
        dense_gradient(parameter)


def test_tokens_and_batches(tmp_path):
    from hornbook.data.sampler import BatchSampler, get_batch
    from hornbook.data.token_data import TokenData
    from hornbook.evaluation.loss import evaluate
    from hornbook.generation.decode import stream
    from hornbook.tokenizer.token_writer import TokenFileWriter

    data = TokenData([np.arange(9, dtype=np.uint16)])
    with refused("order = 'sorted' is not one of"):
        BatchSampler(data, 1, 4, seed=0, order="sorted")  # type: ignore[arg-type]
    with refused("tokens of shape (2, 2) are not a sequence"):
        get_batch(np.zeros((2, 2), np.int64), 1, 4, "cpu")
    with refused("there is no token file to read"):
        TokenData([])
    model = torch.nn.Linear(1, 1)
    with refused("fewer than two tokens"):
        evaluate(model, TokenData([np.arange(1, dtype=np.uint16)]), 1, 4)  # type: ignore[arg-type]
    with refused("max_new_tokens = -1 must not be negative"):
        next(stream(model, [1], -1))  # type: ignore[arg-type]
    with TokenFileWriter(tmp_path / "a.npy", vocab_size=9) as writer:  # type: ignore[arg-type]
        with refused("another process is writing"), TokenFileWriter(tmp_path / "a.npy", vocab_size=9):  # type: ignore[arg-type]
            pass
        with refused("token ids are a one-dimensional array of integers, not float64 of shape (2,)"):
            writer.append(np.zeros(2))


def test_sizes_of_files_that_change_while_they_are_read(tmp_path):
    from hornbook.data import split, stream

    path = tmp_path / "a.txt"
    path.write_text("ab")
    file = SimpleNamespace(path=path, num_bytes=9, num_documents=2)
    piece = SimpleNamespace(file=file, start=0, end=9)
    with refused("a.txt became shorter while it was read; start again"):
        split.copy_slice(piece, tmp_path / "out")  # type: ignore[arg-type]
    with refused("a.txt became shorter while it was read; start again"):
        stream.write_slices([piece], None, tmp_path / "out")  # type: ignore[list-item]
    with refused("a.txt changed while it was read; start again"):
        list(stream._all_documents([file], None))  # type: ignore[list-item]


def test_tokenizers(tmp_path):
    from hornbook.tokenizer.counts import PretokenCounts
    from hornbook.tokenizer.formats import read_parts, write_parts
    from hornbook.tokenizer.formats.tiktoken import merges_of_ranks
    from hornbook.tokenizer.ladder.parallel import result_of
    from hornbook.tokenizer.patterns import find_pattern
    from hornbook.tokenizer.regex_pool import _answer
    from hornbook.tokenizer.tokenizer import Tokenizer
    from hornbook.tokenizer.train import train_bpe

    with refused("a pattern is a str, a name"):
        find_pattern(3)  # type: ignore[arg-type]
    with refused("a pre-token has bytes and a count of at least 1"):
        PretokenCounts("gpt2", []).add(b"", 1)
    with refused("a vocabulary maps at least one id"):
        Tokenizer({}, [])
    (tmp_path / "a.txt").write_text("a b c")
    with refused("vocab_size is a whole number, not 300.5"):
        train_bpe(tmp_path / "a.txt", 300.5, [])  # type: ignore[arg-type]
    with refused("an entry of 100000 bytes is too long for a ranks file"):
        merges_of_ranks({bytes([b]): b for b in range(256)} | {b"a" * 100_000: 256})
    (tmp_path / "a.tiktoken").write_text("")
    with refused("does not say the ids of its special tokens: give them as a mapping"):
        read_parts(tmp_path / "a.tiktoken", special_tokens=["<|endoftext|>"])
    (tmp_path / "a.model").write_text("x")
    with refused("a.model is no tokenizer that hornbook knows"):
        read_parts(tmp_path / "a.model")
    (tmp_path / "vocab.json").write_text("{}")
    with refused("there is no merges.txt, and GPT-2's format needs both"):
        read_parts(tmp_path / "vocab.json")
    parts = SimpleNamespace()
    with refused("there is no format 'gtp2' (did you mean 'gpt2'?)"):
        write_parts(parts, tmp_path / "out", "gtp2")  # type: ignore[arg-type]
    (tmp_path / "hornbook-tokenizer.json").write_text("{}")
    with refused("holds hornbook-tokenizer.json, which would be read in place of"):
        write_parts(parts, tmp_path, "gpt2")  # type: ignore[arg-type]

    def process(code):
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    with refused("a process of the ladder ended with code 3: out of room"):
        result_of(process("import sys; print('out of room', file=sys.stderr); sys.exit(3)"))
    with process("import sys; sys.exit(9)") as ended, refused("a process that splits text ended early (code 9)"):
        _answer(ended)


def test_a_file_of_counts_that_was_changed(tmp_path):
    import hashlib

    from hornbook.tokenizer.counts import PretokenCounts
    from hornbook.tokenizer.counts_file import MAGIC, read_counts

    path = tmp_path / "a.counts"
    counts = PretokenCounts("gpt2", [])
    counts.add(b"ab", 2)
    counts.add(b"cd", 3)
    counts.save(path)
    content = path.read_bytes()
    end = 16 + int.from_bytes(content[8:16], "little")
    header = json.loads(content[16:end])

    def read(body=content[end:], **changes):
        fields = {**header, "sha256": hashlib.sha256(body).hexdigest(), **changes}
        text = json.dumps(fields).encode() if "raw" not in changes else changes["raw"]
        path.write_bytes(MAGIC + len(text).to_bytes(8, "little") + text + body)
        return list(read_counts(path)[1])

    assert read() == [(b"ab", 2), (b"cd", 3)]
    with refused("has a damaged header: it is not JSON"):
        read(raw=b"{")
    with refused("has version 99; this hornbook reads version"):
        read(version=99)
    with refused("special_tokens holds something else than strings"):
        read(special_tokens=[3])

    def body(numbers, lengths, words):
        return struct.pack("<4Q", *numbers, *lengths) + words

    with refused("is damaged: an empty pre-token, or a count of 0"):
        read(body((0, 3), (2, 2), b"abcd"))
    with refused("has a count of 9,223,372,036,854,775,808; counts go up to 2^63 - 1"):
        read(body((2**63, 3), (2, 2), b"abcd"))
    with refused("is damaged: the lengths do not add up to 4 bytes"):
        read(body((2, 3), (2, 1), b"abcd"))
    with refused("is damaged: b'ab' stands out of order"):
        read(body((2, 3), (2, 2), b"cdab"))


def test_a_checkpoint_folder_that_was_changed(tmp_path):
    from hornbook.checkpoint.store import CheckpointStore

    store = CheckpointStore(tmp_path)
    folder = store.path(3)
    folder.mkdir(parents=True)
    with refused("has no MANIFEST.json"):
        store.load(3)
    with refused("checkpoint = 'first' is not understood; use 'best', 'last' or a step"):
        store.load("first")


def test_groups_of_processes():
    from hornbook.training.distributed.world import Group

    group = object.__new__(Group)
    group._watch = SimpleNamespace(error=lambda wait: None)  # type: ignore[assignment]
    with refused("a process of the group does not answer any more"), group.exchanges():
        raise RuntimeError("Connection closed by peer")


def test_what_torch_cannot_compile():
    from torch._dynamo.exc import TorchDynamoException

    from hornbook.training.compilation import compilation

    with refused("the step could not be compiled; train with --training.compile false"), compilation():
        raise TorchDynamoException("BackendCompilerFailed: backend='inductor' raised: …")


def test_an_instruction_set_that_is_none(monkeypatch):
    from hornbook import simd

    monkeypatch.setenv(simd.VARIABLE, "avx1024")
    with refused("HORNBOOK_SIMD is 'avx1024'; it can be"):
        simd.obey(lambda word: True)


def test_a_model_of_others_without_a_map_of_weights(tmp_path):
    from hornbook.interop.huggingface import INDEX, _read

    (tmp_path / INDEX).write_text(canonical_json({"weight_map": 3}))
    with refused("has no weight_map from names to files"):
        _read(Path(tmp_path))


def test_a_search_that_ends_without_a_loss(tmp_path, monkeypatch):
    from hornbook.studies import search
    from hornbook.tracking.console import Console

    space = {"optimizer.lr": search.Range(1e-4, 1e-2)}
    settings = {"trials": 1, "console": Console(silent=True)}
    monkeypatch.setattr(search, "read_outcome", lambda *_: SimpleNamespace(diverged=True))
    monkeypatch.setattr(search, "train_one", lambda *_: ("diverged", ""))
    with refused("finished with a loss; narrow the ranges"):
        search.search_settings({}, space, tmp_path / "a", **settings)
    monkeypatch.setattr(search, "train_one", lambda *_: ("stopped", ""))
    with refused("the search was stopped; the same command goes on"):
        search.search_settings({}, space, tmp_path / "b", **settings)
    monkeypatch.setattr(search, "train_one", lambda *_: ("failed", "the disk is full"))
    with refused("seed-0 failed: the disk is full"):
        search.search_settings({}, space, tmp_path / "c", **settings)


def test_recipes_that_a_group_of_processes_cannot_train():
    from hornbook.training.distributed.world import Group

    group = object.__new__(Group)
    group.size = 2
    plain = {"distributed": "ddp", "batch_size": 6, "gradient_accumulation": 2}
    with refused('logging.norms looks at whole gradients, which training.distributed = "fsdp" never holds'):
        training = SimpleNamespace(**plain | {"distributed": "fsdp"})
        group.check_recipe(SimpleNamespace(training=training, logging=SimpleNamespace(norms=True)))  # type: ignore[arg-type]
    with refused("training.batch_size = 6 does not divide into 2 parts for each of 2 processes"):
        logging = SimpleNamespace(norms=False)
        recipe = SimpleNamespace(training=SimpleNamespace(**plain), logging=logging)
        group.check_recipe(recipe)  # type: ignore[arg-type]


def test_a_group_that_loses_a_process_says_what_was_saved(monkeypatch):
    from hornbook.training import loop
    from hornbook.training.distributed.world import WorkerLostError, World

    def lose(*_):
        raise WorkerLostError("a process of the group does not answer any more")

    class Nothing(contextlib.nullcontext):
        sync = start = wait = lambda self: None

        def __enter__(self):
            return self

    nothing = Nothing()
    monkeypatch.setattr(loop, "_loop", lose)
    monkeypatch.setattr(loop, "RunLogger", lambda *_, **__: nothing)
    saver = SimpleNamespace(save_after_worker_loss=lambda: "step 4 is saved", saver=nothing)
    trainer = SimpleNamespace(counters=SimpleNamespace(step=0, evaluated=0))
    setup = SimpleNamespace(
        trainer=trainer, run=None, config=None, estimate=None, clock=nothing, world=World(), checkpointer=saver
    )
    with refused(
        "a process of the group does not answer any more; step 4 is saved: start torchrun again with --resume"
    ):
        loop._run(setup, None, None)  # type: ignore[arg-type]


def test_hubs_that_refuse(tmp_path, monkeypatch):
    from hornbook.interop.hub import check_push, download_model, push_folder

    with refused("is no folder here, and fetching it from the hub failed: that is no name of a repository"):
        download_model("a--b")
    with refused("a b c is no folder here, and that is no name of a repository"):
        download_model("a b c")
    with refused("nothing was written, as nothing can be uploaded to 'a b c': that is no name of a repository"):
        check_push("a b c")
    with refused("(the same command goes on from it); uploading it to a b c failed: that is no name of a repository"):
        push_folder(tmp_path, "a b c")


def test_texts_of_a_kind_that_is_rare(tmp_path, monkeypatch):
    from hornbook.data import text_reader, unpacking
    from hornbook.data.records import FieldReader, separated_values
    from hornbook.data.special_text import STAND_IN, SpecialText
    from hornbook.studies.catalogue.tokenizer import sample_text
    from hornbook.studies.study import Options

    monkeypatch.setattr(text_reader, "is_stream", lambda name: True)
    (tmp_path / "short.txt").write_text("one document")
    reader = text_reader.TextReader([str(tmp_path / "short.txt")])
    with refused("parquet is read from its end, and"):
        list(reader._parquet("-"))

    class Limited:
        needs_input, eof = True, False

        def decompress(self, *_):
            raise OSError("Memory usage limit was exceeded")

    with refused("a.xz needs more than 512 MB to be unpacked: unpack it first"):
        list(unpacking._unpacked(iter([b"x"]), "a.xz", "xz", Limited))  # type: ignore[arg-type]
    rows = separated_values(iter([b"text\na\n"]), "a.csv", FieldReader("text", "strict"), ",")
    assert list(rows) == ["a"]
    with refused("is kept for what stands between documents"):
        SpecialText([STAND_IN], "<|endoftext|>", "text").record(STAND_IN, "a.txt, line 1")
    (tmp_path / "short.txt").write_text("one document")
    with refused("has too few documents for training and held-out text"):
        sample_text("stories", 0, "tiny", Options(text=tmp_path / "short.txt"))


def test_tokenizers_that_do_not_fit(monkeypatch):
    from hornbook.evaluation.story_score import _separator
    from hornbook.tokenizer import patterns
    from hornbook.tokenizer.formats.huggingface import _pattern
    from hornbook.tokenizer.tokenizer import Tokenizer

    with refused("the tokenizer has no special token <|endoftext|>, so it cannot mark where a story ends"):
        _separator(SimpleNamespace(special_token_ids={}))  # type: ignore[arg-type]
    split = {"type": "Split", "pattern": {"Regex": "a|b"}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    with refused("pre_tokenizer splits twice, by Split and by ByteLevel's own pattern"):
        _pattern({"type": "Sequence", "pretokenizers": [split, byte_level]}, Path("t.json"))
    vocab = {i: bytes([i]) for i in range(256)} | {256: b"<s>", 257: b"<s>"}
    parts = SimpleNamespace(vocab=vocab, merges=[], special_tokens={"<s>": 257}, pattern="gpt2", assumed=())
    with refused("a special token of this file has another id than the lowest entry with its bytes"):
        Tokenizer.from_parts(parts)  # type: ignore[arg-type]

    def full(*_, **__):
        raise MemoryError

    with refused("the pattern 'a' needs more memory than there is"):
        list(patterns._in_time(SimpleNamespace(finditer=full, pattern="a"), "a"))  # type: ignore[arg-type]


def test_rungs_of_the_ladder_that_differ(tmp_path, monkeypatch):
    from hornbook.tokenizer.ladder import timing

    monkeypatch.setattr(timing, "start_process", lambda *words: words[1])
    fields = {name: 0 for name in timing.Rung._fields if name != "name"}
    monkeypatch.setattr(timing, "result_of", lambda name: fields | {"merges_sha256": name})
    (tmp_path / "a.txt").write_text("a b c")
    with refused("this is a defect of hornbook"):
        timing.run(tmp_path / "a.txt", 300)


def test_parts_of_text_that_cannot_be_divided(tmp_path):
    from hornbook.data.split import split_files
    from hornbook.data.stream import write_split

    (tmp_path / "a.txt").write_text("one document")
    file = SimpleNamespace(path=tmp_path / "a.txt", num_bytes=12, num_documents=1)
    with refused("1 document cannot be cut so that data.validation = 0.999 leaves something on both sides"):
        split_files([file], None, 0.999)  # type: ignore[list-item]
    (tmp_path / "b.txt").write_text("a\n<|endoftext|>\n" * 25)
    file = SimpleNamespace(path=tmp_path / "b.txt", num_bytes=16 * 25, num_documents=25)
    with refused("data.validation = 0.999 of 25 documents leaves nothing to train on; take less"):
        write_split([file], "<|endoftext|>", 0.999, 1, (tmp_path / "t", tmp_path / "v"))  # type: ignore[list-item]


def test_records_and_prompts_that_hold_no_text(tmp_path):
    from hornbook.cli.generate import _document_start
    from hornbook.data.special_text import STAND_IN, SpecialText

    with refused("an empty prompt needs a tokenizer with <|endoftext|>"):
        _document_start(SimpleNamespace(special_token_ids={}))
    with refused("a.txt, line 2 holds U+FDD0 document U+FDD1, which is kept for what stands between documents"):
        text = SpecialText([STAND_IN], "<|endoftext|>", "text")
        list(text.plain(iter([f"a\n{STAND_IN}".encode()]), "a.txt"))


def test_a_checkpoint_whose_parts_are_of_two_steps(tmp_path):
    import hashlib

    from harness.recipes import quiet_train, tiny_recipe

    from hornbook.checkpoint.store import CheckpointStore

    recipe = tiny_recipe(tmp_path, training={"steps": 4})
    store = CheckpointStore(quiet_train(recipe).path / "checkpoints")
    folder = store.path(store.steps()[-1])
    state = json.loads((folder / "state.json").read_text())
    manifest = json.loads((folder / "MANIFEST.json").read_text())

    def write(content):
        text = canonical_json(content).encode()
        (folder / "state.json").write_bytes(text)
        entry = {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        files = manifest["files"] | {"state.json": entry}
        (folder / "MANIFEST.json").write_text(canonical_json(manifest | {"files": files}))

    write(state | {"step": 3})
    with refused("state.json is of another step or version than its folder says"):
        store.load(store.steps()[-1])
    write({key: value for key, value in state.items() if key != "guard"})
    with refused("has a state.json that lacks the key 'guard'; it is damaged"):
        quiet_train(recipe | {"training": recipe["training"]}, resume=True)


def test_a_demo_that_diverges(tmp_path, monkeypatch, capsys):
    from hornbook.cli import demo
    from hornbook.cli.main import main
    from hornbook.training import loop

    monkeypatch.setattr(demo, "_sized", lambda *_: {})
    monkeypatch.setattr(demo, "check_paths", lambda *_: None)
    monkeypatch.setattr(loop, "train", lambda *_, **__: SimpleNamespace(status="diverged", path=tmp_path))
    assert main(["demo", "--quick", "--directory", str(tmp_path / "demo")]) == 2
    assert "the demo's training ended as 'diverged'" in capsys.readouterr().err


def test_a_server_that_sends_on_without_end(tmp_path):
    import httpx

    from hornbook.data import download

    def stream(*_, **__):
        raise httpx.TooManyRedirects("Exceeded maximum allowed redirects.")

    source = download._Source(version=1, url="http://a/b")
    with refused("http://a/b cannot be fetched: the server sends on from place to place without an end"):
        download._attempt(SimpleNamespace(stream=stream), source, io.BytesIO(), tmp_path / "n", None)  # type: ignore[arg-type]


def test_a_search_for_a_rate_that_begins_at_none(tmp_path):
    from harness.recipes import tiny_recipe

    from hornbook.tracking.console import Console
    from hornbook.training.config import resolve
    from hornbook.training.launch.lr_range import _trainer

    config = resolve(tiny_recipe(tmp_path, optimizer={"lr": 0.0}))
    with refused("optimizer.lr = 0 has no ratio to other rates"):
        _trainer(config, Console(silent=True))


def test_an_evaluation_that_overflows(monkeypatch):
    from hornbook.cli import eval as evaluation
    from hornbook.evaluation import loss
    from hornbook.tracking.console import Console

    monkeypatch.setattr(loss, "evaluate", lambda *_, **__: SimpleNamespace(loss=float("inf")))
    with refused("the loss of the run is inf: its logits overflow"):
        evaluation._measure(None, [1, 2], (1, 4, None), "the run", Console(silent=True))  # type: ignore[arg-type]
