"""`hornbook completion`: what the shell may offer after the words typed so far, asked in the shells themselves."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hornbook.cli.completion import candidates
from hornbook.cli.main import SUBCOMMANDS, main
from hornbook.training.config import describe

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tr", ["train"]),
        ("data ", ["list", "get", "storyworld", "cloze", "prepare"]),
        ("data nothing ", []),
        ("nothing --x", []),
        ("runs --", ["--tag", "--sort", "--best", "--markdown", "--csv", "--json", "--help"]),
        ("generate r --no", ["--no-cache"]),
        ("train --res", ["--resume"]),
        ("study run norm --w", ["--web-text"]),
        ("train r --ov", ["--overfit-batch"]),
        ("train --mod", ["--model."]),
        ("train --model.d-m", ["--model.d-model"]),
        ("train --model.norm p", ["pre", "post"]),
        ("train --model.norm=p", ["--model.norm=pre", "--model.norm=post"]),
        ("train --model.qk_norm ", ["true", "false"]),
        ("train --training.threads ", ["auto"]),
        ("train r.toml --logging.sinks w", ["wandb"]),
        ("data storyworld --level e", ["easy"]),
        ("tokenizer ladder t.txt --rungs naive na", ["naive", "native"]),
        ("tokenizer convert a b --to h", ["hornbook", "huggingface"]),
        ("completion ", ["bash", "zsh", "fish"]),
        # nothing known: the shell completes files
        ("train ", []),
        ("train re", []),
        ("train --text ", []),
        ("generate runs/x --seed ", []),
        ("report a b ", []),
        ("eval runs/x --model.", []),
        # no argument is left: flags
        ("doctor r.toml ", ["--json", "--help"]),
    ],
)
def test_what_may_follow(line, offered):
    assert [word for word, _ in candidates(line.split(" "))] == offered


def test_every_subcommand_and_every_key_is_offered():
    first = [word for word, _ in candidates([""])]
    assert first == list(dict.fromkeys(name.split()[0] for name in SUBCOMMANDS))
    for section in describe():
        rows = candidates(["train", f"--{section.name}."])
        assert [word for word, _ in rows] == [f"--{section.name}.{key.flag}" for key in section.keys]
        assert all(text for _, text in rows)


def test_an_answer_waits_for_no_heavy_import():
    code = (
        "import sys; from hornbook.cli.main import main\n"
        "main(['completion', 'zsh', '--candidates', '--', 'train', '--model.'])\n"
        "sys.exit(' '.join({'torch', 'numpy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "\n", done.stderr
    assert "--model.d-model:C, the width of the residual stream." in done.stdout


def script(shell, capsys) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb"}


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (["tr"], "train"),
        (["train", "--model.d"], "--model.d-model --model.d-ff --model.dropout"),
        (["data", "storyworld", "--level", "=", "ea"], "easy"),  # as bash takes --level=ea apart
        (["data", "storyworld", "--level", "="], "easy normal rich"),
        (["train", "--training.device", "cuda", ":", "1"], ""),
        (["train", "r.to"], ""),
    ],
)
def test_bash_offers_it(words, reply, capsys):
    line = f'{script("bash", capsys)}\nCOMP_WORDS=(hornbook "$@")\nCOMP_CWORD=$#\n_hornbook\necho "${{COMPREPLY[*]}}"'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *words], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == reply
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("hornbook tr", ["train"]),
        ("hornbook train --model.d-", ["--model.d-ff", "--model.d-model"]),
        ("hornbook data storyworld --level ", ["easy", "normal", "rich"]),
        ("hornbook train ", ["r.toml"]),
    ],
)
def test_fish_offers_it(line, offered, capsys, tmp_path):
    (tmp_path / "r.toml").write_text("")
    code = f"{script('fish', capsys)}\ncomplete -C '{line}'"
    env = environment() | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "x")}
    done = subprocess.run(["fish", "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    words = [row.partition("\t")[0] for row in done.stdout.splitlines()]
    assert sorted(word for word in words if word != "x/") == offered


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("hornbook tra", "hornbook train "),
        ("hornbook train --model.d-m", "hornbook train --model.d-model "),
        ("hornbook train --mod", "hornbook train --model."),
        ("hornbook data storyworld --level=e", "hornbook data storyworld --level=easy "),
        ("hornbook train r.t", "hornbook train r.toml "),
    ],
)
def test_zsh_completes_it(typed, completed, tmp_path):
    (tmp_path / "r.toml").write_text("")
    terminal, other = pty.openpty()
    zsh = subprocess.Popen(
        ["zsh", "-f", "-i"],
        cwd=tmp_path,
        env=environment(),
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
    )
    os.close(other)
    try:
        start = 'autoload -U compinit; compinit -u -D; eval "$(hornbook completion zsh)"; echo REA""DY\n'
        os.write(terminal, start.encode())
        assert read_until(terminal, "READY\r\n")
        os.write(terminal, typed.encode() + b"\t")
        assert read_until(terminal, completed)
    finally:
        zsh.kill()
        zsh.wait()
        os.close(terminal)


def read_until(terminal: int, wanted: str, seconds: float = 30) -> bool:
    """Read what a terminal shows until it shows `wanted`."""
    shown, end = "", time.monotonic() + seconds
    while time.monotonic() < end and wanted not in shown:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
    return wanted in shown
