#!/usr/bin/env bash
# Build the extension modules under the address and undefined-behaviour sanitizers, and run tests on a copy of the tree with
# them:
#     tools/sanitize.sh [ARGUMENTS OF PYTEST]
# Covered: bindings/, cpp/src and cpp/kernels as Python calls them, by the tests that are named. Not covered: leaks (the
# interpreter never frees all of its own), races of threads, and what PyTorch and numpy do inside.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$PWD/.venv/bin/python"
out=$(realpath -m "${SANITIZE_BUILD:-build/sanitize}")
mkdir -p "$out"
PATH="$PWD/.venv/bin:$PATH"
cmake -S . -B "$out" -DHORNBOOK_SANITIZE_MODULES=ON -DPython_EXECUTABLE="$python" > "$out.log" 2>&1 || { cat "$out.log"; exit 1; }
cmake --build "$out" --parallel >> "$out.log" 2>&1 || { cat "$out.log"; exit 1; }
rm -rf "$out/tree"
mkdir "$out/tree"
cp -r src tests docs tools pyproject.toml README.md CHANGELOG.md "$out/tree"
find "$out/tree" -name '*.so' -delete
cmake --install "$out" --prefix "$out/tree/src" >> "$out.log"
[ $# -gt 0 ] || set -- tests/unit/test_kernel_edges.py tests/unit/test_tokenizer.py tests/unit/test_tokenizer_training.py -k "not megabyte and not memory"
cd "$out/tree"
LD_PRELOAD="$(c++ -print-file-name=libasan.so) $(c++ -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 PYTHONMALLOC=malloc \
  PYTHONPATH="$out/tree/src" "$python" -m pytest -q -m "not slow" --capture=sys -p no:cacheprovider "$@"
