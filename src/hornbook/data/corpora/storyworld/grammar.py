"""The story grammar: compiles a `.story` source (source.py) to small tables.

A grammar is a set of *classes* (the things of the world, with their attributes), *rules* (weighted alternatives of
text) and *registers* (the state: who the hero is, what was lost, what the weather is). The same compiled tables drive
the generator (`machine.py`, and natively cpp/src/storyworld.cpp), the parser (`parser.py`) and the proof that no two
stories share a text (tools/storyworld_proof.py). docs/storyworld.md describes the notation.

A compiled sequence is a tuple of operations, each a tuple that opens with one of LIT, REF, PICK, SET, CHOICE. Left out:
recursion (a rule that reaches itself is an error, so every story is finite) and arithmetic on the state.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from hornbook.data.corpora.storyworld.lexicon import LEVELS, Entity, attribute, kept
from hornbook.data.corpora.storyworld.source import alternatives_of, closing, read_source
from hornbook.errors import DataError

LIT, REF, PICK, SET, CHOICE = range(5)
"""The operations: LIT text; REF register, table; PICK register (−1: none), pool, table; SET register, value;
CHOICE index."""

UNSAID = "\1"
"""Stands in an attribute table for what a thing has no word for; no story may contain it."""

_WEIGHT = re.compile(r"(\d+):")
_GUARD = re.compile(r"\?(\S+) ?")
_PICKED = re.compile(r"\{(\w*):(\w+)([+\-\w]*)(?:\.(\w+))?\}")
_SETTING = re.compile(r"\{!(\w+)=(\w+)\}")


@dataclass
class Choice:
    """A point of choice: alternatives with integer weights, guards on the state, and what each one says."""

    name: str
    weights: list[int] = field(default_factory=list)
    guards: list[tuple[tuple[int, frozenset[int]], ...]] = field(default_factory=list)
    """Per alternative: all of these (register, values) must hold."""
    sequences: list[tuple] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass
class Grammar:
    """Compiled tables of one level; see the module's head."""

    level: str
    entities: dict[str, list[Entity]]
    registers: list[str] = field(default_factory=list)
    register_class: list[str] = field(default_factory=list)
    """Per register: the class that it holds, or "" for a flag."""
    flag_values: dict[int, list[str]] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    tables: list[list[str]] = field(default_factory=list)
    """Attribute tables: text per entity of a class."""
    table_names: list[tuple[str, str]] = field(default_factory=list)
    pools: list[list[int]] = field(default_factory=list)
    pool_names: list[str] = field(default_factory=list)
    pool_class: list[str] = field(default_factory=list)
    rivals: list[list[int]] = field(default_factory=list)
    """Per pool: the registers of the same class; a pick never takes what one of them holds."""
    start: int = 0


