// Causal attention, one (batch, head) at a time, in blocks of queries. Scores of a block are held, those of the whole
// never are; the backward pass computes them again from the kept log-sums (Dao et al. 2022, without the online maximum:
// a block's rows are short enough to be held whole). Norm and rotation happen while queries and keys are read and,
// inversely, while their gradients are written.
constexpr index BLOCK = 24;  // queries per block: a multiple of every tile height
constexpr index AHEAD = 8;   // rows of keys and values that are asked for before they are read

HB_INLINE index padded(index n) { return (n + W - 1) / W * W; }
HB_INLINE index panelled(index n) { return (n + PANEL - 1) / PANEL * PANEL; }

template <typename T>
HB_INLINE const T* at(const Heads& h, index b, index i, index t) {
  return (const T*)h.data + b * h.batch + i * h.head + t * h.time;
}
template <typename T>
HB_INLINE T* at_mutable(const Heads& h, index b, index i, index t) {
  return (T*)h.data + b * h.batch + i * h.head + t * h.time;
}

// Asks for a row that will be read soon: the rows of one head lie far apart, where the processor does not look ahead.
template <typename T>
HB_INLINE void fetch(const AttentionShape& s, const Heads& h, index b, index i, index t) {
  if (t >= s.time) return;
  const T* row = at<T>(h, b, i, t);
  for (index d = 0; d < s.width; d += (index)(64 / sizeof(T))) __builtin_prefetch(row + d);
}

// Reads one row into float32, rotated and scaled; the padding up to `padded(width)` becomes zero.
template <typename T>
HB_INLINE void read_row(const AttentionShape& s, const T* from, index t, bool rotate, float factor, float* to) {
  bool turn = rotate && s.cosine;
  index row = turn ? t * (s.width / 2) : 0;
  const float *c = s.cosine + row, *n = s.sine + row;
  index d = 0;
  for (; d + W <= s.width; d += W) {
    vf x = load(from + d);
    if (turn) x = x * each_twice(c + d / 2) + swap_pairs(x) * (each_twice(n + d / 2) * odd_positive());
    store(to + d, x * factor);
  }
  for (; d + 2 <= s.width; d += 2) {
    if (!turn) break;  // not by an angle of 0: 0 · NaN would reach the other one of a pair
    float even = get(from + d), odd = get(from + d + 1), cos = c[d / 2], sin = n[d / 2];
    to[d] = (even * cos - odd * sin) * factor;
    to[d + 1] = (even * sin + odd * cos) * factor;
  }
  for (; d < s.width; d++) to[d] = get(from + d) * factor;
  for (; d < padded(s.width); d++) to[d] = 0;
}

// x · rsqrt(mean(x²) + eps) · gain of one row in float32; returns the rsqrt.
template <typename T>
HB_INLINE float norm_row(const AttentionShape& s, const T* x, const float* gain, float* to) {
  index whole = s.width / W * W, rest = s.width - whole;
  vf tail = load_part(x + whole, rest, 0), squares = tail * tail;
  for (index d = 0; d < whole; d += W) squares += load(x + d) * load(x + d);
  float scale = 1.0f / __builtin_sqrtf(sum(squares) / (float)s.width + s.eps);
  for (index d = 0; d < whole; d += W) store(to + d, load(x + d) * scale * load(gain + d));
  if (rest) store_part(to + whole, tail * scale * load_part(gain + whole, rest, 0), rest);
  return scale;
}

// Reads a query or key: normed where there is a gain, then rotated.
template <typename T>
HB_INLINE void read_turned(const AttentionShape& s, const T* from, index t, const float* gain, float factor,
                           float* to) {
  if (gain) {
    norm_row(s, from, gain, to);
    read_row(s, to, t, true, factor, to);
  } else {
    read_row(s, from, t, true, factor, to);
  }
}

