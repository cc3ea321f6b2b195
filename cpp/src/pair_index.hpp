// Pairs of symbols: their exact counts, and a queue that yields the best one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "hornbook/keys.hpp"
#include "hornbook/memory.hpp"

namespace hornbook {

// (left, right) -> count, for the pairs that are kept. Open addressing; a pair at count 0 stays as a stone.
class PairCounts {
 public:
  struct Slot {
    uint64_t key;  // left << 32 | right; 0: empty (symbol numbers start above 0)
    uint64_t count;
  };

  explicit PairCounts(size_t capacity = size_t{1} << 16) : slots_(capacity), mask_(capacity - 1) {}

  static uint64_t key(uint32_t left, uint32_t right) { return static_cast<uint64_t>(left) << 32 | right; }
  static uint64_t hash(uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    return key ^ key >> 32;
  }
  void prefetch(uint64_t key) const { __builtin_prefetch(&slots_[hash(key) & mask_], 1); }

  Slot* find(uint64_t key) const {
    for (size_t at = hash(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at];
      if (slots_[at].key == 0) return nullptr;
    }
  }

  Slot* insert(uint64_t key) {  // finds or adds; a new slot has count 0
    if ((size_ + 1) * 2 > mask_ + 1) grow();
    for (size_t at = hash(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at];
      if (slots_[at].key == 0) {
        slots_[at].key = key;
        ++size_;
        return &slots_[at];
      }
    }
  }

  size_t size() const { return size_; }

  template <class F>
  void for_each(F&& f) const {
    for (size_t i = 0; i <= mask_; ++i) {
      if (slots_[i].key) f(slots_[i]);
    }
  }

 private:
  void grow() {
    HugeArray<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    size_ = 0;
    for (size_t i = 0; i < old.size(); ++i) {
      if (old[i].key && old[i].count) *insert_unchecked(old[i].key) = old[i];
    }
  }
  Slot* insert_unchecked(uint64_t key) {
    size_t at = hash(key) & mask_;
    while (slots_[at].key) at = (at + 1) & mask_;
    ++size_;
    return &slots_[at];
  }

  HugeArray<Slot> slots_;
  size_t mask_, size_ = 0;
};

// A pair that waits for its turn. `count` may be older, hence higher, than the true one: counts only fall.
struct Waiting {
  uint64_t count;
  uint64_t prefix;  // first 8 bytes of the left symbol, big-endian: settles most ties
  uint32_t left, right;
  uint64_t postings;  // where the sites of this pair lie
  uint32_t sites;
};

inline uint64_t prefix_of(const std::string& symbol) {
  uint64_t v = 0;
  for (size_t i = 0; i < 8; ++i) v = v << 8 | (i < symbol.size() ? static_cast<uint8_t>(symbol[i]) : 0);
  return v;
}

// True when `a` comes after `b`: lower count, or the same count and the lesser (left, right) bytes.
struct Worse {
  const std::vector<std::string>* symbols;
  bool operator()(const Waiting& a, const Waiting& b) const {
    if (a.count != b.count) return a.count < b.count;
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    if (a.left != b.left) return (*symbols)[a.left] < (*symbols)[b.left];  // std::string compares unsigned bytes
    return a.right != b.right && (*symbols)[a.right] < (*symbols)[b.right];
  }
};

}  // namespace hornbook
