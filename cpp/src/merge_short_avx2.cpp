// Merging short pre-tokens with AVX2 (this file alone is compiled with -mavx2 and what it implies).
#if defined(__x86_64__)
#include <immintrin.h>

#include "merge_short.hpp"

namespace hornbook {
namespace {

struct Avx2 {
  static uint32_t lowest_of(__m256i keys) {
    __m128i four = _mm_min_epu32(_mm256_castsi256_si128(keys), _mm256_extracti128_si256(keys, 1));
    four = _mm_min_epu32(four, _mm_shuffle_epi32(four, 0x4E));
    four = _mm_min_epu32(four, _mm_shuffle_epi32(four, 0xB1));
    return static_cast<uint32_t>(_mm_cvtsi128_si32(four));
  }

  struct Keys {
    __m256i rows[4];
    Keys(const uint32_t* keys, size_t) {
      for (size_t k = 0; k < 4; ++k) rows[k] = _mm256_load_si256(reinterpret_cast<const __m256i*>(keys + 8 * k));
    }
    uint32_t lowest() const {
      return lowest_of(_mm256_min_epu32(_mm256_min_epu32(rows[0], rows[1]), _mm256_min_epu32(rows[2], rows[3])));
    }
    void set(uint32_t place, uint32_t key) {
      const __m256i value = _mm256_set1_epi32(static_cast<int>(key)),
                    wanted = _mm256_set1_epi32(static_cast<int>(place));
      __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
      for (__m256i& row : rows) {
        row = _mm256_blendv_epi8(row, value, _mm256_cmpeq_epi32(places, wanted));
        places = _mm256_add_epi32(places, _mm256_set1_epi32(8));
      }
    }
  };

  // All slots of a line at once: whether the pair is there, and where, cannot be foreseen.
  static uint32_t rank(const PairRanks& ranks, uint32_t left, uint32_t right) {
    const uint64_t key = pair_key(left, right), line = first_line(ranks, key);
    const uint64_t* slots = ranks.slots + line * PairRanks::kLine;
    auto hits_from = [&](size_t i) {
      const __m256i four = _mm256_load_si256(reinterpret_cast<const __m256i*>(slots + i));
      const __m256i other =
          _mm256_srli_epi64(_mm256_xor_si256(four, _mm256_set1_epi64x(static_cast<long long>(key))), 22);
      return static_cast<uint32_t>(
          _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(other, _mm256_setzero_si256()))));
    };
    const uint32_t hits = hits_from(0) | hits_from(4) << 4;
    const uint64_t slot = slots[_tzcnt_u32(hits | 0x80)];
    if (slots[7] != PairRanks::kEmpty) [[unlikely]]
      return rank_from(ranks, key, line);
    return static_cast<uint32_t>(slot & 0x3FFFFF) | merge_detail::ones_if(hits == 0);
  }
  static uint32_t lowest(const uint32_t* keys, size_t count) {
    auto load = [keys](size_t i) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys + i)); };
    __m256i low = _mm256_min_epu32(load(0), load(8));
    for (size_t i = 16; i < count; i += 16) low = _mm256_min_epu32(low, _mm256_min_epu32(load(i), load(i + 8)));
    return lowest_of(low);
  }
};

}  // namespace

size_t merge_short_avx2(const PairRanks& ranks, const uint8_t* text, size_t length, uint32_t* out) {
  return merge_short<Avx2>(ranks, text, length, out);
}

}  // namespace hornbook
#endif
