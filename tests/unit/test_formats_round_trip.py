"""From every format to every other: the same tokenizer comes out, or a sentence says why it cannot."""

import gzip
import itertools
import json

import pytest

import hornbook as hb
from hornbook.cli.main import main
from hornbook.errors import FormatError
from hornbook.tokenizer import formats, patterns, reference
from hornbook.tokenizer.formats import gpt2
from hornbook.tokenizer.formats.parts import TokenizerParts
from hornbook.tokenizer.tokenizer import Tokenizer

TEXT = (
    "Low lower LOWEST newest; it's I'LL don't 12345 67 été ÉTÉ naïve 東京 \U0001f600\U0001f680 x\u00a0y\n"
    "  indented\tcode() {\r\n\r\n}\n\n\n tail  // comment/\n'ſ 'Sup Ⅷ ½ ²\u3000ends\n  "
)
FREE = r"\p{L}+|\s+|[^\s\p{L}]+"
SPECIAL = {
    "one": ["<|endoftext|>"],
    "none": [],
    "two that overlap, one with a space": ["<|a|>", "<|a|> b", "</s>"],
    "one that is a symbol too": ["low"],
    "one byte": ["\n"],
    "letters of the byte map": ["<|č|>"],
}
SAMPLE = TEXT + "".join(itertools.chain.from_iterable(SPECIAL.values())) + "<|a|> b</s> low"


def trained(special, pattern, size=340):
    vocab, merges = reference.train_bpe(TEXT, size, special, pattern)
    ids = {token: next(i for i in sorted(vocab) if vocab[i] == token.encode()) for token in special}
    return TokenizerParts(vocab=vocab, merges=merges, special_tokens=ids, pattern=pattern)


def ids(parts):
    return Tokenizer.from_parts(parts).encode(SAMPLE)


@pytest.mark.parametrize("special", SPECIAL.values(), ids=SPECIAL.keys())
@pytest.mark.parametrize("pattern", [*patterns.NAMED, FREE, r"(?s)\w+|."])
def test_every_pair_of_formats_keeps_everything_or_says_why(tmp_path, special, pattern):
    parts = trained(special, pattern)
    wanted, written = ids(parts), []
    for name in formats.FORMATS:
        try:
            formats.write_parts(parts, tmp_path / name, name)
            written.append(name)
        except FormatError:
            with pytest.raises(FormatError, match="own format"):
                formats.write_parts(parts, tmp_path / name, name)
            assert not (tmp_path / name).exists()
    assert "hornbook" in written
    if special == SPECIAL["one"]:
        assert set(formats.FORMATS) - set(written) <= ({"huggingface"} if "\\w" in pattern else set())
    for source, target in itertools.product(written, written):
        read = formats.read_parts(tmp_path / source)
        assert read == parts
        assert read.assumed == ""
        folder = tmp_path / f"{source}-{target}"
        formats.write_parts(read, folder, target)
        assert formats.read_parts(folder) == parts
        assert ids(formats.read_parts(folder)) == wanted


@pytest.mark.parametrize("pattern", patterns.NAMED)
def test_every_pair_keeps_the_ids_of_real_text(shared_data, tmp_path, pattern):
    text = (shared_data / "tinystories.txt").read_text(encoding="utf-8")[:200_000]
    for name in ("docs-en.txt.gz", "books-en.txt.gz"):
        with gzip.open(shared_data / name, "rt", encoding="utf-8") as file:
            text += "<|endoftext|>" + file.read(300_000)
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    vocab, merges = hb.train_bpe(tmp_path / "text.txt", 2000, ["<|endoftext|>"], pattern=pattern)
    parts = hb.Tokenizer(vocab, merges, ["<|endoftext|>"], pattern=pattern).parts()
    wanted = Tokenizer.from_parts(parts).encode_array(text).tobytes()
    for source, target in itertools.product(formats.FORMATS, formats.FORMATS):
        folder = tmp_path / f"{source}-{target}"
        formats.write_parts(parts, folder / "from", source)
        formats.write_parts(formats.read_parts(folder / "from"), folder / "to", target)
        assert Tokenizer.load(folder / "to").encode_array(text).tobytes() == wanted


