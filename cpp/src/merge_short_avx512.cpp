// Merging short pre-tokens with AVX-512 (this file alone is compiled with -mavx512bw and what it implies).
#if defined(__x86_64__)
#include <immintrin.h>

#include "merge_short.hpp"

namespace hornbook {
namespace {

struct Avx512 {
  struct Keys {
    __m512i low, high;
    Keys(const uint32_t* keys, size_t) : low(_mm512_load_si512(keys)), high(_mm512_load_si512(keys + 16)) {}
    uint32_t lowest() const { return _mm512_reduce_min_epu32(_mm512_min_epu32(low, high)); }
    void set(uint32_t place, uint32_t key) {
      const auto mask = static_cast<uint32_t>(uint64_t{1} << (place & 63));
      low = _mm512_mask_set1_epi32(low, static_cast<__mmask16>(mask), static_cast<int>(key));
      high = _mm512_mask_set1_epi32(high, static_cast<__mmask16>(mask >> 16), static_cast<int>(key));
    }
  };

  // All slots of a line at once: whether the pair is there, and where, cannot be foreseen.
  static uint32_t rank(const PairRanks& ranks, uint32_t left, uint32_t right) {
    const uint64_t key = pair_key(left, right), line = first_line(ranks, key);
    const uint64_t* slots = ranks.slots + line * PairRanks::kLine;
    const __m512i other = _mm512_xor_si512(_mm512_load_si512(slots), _mm512_set1_epi64(static_cast<long long>(key)));
    const uint32_t hits = _mm512_cmplt_epu64_mask(other, _mm512_set1_epi64(1 << 22));
    const uint64_t slot = slots[_tzcnt_u32(hits | 0x80)];
    if (slots[7] != PairRanks::kEmpty) [[unlikely]]
      return rank_from(ranks, key, line);
    return static_cast<uint32_t>(slot & 0x3FFFFF) | merge_detail::ones_if(hits == 0);
  }
  static uint32_t lowest(const uint32_t* keys, size_t count) {
    __m512i low = _mm512_loadu_si512(keys);
    for (size_t i = 16; i < count; i += 16) low = _mm512_min_epu32(low, _mm512_loadu_si512(keys + i));
    return _mm512_reduce_min_epu32(low);
  }
};

}  // namespace

size_t merge_short_avx512(const PairRanks& ranks, const uint8_t* text, size_t length, uint32_t* out) {
  return merge_short<Avx512>(ranks, text, length, out);
}

}  // namespace hornbook
#endif
