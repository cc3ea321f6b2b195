// A small batch of tokens through the whole model, against kept keys and values: one for each sequence, or several. At
// batch 1 the time is that of reading the weights once, so the weights may be bfloat16 or int8; activations, keys and
// values are float32. Every token is computed by the same sums in the same order, whatever the batch around it.

// `Rows` rows of w against `Batch` vectors.
template <typename T, int Rows, int Batch>
HB_INLINE void dot_rows(const T* w, index columns, const float* x, float* y, index y_row, bool add) {
  vf sums[Rows][Batch] = {};
  index whole = columns / W * W, rest = columns - whole;
  for (index j = 0; j < whole; j += W) {
    vf right[Batch];
    for (int b = 0; b < Batch; b++) right[b] = load(x + b * columns + j);
    for (int r = 0; r < Rows; r++) {
      vf left = load(w + r * columns + j);
      for (int b = 0; b < Batch; b++) sums[r][b] += left * right[b];
    }
  }
  for (int r = 0; r < Rows; r++)
    for (int b = 0; b < Batch; b++) {
      float total = sum(sums[r][b]);
      for (index j = whole; j < whole + rest; j++) total += get(w + r * columns + j) * x[b * columns + j];
      y[b * y_row + r] = add ? y[b * y_row + r] + total : total;
    }
}

// to (batch, count · rows) = from (batch, columns) · each weightᵀ side by side, or += …
struct Product {
  index batch, count, rows, columns;
  const void* weights[3];
  const float* from;
  float* to;
  bool add;
  // int8 weights: `from` in whole numbers, and the step of each vector
  const std::int16_t* numbers;
  const float* steps;
};

// Rows begin…end of one of the weights.
template <typename T, int Batch>
HB_INLINE void dot_block(const Product& t, index m, index begin, index end, index b) {
  constexpr int ROWS = Batch == 1 || REGISTERS == 32 ? 4 : 2;  // ROWS × Batch sums, Batch vectors and a row of w
  const T* w = (const T*)t.weights[m];
  index r = begin, y_row = t.count * t.rows;
  float* y = t.to + b * y_row + m * t.rows;
  if constexpr (sizeof(T) == 1) {
    const char* scales = (const char*)(w + t.rows * t.columns);
    const std::int16_t* x = t.numbers + b * t.columns;
    for (; r + ROWS <= end; r += ROWS)
      dot_rows<ROWS, Batch>(w + r * t.columns, scales + 4 * r, t.columns, x, t.steps + b, y + r, y_row, t.add);
    for (; r < end; r++)
      dot_rows<1, Batch>(w + r * t.columns, scales + 4 * r, t.columns, x, t.steps + b, y + r, y_row, t.add);
  } else {
    const float* x = t.from + b * t.columns;
    for (; r + ROWS <= end; r += ROWS) dot_rows<T, ROWS, Batch>(w + r * t.columns, t.columns, x, y + r, y_row, t.add);
    for (; r < end; r++) dot_rows<T, 1, Batch>(w + r * t.columns, t.columns, x, y + r, y_row, t.add);
  }
}

template <typename T>
static void product_rows(const void* context, index begin, index end) {
  const Product& t = *(const Product*)context;
  while (begin < end) {
    index m = begin / t.rows, first = begin - m * t.rows, last = end - m * t.rows;
    if (last > t.rows) last = t.rows;
    index b = 0;
    for (; b + 4 <= t.batch; b += 4) dot_block<T, 4>(t, m, first, last, b);
    for (; b < t.batch; b++) dot_block<T, 1>(t, m, first, last, b);
    begin += last - first;
  }
}

static void product(const DecodeShape& s, Product task, void* memory) {
  if (s.dtype == DType::int8) {
    float* steps = (float*)memory;
    std::int16_t* numbers = (std::int16_t*)(steps + task.batch);
    for (index b = 0; b < task.batch; b++)
      steps[b] = round_vector(task.from + b * task.columns, task.columns, numbers + b * task.columns);
    task.numbers = numbers, task.steps = steps;
  }
  Body body = s.dtype == DType::float32    ? product_rows<float>
              : s.dtype == DType::bfloat16 ? product_rows<std::uint16_t>
                                           : product_rows<std::int8_t>;
  parallel_for(task.count * task.rows, task.rows >= 4096 ? 256 : 64, body, &task);
}

