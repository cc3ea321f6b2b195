"""Configuration: a TOML, JSON or YAML file plus `--section.key value` overrides → frozen dataclasses, strictly.

A dict of sections goes in, a dataclass comes out, and back. Nothing is guessed: an unknown key names its nearest
neighbour, a wrong type names the key, what came and what was wanted.

Left out on purpose: includes, interpolation, environment variables, code in configuration. No torch here.
"""

from hornbook.config.build import Word, build, convert, to_dict
from hornbook.config.overrides import flatten, merge, parse_overrides
from hornbook.config.read import dump_toml, read

__all__ = ["Word", "build", "convert", "dump_toml", "flatten", "merge", "parse_overrides", "read", "to_dict"]
