// The block scanner with AVX-512 (this file alone is compiled with -mavx512bw -mavx512vbmi2 and what they imply).
#if defined(__x86_64__)
#include <immintrin.h>

#include "scan_gpt2.hpp"

namespace hornbook {
namespace {

struct Avx512 {
  static ByteMasks masks(__m512i c) {
    auto in_range = [](__m512i x, char low, char span) {
      return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(low)), _mm512_set1_epi8(span));
    };
    ByteMasks m;
    m.letter = in_range(_mm512_or_si512(c, _mm512_set1_epi8(0x20)), 'a', 26);
    m.number = in_range(c, '0', 10);
    m.blank = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8(' '));
    m.whitespace = m.blank | in_range(c, 9, 5);
    m.apostrophe = _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8('\''));
    m.high = _mm512_movepi8_mask(c);
    if (m.high) {
      auto is = [&](int byte) { return _mm512_cmpeq_epi8_mask(c, _mm512_set1_epi8(static_cast<char>(byte))); };
      auto from = [&](int low, char span) { return in_range(c, static_cast<char>(low), span); };
      scan_detail::settle_common({from(0x80, 0x40), from(0xC3, 3) | from(0xD0, 2), is(0xC3), is(0x97) | is(0xB7),
                                  is(0xE2), is(0x80), from(0x90, 0x18), from(0xE5, 5)},
                                 m);
    }
    return m;
  }

  static ByteMasks classify(const uint8_t* p) { return masks(_mm512_loadu_si512(p)); }

  static ByteMasks classify_tail(const uint8_t* p, size_t n) {
    return masks(_mm512_maskz_loadu_epi8(_cvtu64_mask64(scan_detail::low_bits(n)), p));
  }

  // The numbers 0…63 compressed by the mask (to a register: compressing to memory is microcoded on Zen 4), widened.
  static size_t flatten(uint64_t bits, uint32_t base, uint32_t* out) {
    alignas(64) static constexpr uint8_t kIota[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                                      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                                      32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                                      48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const size_t count = static_cast<size_t>(_mm_popcnt_u64(bits));
    const __m512i places = _mm512_maskz_compress_epi8(_cvtu64_mask64(bits), _mm512_load_si512(kIota));
    const __m512i bases = _mm512_set1_epi32(static_cast<int>(base));
    auto store = [&](__m128i part, size_t at) {
      _mm512_storeu_si512(out + at, _mm512_add_epi32(_mm512_cvtepu8_epi32(part), bases));
    };
    store(_mm512_castsi512_si128(places), 0);
    if (count > 16) store(_mm512_extracti32x4_epi32(places, 1), 16);
    if (count > 32) [[unlikely]] {
      store(_mm512_extracti32x4_epi32(places, 2), 32);
      store(_mm512_extracti32x4_epi32(places, 3), 48);
    }
    return count;
  }
};

}  // namespace

size_t scan_gpt2_avx512(const uint8_t* text, size_t length, ScanState& state, size_t& malformed, uint32_t* ends,
                        size_t capacity) {
  return scan_gpt2<Avx512>(text, length, state, malformed, ends, capacity);
}

size_t find_pair_avx512(const uint8_t* text, size_t length, uint8_t first, uint8_t second) {
  const __m512i a = _mm512_set1_epi8(static_cast<char>(first)), b = _mm512_set1_epi8(static_cast<char>(second));
  size_t i = 0;
  for (; i + 65 <= length; i += 64) {
    const uint64_t hits = _mm512_mask_cmpeq_epi8_mask(_mm512_cmpeq_epi8_mask(_mm512_loadu_si512(text + i), a),
                                                      _mm512_loadu_si512(text + i + 1), b);
    if (hits) return i + static_cast<size_t>(std::countr_zero(hits));
  }
  return i + find_pair_plain(text + i, length - i, first, second);
}

}  // namespace hornbook
#endif
