"""`hornbook import hf FOLDER_OR_NAME`: a run made of a model that others trained."""

from __future__ import annotations

from pathlib import Path

from hornbook.cli.common import command, taken
from hornbook.errors import DataError
from hornbook.format import quantity


def hf(source: str, *, name: str | None = None, out: Path | None = None) -> int:
    """Make a run of a Llama-shaped model: a Hugging Face folder, or a name on the hub.

    Args:
        source: the folder, or a name such as someone/their-model.
        name: name of the run; that of the source if not given.
        out: the run's folder; runs/NAME if not given.

    Examples:
        hornbook import hf my-model
        hornbook import hf roneneldan/TinyStories-33M --name tinystories
    """
    from hornbook.training.sections import RunSection

    place = out.resolve() if out else Path(source).resolve()
    section = RunSection(name=place.name if name is None else name, directory=None if out is None else str(out))
    folder = Path(source)
    if not folder.exists():
        folder = _download(source)
    from hornbook.interop.huggingface import is_llama_folder

    if not is_llama_folder(folder):
        raise DataError(f"{source} holds no Hugging Face model: there is no config.json in it")
    from hornbook.interop.surroundings import KEPT
    from hornbook.training.launch.import_run import import_run

    try:
        model, around = import_run(folder, section, source)
    except FileExistsError:
        raise taken(section.path, "--name" if out is None else "--out") from None
    out = section.path
    print(f"{out}: {quantity(sum(p.numel() for p in model.parameters()))} parameters, from {source}")
    if around:
        kept = out / "tokenizer" / KEPT
        print(
            f"note: its tokenizer puts {around} in transformers and not here (give it in the text where it is wanted); "
            f"{kept} keeps that, and export puts it back"
        )
    try_ = command("generate", out, "--prompt", "Once"), command("train", "--text", "FILE", "--model.init-from", out)
    print("try: " + "     ".join(try_))
    return 0


def _download(source: str) -> Path:
    from hornbook.interop.hub import download_model

    return download_model(source)
