"""Check the measured memory model on a CUDA device: the allocator's peak of a few training steps, within 5 %.

    python benchmarks/check_accounting_gpu.py

Without a CUDA device it says "not verified on a GPU" and exits with code 3. The peak is the allocator's own count
of eager training steps (compiled ones plan their memory anew); the context and the libraries' own memory come on top.
"""

from __future__ import annotations

import torch

from hornbook.accounting.memory import StepSettings, engine_memory
from hornbook.models.config import ModelConfig
from hornbook.models.transformer import TransformerLM
from hornbook.optim.adamw import AdamW
from hornbook.optim.clip import clip_gradients

WITHIN = 0.05
SHAPES = [  # V, T, C, L, H, F, B
    (10000, 256, 512, 4, 16, 1344, 64),
    (10000, 256, 512, 4, 16, 1344, 256),
    (32000, 512, 768, 12, 12, 2048, 32),
    (50257, 1024, 768, 12, 12, 3072, 16),
    (50257, 1024, 1024, 24, 16, 4096, 8),
    (50257, 1024, 1280, 36, 20, 5120, 4),
]


def peak(config: ModelConfig, batch_size: int, dtype: str, checkpointing: bool) -> int:
    """Return the allocator's peak over three training steps."""
    torch.cuda.empty_cache()
    model = TransformerLM(config, device="cuda").use_fused()
    model.activation_checkpointing = checkpointing
    optimizer = AdamW(model.parameters(), lr=1e-4)
    ids = torch.randint(config.vocab_size, (batch_size, config.context_length), device="cuda")
    torch.cuda.reset_peak_memory_stats()
    for _ in range(3):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=dtype == "bfloat16"):
            loss = model.loss(ids, ids)
        loss.backward()
        clip_gradients(model.parameters(), 1.0)
        optimizer.step()
    return torch.cuda.max_memory_allocated()


def main() -> int:
    if not torch.cuda.is_available():
        print("not verified on a GPU: this machine has no CUDA device")
        return 3
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print("| configuration | dtype | predicted MB | measured MB | off by |\n| --- | --- | ---: | ---: | ---: |")
    worst = 0.0
    for V, T, C, L, H, F, B in SHAPES:
        config = ModelConfig(V, T, C, L, H, F)
        for dtype, checkpointing in (("float32", False), ("bfloat16", False), ("bfloat16", True)):
            how = StepSettings(dtype=dtype, activation_checkpointing=checkpointing, own_kernels=False, process=0)
            said = engine_memory(config, B, how).peak
            real = peak(config, B, dtype, checkpointing)
            worst = max(worst, abs(said / real - 1))
            what = f"V {V:,} T {T} C {C} L {L} F {F}, B {B}" + (", recomputed" if checkpointing else "")
            print(f"| {what} | {dtype} | {said / 1e6:,.0f} | {real / 1e6:,.0f} | {100 * (said / real - 1):+.1f} % |")
    print(f"worst {worst:.1%}; wanted {WITHIN:.0%}")
    return 0 if worst <= WITHIN else 1


if __name__ == "__main__":
    raise SystemExit(main())
