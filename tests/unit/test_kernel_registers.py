"""The inner loops of the CPU kernels keep their numbers in registers, read off the machine code of every variant.

A tile of more accumulators than the instruction set has registers computes the same numbers, five times slower.
tests/integration/test_arm64.py reads arm64's.
"""

import shutil

import pytest
from harness.machine_code import loops_of_products

from hornbook.nn import _kernels


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is absent")
@pytest.mark.skipif("avx2" not in _kernels.variants(), reason="no variant with fused products on this machine")
def test_no_loop_of_products_touches_the_stack():
    found = loops_of_products(_kernels.__file__)
    for kind in ("zmm", "ymm"):
        assert any(kind in first for _, _, first, _ in found), kind  # the loops that this is about were found
    assert not [loop for loop in found if loop[-1]]