// rsqrt(mean(x²) + eps)
static float root_scale(const float* x, index width, float eps) {
  index whole = width / W * W;
  vf squares{};
  for (index j = 0; j < whole; j += W) squares += load(x + j) * load(x + j);
  float total = sum(squares);
  for (index j = whole; j < width; j++) total += x[j] * x[j];
  return 1.0f / __builtin_sqrtf(total / (float)width + eps);
}

static void norm_rows(const DecodeShape& s, index batch, const float* gain, const float* from, float* to) {
  for (index b = 0; b < batch; b++) {
    const float* x = from + b * s.d_model;
    float* y = to + b * s.d_model;
    float scale = root_scale(x, s.d_model, s.eps);
    for (index j = 0; j < s.d_model; j++) y[j] = x[j] * scale * gain[j];
  }
}

// Rotates the pairs (2p, 2p + 1).
static void turn(float* x, const float* c, const float* n, index width) {
  for (index p = 0; p < width / 2; p++) {
    float even = x[2 * p], odd = x[2 * p + 1];
    x[2 * p] = even * c[p] - odd * n[p];
    x[2 * p + 1] = even * n[p] + odd * c[p];
  }
}

// One layer's attention: the new queries, keys and values side by side (batch, 3, d_model), what they mix to
// (batch, d_model), and memory for the scores (batch, heads, context + width).
struct Attend {
  const DecodeShape* shape;
  const DecodeLayer* layer;
  const std::int64_t *positions, *sequences;
  const float* qkv;
  float *mixed, *scores;
};

// Norms and turns the new query and key of one head, keeps key and value, and mixes the values seen so far.
static void attend(const Attend& t, index b, index h, float* scores) {
  const DecodeShape& s = *t.shape;
  index width = s.d_model / s.heads, whole = width / W * W;
  index position = t.positions[b], sequence = t.sequences ? t.sequences[b] : b;
  float factor = 1.0f / __builtin_sqrtf((float)width);
  const float* q = t.qkv + b * 3 * s.d_model + h * width;
  const float *k = q + s.d_model, *v = k + s.d_model;
  float* keys = t.layer->keys + (sequence * s.heads + h) * s.context * width;
  float* values = t.layer->values + (sequence * s.heads + h) * s.context * width;
  float* query = scores + s.context;
  float* key = keys + position * width;
  for (index d = 0; d < width; d++) values[position * width + d] = v[d];
  const float *q_gain = t.layer->query_gain, *k_gain = t.layer->key_gain;
  float q_scale = q_gain ? factor * root_scale(q, width, s.eps) : factor;
  float k_scale = k_gain ? root_scale(k, width, s.eps) : 1;
  for (index d = 0; d < width; d++) {
    query[d] = q[d] * q_scale * (q_gain ? q_gain[d] : 1);
    key[d] = k[d] * k_scale * (k_gain ? k_gain[d] : 1);
  }
  if (s.cosine) {
    const float *c = s.cosine + position * (width / 2), *n = s.sine + position * (width / 2);
    turn(query, c, n, width);
    turn(key, c, n, width);
  }
  float peak = -__builtin_inff();
  for (index j = 0; j <= position; j++) {
    vf products{};
    for (index d = 0; d < whole; d += W) products += load(query + d) * load(keys + j * width + d);
    float score = sum(products);
    for (index d = whole; d < width; d++) score += query[d] * keys[j * width + d];
    scores[j] = score;
    peak = score > peak ? score : peak;
  }
  float norm = 0;
  for (index j = 0; j <= position; j += W) {
    index count = position + 1 - j < W ? position + 1 - j : W;
    vf e = exponential(load_part(scores + j, count, -__builtin_inff()) - peak);
    store_part(scores + j, e, count);
    for (index n = 0; n < count; n++) norm += e[n];
  }
  float* out = t.mixed + b * s.d_model + h * width;
  for (index d = 0; d < width; d++) out[d] = 0;
  for (index j = 0; j <= position; j++) {
    float share = scores[j] / norm;
    for (index d = 0; d < whole; d += W) store(out + d, load(out + d) + share * load(values + j * width + d));
    for (index d = whole; d < width; d++) out[d] += share * values[j * width + d];
  }
}

