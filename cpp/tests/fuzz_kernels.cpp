// Fuzzing the CPU kernels: random sizes and switches on every instruction set that this machine runs, each result
// against plain loops in double precision.
//
// Build with -fsanitize=address,undefined (tools/fuzz.sh kernels) and run
//     fuzz_kernels SECONDS [SEED] [FIRST]
// A tensor ends where its allocation ends, so a step beyond it is found. What fails names its case, and
// `fuzz_kernels 0 SEED FIRST` repeats it. Here the kernels find no OpenMP and run on one to four threads of their own.
// Left out: values that overflow.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../kernels/kernels.hpp"

using namespace hornbook::kernels;

namespace {

using Numbers = std::vector<double>;

// Both sides read the same inputs, and the kernels compute in float32: their sums of up to some thousand terms, and an
// exponential within 2 units in the last place, stay within this share of the largest result. A result written as
// bfloat16 is rounded once more, by at most 2^-8 of itself.
constexpr double kTolerance = 2e-4, kRounding = 1.0 / 256, kUnit = 1.0 / (1 << 23);

std::mt19937_64 rng;
std::string current;  // the case under way, and its number
unsigned long long number = 0;

Index below(Index n) { return static_cast<Index>(rng() % static_cast<uint64_t>(n)); }
bool coin() { return rng() & 1; }
DType any_dtype() { return coin() ? DType::float32 : DType::bfloat16; }
double normal() { return std::normal_distribution<double>()(rng); }

// Around the widths of vectors and tiles, or anything up to `most`.
Index any_size(Index most) {
  static const Index edges[] = {1, 2, 3, 7, 8, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65};
  const Index size = coin() ? edges[below(20)] : 1 + below(most);
  return size <= most ? size : 1 + below(most);
}

class Tensor {
 public:
  Tensor(DType type, Index count)
      : type_(type), count_(count), start_(below(9) * width()), memory_(new char[start_ + count * width()]) {
    std::memset(memory_.get(), 0x7F, static_cast<size_t>(start_ + count * width()));  // large, and not zero
  }
  static Tensor random(DType type, Index count, double scale = 1) {
    Tensor t(type, count);
    for (Index i = 0; i < count; ++i) t.set(i, scale * normal());
    return t;
  }
  template <class T = void>
  T* at(Index i = 0) const {
    return reinterpret_cast<T*>(memory_.get() + start_ + i * width());
  }
  void set(Index i, double value) {
    const auto narrow = static_cast<float>(value);
    if (type_ == DType::float32) return void(std::memcpy(at(i), &narrow, 4));
    uint32_t bits;
    std::memcpy(&bits, &narrow, 4);
    const auto half = static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    std::memcpy(at(i), &half, 2);
  }
  // A matrix of int8, the scale of each row at its end.
  static Tensor random_int8(Index rows, Index columns, double scale) {
    Tensor t(DType::int8, rows * (columns + 4));
    t.int8_rows_ = rows;
    for (Index i = 0; i < rows * columns; ++i) *t.at<int8_t>(i) = static_cast<int8_t>(below(255) - 127);
    for (Index r = 0; r < rows; ++r) {
      const auto step = static_cast<float>(below(20) ? scale / 73 * (1 + below(100) / 100.0) : 0);
      std::memcpy(t.at(rows * columns + 4 * r), &step, 4);
    }
    return t;
  }
  Numbers values() const {
    Numbers out;
    const Index columns = int8_rows_ ? count_ / int8_rows_ - 4 : 0;
    for (Index i = 0; i < int8_rows_ * columns; ++i) {
      float step;
      std::memcpy(&step, at(int8_rows_ * columns + i / columns * 4), 4);
      out.push_back(*at<int8_t>(i) * static_cast<double>(step));
    }
    if (int8_rows_) return out;
    for (Index i = 0; i < count_; ++i) {
      uint32_t bits = 0;
      std::memcpy(reinterpret_cast<char*>(&bits) + 4 - width(), at(i), static_cast<size_t>(width()));
      float value;
      std::memcpy(&value, &bits, 4);
      out.push_back(value);
    }
    return out;
  }
  DType type() const { return type_; }

