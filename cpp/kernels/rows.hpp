// Kernels that treat each row by itself: RMSNorm, SwiGLU, cross-entropy.
struct RowsTask {
  const void *in, *other;
  void* out;
  const float *gain, *scale;
  float* numbers;
  const std::int64_t* targets;
  index rows, width, parts;
  float a, b;
  bool flag;
};

template <typename X, typename Y>
static void norm_forward_rows(void* context, index begin, index end) {
  const RowsTask& t = *(const RowsTask*)context;
  index whole = t.width / W * W, rest = t.width - whole;
  for (index r = begin; r < end; r++) {
    const X* x = (const X*)t.in + r * t.width;
    Y* y = (Y*)t.out + r * t.width;
    vf squares{};
    for (index j = 0; j < whole; j += W) squares += load(x + j) * load(x + j);
    vf tail = load_part(x + whole, rest, 0);
    float scale = 1.0f / __builtin_sqrtf(sum(squares + tail * tail) / (float)t.width + t.a);
    t.numbers[r] = scale;
    for (index j = 0; j < whole; j += W) store(y + j, load(x + j) * scale * load(t.gain + j));
    if (rest) store_part(y + whole, tail * scale * load_part(t.gain + whole, rest, 0), rest);
  }
}

// With n = x · scale: d_x = scale · (g·d_y − n · mean(g·d_y·n)), d_gain = Σ d_y · n.
template <typename X, typename Y>
static void norm_backward_parts(void* context, index begin, index end) {
  const RowsTask& t = *(const RowsTask*)context;
  index whole = t.width / W * W, rest = t.width - whole;
  for (index part = begin; part < end; part++) {
    float* d_gain = t.numbers + part * t.width;
    for (index j = 0; j < t.width; j++) d_gain[j] = 0;
    for (index r = t.rows * part / t.parts; r < t.rows * (part + 1) / t.parts; r++) {
      const X* x = (const X*)t.in + r * t.width;
      const Y* d_y = (const Y*)t.other + r * t.width;
      X* d_x = (X*)t.out + r * t.width;
      float scale = t.scale[r];
      vf products{};
      for (index j = 0; j < whole; j += W) {
        vf n = load(x + j) * scale, dy = load(d_y + j);
        store(d_gain + j, load(d_gain + j) + dy * n);
        products += dy * load(t.gain + j) * n;
      }
      vf n_tail = load_part(x + whole, rest, 0) * scale, dy_tail = load_part(d_y + whole, rest, 0);
      vf g_tail = load_part(t.gain + whole, rest, 0);
      if (rest) store_part(d_gain + whole, load_part(d_gain + whole, rest, 0) + dy_tail * n_tail, rest);
      float mean = sum(products + dy_tail * g_tail * n_tail) / (float)t.width;
      for (index j = 0; j < whole; j += W)
        store(d_x + j, scale * (load(d_y + j) * load(t.gain + j) - load(x + j) * scale * mean));
      if (rest) store_part(d_x + whole, scale * (dy_tail * g_tail - n_tail * mean), rest);
    }
  }
}

static void rms_norm_forward(DType x_type, const void* x, const float* gain, float eps, DType y_type, void* y,
                             float* scale, index rows, index width) {
  RowsTask t{};
  t.in = x, t.out = y, t.gain = gain, t.numbers = scale, t.width = width, t.a = eps;
  bool narrow_x = x_type == DType::bf16, narrow_y = y_type == DType::bf16;
  Body body = narrow_x ? (narrow_y ? norm_forward_rows<std::uint16_t, std::uint16_t> : norm_forward_rows<std::uint16_t, float>)
                       : (narrow_y ? norm_forward_rows<float, std::uint16_t> : norm_forward_rows<float, float>);
  parallel_for(rows, 64, body, &t);
}

static void rms_norm_backward(DType x_type, const void* x, const float* gain, const float* scale, DType y_type,
                              const void* d_y, void* d_x, float* d_gain_parts, index parts, index rows, index width) {
  RowsTask t{};
  t.in = x, t.other = d_y, t.out = d_x, t.gain = gain, t.scale = scale, t.numbers = d_gain_parts;
  t.rows = rows, t.width = width, t.parts = parts;
  bool narrow_x = x_type == DType::bf16, narrow_y = y_type == DType::bf16;
  Body body = narrow_x
                  ? (narrow_y ? norm_backward_parts<std::uint16_t, std::uint16_t> : norm_backward_parts<std::uint16_t, float>)
                  : (narrow_y ? norm_backward_parts<float, std::uint16_t> : norm_backward_parts<float, float>);
  parallel_for(parts, 1, body, &t);
}

template <typename T>
static void swiglu_forward_rows(void* context, index begin, index end) {
  const RowsTask& t = *(const RowsTask*)context;
  for (index r = begin; r < end; r++) {
    const T *gate = (const T*)t.in + r * 2 * t.width, *up = gate + t.width;
    T* out = (T*)t.out + r * t.width;
    index j = 0;
    for (; j + W <= t.width; j += W) {
      vf g = load(gate + j);
      store(out + j, g * sigmoid(g) * load(up + j));
    }
    index rest = t.width - j;
    if (rest) {
      vf g = load_part(gate + j, rest, 0);
      store_part(out + j, g * sigmoid(g) * load_part(up + j, rest, 0), rest);
    }
  }
}

