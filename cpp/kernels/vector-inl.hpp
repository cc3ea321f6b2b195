// Sixteen floats at a time, through the compiler's vector extensions: the same source becomes AVX-512, AVX2 or NEON.
// Included inside a variant's namespace; nothing here may be shared between variants (the linker would keep one copy).
typedef float vf __attribute__((vector_size(64)));
typedef float vf_loose __attribute__((vector_size(64), aligned(4), may_alias));
typedef std::int32_t vi __attribute__((vector_size(64)));
typedef std::uint32_t vu __attribute__((vector_size(64)));
typedef std::uint16_t vh __attribute__((vector_size(32)));
typedef std::uint16_t vh_loose __attribute__((vector_size(32), aligned(2), may_alias));

using index = Index;
constexpr index W = 16;

#define HB_INLINE static inline __attribute__((always_inline))

// Written out: x + 0 is not x where x is −0, so the compiler would keep an addition in every product's inner loop.
HB_INLINE vf splat(float x) { return vf{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
HB_INLINE vf load(const float* p) { return (vf) * (const vf_loose*)p; }
HB_INLINE void store(float* p, vf x) { *(vf_loose*)p = (vf_loose)x; }
HB_INLINE vf maximum(vf a, vf b) { return a > b ? a : b; }
HB_INLINE vf minimum(vf a, vf b) { return a < b ? a : b; }

HB_INLINE vf load(const std::uint16_t* p) {
  vu wide = __builtin_convertvector((vh) * (const vh_loose*)p, vu) << 16;
  return (vf)wide;
}

// To the nearest bfloat16, ties to even, NaN stays NaN.
HB_INLINE void store(std::uint16_t* p, vf x) {
  vu bits = (vu)x;
  vu rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  rounded = (x != x) ? (vu{} + 0x7fc0u) : rounded;
  *(vh_loose*)p = (vh_loose) __builtin_convertvector(rounded, vh);
}

HB_INLINE float get(const float* p) { return *p; }
HB_INLINE float get(const std::uint16_t* p) {
  std::uint32_t bits = (std::uint32_t)*p << 16;
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}
HB_INLINE void put(float* p, float x) { *p = x; }
HB_INLINE void put(std::uint16_t* p, float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  *p = x != x ? 0x7fc0 : (std::uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// The last, incomplete vector of a row; `fill` stands where there is no element.
template <typename T>
HB_INLINE vf load_part(const T* p, index n, float fill) {
  vf x = splat(fill);
  for (index i = 0; i < n; i++) x[i] = get(p + i);
  return x;
}
template <typename T>
HB_INLINE void store_part(T* p, vf x, index n) {
  for (index i = 0; i < n; i++) put(p + i, x[i]);
}

typedef float v8 __attribute__((vector_size(32)));
typedef float v8_loose __attribute__((vector_size(32), aligned(4), may_alias));

// (p0, p0, p1, p1, …, p7, p7)
HB_INLINE vf each_twice(const float* p) {
  v8 x = (v8) * (const v8_loose*)p;
  return __builtin_shufflevector(x, x, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
}
HB_INLINE vf swap_pairs(vf x) {
  return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}
HB_INLINE vf odd_positive() { return (vf){-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1}; }

// Swaps the off-diagonal S × S blocks of rows i and i + S: four stages transpose 16 × 16.
template <int S>
HB_INLINE void swap_blocks(vf* r) {
#define HB_LOW(l) (((l) & S) ? 16 + (l) - S : (l))
#define HB_HIGH(l) (((l) & S) ? 16 + (l) : (l) + S)
#define HB_LANES(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15)
  for (int i = 0; i < 16; i++) {
    if (i & S) continue;
    vf a = r[i], b = r[i + S];
    r[i] = __builtin_shufflevector(a, b, HB_LANES(HB_LOW));
    r[i + S] = __builtin_shufflevector(a, b, HB_LANES(HB_HIGH));
  }
}
HB_INLINE void transpose16(vf* r) {
  swap_blocks<8>(r);
  swap_blocks<4>(r);
  swap_blocks<2>(r);
  swap_blocks<1>(r);
}

// Halves are added (or compared) in four steps: one by one would cost a row of 256 scores a tenth of its time.
HB_INLINE float sum(vf x) {
  x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return x[0] + x[1];
}
HB_INLINE float largest(vf x) {
  x = maximum(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  x = maximum(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  x = maximum(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return x[0] > x[1] ? x[0] : x[1];
}

// exp(x) within 2 units in the last place on [−87.3, 88.7], clamped outside; NaN stays NaN. Cephes' polynomial.
HB_INLINE vf exponential(vf x) {
  x = maximum(splat(-87.3f), minimum(splat(88.7f), x));  // in this order both hand a NaN through
  vf n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;  // rounds to the nearest whole number
  vf r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vf p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
  return p * (vf)exponent;
}

HB_INLINE vf sigmoid(vf x) { return 1.0f / (1.0f + exponential(-x)); }
HB_INLINE vf hyperbolic_tangent(vf x) { return 2.0f * sigmoid(2.0f * x) - 1.0f; }
