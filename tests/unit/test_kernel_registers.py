"""The inner loops of the CPU kernels keep their numbers in registers, read off the machine code of every variant.

A tile of more accumulators than the instruction set has registers computes the same numbers, five times slower.
"""

import re
import shutil
import subprocess

import pytest

from hornbook.nn import _kernels

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*([^#<]*)")
STACK = re.compile(r"\(%r[sb]p\b")


def loops(lines):
    """Yield the instructions of every innermost loop: from a backward jump's target to the jump."""
    code = [(int(m[1], 16), m[2], m[3]) for m in map(LINE.match, lines) if m]
    at = {address: i for i, (address, _, _) in enumerate(code)}
    first_free = 0  # a jump back over a loop that was yielded already closes an outer one
    for i, (address, name, operands) in enumerate(code):
        if not (name.startswith("j") and re.fullmatch(r"[0-9a-f]+\s*", operands)):
            continue
        start = at.get(int(operands, 16))
        if start is not None and int(operands, 16) < address and first_free <= start:
            first_free = i
            yield code[start : i + 1]


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is absent")
@pytest.mark.skipif("avx2" not in _kernels.variants(), reason="no variant with fused products on this machine")
def test_no_loop_of_products_touches_the_stack():
    command = ["objdump", "-d", "--no-show-raw-insn", _kernels.__file__]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    products = {"zmm": 0, "ymm": 0}
    spilled = []
    for body in loops(lines):
        fused = [operands for _, name, operands in body if name.startswith("vfmadd") and "ps" in name]
        if len(fused) < 12:
            continue
        for kind in products:
            products[kind] += kind in fused[0]
        if any(name.startswith("v") and STACK.search(operands) for _, name, operands in body):
            spilled.append((f"{body[0][0]:x}", len(fused)))
    assert all(products.values()), products  # the loops that this is about were found
    assert not spilled
