// C (M × N) = A (M × K) · B (K × N), or C += …, for the small products inside attention. A is read element by element
// with any strides (so Aᵀ costs nothing), B and C are rows whose length N is a multiple of W.

// What the causal mask makes needless, with d the number of the block's first query: row m of C is wanted up to column
// d + m; row m of A is zero behind column d + m; row m of A is zero before column m − d.
enum class Causal { wanted_below, zero_behind, zero_before };

// A tile's columns of A of which only some rows are wanted: none; the first MR − 1, of which column k only up to row k;
// or the last MR − 1, of which each has one row less. What the mask hides is left out, not multiplied by 0, which would
// make NaN of an infinity that lies there.
enum class Triangle { none, first, last };

// sums[m] += a(m, 0) · b for the rows FROM ≤ m < TO
template <int FROM, int TO, int MR, int NV>
HB_INLINE void step(vf (&sums)[MR][NV], const float* a, index a_row, const float* b) {
  vf right[NV];
  for (int n = 0; n < NV; n++) right[n] = load(b + n * W);
  for (int m = FROM; m < TO; m++) {
    vf left = splat(a[m * a_row]);
    for (int n = 0; n < NV; n++) sums[m][n] += left * right[n];
  }
}

// Written out for each column: with a number of rows that varies the sums would lie in memory.
template <bool LAST, int K = 1, int MR, int NV>
HB_INLINE void triangle_steps(vf (&sums)[MR][NV], const float* a, index a_row, index a_col, const float* b,
                              index b_row) {
  if constexpr (K < MR) {
    step<LAST ? K : 0, LAST ? MR : K>(sums, a, a_row, b);
    triangle_steps<LAST, K + 1>(sums, a + a_col, a_row, a_col, b + b_row, b_row);
  }
}

template <int MR, int NV>
HB_INLINE void tile(const float* a, index a_row, index a_col, const float* b, index b_row, float* c, index c_row,
                    index k_count, bool add, Triangle triangle) {
  vf sums[MR][NV];
  for (int m = 0; m < MR; m++)
    for (int n = 0; n < NV; n++) sums[m][n] = add ? load(c + m * c_row + n * W) : vf{};
  if (triangle == Triangle::first) triangle_steps<false>(sums, a, a_row, a_col, b, b_row);
  index begin = triangle == Triangle::first ? MR - 1 : 0, end = k_count - (triangle == Triangle::last ? MR - 1 : 0);
  for (index k = begin; k < end; k++) step<0, MR>(sums, a + k * a_col, a_row, b + k * b_row);
  if (triangle == Triangle::last) triangle_steps<true>(sums, a + end * a_col, a_row, a_col, b + end * b_row, b_row);
  for (int m = 0; m < MR; m++)
    for (int n = 0; n < NV; n++) store(c + m * c_row + n * W, sums[m][n]);
}

struct Factors {
  const float* a;
  index a_row, a_col;
  const float* b;
  index b_row;
  float* c;
  index c_row, k_count;
  bool add;
  Causal causal;
  index diagonal;
};

// `diagonal` is a multiple of every ROWS, so that no tile lies on both sides of it.
template <int ROWS, int NV>
HB_INLINE void rows_of(const Factors& p, index m, const float* b, float* c) {
  index from = 0, to = p.k_count;
  Triangle triangle = Triangle::none;
  if (p.causal == Causal::zero_behind) {
    to = p.diagonal + m + ROWS;
    triangle = Triangle::last;
  } else if (p.causal == Causal::zero_before && m >= p.diagonal) {
    from = m - p.diagonal;
    triangle = Triangle::first;
  }
  tile<ROWS, NV>(p.a + m * p.a_row + from * p.a_col, p.a_row, p.a_col, b + from * p.b_row, p.b_row, c + m * p.c_row,
                 p.c_row, to - from, p.add, triangle);
}

// The whole rows of MR, then of half of it, then one by one; n: the first column.
template <int MR, int NV>
HB_INLINE void column(const Factors& p, index m_count, index n, const float* b) {
  float* c = p.c + n;
  index m = p.causal == Causal::wanted_below && n > p.diagonal ? (n - p.diagonal) / MR * MR : 0;
  for (; m + MR <= m_count; m += MR) rows_of<MR, NV>(p, m, b, c);
  for (; m + MR / 2 <= m_count; m += MR / 2) rows_of<MR / 2, NV>(p, m, b, c);
  for (; m < m_count; m++) rows_of<1, NV>(p, m, b, c);
}

// MR × NV accumulators, NV of B and one of A stay within the registers.
constexpr int MR = REGISTERS == 32 && W == 4 ? 8 : 6, NV = REGISTERS == 16 ? 2 : W == 4 ? 3 : 4;
constexpr index PANEL = NV * W;

// `panel`: how far one panel of PANEL columns of B lies behind the one before.
static void multiply(const Factors& p, index m_count, index n_count, index panel) {
  index n = 0;
  for (; n + PANEL <= n_count; n += PANEL) column<MR, NV>(p, m_count, n, p.b + n / PANEL * panel);
  const float* b = p.b + n / PANEL * panel - n;
  if constexpr (NV > 2)
    for (; n + 2 * W <= n_count; n += 2 * W) column<12, 2>(p, m_count, n, b + n);
  for (; n < n_count; n += W) column<12, 1>(p, m_count, n, b + n);
}
