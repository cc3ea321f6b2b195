"""arm64, cross-compiled and emulated: the fuzz targets of tokenizer and kernels, and the kernels' machine code."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.machine_code import loops_of_products

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "aarch64-linux-gnu"
EMULATOR = next(filter(None, map(shutil.which, ("qemu-aarch64", "qemu-aarch64-static"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is absent"),
    pytest.mark.skipif(shutil.which(f"{PREFIX}-g++") is None, reason=f"no cross-compiler (apt: g++-{PREFIX})"),
    pytest.mark.skipif(EMULATOR is None, reason="no emulator (apt: qemu-user)"),
]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arm64")
    settings = {
        "CMAKE_BUILD_TYPE": "Release", "CMAKE_CXX_COMPILER": f"{PREFIX}-g++", "CMAKE_SYSTEM_NAME": "Linux",
        "CMAKE_SYSTEM_PROCESSOR": "aarch64", "HORNBOOK_FUZZ": "ON", "HORNBOOK_SANITIZE": "OFF",
    }  # fmt: skip
    options = [f"-D{name}={value}" for name, value in settings.items()]
    for command in (["cmake", "-S", ROOT, "-B", folder, *options], ["cmake", "--build", folder, "--parallel", "2"]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("command", [["fuzz_tokenizer", ROOT / "tests/fuzz_corpus", "10"], ["fuzz_kernels", "10"]])
def test_results_are_those_of_the_plain_loops(build, command):
    assert EMULATOR
    done = subprocess.run(
        [EMULATOR, build / command[0], *command[1:]],
        env=os.environ | {"QEMU_LD_PREFIX": f"/usr/{PREFIX}"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_no_loop_of_products_touches_the_stack(build):
    found = loops_of_products(build / "fuzz_kernels", f"{PREFIX}-objdump")
    assert any(count == 24 for _, count, _, _ in found)  # the tiles of 8 × 3
    assert not [loop for loop in found if loop[-1]]
