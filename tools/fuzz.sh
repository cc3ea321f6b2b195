#!/usr/bin/env bash
# Build a fuzz target of cpp/tests under the address and undefined-behaviour sanitizers and run it:
#     tools/fuzz.sh tokenizer|kernels [SECONDS] [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?tokenizer or kernels}
PATH="$PWD/.venv/bin:$PATH"
out=${FUZZ_BUILD:-build/fuzz}
mkdir -p "$out"
cmake -S . -B "$out" -DHORNBOOK_FUZZ=ON > "$out.log" 2>&1 || { cat "$out.log"; exit 1; }
cmake --build "$out" --parallel --target "fuzz_$target" >> "$out.log" 2>&1 || { cat "$out.log"; exit 1; }
case "$target" in
  tokenizer) "$out/fuzz_tokenizer" tests/fuzz_corpus "${2:-20}" "${3:-1}" ;;
  kernels) "$out/fuzz_kernels" "${2:-20}" "${3:-1}" ;;
esac
