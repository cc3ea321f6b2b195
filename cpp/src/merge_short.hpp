// Merging a pre-token of less than a kilobyte: the lowest rank is looked for anew after each merge, among all pairs at
// once.
//
// A pair's key is its rank and its place in one number of 32 bits, so the lowest key says which merge comes next and
// where: the earliest merge, and of several places the first. Keys stay where they are; dead ones become high. Up to 32
// bytes all keys fit registers. Above that the lowest key of each row of 32 is kept, and only the rows that a merge
// touches are searched again. Written once and compiled per instruction set. `Isa` gives
//   rank(ranks, left, right), where one of the two is the result of a merge;
//   Keys, 32 keys with lowest() and set(place, key), which does nothing at place -1; only the first n are ever low;
//   lowest(keys, count) of an array, count a multiple of 16.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "hornbook/merger.hpp"

namespace hornbook {

inline constexpr size_t kLongestMergeShort = 1023;

namespace merge_detail {

inline constexpr uint32_t kNever = PairRanks::kNone;  // as a rank and as a key; any key with the top bit says: no pair

static inline uint32_t key_of(uint32_t rank, uint32_t place) { return rank << 10 | place; }  // 21 bits, 10 bits

// A pair that arises when its merge has had its turn already is left alone: merges apply in order of creation, once.
// (Arithmetic, here and below, where a branch could not be foreseen.)
static inline uint32_t ones_if(bool condition) { return uint32_t{0} - static_cast<uint32_t>(condition); }
static inline uint32_t later(uint32_t rank, uint32_t now) { return rank | ones_if(rank <= now); }

template <class Isa>
size_t merge_tiny(const PairRanks& ranks, const uint8_t* text, uint32_t n, uint32_t* out) {
  alignas(64) uint32_t first_keys[32];
  for (uint32_t i = 0; i + 1 < n; ++i) first_keys[i] = key_of(ranks.square[text[i] << 8 | text[i + 1]], i);
  for (uint32_t i = n ? n - 1 : 0; i < 32; ++i) first_keys[i] = kNever;
  typename Isa::Keys keys(first_keys, n);
  // The symbol at place i has bit i + 1. Outside the text stands a symbol at either side that no pair has.
  uint32_t symbols[34];
  symbols[0] = symbols[n + 1] = Merger::kMaxSymbols - 1;
  for (uint32_t i = 0; i < n; ++i) symbols[i + 1] = text[i];
  uint64_t alive = (uint64_t{4} << n) - 1;
  for (;;) {
    const uint32_t low = keys.lowest();
    if (low >> 31) break;
    const uint32_t rank = low >> 10, i = low & 31;
    const uint32_t z = result_of(ranks, rank);
    const uint64_t after = alive >> (i + 2) << (i + 2);
    const auto j = static_cast<uint32_t>(std::countr_zero(after));  // bits, as are k and h
    alive ^= uint64_t{1} << j;
    const auto k = static_cast<uint32_t>(std::countr_zero(after & (after - 1)));
    const auto h = static_cast<uint32_t>(std::bit_width(alive & ((uint64_t{2} << i) - 1))) - 1;
    const uint32_t with_next = later(Isa::rank(ranks, z, symbols[k]), rank);
    const uint32_t with_previous = later(Isa::rank(ranks, symbols[h], z), rank);
    symbols[i + 1] = z;
    keys.set(j - 1, kNever);
    keys.set(i, key_of(with_next, i));
    keys.set(h - 1, key_of(with_previous, h - 1));
  }
  size_t count = 0;
  for (uint64_t left = alive & ((uint64_t{2} << n) - 2); left; left &= left - 1)
    out[count++] = symbols[std::countr_zero(left)];
  return count;
}

}  // namespace merge_detail

template <class Isa>
size_t merge_short(const PairRanks& ranks, const uint8_t* text, size_t length, uint32_t* out) {
  using namespace merge_detail;
  const auto n = static_cast<uint32_t>(length);
  if (n <= 32) return merge_tiny<Isa>(ranks, text, n, out);
  constexpr uint32_t kPlace = 1023;
  constexpr size_t kRow = 32;
  alignas(64) uint32_t keys[kPlace + 1];
  alignas(64) uint32_t rows[(kPlace + 1) / kRow];
  uint32_t symbols[kPlace + 1];
  uint16_t next[kPlace + 1], previous[kPlace + 1];
  for (uint32_t i = 0; i < n; ++i) {
    symbols[i] = text[i];
    next[i] = static_cast<uint16_t>(i + 1);
    previous[i] = static_cast<uint16_t>(i - 1);
  }
  for (uint32_t i = 0; i + 1 < n; ++i) keys[i] = key_of(ranks.square[text[i] << 8 | text[i + 1]], i);
  const uint32_t num_rows = (n + kRow - 1) / kRow;
  for (uint32_t i = n - 1; i < num_rows * kRow; ++i) keys[i] = kNever;
  for (uint32_t& row : rows) row = kNever;
  for (uint32_t k = 0; k < num_rows; ++k) rows[k] = Isa::lowest(keys + k * kRow, kRow);

  for (;;) {
    const uint32_t low = Isa::lowest(rows, (kPlace + 1) / kRow);
    if (low >> 31) break;
    const uint32_t rank = low >> 10, i = low & kPlace, j = next[i], k = next[j];
    const uint32_t z = result_of(ranks, rank);
    symbols[i] = z;
    next[i] = static_cast<uint16_t>(k);
    keys[j] = keys[i] = kNever;
    if (k < n) {
      previous[k] = static_cast<uint16_t>(i);
      keys[i] = key_of(later(Isa::rank(ranks, z, symbols[k]), rank), i);
    }
    const uint32_t h = i ? previous[i] : 0;
    if (i) keys[h] = key_of(later(Isa::rank(ranks, symbols[h], z), rank), h);
    rows[i / kRow] = Isa::lowest(keys + i / kRow * kRow, kRow);
    if (j / kRow != i / kRow) rows[j / kRow] = Isa::lowest(keys + j / kRow * kRow, kRow);
    if (h / kRow != i / kRow) rows[h / kRow] = Isa::lowest(keys + h / kRow * kRow, kRow);
  }
  size_t count = 0;
  for (uint32_t i = 0; i < n; i = next[i]) out[count++] = symbols[i];
  return count;
}

}  // namespace hornbook
