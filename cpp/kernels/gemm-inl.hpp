// C (M × N) = A (M × K) · B (K × N), or C += …, for the small products inside attention. A is read element by element
// with any strides (so Aᵀ costs nothing), B and C are rows whose length N is a multiple of W.
template <int MR, int NV>
HB_INLINE void tile(const float* a, index a_row, index a_col, const float* b, index b_row, float* c, index c_row,
                    index k_count, bool add) {
  vf sums[MR][NV];
  for (int m = 0; m < MR; m++)
    for (int n = 0; n < NV; n++) sums[m][n] = add ? load(c + m * c_row + n * W) : vf{};
  for (index k = 0; k < k_count; k++) {
    vf right[NV];
    for (int n = 0; n < NV; n++) right[n] = load(b + k * b_row + n * W);
    for (int m = 0; m < MR; m++) {
      vf left = splat(a[m * a_row + k * a_col]);
      for (int n = 0; n < NV; n++) sums[m][n] += left * right[n];
    }
  }
  for (int m = 0; m < MR; m++)
    for (int n = 0; n < NV; n++) store(c + m * c_row + n * W, sums[m][n]);
}

// The whole rows of MR, then of half of it, then one by one.
template <int MR, int NV>
HB_INLINE void column(index m_count, const float* a, index a_row, index a_col, const float* b, index b_row, float* c,
                      index c_row, index k_count, bool add) {
  index m = 0;
  for (; m + MR <= m_count; m += MR)
    tile<MR, NV>(a + m * a_row, a_row, a_col, b, b_row, c + m * c_row, c_row, k_count, add);
  for (; m + MR / 2 <= m_count; m += MR / 2)
    tile<MR / 2, NV>(a + m * a_row, a_row, a_col, b, b_row, c + m * c_row, c_row, k_count, add);
  for (; m < m_count; m++) tile<1, NV>(a + m * a_row, a_row, a_col, b, b_row, c + m * c_row, c_row, k_count, add);
}

// MR × NV accumulators, NV of B and one of A stay within the registers.
constexpr int MR = REGISTERS == 32 && W == 4 ? 8 : 6, NV = REGISTERS == 16 ? 2 : W == 4 ? 3 : 4;

static void multiply(index m_count, index n_count, index k_count, const float* a, index a_row, index a_col,
                     const float* b, index b_row, float* c, index c_row, bool add) {
  index n = 0;
  for (; n + NV * W <= n_count; n += NV * W)
    column<MR, NV>(m_count, a, a_row, a_col, b + n, b_row, c + n, c_row, k_count, add);
  if constexpr (NV > 2)
    for (; n + 2 * W <= n_count; n += 2 * W)
      column<12, 2>(m_count, a, a_row, a_col, b + n, b_row, c + n, c_row, k_count, add);
  for (; n < n_count; n += W) column<12, 1>(m_count, a, a_row, a_col, b + n, b_row, c + n, c_row, k_count, add);
}
