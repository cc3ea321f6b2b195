// Products with int8 weights: rows of whole numbers of at most ±127, after them a float32 scale for each row.
//
// A vector is rounded to whole numbers once, as large as the sum over a row allows without leaving 32 bits (and 16 bits
// hold): some thousand times finer than int8, so that next to nothing is lost there. Products and sums are exact then,
// the same on every instruction set, in every batch and on any number of threads. What was tried instead stands in
// docs/log.md.
typedef std::int8_t vb __attribute__((vector_size(2 * W)));
typedef std::int8_t vb_loose __attribute__((vector_size(2 * W), aligned(1), may_alias));
typedef std::int16_t vs __attribute__((vector_size(4 * W)));
typedef std::int16_t vs_loose __attribute__((vector_size(4 * W), aligned(2), may_alias));

// Widened by instruction for the reason that `load` of bfloat16 gives.
HB_INLINE vs load(const std::int8_t* p) {
  vb narrow = *(const vb_loose*)p;
#if HB_WIDTH == 16
  return (vs)_mm512_cvtepi8_epi16((__m256i)narrow);
#elif HB_WIDTH == 8
  return (vs)_mm256_cvtepi8_epi16((__m128i)narrow);
#else
  return __builtin_convertvector(narrow, vs);
#endif
}

// Adds the products of 2W pairs, two to each lane (which two: of no matter to the whole sum).
HB_INLINE vi add_products(vi sums, vs a, vs b) {
#if HB_WIDTH == 16
  return sums + (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif HB_WIDTH == 8
  return sums + (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return sums + (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
  int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
  return (vi)vmlal_high_s16(vmlal_s16((int32x4_t)sums, vget_low_s16(x), vget_low_s16(y)), x, y);
#else
  return sums + ((vi)a >> 16) * ((vi)b >> 16) + ((vi)a << 16 >> 16) * ((vi)b << 16 >> 16);
#endif
}

HB_INLINE std::int32_t total_of(vi x) {
  std::int32_t total = 0;
  for (int l = 0; l < W; l++) total += x[l];
  return total;
}

// What the largest element of a vector becomes.
HB_INLINE float levels(index columns) {
  index most = 2147483647 / (127 * columns);
  return (float)(most < 32767 ? most : 32767);
}

// x ≈ numbers · the step that is returned. Infinity or NaN in x: the step is NaN, as every product with it.
static float round_vector(const float* x, index columns, std::int16_t* numbers) {
  vf peaks{}, spoiled{};
  for (index j = 0; j < columns; j += W) {
    vf v = columns - j < W ? load_part(x + j, columns - j, 0) : load(x + j);
    peaks = maximum(peaks, maximum(v, -v));
    spoiled += v * 0.0f;
  }
  float peak = largest(peaks) + sum(spoiled), inverse = levels(columns) / peak;
  if (!(inverse <= 3.4e38f)) {  // nothing but zeros (or what is not far from it), or NaN
    __builtin_memset(numbers, 0, (std::size_t)columns * 2);
    return peak * 0.0f;
  }
  for (index j = 0; j < columns; j++) numbers[j] = (std::int16_t)__builtin_rintf(x[j] * inverse);
  return peak / levels(columns);
}

// `Rows` rows of w, whose scales are given, against `Batch` rounded vectors.
template <int Rows, int Batch>
HB_INLINE void dot_rows(const std::int8_t* w, const char* scales, index columns, const std::int16_t* x,
                        const float* steps, float* y, index y_row, bool add) {
  constexpr index N = 2 * W, AHEAD = 4096;  // bytes; without it 17 MB are read a fifth more slowly
  vi sums[Rows][Batch] = {};
  index whole = columns / N * N;
  for (index j = 0; j < whole; j += N) {
    vs right[Batch];
    for (int b = 0; b < Batch; b++) right[b] = (vs) * (const vs_loose*)(x + b * columns + j);
    for (int r = 0; r < Rows; r++) {
      const std::int8_t* at = w + r * columns + j;
      __builtin_prefetch(at + AHEAD);
      vs left = load(at);
      for (int b = 0; b < Batch; b++) sums[r][b] = add_products(sums[r][b], left, right[b]);
    }
  }
  for (int r = 0; r < Rows; r++) {
    float scale;
    __builtin_memcpy(&scale, scales + 4 * r, 4);
    for (int b = 0; b < Batch; b++) {
      std::int32_t total = total_of(sums[r][b]);
      for (index j = whole; j < columns; j++) total += w[r * columns + j] * x[b * columns + j];
      float product = (float)total * (scale * steps[b]);
      y[b * y_row + r] = add ? y[b * y_row + r] + product : product;
    }
  }
}