class _Compiler:
    def __init__(self, source: str, level: str, recursive: Collection[str]) -> None:
        self.classes, self.rules = read_source(source, level)
        self.grammar = Grammar(level, self.classes)
        self.table_index: dict[tuple[str, str], int] = {}
        self.pool_index: dict[str, int] = {}
        self.instances: dict[tuple[str, tuple[str, ...]], int] = {}
        self.open: list[str] = []
        self.recursive = recursive
        self.class_of: dict[str, str] = {}
        self.where = ""

    def fail(self, problem: str) -> DataError:
        return DataError(f"storyworld grammar, rule {self.where!r}: {problem}")

    def register(self, name: str, holds: str) -> int:
        grammar = self.grammar
        if name not in grammar.registers:
            grammar.registers.append(name)
            grammar.register_class.append(holds)
            if not holds:
                grammar.flag_values[len(grammar.registers) - 1] = []
        index = grammar.registers.index(name)
        if grammar.register_class[index] != holds:
            raise self.fail(f"register {name!r} holds {grammar.register_class[index]!r} elsewhere, {holds!r} here")
        return index

    def table(self, class_name: str, name: str) -> int:
        key = (class_name, name)
        if key not in self.table_index:
            texts = [attribute(entity, name) for entity in self.classes[class_name]]
            if not any(texts):
                raise self.fail(f"nothing of class {class_name!r} has an attribute {name!r}")
            # A tag keeps a rule to the things that have the attribute; what lacks it can then never be said.
            texts = [UNSAID if text is None else text for text in texts]
            self.table_index[key] = len(self.grammar.tables)
            self.grammar.tables.append(texts)
            self.grammar.table_names.append(key)
        return self.table_index[key]

    def matching(self, class_name: str, tags: str) -> list[int]:
        wanted = re.findall(r"([+\-])(\w+)", tags)
        found = [
            i
            for i, entity in enumerate(self.classes[class_name])
            if all((tag in entity.tags) == (sign == "+") for sign, tag in wanted)
        ]
        if not found:
            raise self.fail(f"nothing of class {class_name!r} is {tags!r}")
        return found

    def pool(self, class_name: str, tags: str) -> int:
        if class_name not in self.classes:
            raise self.fail(f"there is no class {class_name!r}")
        key = class_name + tags
        if key not in self.pool_index:
            self.pool_index[key] = len(self.grammar.pools)
            self.grammar.pools.append(self.matching(class_name, tags))
            self.grammar.pool_names.append(key)
            self.grammar.pool_class.append(class_name)
        return self.pool_index[key]

    def flag(self, register: int, value: str) -> int:
        values = self.grammar.flag_values[register]
        if value not in values:
            values.append(value)
        return values.index(value)

    def guard(self, text: str, names: dict[str, str]) -> tuple[tuple[int, frozenset[int]], ...]:
        conditions = []
        for condition in text.split("&"):
            found = re.fullmatch(r"(\w+)(?:=([\w/]+)|([+\-][\w+\-]+))", condition)
            if not found:
                raise self.fail(f"guard {condition!r} is neither register=value nor register+tag")
            name = names.get(found[1], found[1])
            if found[2]:
                register = self.register(name, "")
                conditions.append((register, frozenset(self.flag(register, v) for v in found[2].split("/"))))
            else:
                holds = self.held(name)
                conditions.append((self.register(name, holds), frozenset(self.matching(holds, found[3]))))
        return tuple(conditions)

    def held(self, name: str) -> str:
        if name not in self.class_of:
            raise self.fail(f"register {name!r} is used but nothing is ever picked into it")
        return self.class_of[name]

    def rule(self, name: str, arguments: tuple[str, ...]) -> int:
        """Return the choice of a rule called with these registers, compiling it at its first call."""
        key = (name, arguments)
        if name in self.open and name not in self.recursive:  # first: what is open has its instance already
            raise self.fail(f"{name!r} reaches itself")
        if key in self.instances:
            return self.instances[key]
        if name not in self.rules:
            raise self.fail(f"calls {name!r}, which is no rule")
        parameters, alternatives = self.rules[name]
        if len(parameters) != len(arguments):
            raise self.fail(f"calls {name!r} with {len(arguments)} registers; it takes {len(parameters)}")
        index = len(self.grammar.choices)
        self.instances[key] = index
        self.grammar.choices.append(Choice(name))
        self.open.append(name)
        before, self.where = self.where, name
        self.fill(self.grammar.choices[index], alternatives, dict(zip(parameters, arguments, strict=True)))
        self.where = before
        self.open.pop()
        return index

    def fill(self, choice: Choice, alternatives: list[str], names: dict[str, str]) -> None:
        for marked in alternatives:
            text = kept(marked, self.grammar.level)
            if not text and marked:
                continue
            weight, guard, label = 1, (), text
            if found := _WEIGHT.match(text):
                weight, text = int(found[1]), text[found.end() :]
            if found := _GUARD.match(text):
                guard, text = self.guard(found[1], names), text[found.end() :]
            choice.weights.append(weight)
            choice.guards.append(guard)
            choice.labels.append(label)
            choice.sequences.append(self.sequence(text, names))

    def sequence(self, text: str, names: dict[str, str]) -> tuple:
        operations: list[tuple] = []
        position = 0
        while position < len(text):
            opener = text[position]
            if opener == "[":
                end = closing(text, position)
                index = len(self.grammar.choices)
                self.grammar.choices.append(Choice(f"{self.where}[]"))
                self.fill(self.grammar.choices[index], alternatives_of(text[position + 1 : end]), names)
                operations.append((CHOICE, index))
                position = end + 1
            elif opener == "<":
                end = text.index(">", position)
                called = re.fullmatch(r"(\w+)(?:\(([\w,\s]*)\))?", text[position + 1 : end])
                if not called:
                    raise self.fail(f"cannot read the call {text[position : end + 1]!r}")
                arguments = [names.get(a.strip(), a.strip()) for a in (called[2] or "").split(",") if a.strip()]
                operations.append((CHOICE, self.rule(called[1], tuple(arguments))))
                position = end + 1
            elif opener == "{":
                end = text.index("}", position) + 1
                operations.append(self.mention(text[position:end], names))
                position = end
            else:
                end = min((text.find(c, position) for c in "[<{" if text.find(c, position) >= 0), default=len(text))
                operations.append((LIT, text[position:end].replace("¶", "\n\n")))
                position = end
        return tuple(operations)

    def mention(self, text: str, names: dict[str, str]) -> tuple:
        if found := _SETTING.fullmatch(text):
            register = self.register(names.get(found[1], found[1]), "")
            return (SET, register, self.flag(register, found[2]))
        if found := _PICKED.fullmatch(text):
            name = names.get(found[1], found[1])
            pool = self.pool(found[2], found[3])
            register = self.register(name, found[2]) if name else -1
            return (PICK, register, pool, self.table(found[2], found[4] or "word"))
        found = re.fullmatch(r"\{(\w+)(?:\.(\w+))?\}", text)
        if not found:
            raise self.fail(f"cannot read {text!r}")
        name = names.get(found[1], found[1])
        word = found[2] or "word"
        if name not in self.class_of and name[:1].isupper() and not found[2]:
            name, word = name[0].lower() + name[1:], "Word"
            name = names.get(name, name)
        holds = self.held(name)
        return (REF, self.register(name, holds), self.table(holds, word))

    def compile(self) -> Grammar:
        for _, (parameters, alternatives) in self.rules.items():
            for found in _PICKED.finditer("\n".join(alternatives)):
                if found[1] and found[1] not in parameters:
                    self.class_of.setdefault(found[1], found[2])
        self.grammar.start = self.rule("story", ())
        for class_name in self.grammar.pool_class:
            held = [r for r, holds in enumerate(self.grammar.register_class) if holds == class_name]
            self.grammar.rivals.append(held)
        unused = set(self.rules) - {name for name, _ in self.instances}
        if unused and self.grammar.level != "normal":  # "normal" leaves out some of what the files of "rich" say
            raise DataError(f"storyworld grammar: nothing calls {', '.join(sorted(unused))}")
        return self.grammar


def compile_grammar(source: str, level: str, recursive: Collection[str] = ()) -> Grammar:
    """Compile a grammar's source for one level.

    Args:
        source: the text of one or several `.story` files.
        level: "easy", "normal" or "rich"; lines marked for a higher level are left out.
        recursive: rules that may reach themselves with the same registers; nothing bounds a story's length then.

    Raises:
        DataError: the source cannot be read, calls what is not there, or a rule reaches itself.
    """
    if level not in LEVELS:
        raise DataError(f"storyworld has no level {level!r}; it has {', '.join(LEVELS)}")
    return _Compiler(source, level, recursive).compile()