// The inverse of read_row's rotation.
template <typename T>
HB_INLINE void write_row(const AttentionShape& s, const float* from, index t, bool rotate, float factor, T* to) {
  bool turn = rotate && s.cosine;
  index row = turn ? t * (s.width / 2) : 0;
  const float *c = s.cosine + row, *n = s.sine + row;
  index d = 0;
  for (; d + W <= s.width; d += W) {
    vf x = load(from + d) * factor;
    if (turn) x = x * each_twice(c + d / 2) - swap_pairs(x) * (each_twice(n + d / 2) * odd_positive());
    store(to + d, x);
  }
  for (; d + 2 <= s.width; d += 2) {
    if (!turn) break;
    float even = from[d] * factor, odd = from[d + 1] * factor, cos = c[d / 2], sin = n[d / 2];
    put(to + d, even * cos + odd * sin);
    put(to + d + 1, odd * cos - even * sin);
  }
  for (; d < s.width; d++) put(to + d, from[d] * factor);
}

// The gradient of read_turned: from `d` (which it overwrites) to d_x, adding to d_gain; `normed` holds one row.
template <typename T>
HB_INLINE void write_turned(const AttentionShape& s, float* d, const T* x, index t, const float* gain, float factor,
                            float* normed, float* d_gain, T* d_x) {
  if (!gain) return write_row(s, d, t, true, factor, d_x);
  write_row(s, d, t, true, factor, d);  // now that of n · gain, where n = x · scale
  float scale = norm_row(s, x, gain, normed);
  index whole = s.width / W * W, rest = s.width - whole;
  vf products{};
  for (index j = 0; j < whole; j += W) {
    vf n = load(x + j) * scale, dy = load(d + j);
    store(d_gain + j, load(d_gain + j) + dy * n);
    products += dy * load(gain + j) * n;
  }
  vf n_tail = load_part(x + whole, rest, 0) * scale, dy_tail = load_part(d + whole, rest, 0);
  vf g_tail = load_part(gain + whole, rest, 0);
  if (rest) store_part(d_gain + whole, load_part(d_gain + whole, rest, 0) + dy_tail * n_tail, rest);
  float mean = sum(products + dy_tail * g_tail * n_tail) / (float)s.width;
  for (index j = 0; j < whole; j += W)
    store(d_x + j, scale * (load(d + j) * load(gain + j) - load(x + j) * scale * mean));
  if (rest) store_part(d_x + whole, scale * (dy_tail * g_tail - n_tail * mean), rest);
}

// rows (time, padded width) → panels of PANEL columns, each (padded width, PANEL), zero behind the last time
HB_INLINE void transpose(const float* rows, index row, index time, float* panels) {
  for (index t0 = 0; t0 < panelled(time); t0 += W)
    for (index d0 = 0; d0 < row; d0 += W) {
      vf block[W];
      for (index t = 0; t < W; t++) block[t] = t0 + t < time ? load(rows + (t0 + t) * row + d0) : vf{};
      transpose_square(block);
      float* to = panels + t0 / PANEL * PANEL * row + d0 * PANEL + t0 % PANEL;
      for (index d = 0; d < W; d++) store(to + d * PANEL, block[d]);
    }
}