 private:
  Index width() const { return type_ == DType::float32 ? 4 : type_ == DType::bfloat16 ? 2 : 1; }
  DType type_;
  Index count_, start_, int8_rows_ = 0;
  std::unique_ptr<char[]> memory_;
};

Tensor floats(Index count) { return Tensor(DType::float32, count); }

// `cancelling`: how large the sums are whose difference the numbers come from, where that is more than what is left.
void require_close(const char* what, const Tensor& tensor, const Numbers& wanted, double tolerance = kTolerance,
                   double cancelling = 0) {
  const Numbers got = tensor.values();
  double largest = 0.01;
  for (double w : wanted) largest = std::max(largest, std::abs(w));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double rounding = tensor.type() == DType::bfloat16 ? kRounding * std::abs(wanted[i]) : 0;
    if (std::abs(got[i] - wanted[i]) <= tolerance * largest + kUnit * cancelling + rounding) continue;
    std::fprintf(stderr, "failed: case %llu, %s: %s[%zu] is %.9g, not %.9g (largest %.3g)\n", number, current.c_str(),
                 what, i, got[i], wanted[i], largest);
    std::abort();
  }
}

template <class... Values>
void describe(const char* kernel, Values... values) {
  current = std::string(kernels().name) + " " + kernel;
  ((current += " " + std::to_string(values)), ...);
}

double silu(double x) { return x / (1 + std::exp(-x)); }

double root_scale(const double* x, Index width, double eps) {
  double squares = 0;
  for (Index j = 0; j < width; ++j) squares += x[j] * x[j];
  return 1 / std::sqrt(squares / static_cast<double>(width) + eps);
}

// Turns d_y of y = x · scale · gain, in place, into d_x; adds to d_gain.
void norm_backward(const double* x, const double* gain, Index width, double eps, double* d, double* d_gain) {
  const double scale = root_scale(x, width, eps);
  double along = 0;
  for (Index j = 0; j < width; ++j) {
    d_gain[j] += d[j] * x[j] * scale;
    along += d[j] * gain[j] * x[j] * scale / static_cast<double>(width);
  }
  for (Index j = 0; j < width; ++j) d[j] = scale * (gain[j] * d[j] - x[j] * scale * along);
}

void rotate(double* x, const double* cosine, const double* sine, Index width, int direction) {
  for (Index p = 0; p < width / 2; ++p) {
    const double even = x[2 * p], odd = x[2 * p + 1], turn = direction * sine[p];
    x[2 * p] = even * cosine[p] - odd * turn;
    x[2 * p + 1] = even * turn + odd * cosine[p];
  }
}

void check_rms_norm() {
  const Index rows = any_size(150), width = any_size(coin() ? 70 : 2000), parts = any_size(std::min<Index>(rows, 64));
  const double eps = coin() ? 1e-5 : 0.1;
  const Tensor x = Tensor::random(any_dtype(), rows * width, 3), gain = Tensor::random(DType::float32, width);
  const Tensor y(any_dtype(), rows * width), scale = floats(rows);
  describe("rms_norm", rows, width, parts, static_cast<int>(x.type()), static_cast<int>(y.type()));
  kernels().rms_norm_forward(
      {x.type(), x.at(), gain.at<float>(), static_cast<float>(eps), y.type(), y.at(), scale.at<float>(), rows, width});
  const Tensor d_y = Tensor::random(y.type(), rows * width), d_x(x.type(), rows * width),
               d_gain = floats(parts * width);
  kernels().rms_norm_backward({x.type(), x.at(), gain.at<float>(), scale.at<float>(), y.type(), d_y.at(), d_x.at(),
                               d_gain.at<float>(), parts, rows, width});
  const Numbers in = x.values(), g = gain.values();
  Numbers want_y, want_d = d_y.values(), want_gain(static_cast<size_t>(parts * width));
  for (Index part = 0; part < parts; ++part) {
    for (Index r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
      const double* row = &in[r * width];
      const double s = root_scale(row, width, eps);
      for (Index j = 0; j < width; ++j) want_y.push_back(row[j] * s * g[j]);
      norm_backward(row, g.data(), width, eps, &want_d[r * width], &want_gain[part * width]);
    }
  }
  require_close("y", y, want_y);
  require_close("d_x", d_x, want_d);
  require_close("d_gain", d_gain, want_gain);
}