// One (sequence, head) at a time, its tokens in their order.
static void attend_heads(const void* context, index begin, index end) {
  const Attend& t = *(const Attend*)context;
  const DecodeShape& s = *t.shape;
  for (index i = begin; i < end; i++) {
    index b = i / s.heads;
    auto goes_on = [&](index at) { return t.sequences && t.sequences[at] == t.sequences[at - 1]; };
    if (b > 0 && goes_on(b)) continue;
    float* scores = t.scores + i * (s.context + s.d_model / s.heads);
    do attend(t, b, i % s.heads, scores);
    while (++b < s.batch && goes_on(b));
  }
}

// inner (batch, d_ff) becomes the network's activation of the gate, times what stands beside it where there is one.
static void activate(const DecodeShape& s, const float* both, float* inner) {
  bool gated = s.ffn == FeedForward::swiglu;
  for (index b = 0; b < s.batch; b++) {
    const float *gate = both + b * s.d_ff * (gated ? 2 : 1), *up = gate + s.d_ff;
    for (index j = 0; j < s.d_ff; j += W) {
      index n = s.d_ff - j < W ? s.d_ff - j : W;
      vf g = load_part(gate + j, n, 0);
      if (s.ffn == FeedForward::relu2) {
        g = maximum(g, vf{});
        g = g * g;
      } else {
        g = g * sigmoid(g);
        if (gated) g *= load_part(up + j, n, 0);
      }
      store_part(inner + b * s.d_ff + j, g, n);
    }
  }
}

static void decode(const DecodeStep& step) {
  const DecodeShape& s = step.shape;
  bool pre = s.norm == NormPlacement::pre, post = s.norm == NormPlacement::post;
  index c = s.d_model, b = s.batch, f = s.d_ff, wide = c > f ? c : f;
  float* x = scratch((std::size_t)(b * (7 * c + 3 * f + s.heads * s.context + 1 + (wide + 1) / 2)));
  float *h = x + b * c, *qkv = h + b * c, *mixed = qkv + 3 * b * c, *both = mixed + b * c;
  float *inner = both + 2 * b * f, *scores = inner + b * f, *memory = scores + b * (c + s.heads * s.context);
  for (index i = 0; i < b; i++)
    for (index j = 0; j < c; j++) x[i * c + j] = step.table[step.ids[i] * c + j];
  for (index l = 0; l < step.num_layers; l++) {
    const DecodeLayer& layer = step.layers[l];
    const float* in = x;
    if (pre) norm_rows(s, b, layer.ln1, x, h), in = h;
    product(s, {b, 3, c, c, {layer.q, layer.k, layer.v}, in, qkv, false, nullptr, nullptr}, memory);
    Attend heads{&s, &layer, step.positions, step.sequences, qkv, mixed, scores};
    parallel_for(b * s.heads, s.heads >= 8 ? s.heads / 4 : 1, attend_heads, &heads);
    product(s, {b, 1, c, c, {layer.o}, mixed, x, true, nullptr, nullptr}, memory);
    if (post) norm_rows(s, b, layer.ln1, x, x);
    in = x;
    if (pre) norm_rows(s, b, layer.ln2, x, h), in = h;
    index matrices = s.ffn == FeedForward::swiglu ? 2 : 1;
    product(s, {b, matrices, f, c, {layer.w1, layer.w3}, in, both, false, nullptr, nullptr}, memory);
    activate(s, both, inner);
    product(s, {b, 1, c, f, {layer.w2}, inner, x, true, nullptr, nullptr}, memory);
    if (post) norm_rows(s, b, layer.ln2, x, x);
  }
  index n = step.wanted ? step.num_wanted : b;
  if (step.wanted)
    for (index i = 0; i < n; i++)  // ascending: no row is overwritten before it is read
      for (index j = 0; j < c; j++) x[i * c + j] = x[step.wanted[i] * c + j];
  if (pre || post) norm_rows(s, n, step.final_gain, x, x);
  product(s, {n, 1, s.vocabulary, c, {step.head}, x, step.logits, false, nullptr, nullptr}, memory);
  if (s.softcap > 0)
    for (index i = 0; i < n * s.vocabulary; i += W) {
      index count = n * s.vocabulary - i < W ? n * s.vocabulary - i : W;
      store_part(step.logits + i, capped<true>(load_part(step.logits + i, count, 0), s.softcap), count);
    }
}