template <typename T>
static void forward_heads(const void* context, index begin, index end) {
  const AttentionForward& task = *(const AttentionForward*)context;
  const AttentionShape& s = task.shape;
  index time = s.time, tp = padded(time), dp = padded(s.width);
  float factor = 1.0f / __builtin_sqrtf((float)s.width);
  float* memory = scratch((std::size_t)((panelled(time) + 2 * tp) * dp + BLOCK * (tp + 2 * dp)));
  float *keys = memory, *rows = keys + panelled(time) * dp, *values = rows + tp * dp;
  float *scores = values + tp * dp, *queries = scores + BLOCK * tp, *mixed = queries + BLOCK * dp;
  for (index task_index = begin; task_index < end; task_index++) {
    index b = task_index / s.heads, h = task_index % s.heads;
    for (index t = 0; t < time; t++) {
      fetch<T>(s, task.k, b, h, t + AHEAD);
      fetch<T>(s, task.v, b, h, t + AHEAD);
      read_turned(s, at<T>(task.k, b, h, t), t, s.key_gain, 1.0f, rows + t * dp);
      read_row(s, at<T>(task.v, b, h, t), t, false, 1.0f, values + t * dp);
    }
    transpose(rows, dp, time, keys);
    for (index i0 = 0; i0 < time; i0 += BLOCK) {
      index count = time - i0 < BLOCK ? time - i0 : BLOCK, seen = padded(i0 + count);
      for (index i = 0; i < count; i++) {
        read_turned(s, at<T>(task.q, b, h, i0 + i), i0 + i, s.query_gain, factor, queries + i * dp);
        fetch<T>(s, task.q, b, h, i0 + i + BLOCK);
      }
      multiply({queries, dp, 1, keys, PANEL, scores, tp, s.width, false, Causal::wanted_below, i0}, count, seen,
               PANEL * dp);
      float norms[BLOCK], peaks[BLOCK];
      for (index i = 0; i < count; i++) {
        float* row = scores + i * tp;
        index last = i0 + i + 1, whole = last / W * W;  // keys 0…i0+i
        vf end = visible(last - whole) ? load(row + whole) : splat(-__builtin_inff());
        vf top = end;
        for (index j = 0; j < whole; j += W) top = maximum(load(row + j), top);
        float peak = largest(top);
        vf total{};
        for (index j = 0; j < whole; j += W) {
          vf e = exponential(load(row + j) - peak);
          store(row + j, e);
          total += e;
        }
        // The exponential of −∞ is clamped to 1e−38: cleared before it meets a value.
        end = visible(last - whole) ? exponential(end - peak) : vf{};
        for (index j = whole; j < seen; j += W) store(row + j, j == whole ? end : vf{});
        norms[i] = sum(total + end);
        peaks[i] = peak;
      }
      for (index i = 0; i < count; i++)
        task.log_sum[(b * s.heads + h) * time + i0 + i] = peaks[i] + __builtin_logf(norms[i]);
      index depth = i0 + count;
      multiply({scores, tp, 1, values, dp, mixed, dp, depth, false, Causal::zero_behind, i0}, count, dp, PANEL);
      for (index i = 0; i < count; i++)
        write_row(s, mixed + i * dp, 0, false, 1.0f / norms[i], at_mutable<T>(task.out, b, h, i0 + i));
    }
  }
}