void check_swiglu() {
  const Index rows = any_size(60), width = any_size(coin() ? 70 : 1500);
  const DType dtype = any_dtype();
  const Tensor both = Tensor::random(dtype, rows * 2 * width, 3), out(dtype, rows * width);
  const Tensor d_out = Tensor::random(dtype, rows * width), d_both(dtype, rows * 2 * width);
  describe("swiglu", rows, width, static_cast<int>(dtype));
  kernels().swiglu_forward({dtype, both.at(), out.at(), rows, width});
  kernels().swiglu_backward({dtype, both.at(), d_out.at(), d_both.at(), rows, width});
  const Numbers in = both.values(), d = d_out.values();
  Numbers want, want_d(in.size());
  for (Index r = 0; r < rows; ++r) {
    for (Index j = 0; j < width; ++j) {
      const double gate = in[r * 2 * width + j], up = in[r * 2 * width + width + j], s = 1 / (1 + std::exp(-gate));
      want.push_back(gate * s * up);
      want_d[r * 2 * width + j] = d[r * width + j] * up * s * (1 + gate * (1 - s));
      want_d[r * 2 * width + width + j] = d[r * width + j] * gate * s;
    }
  }
  require_close("out", out, want);
  require_close("d_both", d_both, want_d);
}

void check_cross_entropy() {
  const Index rows = any_size(40), width = any_size(coin() ? 70 : 3000);
  const double cap = coin() ? 0 : 4, weight = 1.0 / static_cast<double>(rows);
  const bool with_gradient = below(4) > 0;
  const Tensor logits = Tensor::random(any_dtype(), rows * width, coin() ? 1 : 10), loss = floats(rows);
  const Numbers in = logits.values();
  std::vector<std::int64_t> targets;
  for (Index r = 0; r < rows; ++r) targets.push_back(below(width));
  describe("cross_entropy", rows, width, cap, with_gradient, static_cast<int>(logits.type()));
  kernels().cross_entropy({logits.type(), logits.at(), targets.data(), loss.at<float>(), static_cast<float>(weight),
                           static_cast<float>(cap), with_gradient, rows, width});
  Numbers want_loss, want_d = in;
  for (Index r = 0; r < rows; ++r) {
    Numbers x(&in[r * width], &in[r * width] + width);
    for (double& v : x) v = cap > 0 ? cap * std::tanh(v / cap) : v;
    const double peak = *std::max_element(x.begin(), x.end());
    double norm = 0;
    for (double v : x) norm += std::exp(v - peak);
    want_loss.push_back(peak + std::log(norm) - x[targets[r]]);
    for (Index j = 0; with_gradient && j < width; ++j) {
      const double slope = cap > 0 ? 1 - x[j] * x[j] / (cap * cap) : 1;
      want_d[r * width + j] = (std::exp(x[j] - peak) / norm - (j == targets[r])) * weight * slope;
    }
  }
  require_close("loss", loss, want_loss);
  require_close("logits", logits, want_d);
}

// The length of the longest row.
double longest(const Numbers& rows, Index width) {
  double most = 0;
  for (size_t r = 0; r + width <= rows.size(); r += width) {
    double squares = 0;
    for (Index d = 0; d < width; ++d) squares += rows[r + d] * rows[r + d];
    most = std::max(most, std::sqrt(squares));
  }
  return most;
}

// Plain attention of one (batch, head): rows of T × D numbers, forward and backward.
struct PlainHead {
  Index time, width;
  const double *cosine, *sine, *query_gain, *key_gain;  // nullptr: none
  double eps;

