"""`hornbook export RUN OUT --to hf|gguf`: a trained model in the files that other programs load."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.cli.common import taken
from hornbook.errors import ConfigError
from hornbook.format import counted, quantity
from hornbook.tracking.run import Run

if TYPE_CHECKING:
    from hornbook.training.load import LoadedRun

DTYPES = {"hf": ("float32", "bfloat16", "float16"), "gguf": ("f32", "f16", "q8_0")}
"""Format → types of the weights, the default first."""


def main(
    run: Path,
    out: Path,
    *,
    to: Literal["hf", "gguf"],
    checkpoint: str = "best",
    dtype: Literal["float32", "bfloat16", "float16", "f32", "f16", "q8_0"] | None = None,
    custom_code: bool = False,
    license: str = "unknown",
    push: str | None = None,
) -> int:
    """Write a trained model for other programs: a Hugging Face folder with a model card, or a GGUF file.

    Args:
        run: the run's folder.
        out: the folder (hf) or the file (gguf) to write; it must not be there yet.
        to: hf: what transformers loads; gguf: what llama.cpp loads.
        checkpoint: "best", "last" or a step.
        dtype: of the weights; hf: float32, bfloat16 or float16; gguf: f32, f16 or q8_0. The first by default.
        custom_code: hf: write a model that no architecture of transformers expresses, with code that computes it.
        license: hf: for the model card, an identifier of the hub such as mit.
        push: hf: also upload it as this repository of the Hugging Face hub, such as me/my-model; after an upload that
            failed the same command goes on with the folder that is there.

    Examples:
        hornbook export runs/my my-model --to hf
        hornbook export runs/my my-model --to hf --license mit --push me/my-model
        hornbook export runs/my my-model.gguf --to gguf --dtype q8_0
    """
    weights = dtype or DTYPES[to][0]
    if weights not in DTYPES[to]:
        raise ConfigError(f"--to {to} has no --dtype {weights}; it has {', '.join(DTYPES[to])}")
    if to == "gguf" and (custom_code or push or license != "unknown"):
        raise ConfigError("--custom-code, --license and --push are of --to hf; a GGUF file has none of them")
    Run.open(run)  # told before torch is imported
    if push is not None:
        from hornbook.interop.hub import check_push

        check_push(push)
    from hornbook.training.load import load_model

    loaded = load_model(run, checkpoint)
    caution = None
    if to == "hf":
        write = partial(_fill, run, loaded, weights, custom_code, license)
        _write_folder(out, write, again=push is not None)
    else:
        from hornbook.interop.gguf import write_gguf

        caution = write_gguf(loaded.model, loaded.tokenizer, out, dtype=weights, name=run.name, **_ends(run, loaded))
    files = [out] if out.is_file() else list(out.iterdir())
    size = quantity(sum(path.stat().st_size for path in files), "B")
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    print(f"{out}: step {loaded.step:,}, {counted(parameters, 'parameter')}, {weights}, {size}")
    if caution:
        print(caution)
    if loaded.tokenizer is None:
        print("the run keeps no tokenizer, so none is in it")
    if push:
        from hornbook.interop.hub import push_folder

        print(f"uploaded to {push_folder(out, push)}")
    return 0


def _write_folder(out: Path, fill: Callable[[Path], None], *, again: bool) -> None:
    """Write a new folder; with `again` one that holds the very same, as it is after an upload that failed, will do."""
    from hornbook.fileio import new_folder

    try:
        with new_folder(out) as folder:
            fill(folder)
    except FileExistsError:
        if not again or not _holds(out, fill):
            raise taken(out) from None
        print(f"{out} is there already and holds this very export; it is uploaded as it is")


def _holds(out: Path, fill: Callable[[Path], None]) -> bool:
    """Return whether a folder has the files that `fill` writes, byte for byte, and no others."""
    if not out.is_dir():
        return False
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.resolve().parent) as place:
        fill(Path(place))
        names = sorted(path.name for path in Path(place).iterdir())
        same, _, _ = filecmp.cmpfiles(out, place, names, shallow=False)
        return sorted(path.name for path in out.iterdir()) == names == sorted(same)


def _fill(run: Path, loaded: LoadedRun, dtype: str, custom_code: bool, license: str, folder: Path) -> None:
    from hornbook.interop.huggingface_export import write_huggingface_model
    from hornbook.report.model_card import write_model_card

    write_huggingface_model(
        loaded.model, loaded.tokenizer, folder, dtype=dtype, custom_code=custom_code, **_ends(run, loaded)
    )
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    coded = any(folder.glob("*.py"))
    write_model_card(run, folder, parameters=parameters, step=loaded.step, license=license, custom_code=coded)


def _ends(run: Path, loaded: LoadedRun) -> dict[str, Any]:
    """Return what says which tokens begin and end a text: the separator of training, or what came with an import."""
    from hornbook.fileio import read_json_object
    from hornbook.interop.surroundings import KEPT

    specials = () if loaded.tokenizer is None else loaded.tokenizer.special_tokens
    separator = loaded.config.tokenizer.separator_among(specials)
    return {"separator": separator, "kept": read_json_object(run / "tokenizer" / KEPT, missing_ok=True)}
