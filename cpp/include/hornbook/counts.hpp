// Counts of distinct pre-tokens: the open-addressing table that one thread fills, and counting whole files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hornbook/blocks.hpp"
#include "hornbook/keys.hpp"
#include "hornbook/memory.hpp"
#include "hornbook/scanner.hpp"
#include "hornbook/special.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {

constexpr uint64_t kMostCount = (uint64_t{1} << 63) - 1;

// Open addressing, linear probing, 32 bytes per entry. Longer pre-tokens lie in an arena that grows in slabs.
class WordTable {
 public:
  struct Entry {
    Key key;
    uint64_t count;
    const uint8_t* text;  // of a long pre-token; its length is in `length`, stored before the bytes
  };

  explicit WordTable(size_t capacity = size_t{1} << 14);

  void add(const uint8_t* text, size_t length, uint64_t count);  // any length of at least 1; throws beyond kMostCount
  // Returns the new count. A text adds 1 at a time; numbers from elsewhere go through `add_checked`.
  uint64_t add(const Key& key, uint64_t hash, const uint8_t* text, size_t length, uint64_t count) {
    Entry& e = entries_[hash & mask_];
    if (e.key == key && !key.is_long()) [[likely]]
      return e.count += count;
    return add_slow(key, hash, text, length, count);
  }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&entries_[hash & mask_], 1); }
  void merge(const WordTable& other, const StopToken& stop_token);
  void clear();

  size_t size() const { return size_; }
  size_t memory() const;

  // f(bytes, count) in the order of the table, which depends on the order of insertion.
  template <class F>
  void for_each(F&& f) const {
    for (size_t i = 0; i <= mask_ && size_; ++i) {
      const Entry& e = entries_[i];
      if (e.key.high) f(view(e), e.count);
    }
  }

 private:
  static std::string_view view(const Entry& e);
  uint64_t add_slow(const Key& key, uint64_t hash, const uint8_t* text, size_t length, uint64_t count);
  void add_checked(const Key& key, uint64_t hash, const uint8_t* text, size_t length, uint64_t count);
  const uint8_t* store(const uint8_t* text, size_t length);
  void grow();

  HugeArray<Entry> entries_;
  size_t mask_ = 0, size_ = 0;
  std::vector<HugeArray<uint8_t>> slabs_;
  size_t slab_used_ = 0;
};

// Adds the pre-tokens of `text` (no special tokens in it) to `table`. `padded_tail`: 16 bytes past the end may be read.
// Returns the offset of the first malformed byte, or Scanner::kNone.
size_t count_text(Pattern pattern, const uint8_t* text, size_t length, bool padded_tail, WordTable& table,
                  const StopToken& stop_token);

// The same for a text with special tokens in it, which are cut out and not counted; of any length.
size_t count_block(Pattern pattern, const uint8_t* text, size_t length, const SpecialMatcher& specials,
                   bool padded_tail, WordTable& table, const StopToken& stop_token);

struct CountTimes {
  double scan_and_count = 0, merge = 0;
};

// Counts the pre-tokens of files into `table`; the sum does not depend on `threads`.
void count_files(Pattern pattern, const std::vector<std::string>& paths, const SpecialMatcher& specials, int threads,
                 Errors errors, StopToken& stop_token, WordTable& table, CountTimes& times);

}  // namespace hornbook
