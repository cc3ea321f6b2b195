"""`hornbook completion bash | zsh | fish`: a script by which the shell completes subcommands, flags, keys and choices.

The script asks this command at each press of the key, so that it never grows old; what may follow is read from the same
signatures and sections as parsing and help. Where nothing is known, such as a file's name, the shell completes files.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from hornbook.cli.arguments import Argument, arguments_of, is_flag, sort_words
from hornbook.cli.main import SUBCOMMANDS, find, load_subcommand, names
from hornbook.config.describe import choices_of
from hornbook.errors import ConfigError

SCRIPTS = {
    "bash": r"""
_hornbook() {
    local IFS=$'\n' command="${COMP_WORDS[0]/#\~/$HOME}"
    COMPREPLY=($("$command" completion bash --candidates -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *. ]]; then compopt -o nospace; fi
}
complete -o default -F _hornbook hornbook
""",
    "zsh": r"""#compdef hornbook
_hornbook() {
    local -a found sections others
    found=("${(@f)$(${~words[1]} completion zsh --candidates -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    sections=(${(M)found:#--[a-z]*.:*})
    others=(${found:|sections})
    if [[ -z "$found[1]" ]]; then _files; return; fi
    _describe -t candidates hornbook others -- sections -S ''
}
if [[ "$funcstack[1]" == _hornbook ]]; then _hornbook; else compdef _hornbook hornbook; fi
""",
    "fish": r"""
function __hornbook_candidates
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    $typed[1] completion fish --candidates -- $typed[2..] "$current" 2>/dev/null
end
complete -c hornbook -f -a '(__hornbook_candidates)'
complete -c hornbook -F -n 'not count (__hornbook_candidates) >/dev/null'
""",
}

Completion = tuple[str, str]


def main(shell: Literal["bash", "zsh", "fish"], words: tuple[str, ...] = (), *, candidates_: bool = False) -> int:
    """Print a script that lets your shell complete hornbook's subcommands, flags, keys of recipes and choices.

    Args:
        shell: whose language the script is in.
        words: with --candidates, those after `hornbook` up to the cursor; the last one is to be completed.
        candidates_: print what may stand there instead, a line for each: what the script asks for.

    Examples:
        eval "$(hornbook completion bash)"         # in ~/.bashrc
        eval "$(hornbook completion zsh)"          # in ~/.zshrc, after compinit
        hornbook completion fish > ~/.config/fish/completions/hornbook.fish
    """
    if not candidates_:
        print(SCRIPTS[shell].strip())
        return 0
    typed = _joined(words) if shell == "bash" else list(words)
    for word, text in candidates(typed or [""]):
        if shell == "bash":
            # Its words end at = and :, and only the last one is replaced.
            print(word.rpartition("=")[2] if "=" in typed[-1] else word)
        elif shell == "zsh":
            print(word.replace(":", r"\:") + f":{text}")
        else:
            print(f"{word}\t{text}")
    return 0


def candidates(words: list[str]) -> list[Completion]:
    """Return what may stand in the place of the last word, each with what it means; nothing where a file may."""
    *before, current = words
    name, typed = find(before)
    if name not in SUBCOMMANDS:
        return [] if typed else _beginning(current, names(name).items())
    arguments = arguments_of(load_subcommand(name))
    if "--" in typed:
        return []
    flag, equals, _ = current.partition("=")
    if equals:
        return _beginning(current, ((f"{flag}={choice}", "") for choice in choices_of(_hint(flag, arguments))))
    waiting = _waiting(typed, arguments)
    if waiting is not None and not current.startswith("-"):
        return _beginning(current, ((choice, "") for choice in choices_of(waiting)))
    if current.startswith("-"):
        return _beginning(current, _flags(current, arguments))
    positional = [argument for argument in arguments if argument.kind == "positional"]
    try:
        count = len(sort_words(arguments, typed, {})[0])
    except ConfigError:
        return []
    if count < len(positional) or (positional and positional[-1].is_list):
        return _beginning(current, ((c, "") for c in choices_of(positional[min(count, len(positional) - 1)].hint)))
    return _beginning(current, _flags("--", arguments))


def _beginning(current: str, rows: Iterable[Completion]) -> list[Completion]:
    return [(word, text.partition(". ")[0]) for word, text in rows if word.startswith(current)]


def _flags(current: str, arguments: list[Argument]) -> list[Completion]:
    """Return flags, and `--section.` for each section; of a section that is named its keys."""
    flags = [argument for argument in arguments if argument.is_flag]
    rows = [(argument.shown, argument.text) for argument in flags]
    rows += [("--no-" + argument.shown[2:], argument.text) for argument in flags if argument.default is True]
    rows.append(("--help", "what this command takes"))
    if not any(argument.kind == "overrides" for argument in arguments):
        return rows
    from hornbook.training.config import describe

    name, dot, _ = current.removeprefix("--").partition(".")
    if not dot:
        return rows + [(f"--{section.name}.", section.text) for section in describe()]
    return [
        (f"--{name}.{key.flag}", key.text) for section in describe() if section.name == name for key in section.keys
    ]


def _hint(flag: str, arguments: list[Argument]) -> Any:
    """Return the type of a flag's or a key's value; None where there is no such flag."""
    if "." not in flag:
        return next((a.plain_hint for a in arguments if a.shown == flag.replace("_", "-")), None)
    from hornbook.training.config import describe

    name, _, last = flag.removeprefix("--").partition(".")
    sections = {section.name: section.keys for section in describe()}
    return next((key.hint for key in sections.get(name, []) if key.name == last.replace("-", "_")), None)


def _waiting(typed: list[str], arguments: list[Argument]) -> Any:
    """Return the type of the value that the last flag still waits for, None where none does."""
    since = next((number for number, word in enumerate(reversed(typed)) if is_flag(word)), None)
    if since is None or "=" in typed[-1 - since]:
        return None
    flag = typed[-1 - since]
    takes = [a for a in arguments if a.shown == flag.replace("_", "-") and not a.is_switch]
    full = since > 0 and not (takes and takes[0].is_list)
    return None if full or not (takes or "." in flag) else _hint(flag, arguments)


def _joined(words: Iterable[str]) -> list[str]:
    """Return bash's words as they were typed: it takes `--level=easy` and `cuda:1` apart."""
    joined: list[str] = []
    glue = False
    for word in words:
        breaks = word in ("=", ":")
        if joined and (breaks or glue):
            joined[-1] += word
        else:
            joined.append(word)
        glue = breaks
    return joined
