"""Two processes train together, by every strategy and with every optimizer, and equal one process.

    torchrun --nproc-per-node 2 tests/harness/strategies.py [compiled]

Run by tests/integration/test_distributed.py. Mostly in float64, so that a wrong factor anywhere shows; process 0 makes
the same updates alone and compares. Left out: the run folder, signals and deaths, which that test has.
"""

import sys
from itertools import product

import torch

from hornbook.checkpoint.tensors import flatten_optimizer, load_module, restore_optimizer
from hornbook.models.transformer import TransformerLM
from hornbook.nn import cpu_kernels
from hornbook.optim.registry import make_optimizer
from hornbook.optim.shards import full_tensor, is_sharded
from hornbook.training.config import resolve
from hornbook.training.distributed.strategies import SingleProcess
from hornbook.training.distributed.world import join
from hornbook.training.step import TrainStep

TOLERANCE = {torch.float64: 1e-9, torch.float32: 3e-5}
UPDATES, BATCH, T, V = 3, 8, 12, 53
OPTIMIZERS = {
    "adamw": {"name": "adamw"},
    "matrices": {"name": "adamw", "decay": "matrices"},
    "muon": {"name": "muon", "normuon": True, "cautious": True},
    "lion": {"name": "lion", "lr": 1e-3},
    "sgd": {"name": "sgd", "lr": 0.1},
}
MODELS = {
    "plain": {},
    "odd": {"d_model": 15, "num_heads": 3, "d_ff": 13, "position": "none", "tie_embeddings": True},
    "gated": {"qk_norm": True, "value_embeddings": 1, "logit_softcap": 8.0},
}


def recipe(way, optimizer, model, parts, recompute, compile):
    shape = {"vocab_size": V, "context_length": T, "d_model": 16, "num_layers": 2, "num_heads": 4, **MODELS[model]}
    training = {
        "batch_size": BATCH, "gradient_accumulation": parts, "clip_norm": 0.05, "dtype": "float32", "device": "cpu",
        "distributed": way, "activation_checkpointing": recompute, "compile": compile, "steps": 10,
    }  # fmt: skip
    return resolve({"model": shape, "optimizer": OPTIMIZERS[optimizer], "training": training})


def batches(config, rank, processes):
    """The parts of each update that fall to one process."""
    generator = torch.Generator().manual_seed(1)
    count = config.training.gradient_accumulation
    size = BATCH // (count * processes)
    for _ in range(UPDATES):
        ids = torch.randint(0, V, (BATCH, T + 1), generator=generator)
        rows = [ids[(rank * count + i) * size :][:size] for i in range(count)]
        yield [lambda r=r: (r[:, :-1], r[:, 1:]) for r in rows]


def train(config, strategy, rank, processes, restart=lambda optimizer: optimizer):
    optimizer = make_optimizer(config.optimizer, strategy.trained.named_parameters())
    results = []
    for number, parts in enumerate(batches(config, rank, processes), 1):
        step = TrainStep(strategy, optimizer, config)
        update = step(parts, number, 10)
        results.append(torch.stack([update.loss, update.grad_norm]))
        optimizer = restart(optimizer)
    return results, optimizer


def whole(tensors):
    return {name: full_tensor(tensor) for name, tensor in tensors.items()}


def check(world, config, calls):
    """Train alone and together, with a fresh optimizer and model filled from the gathered state after every update."""
    alone = TransformerLM(config.model)
    torch.manual_seed(0)
    alone.reset_parameters()
    model = TransformerLM(config.model, device="meta" if config.training.distributed == "fsdp" else "cpu")
    strategy = world.make_strategy(model, config)
    # Of copies, those of the main process are the ones that count.
    torch.manual_seed(0 if world.is_main or strategy.sharded else 1)
    strategy.initialise()
    strategy.synchronise()

    def restart(optimizer):
        """Gather everything and take it up again, as a checkpoint and a resume do."""
        load_module(model, whole(model.state_dict()), "the checkpoint")
        tensors, rest = flatten_optimizer(optimizer)
        fresh = make_optimizer(config.optimizer, strategy.trained.named_parameters())
        restore_optimizer(fresh, whole(tensors), rest, "the checkpoint")
        return fresh

    together, optimizer = train(config, strategy, world.rank, world.size, restart)
    kernels = torch.get_default_dtype() == torch.float32 and not config.training.compile and cpu_kernels.variant()
    assert bool(calls) == bool(kernels)
    sharded = [is_sharded(p) for p in strategy.trained.parameters()]
    assert all(sharded) if config.training.distributed == "fsdp" else not any(sharded)
    weights, tensors = whole(model.state_dict()), whole(flatten_optimizer(optimizer)[0])
    if not world.is_main:
        return
    single = config.with_training(compile=False)
    expected, own = train(single, SingleProcess(alone, single), 0, 1)
    compare = {"loss and norm": (torch.stack(together), torch.stack(expected))}
    compare |= {n: (p, dict(alone.named_parameters())[n]) for n, p in weights.items()}
    compare |= {name: (tensors[name], value) for name, value in flatten_optimizer(own)[0].items()}
    for name, (got, want) in compare.items():
        assert got.shape == want.shape, (name, got.shape, want.shape)
        worst = (got.detach() - want.detach()).abs().max().item()
        assert worst <= TOLERANCE[torch.get_default_dtype()] * max(1.0, want.abs().max().item()), (
            name,
            worst,
            config.training,
            config.optimizer,
        )


def count_kernel_calls():
    """Return a list that grows with every attention that hornbook's own CPU kernel computes."""
    calls, kernel = [], cpu_kernels.causal_attention
    cpu_kernels.causal_attention = lambda *arguments: calls.append(1) or kernel(*arguments)
    return calls


def main():
    torch.set_num_threads(1)
    world = join()
    ways = ("ddp", "fsdp")
    if sys.argv[1:] == ["compiled"]:
        cases = [(torch.float32, way, "adamw", "plain", 1, False, True) for way in ways]
    else:
        cases = [(torch.float64, *c, "plain", n, False, False) for c in product(ways, OPTIMIZERS) for n in (1, 2)]
        cases += [(torch.float64, *c, 1, False, False) for c in product(ways, ("adamw", "muon"), ("odd", "gated"))]
        cases += [(torch.float64, way, "adamw", "plain", 2, True, False) for way in ways]
        cases += [(torch.float32, way, "adamw", "plain", 2, False, False) for way in ways]
    calls = count_kernel_calls()
    for dtype, *case in cases:
        torch.set_default_dtype(dtype)
        calls.clear()
        check(world, recipe(*case), calls)
        if world.is_main:
            print("equal:", dtype, *case, flush=True)
    world.close()


if __name__ == "__main__":
    main()
