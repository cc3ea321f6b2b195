// Finds special tokens in text: leftmost first and, at one place, the longest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hornbook {

// Where two bytes stand next to each other for the first time; `length` if nowhere. Uses what SIMD there is.
size_t find_pair(const uint8_t* text, size_t length, uint8_t first, uint8_t second);

class SpecialMatcher {
 public:
  static constexpr size_t kNone = ~size_t{0};
  struct Match {
    size_t begin;  // kNone: nothing more
    size_t length;
    size_t index;  // into the list given
  };

  explicit SpecialMatcher(std::vector<std::string> tokens);

  // The first match that begins at or after `from` and ends within `length`.
  Match find(const uint8_t* text, size_t length, size_t from) const;

  // The longest token that begins at exactly `at`; begin is kNone where none does.
  Match match_at(const uint8_t* text, size_t length, size_t at) const;

  // True when some token occurs across `p`: begins before it and ends after it. Bytes past `length` are unknown; a
  // token that `length` cuts short counts as occurring.
  bool straddles(const uint8_t* text, size_t length, size_t p) const;

  size_t longest() const { return longest_; }
  bool empty() const { return tokens_.empty(); }
  bool any_replacement() const { return any_replacement_; }  // U+FFFD is in some token
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  std::vector<std::string> tokens_;
  std::vector<uint32_t> by_first_[256];  // longest first
  size_t longest_ = 0;
  bool any_replacement_ = false;
  bool common_pair_ = false;  // all tokens begin with the same two bytes, `pair_`
  uint8_t pair_[2] = {0, 0};
};

}  // namespace hornbook
