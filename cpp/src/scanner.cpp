#include "hornbook/scanner.hpp"

#include "hornbook/simd.hpp"
#include "hornbook/unicode.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {

size_t scan_gpt2_plain(const uint8_t*, size_t, ScanState&, size_t&, uint32_t*, size_t);
size_t scan_gpt2_avx2(const uint8_t*, size_t, ScanState&, size_t&, uint32_t*, size_t);
size_t scan_gpt2_avx512(const uint8_t*, size_t, ScanState&, size_t&, uint32_t*, size_t);

Scanner::Scanner(Pattern pattern, const uint8_t* text, size_t length, const StopToken& stop_token)
    : pattern_(pattern), text_(text), length_(length), stop_token_(stop_token) {
  if (pattern == Pattern::none) throw ModelError("this tokenizer's pattern has no native scanner");
  if (pattern == Pattern::gpt2) {
    block_scan_ = scan_gpt2_plain;
#if defined(__x86_64__)
    if (active_simd() == Simd::avx2) block_scan_ = scan_gpt2_avx2;
    if (active_simd() == Simd::avx512) block_scan_ = scan_gpt2_avx512;
#endif
  }
}

size_t Scanner::next(uint32_t* ends, size_t capacity) {
  if (!block_scan_) return next_plain(ends, capacity);
  size_t count = 0;
  while (count == 0 && !state_.finished && length_ > 0) {  // a block scanner comes back now and then from a long search
    stop_token_.check();
    count = block_scan_(text_, length_, state_, first_malformed_, ends, capacity);
  }
  return count;
}

size_t Scanner::next_plain(uint32_t* ends, size_t capacity) {
  size_t count = 0;
  while (count < capacity && state_.position < length_) {
    const size_t begin = state_.position;
    const size_t end = pretoken_end(pattern_, text_, length_, begin, stop_token_);
    for (size_t i = begin; first_malformed_ == kNone && i < end;) {
      stop_token_.check_at(i);
      const Char c = decode_char(text_ + i, text_ + length_);
      if (!c.valid) first_malformed_ = i;
      i += c.length;
    }
    state_.position = end;
    ends[count++] = static_cast<uint32_t>(end);
  }
  return count;
}

namespace {

// gpt2 knows four kinds of characters: letters, numbers, whitespace, and the rest.
int gpt2_kind(CharClass c) {
  if (is_letter(c)) return 3;
  return c == CharClass::mark ? 0 : static_cast<int>(c);
}

size_t contraction_length(const uint8_t* text, size_t length, size_t apostrophe) {
  const size_t left = length - apostrophe;
  if (left < 2) return 0;
  const uint8_t a = text[apostrophe + 1];
  if (a == 's' || a == 'd' || a == 'm' || a == 't') return 2;
  if (left < 3) return 0;
  const uint8_t b = text[apostrophe + 2];
  return (a == 'l' && b == 'l') || (a == 'v' && b == 'e') || (a == 'r' && b == 'e') ? 3 : 0;
}

}  // namespace

// '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
size_t gpt2_end(const uint8_t* text, size_t length, size_t begin) {
  const uint8_t* end = text + length;
  const Char first = decode_char(text + begin, end);
  if (first.code == '\'') {
    if (const size_t n = contraction_length(text, length, begin)) return begin + n;
  }
  int kind = gpt2_kind(first.type);
  size_t p = begin + first.length;
  const int space = static_cast<int>(CharClass::whitespace);
  if (first.code == ' ' && p < length) {
    const Char second = decode_char(text + p, end);
    if (gpt2_kind(second.type) != space) {
      kind = gpt2_kind(second.type);
      p += second.length;
    }
  }
  size_t last = begin;  // where the last character taken begins
  while (p < length) {
    const Char c = decode_char(text + p, end);
    if (gpt2_kind(c.type) != kind) {
      // \s+(?!\S) gives back one character where text follows, unless that would leave nothing.
      return kind == space && last > begin ? last : p;
    }
    last = p;
    p += c.length;
  }
  return p;
}

size_t pretoken_end(Pattern pattern, const uint8_t* text, size_t length, size_t begin, const StopToken& stop_token) {
  switch (pattern) {
    case Pattern::cl100k:
      return cl100k_end(text, length, begin, stop_token);
    case Pattern::o200k:
      return o200k_end(text, length, begin, stop_token);
    default:
      break;
  }
  return gpt2_end(text, length, begin);
}

bool is_safe_cut(const uint8_t* text, size_t length, size_t p) {
  if (p == 0 || p >= length) return false;
  const Char after = decode_char(text + p, text + length);
  if (!after.valid || after.code == '\'' || after.type == CharClass::mark) return false;
  const Char before = decode_char_before(text, text + p);
  if (!before.valid) return false;
  const bool letter = is_letter(before.type);
  if (!letter && before.type != CharClass::number) return false;
  return letter ? !is_letter(after.type) : after.type != CharClass::number;
}

}  // namespace hornbook
