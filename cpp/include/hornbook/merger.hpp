// Applies the merges of a byte-level BPE inside one pre-token, in order of creation.
//
// Symbols have numbers of their own here: 0…255 are the bytes, then one per distinct result of a merge. A pair's rank is
// its place in the list of merges. Short pre-tokens are merged by a scan for the lowest rank, long ones by a heap, so
// that a megabyte of one letter costs n log n. Left out: caching, which is the encoder's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hornbook/workers.hpp"

namespace hornbook {

class Merger {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr uint32_t kMaxSymbols = uint32_t{1} << 21;  // a pair and its rank share 64 bits

  // Merges as byte strings, in order of creation. Throws ModelError for one whose sides no earlier merge makes.
  explicit Merger(const std::vector<std::pair<std::string, std::string>>& merges);

  const std::vector<std::string>& symbols() const { return symbols_; }

  // Writes the symbols of `text` to `out` (room for `length`); returns how many.
  size_t merge(const uint8_t* text, size_t length, uint32_t* out, const Control& control) const;

 private:
  uint32_t rank(uint32_t left, uint32_t right) const {
    if ((left | right) < 256) return square_[left << 8 | right];
    const uint64_t key = static_cast<uint64_t>(left) << 43 | static_cast<uint64_t>(right) << 22;
    for (size_t at = hash(key) & mask_;; at = (at + 1) & mask_) {
      const uint64_t slot = slots_[at];
      if (slot == kEmpty) return kNone;
      if ((slot ^ key) >> 22 == 0) return static_cast<uint32_t>(slot & 0x3FFFFF);
    }
  }
  static size_t hash(uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    return key >> 32;
  }
  size_t merge_short(const uint8_t* text, size_t length, uint32_t* out) const;
  size_t merge_long(const uint8_t* text, size_t length, uint32_t* out, const Control& control) const;

  static constexpr uint64_t kEmpty = ~uint64_t{0};
  std::vector<uint32_t> square_;   // [left byte][right byte] -> rank
  std::vector<uint64_t> slots_;    // left (21 bits), right (21), rank (22)
  size_t mask_ = 0;
  std::vector<uint32_t> results_;  // rank -> symbol
  std::vector<std::string> symbols_;
};

}  // namespace hornbook
