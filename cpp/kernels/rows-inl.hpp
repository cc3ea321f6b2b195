// Kernels that treat each row by itself: RMSNorm, SwiGLU, cross-entropy.

template <typename X, typename Y>
static void norm_forward_rows(const void* context, index begin, index end) {
  const RMSNormForward& t = *(const RMSNormForward*)context;
  index whole = t.width / W * W, rest = t.width - whole;
  for (index r = begin; r < end; r++) {
    const X* x = (const X*)t.x + r * t.width;
    Y* y = (Y*)t.y + r * t.width;
    vf squares{};
    for (index j = 0; j < whole; j += W) squares += load(x + j) * load(x + j);
    vf tail = load_part(x + whole, rest, 0);
    float scale = 1.0f / __builtin_sqrtf(sum(squares + tail * tail) / (float)t.width + t.eps);
    t.scale[r] = scale;
    for (index j = 0; j < whole; j += W) store(y + j, load(x + j) * scale * load(t.gain + j));
    if (rest) store_part(y + whole, tail * scale * load_part(t.gain + whole, rest, 0), rest);
  }
}

// With n = x · scale: d_x = scale · (g·d_y − n · mean(g·d_y·n)), d_gain = Σ d_y · n.
template <typename X, typename Y>
static void norm_backward_parts(const void* context, index begin, index end) {
  const RMSNormBackward& t = *(const RMSNormBackward*)context;
  index whole = t.width / W * W, rest = t.width - whole;
  for (index part = begin; part < end; part++) {
    float* d_gain = t.d_gain + part * t.width;
    for (index j = 0; j < t.width; j++) d_gain[j] = 0;
    for (index r = t.rows * part / t.parts; r < t.rows * (part + 1) / t.parts; r++) {
      const X* x = (const X*)t.x + r * t.width;
      const Y* d_y = (const Y*)t.d_y + r * t.width;
      X* d_x = (X*)t.d_x + r * t.width;
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

static void rms_norm_forward(const RMSNormForward& t) {
  using bf16 = std::uint16_t;
  bool narrow_x = t.x_type == DType::bfloat16, narrow_y = t.y_type == DType::bfloat16;
  Body body = narrow_x ? (narrow_y ? norm_forward_rows<bf16, bf16> : norm_forward_rows<bf16, float>)
                       : (narrow_y ? norm_forward_rows<float, bf16> : norm_forward_rows<float, float>);
  parallel_for(t.rows, 64, body, &t);
}

static void rms_norm_backward(const RMSNormBackward& t) {
  using bf16 = std::uint16_t;
  bool narrow_x = t.x_type == DType::bfloat16, narrow_y = t.y_type == DType::bfloat16;
  Body body = narrow_x ? (narrow_y ? norm_backward_parts<bf16, bf16> : norm_backward_parts<bf16, float>)
                       : (narrow_y ? norm_backward_parts<float, bf16> : norm_backward_parts<float, float>);
  parallel_for(t.parts, 1, body, &t);
}

template <typename T>
static void swiglu_forward_rows(const void* context, index begin, index end) {
  const SwiGLUForward& t = *(const SwiGLUForward*)context;
  for (index r = begin; r < end; r++) {
    const T *gate = (const T*)t.both + r * 2 * t.width, *up = gate + t.width;
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
static void swiglu_backward_rows(const void* context, index begin, index end) {
  const SwiGLUBackward& t = *(const SwiGLUBackward*)context;
  for (index r = begin; r < end; r++) {
    const T *gate = (const T*)t.both + r * 2 * t.width, *up = gate + t.width, *d = (const T*)t.d_out + r * t.width;
    T *d_gate = (T*)t.d_both + r * 2 * t.width, *d_up = d_gate + t.width;
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

static void swiglu_forward(const SwiGLUForward& t) {
  Body body = t.dtype == DType::float32 ? swiglu_forward_rows<float> : swiglu_forward_rows<std::uint16_t>;
  parallel_for(t.rows, 16, body, &t);
}

static void swiglu_backward(const SwiGLUBackward& t) {
  Body body = t.dtype == DType::float32 ? swiglu_backward_rows<float> : swiglu_backward_rows<std::uint16_t>;
  parallel_for(t.rows, 16, body, &t);
}

template <bool CAP>
HB_INLINE vf capped(vf x, float cap) {
  if constexpr (CAP) return cap * hyperbolic_tangent(x / cap);
  return x;
}

template <typename T, bool CAP>
static void cross_entropy_rows(const void* context, index begin, index end) {
  const CrossEntropy& t = *(const CrossEntropy*)context;
  const float low = -__builtin_inff();
  index whole = t.width / W * W, rest = t.width - whole;
  float* held = scratch((std::size_t)whole + W);
  for (index r = begin; r < end; r++) {
    T* x = (T*)t.logits + r * t.width;
    index target = t.targets[r];
    vf tail = capped<CAP>(load_part(x + whole, rest, low), t.softcap);
    vf top = tail;
    for (index j = 0; j < whole; j += W) top = maximum(capped<CAP>(load(x + j), t.softcap), top);
    float peak = largest(top);
    vf total{};
    for (index j = 0; j < whole; j += W) {
      vf e = exponential(capped<CAP>(load(x + j), t.softcap) - peak);
      store(held + j, e);
      total += e;
    }
    vf tail_exponential = exponential(tail - peak);
    store(held + whole, tail_exponential);
    for (index j = 0; j < rest; j++) total[j] += tail_exponential[j];
    float norm = sum(total);
    float chosen = capped<CAP>(splat(get(x + target)), t.softcap)[0];
    t.loss[r] = peak + __builtin_logf(norm) - chosen;
    if (!t.with_gradient) continue;
    float factor = t.weight / norm, inverse_cap = CAP ? 1.0f / t.softcap : 0.0f;
    // d (c · tanh(x / c)) / dx = 1 − (capped / c)²
    float at_target = (held[target] / norm - 1.0f) * t.weight * (1.0f - chosen * inverse_cap * chosen * inverse_cap);
    for (index j = 0; j < whole; j += W) {
      vf gradient = load(held + j) * factor;
      if constexpr (CAP) {
        vf ratio = capped<CAP>(load(x + j), t.softcap) * inverse_cap;
        gradient *= 1.0f - ratio * ratio;
      }
      store(x + j, gradient);
    }
    vf ratio = tail * inverse_cap;
    if (rest) store_part(x + whole, tail_exponential * factor * (1.0f - (CAP ? ratio * ratio : vf{})), rest);
    put(x + target, at_target);
  }
}

static void cross_entropy(const CrossEntropy& t) {
  using bf16 = std::uint16_t;
  bool caps = t.softcap > 0;
  Body body = t.dtype == DType::float32 ? (caps ? cross_entropy_rows<float, true> : cross_entropy_rows<float, false>)
                                        : (caps ? cross_entropy_rows<bf16, true> : cross_entropy_rows<bf16, false>);
  parallel_for(t.rows, 8, body, &t);
}
