"""GPT-2's map between bytes and printable characters: how the text formats write a token that is not valid UTF-8.

From OpenAI's `encoder.py` (2019): the printable Latin-1 characters stand for themselves, the other 68 bytes for
U+0100…U+0143 in order, so that a space becomes `Ġ` and a line feed `Ċ`.
"""

from __future__ import annotations

_PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]

BYTE_TO_CHARACTER: dict[int, str] = {byte: chr(byte) for byte in _PRINTABLE} | {
    byte: chr(256 + index) for index, byte in enumerate(byte for byte in range(256) if byte not in _PRINTABLE)
}
CHARACTER_TO_BYTE: dict[str, int] = {character: byte for byte, character in BYTE_TO_CHARACTER.items()}

_FROM_LATIN1 = {byte: character for byte, character in BYTE_TO_CHARACTER.items() if chr(byte) != character}
_TO_LATIN1 = {ord(character): chr(byte) for byte, character in BYTE_TO_CHARACTER.items()}
_ALPHABET = frozenset(CHARACTER_TO_BYTE)


def to_text(token: bytes) -> str:
    """Write bytes in printable characters: `b' the'` → `'Ġthe'`."""
    return token.decode("latin-1").translate(_FROM_LATIN1)


def to_bytes(text: str) -> bytes | None:
    """Read what `to_text` wrote; None where `text` has a character that stands for no byte."""
    if not _ALPHABET.issuperset(text):
        return None
    return text.translate(_TO_LATIN1).encode("latin-1")