  Numbers turned(const Numbers& x, const double* gain) const {
    Numbers out = x;
    for (Index t = 0; t < time; ++t) {
      const double scale = gain ? root_scale(&x[t * width], width, eps) : 1;
      for (Index d = 0; gain && d < width; ++d) out[t * width + d] *= scale * gain[d];
      if (cosine) rotate(&out[t * width], cosine + t * (width / 2), sine + t * (width / 2), width, 1);
    }
    return out;
  }
  void turned_backward(const Numbers& x, const double* gain, Numbers& d, double* d_gain) const {
    for (Index t = 0; t < time; ++t) {
      if (cosine) rotate(&d[t * width], cosine + t * (width / 2), sine + t * (width / 2), width, -1);
      if (gain) norm_backward(&x[t * width], gain, width, eps, &d[t * width], d_gain);
    }
  }
  double dot(const Numbers& a, Index i, const Numbers& b, Index j) const {
    double total = 0;
    for (Index d = 0; d < width; ++d) total += a[i * width + d] * b[j * width + d];
    return total;
  }
  Numbers shares(const Numbers& q, Index i, const Numbers& k, Index count) const {  // of the first keys in query i
    Numbers p;
    double norm = 0, peak = -1e300;
    for (Index j = 0; j < count; ++j) p.push_back(dot(q, i, k, j) / std::sqrt(static_cast<double>(width)));
    for (double v : p) peak = std::max(peak, v);
    for (double& v : p) norm += v = std::exp(v - peak);
    for (double& v : p) v /= norm;
    return p;
  }
  Numbers forward(const Numbers& q_in, const Numbers& k_in, const Numbers& v) const {
    const Numbers q = turned(q_in, query_gain), k = turned(k_in, key_gain);
    Numbers out(v.size());
    for (Index i = 0; i < time; ++i) {
      const Numbers p = shares(q, i, k, i + 1);
      for (Index j = 0; j <= i; ++j)
        for (Index d = 0; d < width; ++d) out[i * width + d] += p[j] * v[j * width + d];
    }
    return out;
  }
  // `out` as the forward pass stored it, rounded or not: the kernel reads it again.
  void backward(const Numbers& q_in, const Numbers& k_in, const Numbers& v, const Numbers& out, const Numbers& d_out,
                Numbers& d_q, Numbers& d_k, Numbers& d_v, double* d_gains) const {
    const Numbers q = turned(q_in, query_gain), k = turned(k_in, key_gain);
    d_q.assign(v.size(), 0), d_k = d_v = d_q;
    for (Index i = 0; i < time; ++i) {
      const Numbers p = shares(q, i, k, i + 1);
      const double along = dot(out, i, d_out, i);
      for (Index j = 0; j <= i; ++j) {
        const double d_score = p[j] * (dot(d_out, i, v, j) - along) / std::sqrt(static_cast<double>(width));
        for (Index d = 0; d < width; ++d) {
          d_v[j * width + d] += p[j] * d_out[i * width + d];
          d_q[i * width + d] += d_score * k[j * width + d];
          d_k[j * width + d] += d_score * q[i * width + d];
        }
      }
    }
    turned_backward(q_in, query_gain, d_q, d_gains);
    turned_backward(k_in, key_gain, d_k, d_gains + width);
  }
};

// One head's rows out of a (batch, time, slots, width) tensor, and back.
Numbers head_of(const Numbers& all, Index b, Index slot, Index time, Index slots, Index width) {
  Numbers out;
  for (Index t = 0; t < time; ++t) {
    const auto row = all.begin() + ((b * time + t) * slots + slot) * width;
    out.insert(out.end(), row, row + width);
  }
  return out;
}
void put_head(Numbers& all, const Numbers& head, Index b, Index slot, Index time, Index slots, Index width) {
  for (Index t = 0; t < time; ++t) std::copy_n(&head[t * width], width, &all[((b * time + t) * slots + slot) * width]);
}

std::pair<Tensor, Tensor> rotations(Index count) {
  Tensor cosine = floats(count), sine = floats(count);
  for (Index i = 0; i < count; ++i) {
    const double angle = normal();
    cosine.set(i, std::cos(angle)), sine.set(i, std::sin(angle));
  }
  return {std::move(cosine), std::move(sine)};
}

