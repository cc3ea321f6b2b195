// Applies the merges of a byte-level BPE inside one pre-token, in order of creation.
//
// Symbols have numbers of their own here: 0…255 are the bytes, then one per distinct result of a merge. A pair's rank
// is its place in the list of merges. Pre-tokens below a kilobyte are merged by a search for the lowest rank with what
// SIMD there is (merge_short.hpp), longer ones by a heap, so that a megabyte of one letter costs n log n. Left out:
// caching, which is the encoder's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hornbook/memory.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {

// Pairs of symbols -> rank, and rank -> symbol. A view, without code of its own: files compiled for wider instructions
// use it.
struct PairRanks {
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static constexpr size_t kLine = 8;  // slots: a cache line, filled from its beginning; a full one goes on in the next
  const uint32_t* square;             // [left byte][right byte] -> rank
  const uint64_t* slots;              // of the other pairs: left (21 bits), right (21), rank (22)
  uint64_t num_lines;                 // a power of two
  const uint32_t* results;            // rank -> symbol; nullptr where every merge makes a new one: it is 256 + rank
};

static inline uint32_t result_of(const PairRanks& ranks, uint32_t rank) {
  return ranks.results ? ranks.results[rank] : rank + 256;
}

static inline uint64_t pair_key(uint32_t left, uint32_t right) {
  return static_cast<uint64_t>(left) << 43 | static_cast<uint64_t>(right) << 22;
}

// The number of the pair's first line.
static inline uint64_t first_line(const PairRanks& ranks, uint64_t key) {
  return (key * 0x9E3779B97F4A7C15u >> 32) & (ranks.num_lines - 1);
}

// The rank of a pair that is not of two bytes, or kNone; `line` is the first to look at.
static inline uint32_t rank_from(const PairRanks& ranks, uint64_t key, uint64_t line) {
  for (;; line = (line + 1) & (ranks.num_lines - 1)) {
    const uint64_t* slots = ranks.slots + line * PairRanks::kLine;
    for (size_t i = 0; i < PairRanks::kLine; ++i) {
      if ((slots[i] ^ key) >> 22 == 0) return static_cast<uint32_t>(slots[i] & 0x3FFFFF);
      if (slots[i] == PairRanks::kEmpty) return PairRanks::kNone;
    }
  }
}

class Merger {
 public:
  static constexpr uint32_t kNone = PairRanks::kNone;
  static constexpr uint32_t kMaxSymbols = uint32_t{1} << 21;  // a pair and its rank share 64 bits

  // Merges as byte strings, in order of creation. Throws ModelError for one whose sides no earlier merge makes.
  explicit Merger(const std::vector<std::pair<std::string, std::string>>& merges);
  Merger(const Merger&) = delete;
  Merger& operator=(const Merger&) = delete;

  const std::vector<std::string>& symbols() const { return symbols_; }

  // Writes the symbols of `text` to `out` (room for `length`); returns how many.
  size_t merge(const uint8_t* text, size_t length, uint32_t* out, const StopToken& stop_token) const;

 private:
  uint32_t rank(uint32_t left, uint32_t right) const {
    if ((left | right) < 256) return square_[left << 8 | right];
    const uint64_t key = pair_key(left, right);
    return rank_from(ranks_, key, first_line(ranks_, key));
  }
  size_t merge_long(const uint8_t* text, size_t length, uint32_t* out, const StopToken& stop_token) const;

  std::vector<uint32_t> square_;
  HugeArray<uint64_t> slots_;
  std::vector<uint32_t> results_;
  PairRanks ranks_{};
  std::vector<std::string> symbols_;
  std::vector<uint32_t> lengths_;  // of the symbols, in bytes
};

}  // namespace hornbook
