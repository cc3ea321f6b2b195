"""The things of the storyworld: entities with tags, and the words that the grammar can ask of them.

An entity is written `toy_car +rolls plural=toy_cars`: the word (underscore for a space), tags, and further attributes.
Attributes that any entity has: `word`, `a` (with its article), `pl` (plural), `he`, `him`, `his`, `himself` (by the
tag f, m or neither); an attribute asked with a capital first letter comes capitalised.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LEVELS = ("easy", "normal", "rich")

PRONOUNS = {
    "he": ("he", "she", "it"),
    "him": ("him", "her", "it"),
    "his": ("his", "her", "its"),
    "himself": ("himself", "herself", "itself"),
    "boy": ("boy", "girl", "one"),
    "son": ("son", "daughter", "child"),
}

_VOWEL_SOUND_EXCEPTIONS = ("uni", "use", "usu", "eu", "one", "ukulele")
_SILENT_H = ("hour", "honest")
_IRREGULAR = {
    "mouse": "mice",
    "goose": "geese",
    "child": "children",
    "leaf": "leaves",
    "loaf": "loaves",
    "scarf": "scarves",
    "wolf": "wolves",
    "calf": "calves",
    "knife": "knives",
    "shelf": "shelves",
    "foot": "feet",
    "sheep": "sheep",
    "fish": "fish",
    "deer": "deer",
}


@dataclass(frozen=True)
class Entity:
    """One thing of the world."""

    word: str
    tags: frozenset[str] = frozenset()
    attributes: dict[str, str] = field(default_factory=dict)


def kept(line: str, level: str) -> str:
    """Return the line without its level mark, or "" if the mark leaves it out: `^` rich only, `~` not in rich."""
    if line.startswith("^"):
        return line[1:].lstrip() if level == "rich" else ""
    if line.startswith("~"):
        return line[1:].lstrip() if level != "rich" else ""
    return line


def parse_entities(line: str, level: str) -> list[Entity]:
    """Read entities separated by commas; `^` before one keeps it for the level rich alone.

    A line may open with tags and attributes for all of its entities: `+soft play=hugging: teddy_bear, rag_doll`.
    """
    shared = ""
    if line.startswith("+") and ":" in line:
        shared, line = line.split(":", 1)
    found = []
    for item in line.split(","):
        text = kept(item.strip(), level)
        if not text:
            continue
        word, *rest = f"{text} {shared}".split()
        tags = frozenset(r.lstrip("+") for r in rest if "=" not in r)
        attributes = {k: v.replace("_", " ") for k, v in (r.lstrip("+").split("=", 1) for r in rest if "=" in r)}
        found.append(Entity(word.replace("_", " "), tags, attributes))
    return found


def attribute(entity: Entity, name: str) -> str | None:
    """Return what an entity says for an attribute, or None if it has no such attribute."""
    if name[0].isupper():
        text = attribute(entity, name[0].lower() + name[1:])
        return text[0].upper() + text[1:] if text else None
    if name in entity.attributes:
        return entity.attributes[name]
    if name == "word":
        return entity.word
    if name == "a":
        return with_article(entity.word)
    if name == "pl":
        return plural(entity.word)
    if name in ("at", "to") and "prep" in entity.attributes:
        return f"{entity.attributes['prep'] if name == 'at' else 'to'} the {entity.word}"
    if name == "kind":
        return f"a {attribute(entity, 'boy')}"
    if name in PRONOUNS:
        return PRONOUNS[name][0 if "m" in entity.tags else 1 if "f" in entity.tags else 2]
    return None


def with_article(words: str) -> str:
    """Return the words with "a" or "an" before them, by sound."""
    vowel = words[0] in "aeiou" and not words.startswith(_VOWEL_SOUND_EXCEPTIONS)
    return ("an " if vowel or words.startswith(_SILENT_H) else "a ") + words


def plural(words: str) -> str:
    """Return the plural; in a compound the last word takes it."""
    first, space, last = words.rpartition(" ")
    if last in _IRREGULAR:
        return first + space + _IRREGULAR[last]
    if last.endswith(("s", "x", "z", "ch", "sh")) or last in ("tomato", "potato"):
        return words + "es"
    if last.endswith("y") and last[-2] not in "aeiou":
        return words[:-1] + "ies"
    return words + "s"
