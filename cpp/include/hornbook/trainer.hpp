// Byte-level BPE training on counted pre-tokens: the merge loop.
//
// The rule (in plain Python: src/hornbook/tokenizer/reference.py): take the adjacent pair with the highest count, among
// equals the greatest by the bytes of its left, then of its right symbol; merge left to right without overlap; symbols
// are byte strings.
// docs/tokenizer_core.md has the picture of the data structures and the invariants that they rest on.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hornbook/counts.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {

struct TrainTimes {
  double words = 0, pair_index = 0, merges = 0;
  uint64_t rebuilds = 0;
};

struct TrainResult {
  // Symbols by number: 0…255 are the bytes, then one per merge that made a new byte string.
  std::vector<std::string> symbols;
  std::vector<std::pair<uint32_t, uint32_t>> merges;  // numbers of left and right, in order of creation
};

// Merges until there are `max_symbols` symbols or no pair is left. Empties `table` as soon as its words are copied.
// The result does not depend on `threads`, which serve the first index of pairs.
TrainResult train(WordTable& table, size_t max_symbols, int threads, StopToken& stop_token, TrainTimes& times);

// Where and how pairs are kept, for tests: pairs rarer than this start are left out until they could win. 0: choose.
void set_first_threshold(uint64_t threshold);

}  // namespace hornbook