void check_attention() {
  const Index batch = 1 + below(2), heads = 1 + below(3), time = any_size(100), width = any_size(80);
  const DType dtype = any_dtype();
  const bool rotates = width % 2 == 0 && coin(), norms = coin();
  const double eps = 0.01;
  const Index slots = 3 * heads, half = time * (width / 2);
  const Tensor qkv = Tensor::random(dtype, batch * time * slots * width), out(dtype, batch * time * heads * width);
  const auto [cosine, sine] = rotations(half);
  const Tensor query_gain = Tensor::random(DType::float32, width), key_gain = Tensor::random(DType::float32, width);
  const Tensor log_sum = floats(batch * heads * time), d_out = Tensor::random(dtype, batch * time * heads * width);
  const Tensor d_qkv(dtype, batch * time * slots * width), d_gains = floats(norms ? batch * heads * 2 * width : 0);
  describe("attention", batch, heads, time, width, rotates, norms, static_cast<int>(dtype));

  const AttentionShape shape{batch,
                             heads,
                             time,
                             width,
                             rotates ? cosine.at<float>() : nullptr,
                             rotates ? sine.at<float>() : nullptr,
                             norms ? query_gain.at<float>() : nullptr,
                             norms ? key_gain.at<float>() : nullptr,
                             static_cast<float>(eps),
                             dtype};
  const auto view = [&](const Tensor& t, Index first, Index count) {
    return Heads{t.at(first * width), time * count * width, count * width, width};
  };
  const Heads q = view(qkv, 0, slots), k = view(qkv, heads, slots), v = view(qkv, 2 * heads, slots);
  const Heads d_q = view(d_qkv, 0, slots), d_k = view(d_qkv, heads, slots), d_v = view(d_qkv, 2 * heads, slots);
  kernels().attention_forward({shape, q, k, v, view(out, 0, heads), log_sum.at<float>()});
  kernels().attention_backward({shape, q, k, v, view(out, 0, heads), log_sum.at<float>(), view(d_out, 0, heads), d_q,
                                d_k, d_v, norms ? d_gains.at<float>() : nullptr});

  const Numbers in = qkv.values(), c = cosine.values(), s = sine.values(), stored = out.values(), d = d_out.values();
  const Numbers q_gain = query_gain.values(), k_gain = key_gain.values();
  const PlainHead plain{time,
                        width,
                        rotates ? c.data() : nullptr,
                        rotates ? s.data() : nullptr,
                        norms ? q_gain.data() : nullptr,
                        norms ? k_gain.data() : nullptr,
                        eps};
  Numbers want_out(stored.size()), want_d(in.size()), want_gains(static_cast<size_t>(batch * heads * 2 * width));
  for (Index b = 0; b < batch; ++b) {
    for (Index h = 0; h < heads; ++h) {
      Numbers part[3], d_part[3];
      for (Index p = 0; p < 3; ++p) part[p] = head_of(in, b, p * heads + h, time, slots, width);
      put_head(want_out, plain.forward(part[0], part[1], part[2]), b, h, time, heads, width);
      plain.backward(part[0], part[1], part[2], head_of(stored, b, h, time, heads, width),
                     head_of(d, b, h, time, heads, width), d_part[0], d_part[1], d_part[2],
                     &want_gains[(b * heads + h) * 2 * width]);
      for (Index p = 0; p < 3; ++p) put_head(want_d, d_part[p], b, p * heads + h, time, slots, width);
    }
  }
  // A score's gradient is p · (d_out · v − d_out · out) / √width, nothing with one position, times a query or key.
  const double root = std::sqrt(static_cast<double>(width));
  const double other = norms ? root * std::max(longest(q_gain, 1), longest(k_gain, 1)) : longest(in, width);
  const double cancelling = longest(d, width) * (longest(in, width) + longest(stored, width)) * other / root;
  require_close("out", out, want_out);
  require_close("d_qkv", d_qkv, want_d, kTolerance, cancelling);
  if (norms) require_close("d_gains", d_gains, want_gains, kTolerance, cancelling);
}

// One layer's tensors for the kernel, and the same numbers for the plain model.
struct Layer {
  Tensor q, k, v, o, w1, w2, w3, ln1, ln2, query_gain, key_gain, keys, values;
  Numbers plain_keys, plain_values;

