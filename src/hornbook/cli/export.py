"""`hornbook export RUN --to hf OUT`: a trained model in the files that other programs load."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hornbook.errors import DataError
from hornbook.format import counted, quantity


def main(
    run: Path,
    out: Path,
    *,
    to: Literal["hf"],
    checkpoint: str = "best",
    dtype: Literal["float32", "bfloat16", "float16"] = "float32",
    custom_code: bool = False,
    license: str = "unknown",
    push: str | None = None,
) -> int:
    """Write a trained model for other programs: a Hugging Face folder, with its tokenizer and a model card.

    Args:
        run: the run's folder.
        out: the folder to write; it must not be there yet.
        to: hf: `transformers` loads it as a Llama.
        checkpoint: "best", "last" or a step.
        dtype: of the weights.
        custom_code: write a model that no architecture of transformers expresses, with code that computes it.
        license: for the model card, an identifier of the hub such as mit.
        push: also upload it as this repository of the Hugging Face hub, such as me/my-model.

    Examples:
        hornbook export runs/my my-model --to hf
        hornbook export runs/my my-model --to hf --license mit --push me/my-model
    """
    from hornbook.fileio import new_folder
    from hornbook.interop.hub import push_folder
    from hornbook.interop.huggingface_export import write_huggingface_model
    from hornbook.report.model_card import write_model_card
    from hornbook.training.load import load_model

    loaded = load_model(run, checkpoint)
    try:
        with new_folder(out) as folder:
            write_huggingface_model(loaded.model, loaded.tokenizer, folder, dtype=dtype, custom_code=custom_code)
            parameters = sum(p.numel() for p in loaded.model.parameters())
            coded = any(folder.glob("*.py"))
            write_model_card(run, folder, parameters=parameters, step=loaded.step, license=license, custom_code=coded)
    except FileExistsError:
        raise DataError(f"{out} is there already; nothing was written. Give another name, or remove it first") from None
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{out}: step {loaded.step:,}, {counted(parameters, 'parameter')}, {quantity(size, 'B')}")
    if loaded.tokenizer is None:
        print("the run keeps no tokenizer, so none is in it")
    if push:
        print(f"uploaded to {push_folder(out, push)}")
    return 0