HB_INLINE void swiglu_gradient(vf g, vf u, vf d, vf& d_gate, vf& d_up) {
  vf s = sigmoid(g);
  d_gate = d * u * s * (1.0f + g * (1.0f - s));
  d_up = d * g * s;
}

template <typename T>
static void swiglu_backward_rows(void* context, index begin, index end) {
  const RowsTask& t = *(const RowsTask*)context;
  for (index r = begin; r < end; r++) {
    const T *gate = (const T*)t.in + r * 2 * t.width, *up = gate + t.width, *d = (const T*)t.other + r * t.width;
    T *d_gate = (T*)t.out + r * 2 * t.width, *d_up = d_gate + t.width;
    vf dg, du;
    index j = 0;
    for (; j + W <= t.width; j += W) {
      swiglu_gradient(load(gate + j), load(up + j), load(d + j), dg, du);
      store(d_gate + j, dg);
      store(d_up + j, du);
    }
    index rest = t.width - j;
    if (rest) {
      swiglu_gradient(load_part(gate + j, rest, 0), load_part(up + j, rest, 0), load_part(d + j, rest, 0), dg, du);
      store_part(d_gate + j, dg, rest);
      store_part(d_up + j, du, rest);
    }
  }
}

static void swiglu_forward(DType type, const void* both, void* out, index rows, index width) {
  RowsTask t{};
  t.in = both, t.out = out, t.width = width;
  parallel_for(rows, 16, type == DType::f32 ? swiglu_forward_rows<float> : swiglu_forward_rows<std::uint16_t>, &t);
}

static void swiglu_backward(DType type, const void* both, const void* d_out, void* d_both, index rows, index width) {
  RowsTask t{};
  t.in = both, t.other = d_out, t.out = d_both, t.width = width;
  parallel_for(rows, 16, type == DType::f32 ? swiglu_backward_rows<float> : swiglu_backward_rows<std::uint16_t>, &t);
}

template <bool CAP>
HB_INLINE vf capped(vf x, float cap) {
  if constexpr (CAP) return cap * hyperbolic_tangent(x / cap);
  return x;
}

// a = weight, b = softcap, flag = with_gradient
template <typename T, bool CAP>
static void cross_entropy_rows(void* context, index begin, index end) {
  const RowsTask& t = *(const RowsTask*)context;
  const float low = -__builtin_inff();
  index whole = t.width / W * W, rest = t.width - whole;
  float* held = scratch((std::size_t)whole + W);
  for (index r = begin; r < end; r++) {
    T* x = (T*)t.out + r * t.width;
    index target = t.targets[r];
    vf tail = capped<CAP>(load_part(x + whole, rest, low), t.b);
    vf top = tail;
    for (index j = 0; j < whole; j += W) top = maximum(capped<CAP>(load(x + j), t.b), top);
    float peak = largest(top);
    vf total{};
    for (index j = 0; j < whole; j += W) {
      vf e = exponential(capped<CAP>(load(x + j), t.b) - peak);
      store(held + j, e);
      total += e;
    }
    vf tail_exponential = exponential(tail - peak);
    store(held + whole, tail_exponential);
    for (index j = 0; j < rest; j++) total[j] += tail_exponential[j];
    float norm = sum(total);
    float chosen = capped<CAP>(splat(get(x + target)), t.b)[0];
    t.numbers[r] = peak + __builtin_logf(norm) - chosen;
    if (!t.flag) continue;
    float factor = t.a / norm, inverse_cap = CAP ? 1.0f / t.b : 0.0f;
    // d (c · tanh(x / c)) / dx = 1 − (capped / c)²
    float at_target = (held[target] / norm - 1.0f) * t.a * (1.0f - chosen * inverse_cap * chosen * inverse_cap);
    for (index j = 0; j < whole; j += W) {
      vf gradient = load(held + j) * factor;
      if constexpr (CAP) {
        vf ratio = capped<CAP>(load(x + j), t.b) * inverse_cap;
        gradient *= 1.0f - ratio * ratio;
      }
      store(x + j, gradient);
    }
    vf ratio = tail * inverse_cap;
    if (rest) store_part(x + whole, tail_exponential * factor * (1.0f - (CAP ? ratio * ratio : vf{})), rest);
    put(x + target, at_target);
  }
}

static void cross_entropy(DType type, void* logits, const std::int64_t* targets, float* loss, float weight,
                          float softcap, bool with_gradient, index rows, index width) {
  RowsTask t{};
  t.out = logits, t.targets = targets, t.numbers = loss, t.width = width;
  t.a = weight, t.b = softcap, t.flag = with_gradient;
  Body body = type == DType::f32
                  ? (softcap > 0 ? cross_entropy_rows<float, true> : cross_entropy_rows<float, false>)
                  : (softcap > 0 ? cross_entropy_rows<std::uint16_t, true> : cross_entropy_rows<std::uint16_t, false>);
  parallel_for(rows, 8, body, &t);
}
