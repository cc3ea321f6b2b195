"""One name means one thing: no two modules define the same public function, class or type."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from hornbook.cli.main import SUBCOMMANDS

SOURCE = Path(__file__).resolve().parents[2] / "src" / "hornbook"
SAME_BY_DESIGN = {
    # A plain implementation beside a fast one, with the same arguments and results.
    frozenset({"nn/plain.py", "nn/fused.py", "nn/cpu_kernels.py"}),
    frozenset({"tokenizer/reference.py", "tokenizer/counts.py", "tokenizer/special.py", "tokenizer/train.py"}),
    # Names of the public interface: `hb.generate` and `hb.data.storyworld.generate`.
    frozenset({"generation/decode.py", "data/corpora/storyworld/corpus.py"}),
}
ALONE = {"interop/modeling_hornbook.py"}
"""Is copied beside exported weights and runs without hornbook."""


def names_of(tree: ast.Module) -> list[str]:
    """Return the functions, classes and type aliases of a module; constants, in capitals, are its own business."""
    found = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name) and not target.id.isupper()]
    return [name for name in found if not name.startswith("_")]


def constants_of(tree: ast.Module) -> list[str]:
    """Return the constants of a module with their values; versions are each format's own."""
    pairs = [(node.targets[0], node.value) for node in tree.body if isinstance(node, ast.Assign)]
    pairs += [(node.target, node.value) for node in tree.body if isinstance(node, ast.AnnAssign) and node.value]
    names = [(target.id, value) for target, value in pairs if isinstance(target, ast.Name) and target.id.isupper()]
    return [f"{name.strip('_')} = {ast.unparse(value)}" for name, value in names if not name.endswith("VERSION")]


def test_no_constant_stands_in_two_modules_with_one_value():
    found = defaultdict(list)
    for path in SOURCE.rglob("*.py"):
        if path.parent.name != "catalogue":
            for constant in constants_of(ast.parse(path.read_text())):
                found[constant].append(path.name)
    assert len(found) > 300
    assert {constant: places for constant, places in found.items() if len(places) > 1} == {}


def homes() -> dict[str, set[str]]:
    """Return where each public name is defined; the members of the studies' protocol and subcommands left out."""
    commands = {f"cli/{module}.py" for module, _ in (SUBCOMMANDS[name][0].split(".") for name in SUBCOMMANDS)}
    functions = {SUBCOMMANDS[name][0].split(".")[1] for name in SUBCOMMANDS}
    found = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        for name in names_of(ast.parse(path.read_text())):
            is_command = place in commands and name in functions
            if not is_command and place not in ALONE and path.parent.name != "catalogue":
                found[name].add(place)
    return found


def test_no_public_name_is_defined_in_two_modules():
    found = homes()
    assert len(found) > 700
    twice = {
        name: sorted(places)
        for name, places in found.items()
        if name != "main" and len(places) > 1 and not any(places <= same for same in SAME_BY_DESIGN)
    }
    assert twice == {}
