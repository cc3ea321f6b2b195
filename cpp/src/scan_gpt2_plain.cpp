// The block scanner without SIMD: a table per byte builds the masks.
#include "scan_gpt2.hpp"

#include "hornbook/simd.hpp"
#include "hornbook/special.hpp"

namespace hornbook {

size_t find_pair_avx2(const uint8_t*, size_t, uint8_t, uint8_t);
size_t find_pair_avx512(const uint8_t*, size_t, uint8_t, uint8_t);

namespace {

struct Plain {
  static ByteMasks classify_tail(const uint8_t* p, size_t n) {
    ByteMasks m{};
    for (size_t i = 0; i < n; ++i) {
      const uint8_t b = p[i], lower = b | 0x20;
      const uint64_t bit = uint64_t{1} << i;
      if (lower >= 'a' && lower <= 'z') m.letter |= bit;
      if (b >= '0' && b <= '9') m.number |= bit;
      if (scan_detail::is_ascii_space(b)) m.whitespace |= bit;
      if (b == ' ') m.blank |= bit;
      if (b == '\'') m.apostrophe |= bit;
      if (b >= 0x80) m.high |= bit;
    }
    return m;
  }
  static ByteMasks classify(const uint8_t* p) { return classify_tail(p, 64); }
  static size_t flatten(uint64_t bits, uint32_t base, uint32_t* out) { return flatten_bits(bits, base, out); }
};

}  // namespace

size_t find_pair(const uint8_t* text, size_t length, uint8_t first, uint8_t second) {
#if defined(__x86_64__)
  if (active_simd() == Simd::avx512) return find_pair_avx512(text, length, first, second);
  if (active_simd() == Simd::avx2) return find_pair_avx2(text, length, first, second);
#endif
  return find_pair_plain(text, length, first, second);
}

size_t scan_gpt2_plain(const uint8_t* text, size_t length, ScanState& state, size_t& malformed, uint32_t* ends,
                       size_t capacity) {
  return scan_gpt2<Plain>(text, length, state, malformed, ends, capacity);
}

}  // namespace hornbook
