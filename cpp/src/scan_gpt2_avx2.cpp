// The block scanner with AVX2 (this file alone is compiled with -mavx2 -mbmi -mbmi2 -mpopcnt).
#if defined(__x86_64__)
#include <immintrin.h>

#include "scan_gpt2.hpp"

namespace hornbook {
namespace {

struct Avx2 {
  struct Half {
    uint32_t letter, number, whitespace, blank, apostrophe, high;
  };

  static __m256i load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static uint32_t bits(__m256i v) { return static_cast<uint32_t>(_mm256_movemask_epi8(v)); }
  static uint64_t join(uint32_t low, uint32_t high) { return low | static_cast<uint64_t>(high) << 32; }

  // x in [low, low + span): (x - low) as unsigned is at most span - 1.
  static __m256i in_range(__m256i x, char low, char span) {
    const __m256i d = _mm256_sub_epi8(x, _mm256_set1_epi8(low));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(static_cast<char>(span - 1))), d);
  }

  static Half half(const uint8_t* p) {
    const __m256i c = load(p);
    const __m256i blank = _mm256_cmpeq_epi8(c, _mm256_set1_epi8(' '));
    Half h;
    h.letter = bits(in_range(_mm256_or_si256(c, _mm256_set1_epi8(0x20)), 'a', 26));
    h.number = bits(in_range(c, '0', 10));
    h.whitespace = bits(_mm256_or_si256(blank, in_range(c, 9, 5)));
    h.blank = bits(blank);
    h.apostrophe = bits(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\'')));
    h.high = bits(c);
    return h;
  }

  static ByteMasks classify(const uint8_t* p) {
    const Half a = half(p), b = half(p + 32);
    ByteMasks m{join(a.letter, b.letter), join(a.number, b.number),         join(a.whitespace, b.whitespace),
                join(a.blank, b.blank),   join(a.apostrophe, b.apostrophe), join(a.high, b.high)};
    if (m.high) {
      const __m256i low = load(p), high = load(p + 32);
      auto both = [&](auto has) { return join(bits(has(low)), bits(has(high))); };
      auto is = [&](int byte) {
        return both([&](__m256i c) { return _mm256_cmpeq_epi8(c, _mm256_set1_epi8(static_cast<char>(byte))); });
      };
      auto from = [&](int first, char span) {
        return both([&](__m256i c) { return in_range(c, static_cast<char>(first), span); });
      };
      scan_detail::settle_common({from(0x80, 0x40), from(0xC3, 3) | from(0xD0, 2), is(0xC3), is(0x97) | is(0xB7),
                                  is(0xE2), is(0x80), from(0x90, 0x18), from(0xE5, 5)},
                                 m);
    }
    return m;
  }

  static ByteMasks classify_tail(const uint8_t* p, size_t n) {
    uint8_t copy[64] = {};
    std::memcpy(copy, p, n);
    return classify(copy);
  }

  // Eight blind stores for the usual block of about thirteen pre-tokens, then as many more as there are.
  static size_t flatten(uint64_t bits, uint32_t base, uint32_t* out) {
    const size_t count = static_cast<size_t>(_mm_popcnt_u64(bits));
    for (size_t i = 0; i < count; i += 8) {
      for (size_t k = 0; k < 8; ++k) {
        out[i + k] = base + static_cast<uint32_t>(_tzcnt_u64(bits));
        bits = _blsr_u64(bits);
      }
    }
    return count;
  }
};

}  // namespace

size_t scan_gpt2_avx2(const uint8_t* text, size_t length, ScanState& state, size_t& malformed, uint32_t* ends,
                      size_t capacity) {
  return scan_gpt2<Avx2>(text, length, state, malformed, ends, capacity);
}

size_t find_pair_avx2(const uint8_t* text, size_t length, uint8_t first, uint8_t second) {
  const __m256i a = _mm256_set1_epi8(static_cast<char>(first)), b = _mm256_set1_epi8(static_cast<char>(second));
  auto load = [](const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); };
  size_t i = 0;
  for (; i + 33 <= length; i += 32) {
    const __m256i both =
        _mm256_and_si256(_mm256_cmpeq_epi8(load(text + i), a), _mm256_cmpeq_epi8(load(text + i + 1), b));
    if (const auto hits = static_cast<uint32_t>(_mm256_movemask_epi8(both)))
      return i + static_cast<size_t>(std::countr_zero(hits));
  }
  return i + find_pair_plain(text + i, length - i, first, second);
}

}  // namespace hornbook
#endif
