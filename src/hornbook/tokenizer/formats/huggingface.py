r"""Hugging Face's `tokenizer.json`, as far as it is a byte-level BPE.

Follows what `tokenizers` 0.23 writes. A tokenizer.json is a pipeline: normalizer, pre-tokenizer, model, post-processor,
decoder. Read is what gives the same ids here: no normalizer, a ByteLevel pre-tokenizer (alone, or after one Split by a
regular expression), a BPE model without prefix, suffix, dropout or byte fallback. A post-processor that adds tokens
around a text is passed over: ids are those of `encode(text, add_special_tokens=False)`. Everything else is refused by
name. See docs/formats/huggingface.md.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import regex

from hornbook.errors import FormatError
from hornbook.fileio import atomic_write
from hornbook.tokenizer.formats.parts import (
    TokenizerParts,
    checked_parts,
    load_json,
    of_type,
    ordinary_entries,
    read_merges,
    read_vocab,
    unique_keys,
)
from hornbook.tokenizer.formats.post_processor import in_words, surroundings
from hornbook.tokenizer.patterns import NAMED, find_pattern

# Oniguruma's spelling of the two other named patterns: in its Ruby dialect `{1,3}+` repeats and `$` is the end of a
# line, so the possessive counts go (nothing is won back by backing off) and `$` becomes `\z`.
_ONIGURUMA = {
    "cl100k": (
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
        r"""|\s++\z|\s*[\r\n]|\s+(?!\S)|\s"""
    ),
    "o200k": NAMED["o200k"],
}

# What a free pattern may use to mean the same in `regex` and in Oniguruma.
_COMMON_DIALECT = regex.compile(
    r"""(?:\\[pP]\{[A-Z][a-z]?\}|\\[sSrnt]|\\[^\w\s]|\[\^?(?:\\[pP]\{[A-Z][a-z]?\}|\\[sSrnt]|\\[^\w\s]|[^\[\]\\&|~-]|\w-\w)+\]
    |\(\?(?:i?:|!|=)|\(|\)|\||[?*+]|\{\d+(?:,\d*)?\}(?!\+)|[^\\\[\](){}.^$?*+|#])*+""".replace("\n    ", "")
)


def read_huggingface(path: str | os.PathLike[str]) -> TokenizerParts:
    """Read a `tokenizer.json`.

    Raises:
        FormatError: not this format, damaged, or a pipeline that is not byte-level BPE.
        OSError: the file cannot be read.
    """
    file = Path(path)
    pipeline = of_type(load_json(file), dict, file, "the file")
    model = of_type(pipeline.get("model"), dict, file, "model")
    _check_model(model, file)
    if pipeline.get("normalizer") is not None:
        raise FormatError(
            f"{file} has a normalizer ({_type(pipeline['normalizer'])}), which changes the text: not supported"
        )
    pattern = _pattern(pipeline.get("pre_tokenizer"), file)
    added = _added_tokens(pipeline.get("added_tokens") or [], file)
    entries = of_type(model.get("vocab"), dict, file, "model.vocab")
    vocab = read_vocab(entries, added, file)
    for text, token_id in added.items():
        if entries.get(text, token_id) != token_id:
            raise FormatError(
                f"{file}: the token {text!r} has id {entries[text]} in model.vocab and {token_id} in added_tokens"
            )
        content = text.encode("utf-8", errors="surrogatepass")
        if vocab.setdefault(token_id, content) != content:
            raise FormatError(f"{file}: the added token {text!r} has id {token_id}, which is another entry")
    lines = of_type(model.get("merges"), list, file, "model.merges")
    merges = read_merges((" ".join(line) if _is_pair(line) else line for line in lines), file)
    check_order(merges, file)
    assumed = _passed_over(pipeline, added, file)
    parts = checked_parts(file, vocab=vocab, merges=merges, special_tokens=added, pattern=pattern, assumed=assumed)
    if model.get("ignore_merges"):
        _check_reachable(parts, file)
    return parts


def _passed_over(pipeline: dict[str, Any], added: dict[str, int], file: Path) -> str:
    before, after = surroundings(pipeline.get("post_processor"), file)
    for token in (*before, *after):
        if token not in added:
            raise FormatError(f"{file}: post_processor puts {token!r} around each text, which is no added token")
    words = [f"the post-processor's {words}" for words in (in_words(before, after),) if words]
    words += [key for key in ("truncation", "padding") if pipeline.get(key)]
    return f"{file} has {' and '.join(words)}, which is passed over: ids are those of the text alone" if words else ""


def _check_model(model: dict[str, Any], file: Path) -> None:
    if model.get("type", "BPE") != "BPE":
        raise FormatError(f"{file} holds a {model.get('type')} model; hornbook reads byte-level BPE only")
    for key, meaning in (
        ("continuing_subword_prefix", "a prefix inside words"),
        ("end_of_word_suffix", "a suffix at the end of words"),
        ("dropout", "merges left out at random"),
        ("byte_fallback", "bytes for unknown characters only"),
    ):
        if model.get(key):
            raise FormatError(f"{file}: model.{key} is {model[key]!r} ({meaning}), which is not byte-level BPE")


def _pattern(step: Any, file: Path) -> str:
    steps = step.get("pretokenizers") if isinstance(step, dict) and step.get("type") == "Sequence" else [step]
    steps = of_type(steps, list, file, "pre_tokenizer")
    match steps:
        case [{"type": "ByteLevel", **byte_level}] if byte_level.get("use_regex", True):
            expression = NAMED["gpt2"]
        case [{"type": "Split", "pattern": {"Regex": str(expression)}, **how}, {"type": "ByteLevel", **byte_level}]:
            kept = (how.get("behavior"), bool(how.get("invert")))
            if kept not in (("Isolated", False), ("Removed", True)):
                raise FormatError(
                    f"{file}: pre_tokenizer Split with behavior {kept[0]!r}, invert {kept[1]} drops or joins text"
                )
            if byte_level.get("use_regex", True):
                raise FormatError(f"{file}: pre_tokenizer splits twice, by Split and by ByteLevel's own pattern")
        case _:
            names = ", ".join(map(_type, steps))
            raise FormatError(f"{file}: pre_tokenizer is {names} where ByteLevel, or Split and ByteLevel, was expected")
    if byte_level.get("add_prefix_space", True):
        raise FormatError(
            f"{file}: pre_tokenizer ByteLevel adds a space before each text (add_prefix_space): not supported"
        )
    names = {spelling: name for name, spelling in _ONIGURUMA.items()}
    return names.get(expression, expression)


def _type(step: Any) -> str:
    return str(step.get("type")) if isinstance(step, dict) else repr(step)


def _added_tokens(items: Any, file: Path) -> dict[str, int]:
    added: dict[str, int] = {}
    second: set[str] = set()
    for item in of_type(items, list, file, "added_tokens"):
        match item:
            case {"content": str(content), "id": int(token_id)} if content and type(token_id) is int:
                for flag in ("lstrip", "rstrip", "single_word"):
                    if item.get(flag):
                        raise FormatError(
                            f"{file}: the added token {content!r} has {flag}, which swallows or needs its surroundings"
                        )
                if content in added:
                    raise FormatError(f"{file}: the added token {content!r} is given twice")
                added[content] = token_id
                if item.get("normalized"):
                    second.add(content)
            case _:
                raise FormatError(f"{file}: added_tokens has {str(item)[:80]} where an id and a content were expected")
    _check_one_search(second, added.keys() - second, file)
    return added


def _check_one_search(second: set[str], first: set[str], file: Path) -> None:
    # HF looks for the tokens marked `normalized` after all others, hornbook for all at once: what they find differs
    # where one of the first begins inside one of the second.
    beginnings = {token[:length] for token in first for length in range(1, len(token) + 1)}
    for token in second:
        for start in range(len(token)):
            rest = token[start:]
            if rest in beginnings or any(rest[:length] in first for length in range(1, len(rest))):
                raise FormatError(
                    f"{file}: the added token {token!r} is `normalized` and overlaps with one that is not: "
                    "they are searched one after the other, which hornbook does not do"
                )


def _is_pair(line: Any) -> bool:
    return isinstance(line, list) and all(isinstance(side, str) and " " not in side for side in line)


def check_order(merges: list[tuple[bytes, bytes]], file: Path) -> None:
    """Raise FormatError for merges that a program which takes the lowest that fits would apply in another order."""
    # HF takes the lowest merge that fits at each moment, hornbook each merge once in order. They differ only where a
    # symbol comes into being a second time after a merge that uses it has had its turn.
    used: set[bytes] = set()
    for index, (left, right) in enumerate(merges):
        if left + right in used:
            raise FormatError(f"{file}: merge {index} makes {left + right!r} again after an earlier merge has used it")
        used |= {left, right}


def _check_reachable(parts: TokenizerParts, file: Path | str) -> None:
    made = {left + right for left, right in parts.merges}
    for token_id, token in ordinary_entries(parts).items():
        if len(token) > 1 and token not in made:
            raise FormatError(
                f"{file}: the entry {token_id} ({token!r}) is made by no merge and found whole only (ignore_merges); "
                "hornbook encodes by merges alone"
            )


def write_huggingface(parts: TokenizerParts, path: str | os.PathLike[str]) -> None:
    """Write a `tokenizer.json`.

    Raises:
        FormatError: entries of equal bytes, merges that HF would apply in another order, or a free pattern that its
            regular expressions could read differently.
        OSError: the file cannot be written.
    """
    keys = unique_keys(parts, "a tokenizer.json")
    ordinary_entries(parts)
    check_order(parts.merges, Path(path))
    if len(set(parts.merges)) != len(parts.merges):
        raise FormatError(
            "a merge stands twice in the list, and a tokenizer.json can hold it once: use hornbook's own format"
        )
    names = {token_id: key for key, token_id in keys.items()}
    symbols = {token: names[token_id] for token_id, token in ordinary_entries(parts).items()}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    pipeline = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token_id, "content": token, **plain}
            for token, token_id in sorted(parts.special_tokens.items(), key=lambda item: item[1])
        ],
        "normalizer": None,
        "pre_tokenizer": _pre_tokenizer(parts, byte_level),
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": keys,
            "merges": [[symbols[left], symbols[right]] for left, right in parts.merges],
        },
    }
    atomic_write(path, json.dumps(pipeline, ensure_ascii=False, indent=1) + "\n")


def _pre_tokenizer(parts: TokenizerParts, byte_level: dict[str, Any]) -> dict[str, Any]:
    pattern = find_pattern(parts.pattern)
    if pattern.name == "gpt2":
        return byte_level
    expression = _ONIGURUMA.get(pattern.name or "", pattern.expression)
    if pattern.name is None and not _COMMON_DIALECT.fullmatch(expression):
        raise FormatError(
            f"the pattern {expression!r} uses syntax that Hugging Face's regular expressions (Oniguruma) may read "
            "differently, so a tokenizer.json of it could give other ids: use hornbook's own format"
        )
    split = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, {**byte_level, "use_regex": False}]}
