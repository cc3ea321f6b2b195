"""A training loop of one's own: stories, tokenizer, model, AdamW, cosine schedule, clipping, and a story at the end.

`python examples/train_from_scratch.py [STEPS]` takes about ten seconds. What `hornbook train` adds to this loop:
files on disk, validation, checkpoints, resuming, several devices, and the fast kernels.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

import hornbook as hb

STEPS, BATCH, CONTEXT, PEAK_LR = 200, 16, 64, 5e-3


def main(steps: int = STEPS) -> None:
    """Train for `steps` updates, printing the loss now and then, and a story at the end."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # so small a model gains nothing from a second thread
    text = hb.data.storyworld.generate(500_000, seed=0, level="easy")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "stories.txt"
        source.write_text(text, encoding="utf-8")
        vocab, merges = hb.train_bpe(source, 512, ["<|endoftext|>"])
    tokenizer = hb.Tokenizer(vocab, merges, ["<|endoftext|>"])
    tokens = tokenizer.encode_array(text)

    vocab_size = tokenizer.vocab_size
    config = hb.ModelConfig(vocab_size=vocab_size, context_length=CONTEXT, d_model=64, num_layers=2, num_heads=4)
    model = hb.TransformerLM(config)
    optimizer = hb.AdamW(model.parameters(), lr=PEAK_LR, weight_decay=0.1)
    windows = torch.Generator().manual_seed(0)
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = hb.lr_cosine_schedule(step, PEAK_LR, PEAK_LR / 10, steps // 10, steps)
        inputs, targets = hb.get_batch(tokens, BATCH, CONTEXT, "cpu", generator=windows)  # (B, T) each
        loss = hb.cross_entropy(model(inputs), targets)
        loss.backward()
        hb.clip_gradients(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 50 == 0 or step == steps:
            print(f"step {step:4d}  loss {loss.item():.3f} nats/token")

    ids = hb.generate(model, tokenizer.encode("Once upon a time"), 40, temperature=0.8, top_p=0.9, generator=windows)
    print("Once upon a time" + tokenizer.decode(ids.tolist()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
