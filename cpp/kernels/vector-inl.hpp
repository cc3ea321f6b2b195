// W floats at a time, through the compiler's vector extensions: as many as one register of the variant holds (HB_WIDTH:
// 16 for AVX-512, 8 for AVX2, 4 for NEON and SSE2). Wider vectors than the registers would all be kept in memory.
// Included inside a variant's namespace; nothing here may be shared between variants (the linker would keep one copy).
using index = Index;
constexpr index W = HB_WIDTH;
#if HB_WIDTH == 16 || defined(__aarch64__)
constexpr int REGISTERS = 32;
#else
constexpr int REGISTERS = 16;
#endif

typedef float vf __attribute__((vector_size(4 * W)));
typedef float vf_loose __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef std::int32_t vi __attribute__((vector_size(4 * W)));
typedef std::uint32_t vu __attribute__((vector_size(4 * W)));
typedef std::uint16_t vh __attribute__((vector_size(2 * W)));
typedef std::uint16_t vh_loose __attribute__((vector_size(2 * W), aligned(2), may_alias));
typedef std::uint16_t vh_pairs __attribute__((vector_size(4 * W)));

#define HB_INLINE static inline __attribute__((always_inline))

// f(0), f(1), … f(W − 1): what is written out for each lane
#define HB_LANES4(f, l) f(l), f((l) + 1), f((l) + 2), f((l) + 3)
#if HB_WIDTH == 16
#define HB_LANES(f) HB_LANES4(f, 0), HB_LANES4(f, 4), HB_LANES4(f, 8), HB_LANES4(f, 12)
#elif HB_WIDTH == 8
#define HB_LANES(f) HB_LANES4(f, 0), HB_LANES4(f, 4)
#else
#define HB_LANES(f) HB_LANES4(f, 0)
#endif

// Written out: x + 0 is not x where x is −0, so the compiler would keep an addition in every product's inner loop.
#define HB_X(l) x
HB_INLINE vf splat(float x) { return vf{HB_LANES(HB_X)}; }
HB_INLINE vf load(const float* p) { return (vf) * (const vf_loose*)p; }
HB_INLINE void store(float* p, vf x) { *(vf_loose*)p = (vf_loose)x; }
HB_INLINE vf maximum(vf a, vf b) { return a > b ? a : b; }
HB_INLINE vf minimum(vf a, vf b) { return a < b ? a : b; }

// By instruction: GCC 12 widens 16 numbers by halves that it puts together again, 5 instructions for one.
HB_INLINE vf load(const std::uint16_t* p) {
  vh narrow = *(const vh_loose*)p;
#if HB_WIDTH == 16
  vu wide = (vu)_mm512_cvtepu16_epi32((__m256i)narrow);
#elif HB_WIDTH == 8
  vu wide = (vu)_mm256_cvtepu16_epi32((__m128i)narrow);
#else
  vu wide = __builtin_convertvector(narrow, vu);
#endif
  return (vf)(wide << 16);
}

// To the nearest bfloat16, ties to even, NaN stays NaN.
HB_INLINE void store(std::uint16_t* p, vf x) {
  vu bits = (vu)x;
  vu rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  rounded = (x != x) ? (vu{} + 0x7fc00000u) : rounded;
#if HB_WIDTH == 16
  *(vh_loose*)p = (vh_loose) __builtin_convertvector(rounded >> 16, vh);
#else  // the upper half of each lane; GCC 12 takes 30 instructions for the conversion
#define HB_ODD(l) 2 * (l) + 1
  *(vh_loose*)p = (vh_loose)__builtin_shufflevector((vh_pairs)rounded, (vh_pairs)rounded, HB_LANES(HB_ODD));
#endif
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

typedef float vf_half __attribute__((vector_size(2 * W)));
typedef float vf_half_loose __attribute__((vector_size(2 * W), aligned(4), may_alias));

// (p0, p0, p1, p1, …)
#define HB_HALF(l) (l) / 2
HB_INLINE vf each_twice(const float* p) {
  vf_half x = (vf_half) * (const vf_half_loose*)p;
  return __builtin_shufflevector(x, x, HB_LANES(HB_HALF));
}

// Lane l from lane l ^ S.
#define HB_FLIP(l) (l) ^ S
template <int S>
HB_INLINE vf swapped(vf x) {
  return __builtin_shufflevector(x, x, HB_LANES(HB_FLIP));
}
HB_INLINE vf swap_pairs(vf x) { return swapped<1>(x); }
#define HB_SIGN(l) ((l) & 1 ? 1.0f : -1.0f)
HB_INLINE vf odd_positive() { return vf{HB_LANES(HB_SIGN)}; }

// True in the first `count` lanes.
#define HB_SAME(l) l
HB_INLINE vi visible(index count) { return vi{HB_LANES(HB_SAME)} < (std::int32_t)count; }

// Transposes the W × W numbers of r by swapping the off-diagonal S × S blocks of rows i and i + S, S = W/2, …, 1.
#define HB_LOW(l) ((l) & S ? W + (l) - S : (l))
#define HB_HIGH(l) ((l) & S ? W + (l) : (l) + S)
template <int S = W / 2>
HB_INLINE void transpose_square(vf* r) {
  for (int i = 0; i < W; i++) {
    if (i & S) continue;
    vf a = r[i], b = r[i + S];
    r[i] = __builtin_shufflevector(a, b, HB_LANES(HB_LOW));
    r[i + S] = __builtin_shufflevector(a, b, HB_LANES(HB_HIGH));
  }
  if constexpr (S > 1) transpose_square<S / 2>(r);
}

// Halves are added (or compared) step by step: lane by lane would cost a row of 256 scores a tenth of its time.
template <int S = W / 2>
HB_INLINE float sum(vf x) {
  if constexpr (S == 1)
    return x[0] + x[1];
  else
    return sum<S / 2>(x + swapped<S>(x));
}
template <int S = W / 2>
HB_INLINE float largest(vf x) {
  if constexpr (S == 1)
    return x[0] > x[1] ? x[0] : x[1];
  else
    return largest<S / 2>(maximum(x, swapped<S>(x)));
}

// x, which the compiler cannot see through: with a constant that it knows GCC 12 takes a comparison and a selection for
// `maximum` and `minimum` instead of one instruction.
HB_INLINE vf unknown(vf x) {
#if defined(__x86_64__)
  __asm__("" : "+v"(x));
#elif defined(__aarch64__)
  __asm__("" : "+w"(x));
#endif
  return x;
}

// exp(x) within 2 units in the last place on [−87.3, 88.7], clamped outside; NaN stays NaN. Cephes' polynomial.
HB_INLINE vf exponential(vf x) {
  x = maximum(unknown(splat(-87.3f)), minimum(unknown(splat(88.7f)), x));  // in this order both hand a NaN through
  vf shifted = x * 1.44269504f + 12582912.0f;  // 1.5 · 2²³ more: rounded to a whole number, which its last bits hold
  vf n = shifted - 12582912.0f;
  vf r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vf p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  vu exponent = ((vu)shifted + 127u) << 23;
  return p * (vf)exponent;
}

HB_INLINE vf sigmoid(vf x) { return 1.0f / (1.0f + exponential(-x)); }
HB_INLINE vf hyperbolic_tangent(vf x) { return 2.0f * sigmoid(2.0f * x) - 1.0f; }