template <typename T>
static void backward_heads(const void* context, index begin, index end) {
  const AttentionBackward& task = *(const AttentionBackward*)context;
  const AttentionShape& s = task.shape;
  index time = s.time, tp = padded(time), dp = padded(s.width);
  float factor = 1.0f / __builtin_sqrtf((float)s.width);
  index all = panelled(time) * dp;
  float* memory = scratch((std::size_t)(2 * all + 4 * tp * dp + BLOCK * (2 * tp + 3 * dp) + dp));
  float *keys_t = memory, *values_t = keys_t + all;
  float *keys = values_t + all, *values = keys + tp * dp;
  float *d_keys = values + tp * dp, *d_values = d_keys + tp * dp;
  float *scores = d_values + tp * dp, *d_scores = scores + BLOCK * tp;
  float *queries = d_scores + BLOCK * tp, *d_outs = queries + BLOCK * dp, *d_queries = d_outs + BLOCK * dp;
  float* normed = d_queries + BLOCK * dp;
  for (index task_index = begin; task_index < end; task_index++) {
    index b = task_index / s.heads, h = task_index % s.heads;
    for (index t = 0; t < time; t++) {
      fetch<T>(s, task.k, b, h, t + AHEAD);
      fetch<T>(s, task.v, b, h, t + AHEAD);
      read_turned(s, at<T>(task.k, b, h, t), t, s.key_gain, 1.0f, keys + t * dp);
      read_row(s, at<T>(task.v, b, h, t), t, false, 1.0f, values + t * dp);
    }
    transpose(keys, dp, time, keys_t);
    transpose(values, dp, time, values_t);
    float* d_gains = task.d_gains + task_index * 2 * s.width;
    if (s.query_gain) __builtin_memset(d_gains, 0, (std::size_t)(2 * s.width) * 4);
    for (index i = 0; i < tp * dp; i += W) {
      store(d_keys + i, vf{});
      store(d_values + i, vf{});
    }
    for (index i0 = 0; i0 < time; i0 += BLOCK) {
      index count = time - i0 < BLOCK ? time - i0 : BLOCK, seen = padded(i0 + count);
      for (index i = 0; i < count; i++) {
        read_turned(s, at<T>(task.q, b, h, i0 + i), i0 + i, s.query_gain, factor, queries + i * dp);
        read_row(s, at<T>(task.d_out, b, h, i0 + i), 0, false, 1.0f, d_outs + i * dp);
        fetch<T>(s, task.q, b, h, i0 + i + BLOCK);
        fetch<T>(s, task.d_out, b, h, i0 + i + BLOCK);
        fetch<T>(s, task.out, b, h, i0 + i + BLOCK);
      }
      multiply({queries, dp, 1, keys_t, PANEL, scores, tp, s.width, false, Causal::wanted_below, i0}, count, seen,
               PANEL * dp);
      multiply({d_outs, dp, 1, values_t, PANEL, d_scores, tp, s.width, false, Causal::wanted_below, i0}, count, seen,
               PANEL * dp);
      for (index i = 0; i < count; i++) {
        const T* out = at<T>(task.out, b, h, i0 + i);
        index wide = s.width / W * W;
        vf products{};
        for (index d = 0; d < wide; d += W) products += load(out + d) * load(d_outs + i * dp + d);
        if (wide < s.width) products += load_part(out + wide, s.width - wide, 0) * load(d_outs + i * dp + wide);
        float along = sum(products);  // Σ out · d_out: what the normalisation takes back
        float log_sum = task.log_sum[(b * s.heads + h) * time + i0 + i];
        float *row = scores + i * tp, *d_row = d_scores + i * tp;
        index last = i0 + i + 1, whole = last / W * W;
        for (index j = 0; j < whole; j += W) {
          vf p = exponential(load(row + j) - log_sum);
          store(row + j, p);
          store(d_row + j, p * (load(d_row + j) - along));
        }
        vf p = visible(last - whole) ? exponential(load(row + whole) - log_sum) : vf{};
        vf d_p = visible(last - whole) ? p * (load(d_row + whole) - along) : vf{};
        for (index j = whole; j < seen; j += W) {
          store(row + j, j == whole ? p : vf{});
          store(d_row + j, j == whole ? d_p : vf{});
        }
      }
      index depth = i0 + count;
      multiply({d_scores, tp, 1, keys, dp, d_queries, dp, depth, false, Causal::zero_behind, i0}, count, dp, PANEL);
      for (index i = 0; i < count; i++)
        write_turned(s, d_queries + i * dp, at<T>(task.q, b, h, i0 + i), i0 + i, s.query_gain, factor, normed, d_gains,
                     at_mutable<T>(task.d_q, b, h, i0 + i));
      multiply({scores, 1, tp, d_outs, dp, d_values, dp, count, true, Causal::zero_before, i0}, depth, dp, PANEL);
      multiply({d_scores, 1, tp, queries, dp, d_keys, dp, count, true, Causal::zero_before, i0}, depth, dp, PANEL);
    }
    for (index t = 0; t < time; t++) {
      write_turned(s, d_keys + t * dp, at<T>(task.k, b, h, t), t, s.key_gain, 1.0f, normed, d_gains + s.width,
                   at_mutable<T>(task.d_k, b, h, t));
      write_row(s, d_values + t * dp, t, false, 1.0f, at_mutable<T>(task.d_v, b, h, t));
    }
  }
}

static void attention_forward(const AttentionForward& task) {
  const AttentionShape& s = task.shape;
  Body body = s.dtype == DType::float32 ? forward_heads<float> : forward_heads<std::uint16_t>;
  parallel_for(s.batch * s.heads, 1, body, &task);
}

static void attention_backward(const AttentionBackward& task) {
  const AttentionShape& s = task.shape;
  Body body = s.dtype == DType::float32 ? backward_heads<float> : backward_heads<std::uint16_t>;
  parallel_for(s.batch * s.heads, 1, body, &task);
}