def test_a_special_token_that_others_would_decode_as_other_bytes_is_refused(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    assert tokenizers.decoders.ByteLevel().decode(["<|č|>"]) == "<|\r|>"  # the reason
    for name in ("gpt2", "huggingface"):
        with pytest.raises(FormatError, match="byte characters"):
            formats.write_parts(trained(["<|č|>"], "gpt2"), tmp_path, name)


def test_gpt2_files_without_settings_say_what_is_assumed(tmp_path, capsys):
    formats.write_parts(trained(["<|end|>"], "cl100k"), tmp_path, "gpt2")
    (tmp_path / "hornbook.json").unlink()
    assumed = formats.read_parts(tmp_path).assumed
    assert "the pattern gpt2 and no special tokens (no merge makes '<|end|>')" in assumed
    assert formats.read_parts(tmp_path, ["<|end|>"], "cl100k").assumed == ""
    assert main(["tokenizer", "inspect", str(tmp_path)]) == 0
    assert "assumed are the pattern gpt2" in " ".join(capsys.readouterr().err.split())
    assert main(["tokenizer", "convert", str(tmp_path), str(tmp_path / "own"), "--to", "hornbook"]) == 0
    assert "assumed are the pattern gpt2" in " ".join(capsys.readouterr().err.split())


def test_settings_of_another_vocabulary_are_refused(tmp_path):
    formats.write_parts(trained(["<|end|>"], "gpt2"), tmp_path, "gpt2")
    settings = json.loads((tmp_path / "hornbook.json").read_text())
    (tmp_path / "hornbook.json").write_text(json.dumps({**settings, "special_tokens": {"<|end|>": 7}}))
    with pytest.raises(FormatError, match=r"hornbook\.json names special tokens"):
        formats.read_parts(tmp_path)
    (tmp_path / "hornbook.json").write_text("{}")
    with pytest.raises(FormatError, match="pattern is NoneType"):
        formats.read_parts(tmp_path)


def test_settings_lie_beside_the_vocabulary_that_they_belong_to(tmp_path):
    names = {"vocab.json": "hornbook.json", "encoder.json": "hornbook.json", "gpt2-vocab.json": "gpt2-hornbook.json"}
    for name, beside in {**names, "mine.json": "mine-hornbook.json"}.items():
        assert gpt2.settings_path(tmp_path / name) == tmp_path / beside


def test_what_a_file_says_itself_is_not_given_again(tmp_path):
    parts = trained(["<|end|>"], "gpt2")
    for name in ("hornbook", "huggingface"):
        formats.write_parts(parts, tmp_path / name, name)
        for special, pattern in ((["x"], None), (None, "cl100k")):
            with pytest.raises(FormatError, match="says its pattern and special tokens itself"):
                formats.read_parts(tmp_path / name, special, pattern)


def test_a_folder_never_holds_a_format_that_hides_the_one_just_written(tmp_path):
    order = ["hornbook", "huggingface", "gpt2", "tiktoken"]
    for first, second in itertools.combinations(order, 2):
        folder = tmp_path / f"{first}-{second}"
        formats.write_parts(trained(["<|old|>"], "gpt2"), folder, first)
        with pytest.raises(FormatError, match="would be read in place of"):
            formats.write_parts(trained(["<|new|>"], "gpt2"), folder, second)
        formats.write_parts(trained(["<|old|>"], "gpt2"), folder / "other", second)
        formats.write_parts(trained(["<|new|>"], "gpt2"), folder / "other", first)
        assert list(formats.read_parts(folder / "other").special_tokens) == ["<|new|>"]


def test_what_a_tokenizer_json_has_besides_is_said(tmp_path):
    path = tmp_path / "tokenizer.json"
    formats.write_parts(trained(["<|end|>"], "gpt2"), path, "huggingface")
    pipeline = json.loads(path.read_text())
    end, text = {"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False}
    roberta = {"type": "RobertaProcessing", "cls": ["<|end|>", 256], "sep": ["<|end|>", 256]}
    for post, words in (
        ({"type": "TemplateProcessing", "single": [end, text]}, "'<|end|>' before each text"),
        ({"type": "TemplateProcessing", "single": [text, end, end]}, "'<|end|>' '<|end|>' after each text"),
        (roberta, "'<|end|>' before and '<|end|>' after each text"),
        ({"type": "TemplateProcessing", "single": [text]}, None),
        ({"type": "TemplateProcessing", "single": []}, FormatError),
        ({"type": "TemplateProcessing", "single": [text, text]}, FormatError),
        ({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, text]}, FormatError),
        ({"type": "TemplateProcessing", "single": ["$A"]}, FormatError),
        ({"type": "Uppercase"}, FormatError),
        ({"type": "RobertaProcessing"}, FormatError),
        (3, FormatError),
    ):
        pipeline["post_processor"] = {"type": "Sequence", "processors": [byte_level, post]}
        pipeline["truncation"] = {"max_length": 8}
        path.write_text(json.dumps(pipeline))
        if words is FormatError:
            with pytest.raises(FormatError, match="post_processor"):
                formats.read_parts(path)
        else:
            wanted = f"the post-processor's {words} and truncation" if words else "has truncation"
            assert f"{wanted}, which is passed over" in formats.read_parts(path).assumed
    path.write_text(json.dumps({**pipeline, "post_processor": byte_level, "truncation": None}))
    assert formats.read_parts(path).assumed == ""


@pytest.mark.parametrize("flag", ["lstrip", "rstrip", "single_word"])
def test_added_tokens_that_swallow_their_surroundings_are_refused_by_name(tmp_path, flag):
    path = tmp_path / "tokenizer.json"
    formats.write_parts(trained(["<|end|>"], "gpt2"), path, "huggingface")
    pipeline = json.loads(path.read_text())
    pipeline["added_tokens"][0][flag] = True
    path.write_text(json.dumps(pipeline))
    with pytest.raises(FormatError, match=rf"'<\|end\|>' has {flag}"):
        formats.read_parts(path)


def test_added_tokens_of_two_searches_that_overlap_are_refused(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    formats.write_parts(trained(["<b>", "<a><b>", "</s>"], "gpt2"), path, "huggingface")
    pipeline = json.loads(path.read_text())
    pipeline["added_tokens"][2]["normalized"] = True  # overlaps with no other
    path.write_text(json.dumps(pipeline))
    theirs = tokenizers.Tokenizer.from_file(str(path)).encode("x<a><b></s>").ids
    assert Tokenizer.load(path).encode("x<a><b></s>") == theirs
    pipeline["added_tokens"][1]["normalized"] = True
    path.write_text(json.dumps(pipeline))
    assert 1 not in tokenizers.Tokenizer.from_file(str(path)).encode("x<a><b>").ids  # the reason
    with pytest.raises(FormatError, match="'<a><b>' is `normalized` and overlaps"):
        formats.read_parts(path)
