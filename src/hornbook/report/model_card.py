"""The README.md of an exported model: what it is, how to load it, how it was trained, what it scores, what it writes.

Everything comes from the run's folder; paths are cut to the names of the files, as a card is published. Left out:
judgements that a figure does not give (intended use, bias), which the model's owner has to write.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hornbook.config import dump_toml
from hornbook.errors import HornbookError
from hornbook.fileio import read_json_object
from hornbook.format import quantity
from hornbook.report.drawing import save_figures
from hornbook.report.figures import run_figures
from hornbook.report.load import RunData, read_run
from hornbook.report.tables import final_metrics

SAMPLES = 3
IMPORTED = "imported from "
"""What a run says of itself that was made of another program's model (launch/import_run.py)."""
SCORES = ("val_loss", "perplexity", "bits_per_byte", "floor", "ratio")
HEAD = """---
library_name: transformers
pipeline_tag: text-generation
license: {license}
tags:
- hornbook
---

# {name}

A language model of {size} parameters, {origin}.

## Use

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this folder, or its name on the hub
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder{trust})
ids = tokenizer({prompt}, return_tensors="pt")
out = model.generate(**ids, max_new_tokens={new_tokens}, do_sample=True, temperature=0.8, top_p=0.95)
print(tokenizer.decode(out[0]))
```

It has no chat template: it continues text. Its context is {context:,} tokens.
"""


def write_model_card(
    run: Path, folder: Path, *, parameters: int, step: int, license: str = "unknown", custom_code: bool = False
) -> Path:
    """Write the README.md of a run's model, and beside it its loss curve where matplotlib is installed.

    Args:
        run: the run's folder.
        folder: where the exported model is.
        parameters: how many numbers were trained.
        step: of the checkpoint that was exported.
        license: an identifier of the hub, such as "mit".
        custom_code: the folder holds code of its own.

    Raises:
        FormatError: the run is damaged.
        OSError: a file cannot be written.
    """
    data = read_run(run)
    prompt = next((str(sample.get("prompt", "")) for sample in reversed(data.samples)), "")
    parts = [
        HEAD.format(
            license=json.dumps(license),
            name=data.name,
            size=quantity(parameters),
            origin=_origin(data),
            trust=", trust_remote_code=True" if custom_code else "",
            prompt=json.dumps(prompt or "Once upon a time", ensure_ascii=False),
            context=(context := data.config["model"]["context_length"]),
            new_tokens=max(1, min(100, context // 2)),
        ),
        _scores(_until(data, step), step),
        _curve(data, folder),
        _data_table(data),
        _samples(_until(data, step)),
    ]
    if not data.reason.startswith(IMPORTED):  # nobody trained by the recipe of an imported run
        parts.append(f"## Recipe\n\n{fenced(dump_toml(_recipe(data.config)), 'toml')}\n")
    path = folder / "README.md"
    path.write_text("\n".join(part for part in parts if part), encoding="utf-8")
    return path


def _origin(run: RunData) -> str:
    """Return where the weights come from, and what they were trained on here."""
    if run.reason.startswith(IMPORTED):
        source = run.reason.removeprefix(IMPORTED)
        return f"imported into hornbook from {Path(source).name if Path(source).is_absolute() else source}"
    first = run.config["model"].get("init_from")
    start = f"the weights of {Path(str(first)).name}" if first else "random weights"
    return f"trained from {start} with hornbook{_data(run.config.get('data', {}))}"


def _until(run: RunData, step: int) -> RunData:
    """Return a run as it was at a step; what its last weights alone were measured by is left out before them."""
    if step >= max((record.get("step", 0) for record in run.metrics), default=0):
        return run
    floor = "entropy_floor_bits_per_byte"
    return dataclasses.replace(
        run,
        metrics=[record for record in run.metrics if record.get("step", 0) <= step],
        samples=[sample for sample in run.samples if sample.get("step", 0) <= step],
        summary={floor: run.summary[floor]} if floor in run.summary else {},
    )


def _data(section: Mapping[str, Any]) -> str:
    if section.get("corpus"):
        return f" on the corpus {section['corpus']}"
    mixture = [path for source in section.get("mixture") or () for path in source["text"]]
    names = [Path(str(path)).name for path in mixture or section.get("text") or section.get("tokens") or ()]
    return f" on {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}" if names else ""


def _data_table(run: RunData) -> str:
    """Return what the token files say of themselves, as far as they are still there."""
    record = read_json_object(run.path / "data.json", missing_ok=True)
    rows = []
    for part in ("train", "validation"):
        for path in record.get(part) or ():
            facts = read_json_object(Path(path).with_suffix(".json"), missing_ok=True)
            if facts:
                counts = " | ".join(f"{facts.get(key) or 0:,}" for key in ("num_bytes", "num_tokens", "num_documents"))
                rows.append(f"| {part} | {counts} | `{facts.get('sha256', '')}` |")
    if not rows:
        return ""
    section = run.config.get("data", {})
    level = f"{section['corpus']}, level {section.get('corpus_level')}" if section.get("corpus") == "storyworld" else ""
    made = [f"Made by hornbook: {level}, seed {section.get('corpus_seed')}.\n"] if level else []
    title = "| | bytes of text | tokens | documents | SHA-256 of the token ids |"
    return "\n".join(["## Data\n", *made, title, "|---|---|---|---|---|", *rows, ""])


def _scores(run: RunData, step: int) -> str:
    table = final_metrics([run])
    labels = {column.key: column.label for column in table.columns}
    rows = [
        f"| {labels[key]} | {table.rows[0][key]:.4f} |" for key in SCORES if key in labels and table.rows[0].get(key)
    ]
    if not rows:
        return ""
    context = run.config.get("evaluation", {}).get("context_length") or run.config["model"]["context_length"]
    head = f"## Figures\n\nOn the run's validation set, in windows of {context:,} tokens; losses are nats per token."
    measured = max(record["step"] for record in run.metrics if "val_loss" in record)
    title = f"| | at step {measured:,} |"
    return "\n".join([f"{head} The weights are those of step {step:,}.\n", title, "|---|---|", *rows, ""])


def _curve(run: RunData, folder: Path) -> str:
    figures = [figure for figure in run_figures([run]) if figure.id in ("loss", "train_loss")][:1]
    if not figures:
        return ""
    try:
        (path,) = save_figures(figures, folder, formats=["png"])
    except HornbookError:  # matplotlib is not installed
        return ""
    return f"![training and validation loss]({path.name})\n"


def _samples(run: RunData) -> str:
    if not run.samples:
        return ""
    last = run.samples[-1].get("step")
    shown = [sample for sample in run.samples if sample.get("step") == last][:SAMPLES]
    texts = [fenced(f"{sample.get('prompt', '')}{sample.get('text', '')}", "text") for sample in shown]
    return "\n".join(["## Samples\n", f"Written at step {last}, unselected.\n", *texts, ""])


def _recipe(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe without where things were on the machine that trained."""
    kept = {name: dict(section) for name, section in config.items() if isinstance(section, Mapping)}
    kept.get("run", {}).pop("directory", None)
    for section in kept.values():
        for key, value in section.items():
            if isinstance(value, str) and Path(value).is_absolute():
                section[key] = Path(value).name
            elif isinstance(value, (list, tuple)):
                section[key] = [Path(v).name if isinstance(v, str) and Path(v).is_absolute() else v for v in value]
    return kept


def fenced(text: str, kind: str) -> str:
    """Return text as a block of Markdown that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"
