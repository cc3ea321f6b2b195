"""On the real text beside the project: ids are tiktoken's, merges are those of an independent trainer."""

import gzip

import numpy as np
import pytest
import tiktoken

import hornbook as hb
from hornbook.tokenizer.patterns import NAMED

END = "<|endoftext|>"
FILES = ["tinystories.txt", "docs-en.txt.gz", "books-en.txt.gz"]


def read(folder, name: str, size: int | None = None) -> str:
    path = folder / name
    with gzip.GzipFile(path) if name.endswith(".gz") else path.open("rb") as file:
        return file.read(size).decode("utf-8", errors="ignore") if size else file.read().decode()


@pytest.fixture(scope="module")
def gpt2(shared_data):
    return hb.Tokenizer.from_files(shared_data / "gpt2-vocab.json", shared_data / "gpt2-merges.txt", [END])


@pytest.fixture(scope="module")
def openai(gpt2):
    ranks = {token: number for number, token in gpt2.vocab.items() if number != 50_256}
    return tiktoken.Encoding("gpt2", pat_str=NAMED["gpt2"], mergeable_ranks=ranks, special_tokens={END: 50_256})


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_ids_are_tiktokens_on_real_text(shared_data, gpt2, openai, name, request):
    text = read(shared_data, name, 4_000_000)
    wanted = openai.encode_to_numpy(text, allowed_special="all")
    assert np.array_equal(gpt2.encode_array(text), wanted)
    assert np.array_equal(gpt2.encode_array(text, 2), wanted)
    assert gpt2.decode(wanted) == text


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_ids_are_tiktokens_on_all_of_the_real_text(shared_data, gpt2, openai, name):
    text = read(shared_data, name)
    assert np.array_equal(gpt2.encode_array(text), openai.encode_to_numpy(text, allowed_special="all"))


def symbols_by_ffbpe(counts: hb.PretokenCounts, vocab_size: int) -> list[bytes]:
    """The new symbols in order of creation, by an independent trainer with the handout's tie rule."""
    ffbpe = pytest.importorskip("ffbpe")
    trainer = ffbpe.BpeTrainer([], tie_break="largest_content")
    trainer.add_words([(word.decode(), count) for word, count in counts.items()])
    trainer.init_training()
    trainer.train(vocab_size)
    return sorted(trainer.vocab, key=trainer.vocab.__getitem__)[256:]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size"), [("tinystories.txt", 8000), ("docs-en.txt.gz", 20_000), ("books-en.txt.gz", 20_000)]
)
def test_merges_are_those_of_ffbpe_on_real_text(shared_data, name, size):
    counts = hb.PretokenCounts("gpt2", [END])
    counts.add_text(read(shared_data, name, 12_000_000))
    vocab, merges = hb.train_bpe_from_counts(counts, size, [])
    assert [left + right for left, right in merges] == symbols_by_ffbpe(counts, size)
    assert list(vocab.values())[256:] == [left + right for left, right in merges]


@pytest.mark.shared
def test_merges_are_equal_for_1_2_and_7_threads_on_real_text(shared_data, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(read(shared_data, "docs-en.txt.gz", 12_000_000))
    one = hb.train_bpe(path, 8000, [END], num_threads=1)
    assert hb.train_bpe(path, 8000, [END], num_threads=2) == one
    assert hb.train_bpe(path, 8000, [END], num_threads=7) == one
