"""Threads of the kernels' own, which stand in for OpenMP where it is missing: the same bits, asleep between calls."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from hornbook.nn import _kernels, cpu_kernels

THREADS = 4


@pytest.fixture
def own_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    _kernels.use_own_threads(True)
    yield
    _kernels.use_own_threads(False)
    torch.set_num_threads(before)


def results():
    """Outputs and gradients of every kernel of a training step."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    qkv, gain = random(2, 70, 3, 4, 16).requires_grad_(), random(64).requires_grad_()
    assert cpu_kernels.usable(qkv, gain)
    attended = cpu_kernels.causal_attention(qkv, None, None).flatten(2)
    normed = cpu_kernels.rms_norm(attended, gain, 1e-5, torch.float32)
    gated = cpu_kernels.swiglu(normed)
    logits, targets = random(500, 300), torch.arange(500) % 300
    losses = cpu_kernels.cross_entropy_(logits, targets, 1.0, 0.0, True)
    return [gated, losses, logits, *torch.autograd.grad(gated.square().sum(), [qkv, gain])]


def same(found, wanted):
    return all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_results_are_openmps_bit_for_bit(own_threads):
    found = [results() for _ in range(20)]
    _kernels.use_own_threads(False)
    wanted = results()
    assert all(same(one, wanted) for one in found)


def test_callers_on_several_threads_get_the_same(own_threads):
    wanted, found = results(), []
    callers = [threading.Thread(target=lambda: found.extend(results() for _ in range(10))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 30
    assert all(same(one, wanted) for one in found)


PROGRAM = """
import os, sys, time, torch
from hornbook.nn import _kernels

_kernels.use_own_threads(True)
_kernels.set_threads(4)
both, out = torch.randn(500, 64), torch.empty(500, 32)

def threads_after_a_call():
    _kernels.swiglu_forward(dtype=_kernels.DType.float32, both=both.data_ptr(), out=out.data_ptr(), rows=500, width=32)
    return len(os.listdir("/proc/self/task"))

before = len(os.listdir("/proc/self/task"))
print(threads_after_a_call() - before)
begin = time.process_time()
time.sleep(0.5)
print(time.process_time() - begin < 0.1, flush=True)
child = os.fork()
if child == 0:
    os._exit(threads_after_a_call())
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted through /proc")
def test_they_are_as_many_as_asked_for_sleep_between_calls_and_are_anew_in_a_forked_process():
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ["3", "True", "4"], done.stderr
