// The 16-byte key of a pre-token in the tables of the counter and of the encoder.
//
// Up to 15 bytes lie in the key itself with the length in the top byte, so two keys are equal exactly when the
// pre-tokens are. A longer pre-token's key is a hash with 0xFF on top; who finds such a key compares the bytes too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hornbook {

struct Key {
  uint64_t low, high;  // high == 0: no key
  bool operator==(const Key& other) const { return ((low ^ other.low) | (high ^ other.high)) == 0; }
  bool is_long() const { return high >> 56 == 0xFF; }
  size_t short_length() const { return high >> 56; }
};

inline constexpr size_t kShortest = 1, kLongestShort = 15;

inline uint64_t fold_multiply(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t load64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

inline uint64_t hash_key(const Key& k) {
  return fold_multiply(k.low ^ 0x9E3779B97F4A7C15u, k.high ^ 0xD1B54A32D192ED03u);
}

inline uint64_t hash_bytes(const uint8_t* p, size_t n, uint64_t seed) {
  uint64_t h = seed ^ n;
  for (; n > 16; p += 16, n -= 16) h = fold_multiply(load64(p) ^ 0xA0761D6478BD642Fu, load64(p + 8) ^ h);
  uint64_t low = 0, high = 0;  // what is left, 1…16 bytes
  std::memcpy(&low, p, n < 8 ? n : 8);
  if (n > 8) std::memcpy(&high, p + 8, n - 8);
  return fold_multiply(low ^ 0xE7037ED1A0B428DBu, high ^ h);
}

inline Key long_key(const uint8_t* p, size_t n) {
  const uint64_t h = hash_bytes(p, n, 0x8EBC6AF09C88C6E3u);
  return {h, fold_multiply(h, 0x589965CC75374CC3u) | uint64_t{0xFF} << 56};
}

// All bits of the first n bytes of 16, for n up to 15.
struct KeyMasks {
  uint64_t rows[16][2];
  constexpr KeyMasks() : rows{} {
    for (unsigned n = 1; n < 16; ++n) {
      rows[n][0] = ~uint64_t{0} >> (n < 8 ? 64 - 8 * n : 0);
      rows[n][1] = n > 8 ? ~uint64_t{0} >> (128 - 8 * n) : 0;
    }
  }
};
static constexpr KeyMasks kKeyMasks;

// `readable`: at least 16 bytes from `p` may be loaded, whatever `n` is.
inline Key make_key(const uint8_t* p, size_t n, bool readable) {
  if (n > kLongestShort) return long_key(p, n);
  Key k{0, 0};
  if (readable) [[likely]] {
    k.low = load64(p) & kKeyMasks.rows[n][0];
    k.high = load64(p + 8) & kKeyMasks.rows[n][1];
  } else {
    std::memcpy(&k, p, n);
  }
  k.high |= static_cast<uint64_t>(n) << 56;
  return k;
}

}  // namespace hornbook
