#!/usr/bin/env bash
# Build the tokenizer's fuzzer under the address and undefined-behaviour sanitizers and run it: fuzz_tokenizer.sh [SECONDS] [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${FUZZ_BUILD:-build/fuzz}
mkdir -p "$out"
flags="-std=c++20 -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -Icpp/include -pthread"
pids=()
for source in cpp/src/*.cpp cpp/tests/fuzz_tokenizer.cpp; do
  wide=""
  case "$source:$(uname -m)" in
    *_avx2.cpp:x86_64) wide="-mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt" ;;
    *_avx512.cpp:x86_64) wide="-mavx512f -mavx512bw -mavx512vl -mavx512vbmi -mavx512vbmi2 -mbmi -mbmi2 -mlzcnt -mpopcnt -Wno-maybe-uninitialized" ;;
  esac
  object="$out/$(basename "$source" .cpp).o"
  if [ ! -e "$object" ] || [ -n "$(find cpp -newer "$object" -name '*.[ch]pp' -print -quit)" ]; then
    ${CXX:-g++} $flags $wide -c "$source" -o "$object" &
    pids+=($!)
  fi
done
for pid in "${pids[@]}"; do wait "$pid"; done
${CXX:-g++} $flags "$out"/*.o -o "$out/fuzz_tokenizer"
"$out/fuzz_tokenizer" tests/fuzz_corpus "${1:-20}" "${2:-1}"
