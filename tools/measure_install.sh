#!/usr/bin/env bash
# What `make demo` and `make test` install costs: seconds, peak disk and disk that stays, in a clone of the commit here.
# Usage: tools/measure_install.sh FOLDER [TARGET]; FOLDER must not be there, and is removed afterwards.
# TARGET is .venv/.installed (the demo's, the default) or .venv/.installed-test. Downloads go to a cache inside, so they count.
set -euo pipefail
folder=$1 target=${2:-.venv/.installed}
[ ! -e "$folder" ] || { echo "$folder is there already" >&2; exit 2; }
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/tmp" "$folder/cache"
git clone -q "$(dirname "$0")/.." "$folder/clone"
export TMPDIR="$folder/tmp" PIP_CACHE_DIR="$folder/cache"
start=$(date +%s.%N)
make -s -C "$folder/clone" "$target" &
peak=0
while kill -0 $! 2>/dev/null; do
  now=$(du -sk "$folder" 2>/dev/null | cut -f1) || true
  [ "${now:-0}" -le "$peak" ] || peak=$now
  sleep 0.5
done
wait $!
awk -v a="$start" -v b="$(date +%s.%N)" -v peak="$peak" -v left="$(du -sk "$folder/clone" | cut -f1)" -v cache="$(du -sk "$folder/cache" | cut -f1)" \
  'BEGIN { printf "%.0f s, %.2f GB at the peak, %.2f GB stay (and %.2f GB of pip'"'"'s cache)\n", b - a, peak / 1e6 * 1.024, left / 1e6 * 1.024, cache / 1e6 * 1.024 }'