  Layer(const DecodeShape& s)
      : q(matrix(s, s.d_model, s.d_model)),
        k(matrix(s, s.d_model, s.d_model)),
        v(matrix(s, s.d_model, s.d_model)),
        o(matrix(s, s.d_model, s.d_model)),
        w1(matrix(s, s.d_ff, s.d_model)),
        w2(matrix(s, s.d_model, s.d_ff)),
        w3(matrix(s, s.d_ff, s.d_model)),
        ln1(Tensor::random(DType::float32, s.d_model)),
        ln2(Tensor::random(DType::float32, s.d_model)),
        query_gain(Tensor::random(DType::float32, s.d_model / s.heads)),
        key_gain(Tensor::random(DType::float32, s.d_model / s.heads)),
        keys(Tensor::random(DType::float32, s.batch * s.context * s.d_model)),
        values(Tensor::random(DType::float32, s.batch * s.context * s.d_model)),
        plain_keys(keys.values()),
        plain_values(values.values()) {}
  static Tensor matrix(const DecodeShape& s, Index rows, Index columns) {
    const double scale = 1 / std::sqrt(static_cast<double>(columns));
    if (s.dtype == DType::int8) return Tensor::random_int8(rows, columns, scale);
    return Tensor::random(s.dtype, rows * columns, scale);
  }
  DecodeLayer addresses(const DecodeShape& s, bool norms_heads) const {
    const bool norms = s.norm != NormPlacement::none;
    return {q.at(),
            k.at(),
            v.at(),
            o.at(),
            w1.at(),
            w2.at(),
            s.ffn == FeedForward::swiglu ? w3.at() : nullptr,
            norms ? ln1.at<float>() : nullptr,
            norms ? ln2.at<float>() : nullptr,
            norms_heads ? query_gain.at<float>() : nullptr,
            norms_heads ? key_gain.at<float>() : nullptr,
            keys.at<float>(),
            values.at<float>()};
  }
};

struct PlainModel {
  const DecodeShape& shape;
  bool norms_heads;
  Numbers cosine, sine;

  static Numbers product(const Tensor& weight, const Numbers& x) {
    const Numbers w = weight.values();
    Numbers out(w.size() / x.size());
    for (size_t r = 0; r < out.size(); ++r)
      for (size_t j = 0; j < x.size(); ++j) out[r] += w[r * x.size() + j] * x[j];
    return out;
  }
  Numbers normed(const Numbers& x, const Tensor& gain) const {
    Numbers out = gain.values();
    const double scale = root_scale(x.data(), shape.d_model, shape.eps);
    for (size_t j = 0; j < out.size(); ++j) out[j] *= x[j] * scale;
    return out;
  }
  Numbers attend(Layer& layer, const Numbers& x, Index b, Index position) const {
    const Index width = shape.d_model / shape.heads, half = width / 2;
    const Numbers q = product(layer.q, x), k = product(layer.k, x), v = product(layer.v, x);
    const Numbers q_gain = layer.query_gain.values(), k_gain = layer.key_gain.values();
    const PlainHead plain{1,
                          width,
                          shape.cosine ? &cosine[position * half] : nullptr,
                          shape.cosine ? &sine[position * half] : nullptr,
                          norms_heads ? q_gain.data() : nullptr,
                          norms_heads ? k_gain.data() : nullptr,
                          shape.eps};
    Numbers mixed(x.size());
    for (Index h = 0; h < shape.heads; ++h) {
      const auto part = [&](const Numbers& all) { return Numbers(&all[h * width], &all[h * width] + width); };
      const Index first = (b * shape.heads + h) * shape.context * width, now = first + position * width;
      const Numbers key = plain.turned(part(k), plain.key_gain), value = part(v);
      std::copy(key.begin(), key.end(), &layer.plain_keys[now]);
      std::copy(value.begin(), value.end(), &layer.plain_values[now]);
      const Numbers keys(&layer.plain_keys[first], &layer.plain_keys[now] + width);
      const Numbers p = plain.shares(plain.turned(part(q), plain.query_gain), 0, keys, position + 1);
      for (Index j = 0; j <= position; ++j)
        for (Index d = 0; d < width; ++d) mixed[h * width + d] += p[j] * layer.plain_values[first + j * width + d];
    }
    return product(layer.o, mixed);
  }
  Numbers feed_forward(const Layer& layer, const Numbers& x) const {
    Numbers inner = product(layer.w1, x);
    const Numbers up = product(layer.w3, x);
    for (size_t j = 0; j < inner.size(); ++j) {
      const double g = inner[j];
      inner[j] = shape.ffn == FeedForward::relu2 ? std::max(g, 0.0) * std::max(g, 0.0) : silu(g);
      if (shape.ffn == FeedForward::swiglu) inner[j] *= up[j];
    }
    return product(layer.w2, inner);
  }
  void add(Numbers& x, const Numbers& more) const {
    for (size_t j = 0; j < x.size(); ++j) x[j] += more[j];
  }
  Numbers step(Numbers x, std::vector<Layer>& layers, const Tensor& final_gain, const Tensor& head, Index b,
               Index position) const {
    const bool pre = shape.norm == NormPlacement::pre, post = shape.norm == NormPlacement::post;
    for (Layer& layer : layers) {
      add(x, attend(layer, pre ? normed(x, layer.ln1) : x, b, position));
      if (post) x = normed(x, layer.ln1);
      add(x, feed_forward(layer, pre ? normed(x, layer.ln2) : x));
      if (post) x = normed(x, layer.ln2);
    }
    Numbers logits = product(head, pre || post ? normed(x, final_gain) : x);
    const double cap = shape.softcap;
    for (double& v : logits) v = cap > 0 ? cap * std::tanh(v / cap) : v;
    return logits;
  }
};

