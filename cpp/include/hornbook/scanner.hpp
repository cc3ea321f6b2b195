// Cuts a piece of text (no special tokens in it) into pre-tokens, as a named pattern says.
//
// A `Scanner` hands out the ends of pre-tokens in batches; the caller keeps the end of the last one. Every pattern has
// one plain function here; gpt2 also has the block scanner of scan_gpt2.hpp, compiled once per instruction set. Which
// cuts a text may be divided at without changing its pre-tokens is said by `is_safe_cut`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hornbook {

struct StopToken;

// `none`: the caller cuts the text himself, as for a pattern that only a regex library knows.
enum class Pattern { none, gpt2, cl100k, o200k };

// What a block scanner carries from one block to the next (see scan_gpt2.hpp).
struct ScanState {
  size_t position = 0;      // next byte to look at
  uint64_t carry = 0;       // classes of the character before `position`
  uint64_t clear_next = 0;  // starts to delete and to add in the next block: a contraction crossed the edge
  uint64_t set_next = 0;
  bool finished = false;
};

class Scanner {
 public:
  static constexpr size_t kNone = ~size_t{0};
  static constexpr size_t kMargin = 64;  // a block scanner may write this many ends past the last one

  // `length` is below 2^32: longer texts are divided at safe cuts first. `stop_token` may end a long search by
  // Interrupted.
  Scanner(Pattern pattern, const uint8_t* text, size_t length, const StopToken& stop_token);

  // Writes ends of pre-tokens, ascending, at most `capacity` (> kMargin). Returns how many; 0 only at the end of the
  // text.
  size_t next(uint32_t* ends, size_t capacity);

  // Byte offset of the first malformed UTF-8 seen so far, or kNone. Complete only when `next` has returned 0.
  size_t first_malformed() const { return first_malformed_; }

 private:
  size_t next_plain(uint32_t* ends, size_t capacity);

  Pattern pattern_;
  const uint8_t* text_;
  size_t length_;
  const StopToken& stop_token_;
  size_t first_malformed_ = kNone;
  ScanState state_;
  using BlockScan = size_t (*)(const uint8_t*, size_t, ScanState&, size_t&, uint32_t*, size_t);
  BlockScan block_scan_ = nullptr;
};

// Plain scanners: the end of the pre-token that starts at `begin` (`begin < length`). One character at a time.
size_t gpt2_end(const uint8_t* text, size_t length, size_t begin);
// These two in scan_published.cpp.
size_t cl100k_end(const uint8_t* text, size_t length, size_t begin, const StopToken& stop_token);
size_t o200k_end(const uint8_t* text, size_t length, size_t begin, const StopToken& stop_token);

// The same by pattern.
size_t pretoken_end(Pattern pattern, const uint8_t* text, size_t length, size_t begin, const StopToken& stop_token);

// True where a text may be divided at `p` (0 < p < length) without changing its pre-tokens under any named pattern:
// a letter or number before, a character of another class (neither mark nor apostrophe) after. Both well formed.
bool is_safe_cut(const uint8_t* text, size_t length, size_t p);

}  // namespace hornbook
