"""Write docs/reference/messages.md: every sentence with which hornbook refuses, and a test that brings it about.

The sentences come from the source: every place that makes a `HornbookError`, and every answer to an error of the
operating system. The tests come from `pytest --record-messages` (tests/harness/messages.py), which sees a sentence
when it is made, and stand in the page alone. A function that only passes a sentence on, such as `self.fail(problem)`,
stands there with the sentences that its callers in the same file give it. `--check` compares.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from generated import update

from hornbook import errors

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "hornbook"
PAGE = ROOT / "docs" / "reference" / "messages.md"
HEAD = """# Every sentence with which hornbook refuses

Written by `python tools/write_messages.py`; not edited by hand. … stands for what differs from case to case. Beside
each sentence: the function that says it, and a test that brings it about, found by `pytest --record-messages FILE`;
every run of that test makes sure that it still does. The way out of the frequent ones:
[when something goes wrong](../troubleshooting.md).
"""
NO_TEST = "**none**"
ROW = re.compile(r"\| `` (.*) `` \| `(.*)` \| (.*) \|")


class Site(NamedTuple):
    """A place in the source that makes a sentence."""

    module: str
    function: str
    sentence: str


def main() -> int:
    """Bring the page up to date; return 1 if `--check` finds that it is not."""
    return update({PAGE: page(known_tests())})


def page(tests: Mapping[Site, str]) -> str:
    """Return the page; a sentence that `tests` lacks has none."""
    lines = [HEAD]
    for path in sorted(SOURCE.rglob("*.py")):
        found = dict.fromkeys(sites(path).values())
        if found:
            lines += [f"## {path.relative_to(SOURCE).as_posix()}\n", "| sentence | in | test |", "|---|---|---|"]
            lines += [_row(site, tests.get(site, NO_TEST)) for site in found] + [""]
    return "\n".join(lines).rstrip() + "\n"


def _row(site: Site, test: str) -> str:
    return f"| `` {site.sentence.replace('|', chr(92) + '|')} `` | `{site.function}` | {test} |"


def known_tests() -> dict[Site, str]:
    """Return the test of each sentence, as the page says."""
    tests: dict[Site, str] = {}
    module = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []:
        module = line.removeprefix("## ") if line.startswith("## ") else module
        if (found := ROW.fullmatch(line)) and found[3] != NO_TEST:
            tests[Site(module, found[2], found[1].replace(chr(92) + "|", "|"))] = found[3]
    return tests


@functools.cache
def sites(path: Path) -> dict[int, Site]:
    """Return the sentences of a source file by the line on which each is made."""
    tree = ast.parse(_text(path))
    calls = list(_calls(tree, ()))
    found: dict[int, Site] = {}
    for call, functions in calls:
        if not call.args or not (_name(call.func) in classes() or _is_class_given(call.func, functions)):
            continue
        given = _handed_on(call, functions, calls)
        for at, inside, sentence in given or [(call, functions, _words(call.args[0], {}))]:
            name = ".".join(function.name for function in inside) or "module"
            if re.search(r"\w\w", sentence):  # else it hands on what another place says
                found[at.lineno] = Site(path.relative_to(SOURCE).as_posix(), name, sentence)
    return dict(sorted(found.items()))


Scope = tuple[ast.FunctionDef | ast.ClassDef, ...]


def _is_class_given(function: ast.AST, scope: Scope) -> bool:
    """Whether a call makes an error of a class that the function around it was given."""
    inside = scope[-1] if scope and isinstance(scope[-1], ast.FunctionDef) else None
    arguments = [*inside.args.args, *inside.args.kwonlyargs] if inside else []
    given = {argument.arg for argument in arguments if argument.annotation and "type[Hornbook" in ast.unparse(argument)}
    return _name(function) in given


def _calls(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.Call, Scope]]:
    inner = (*scope, node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else scope
    if isinstance(node, ast.Call):
        yield node, scope
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, inner)


def _handed_on(call: ast.Call, scope: Scope, calls: list[tuple[ast.Call, Scope]]) -> list[tuple[ast.Call, Scope, str]]:
    """Return the calls of the function around `call` that give it words for its sentence, and the sentence of each."""
    function = scope[-1] if scope else None
    if not isinstance(function, ast.FunctionDef):
        return []
    parameters = [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]
    used = {node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)} & set(parameters)
    found = []
    for other, inside in calls:
        if _name(other.func) == function.name:
            given = dict(zip(parameters, other.args, strict=False)) | {k.arg: k.value for k in other.keywords if k.arg}
            words = {name: _words(given[name], {}) for name in sorted(used & given.keys())}
            words = {name: text for name, text in words.items() if len(re.findall(r"\b[a-z]{2,}\b", text)) > 1}
            found += [(other, inside, _words(call.args[0], words))] if words else []
    return found


def _words(node: ast.AST, given: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return re.sub("…(?:…)+", "…", "".join(_words(part, given) for part in node.values))
    if isinstance(node, ast.FormattedValue):
        return _words(node.value, given)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _words(node.left, given) + _words(node.right, given)
    if isinstance(node, ast.Call):
        return _returned(_name(node.func))
    return given.get(node.id, "…") if isinstance(node, ast.Name) else "…"


@functools.cache
def _returned(name: str) -> str:
    """Return the words that a function of the source returns, where there is one of this name and it returns words."""
    files = [path for path in SOURCE.rglob("*.py") if f"def {name}(" in _text(path)]
    tree = ast.parse(_text(files[0])) if len(files) == 1 and name else ast.Module([], [])
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    values = [node.value for found in functions[:1] for node in ast.walk(found) if isinstance(node, ast.Return)]
    is_words = len(values) == 1 and isinstance(values[0], ast.JoinedStr | ast.BinOp)
    return _words(values[0], {}) if is_words and values[0] else "…"


@functools.cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(function: ast.AST) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


@functools.cache
def classes() -> frozenset[str]:
    """Return the names of all user errors of the source: of errors.py and what modules derive from them."""
    text = "\n".join(_text(path) for path in SOURCE.rglob("*.py"))
    found = {name for name, value in vars(errors).items() if isinstance(value, type)}
    return frozenset(found | {name for name, base in re.findall(r"^class (\w+)\((\w+)\)", text, re.M) if base in found})


if __name__ == "__main__":
    sys.exit(main())