void check_decode() {
  const Index width = any_size(40), heads = 1 + below(width > 16 ? 2 : 9), num_layers = 1 + below(2);
  DecodeShape s{};
  s.batch = 1 + below(6), s.d_model = heads * width, s.heads = heads, s.d_ff = any_size(100);
  s.vocabulary = any_size(120), s.context = any_size(40);
  s.norm = static_cast<NormPlacement>(below(3)), s.ffn = static_cast<FeedForward>(below(3));
  s.eps = 0.01F, s.softcap = coin() ? 0.0F : 3.0F, s.dtype = below(3) ? any_dtype() : DType::int8;
  const bool norms_heads = coin();
  const auto [cosine, sine] = rotations(s.context * (width / 2));
  if (width % 2 == 0 && coin()) s.cosine = cosine.at<float>(), s.sine = sine.at<float>();
  describe("decode", s.batch, s.d_model, heads, s.d_ff, s.vocabulary, s.context, num_layers, static_cast<int>(s.norm),
           static_cast<int>(s.ffn), s.softcap, s.cosine != nullptr, norms_heads, static_cast<int>(s.dtype));

  std::vector<Layer> layers;
  std::vector<DecodeLayer> addresses;
  for (Index l = 0; l < num_layers; ++l) layers.emplace_back(s);
  for (const Layer& layer : layers) addresses.push_back(layer.addresses(s, norms_heads));
  const Tensor table = Tensor::random(DType::float32, s.vocabulary * s.d_model);
  const Tensor final_gain = Tensor::random(DType::float32, s.d_model), head = Layer::matrix(s, s.vocabulary, s.d_model);
  const PlainModel plain{s, norms_heads, cosine.values(), sine.values()};
  // Beside int8 weights, a vector is rounded to 2^-15 of its largest element before each product.
  const double tolerance = s.dtype == DType::int8 ? 10 * kTolerance : kTolerance;
  const Numbers embeddings = table.values();
  std::vector<std::int64_t> ids(s.batch), positions(s.batch);
  for (auto& p : positions) p = below(s.context);
  for (int step = 0; step < 3; ++step) {
    for (auto& id : ids) id = below(s.vocabulary);
    const Tensor logits = floats(s.batch * s.vocabulary);
    kernels().decode({s, addresses.data(), num_layers, table.at<float>(),
                      s.norm == NormPlacement::none ? nullptr : final_gain.at<float>(), head.at(), ids.data(),
                      positions.data(), nullptr, nullptr, s.batch, logits.at<float>()});
    Numbers wanted;
    for (Index b = 0; b < s.batch; ++b) {
      const double* row = &embeddings[ids[b] * s.d_model];
      const Numbers one = plain.step({row, row + s.d_model}, layers, final_gain, head, b, positions[b]);
      wanted.insert(wanted.end(), one.begin(), one.end());
    }
    require_close("logits", logits, wanted, tolerance);
    for (const Layer& layer : layers) {
      require_close("keys", layer.keys, layer.plain_keys, tolerance);
      require_close("values", layer.values, layer.plain_values, tolerance);
    }
    for (auto& p : positions) p = std::min(p + 1, s.context - 1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
  const auto seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const auto first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  void (*const checks[])() = {check_rms_norm, check_swiglu, check_cross_entropy, check_attention, check_decode};
  number = first;
  do {
    for (const Kernels* const* variant = variants(); *variant; ++variant) {
      set_variant((*variant)->name);
      set_threads(1 + static_cast<int>(number % 4));
      rng.seed(seed * 1'000'003 + number);  // the same case on every variant
      checks[number % 5]();
    }
    ++number;
  } while (elapsed() < seconds);
  std::printf("kernels: %llu cases on each variant, seed %llu: all as the plain loops\n", number - first, seed);
}
