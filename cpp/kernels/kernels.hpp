// The CPU kernels behind hornbook.nn.cpu_kernels: causal attention, RMSNorm, SwiGLU, cross-entropy.
//
// One source (variant.cpp) is compiled once per instruction set; `kernels()` returns the best variant that this machine
// runs. Activations are float32 or bfloat16 (as raw bits), all arithmetic is float32. The kernels know nothing of Python
// or PyTorch: pointers, sizes and strides in elements. Each is checked against its plain twin in tests/unit/test_fused.py.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hornbook::kernels {

enum class DType : int { f32 = 0, bf16 = 1 };

// A (batch, time, head, channel) tensor whose channels lie side by side; strides in elements.
struct Heads {
  void* data;
  std::ptrdiff_t batch, time, head;
};

struct AttentionShape {
  std::ptrdiff_t batch, heads, time, width;
  const float* cosine;  // (time, width / 2) rotation of queries and keys; null: none
  const float* sine;
  const float* query_gain;  // (width) RMSNorm of each query and key before the rotation; null: none
  const float* key_gain;
  float eps;
  DType dtype;
};

// A model for `decode`. norm: 0 pre, 1 post, 2 none; ffn: 0 swiglu, 1 silu, 2 relu2; dtype: of the layers' and head's weights.
struct DecodeShape {
  std::ptrdiff_t batch, d_model, heads, d_ff, vocabulary, context, layers;
  int norm, ffn;
  float eps, softcap;
  const float *cosine, *sine;  // as in AttentionShape
  DType dtype;
};

struct DecodeLayer {
  const void *q, *k, *v, *o, *w1, *w2, *w3;  // (out, in); w3 is null without a gate
  const float *ln1, *ln2;                    // null without norms
  const float *query_gain, *key_gain;        // as in AttentionShape
  float *keys, *values;                      // (batch, heads, context, width), filled below each sequence's position
};

struct Kernels {
  const char* name;
  // out = causal softmax(q kᵀ / √width) v; log_sum (batch, heads, time) is kept for the backward pass.
  void (*attention_forward)(const AttentionShape&, const Heads& q, const Heads& k, const Heads& v, const Heads& out,
                            float* log_sum);
  // d_gains (batch, heads, 2, width): each head's part of the gradients of query_gain and key_gain; null without them.
  void (*attention_backward)(const AttentionShape&, const Heads& q, const Heads& k, const Heads& v, const Heads& out,
                             const float* log_sum, const Heads& d_out, const Heads& d_q, const Heads& d_k,
                             const Heads& d_v, float* d_gains);
  // y = x · rsqrt(mean(x²) + eps) · gain for each row; scale (rows) keeps the rsqrt.
  void (*rms_norm_forward)(DType x_type, const void* x, const float* gain, float eps, DType y_type, void* y,
                           float* scale, std::ptrdiff_t rows, std::ptrdiff_t width);
  // d_gain_parts (parts, width): the rows are cut into `parts` pieces, each sums its own share.
  void (*rms_norm_backward)(DType x_type, const void* x, const float* gain, const float* scale, DType y_type,
                            const void* d_y, void* d_x, float* d_gain_parts, std::ptrdiff_t parts, std::ptrdiff_t rows,
                            std::ptrdiff_t width);
  // out = silu(gate) · up, where each row of `both` is gate then up.
  void (*swiglu_forward)(DType, const void* both, void* out, std::ptrdiff_t rows, std::ptrdiff_t width);
  void (*swiglu_backward)(DType, const void* both, const void* d_out, void* d_both, std::ptrdiff_t rows,
                          std::ptrdiff_t width);
  // loss (rows) = −log softmax(logits)[target]; with_gradient: logits become d(Σ loss · weight)/d logits.
  // softcap c > 0: the logits are first replaced by c · tanh(logits / c).
  void (*cross_entropy)(DType, void* logits, const std::int64_t* targets, float* loss, float weight, float softcap,
                        bool with_gradient, std::ptrdiff_t rows, std::ptrdiff_t width);
  // logits (batch, vocabulary) after ids[i] at positions[i]; the layers keep the new keys and values.
  void (*decode)(const DecodeShape&, const DecodeLayer* layers, const float* table, const float* final_gain,
                 const void* head, const std::int64_t* ids, const std::int64_t* positions, float* logits);
};

// The best variant for this machine. The choice is made once.
const Kernels& kernels();

// Runs body(context, begin, end) over [0, count) in pieces of `grain`, on the OpenMP threads that the process already
// has (PyTorch's), so that no second pool fights for the cores; without OpenMP, on the calling thread.
using Body = void (*)(void* context, std::ptrdiff_t begin, std::ptrdiff_t end);
void parallel_for(std::ptrdiff_t count, std::ptrdiff_t grain, Body body, void* context);

// Tells the allocator to keep freed blocks of up to 32 MiB for the next request instead of handing them back to the system,
// which would clear every page of every activation and gradient anew in each step. Affects the whole process. Returns
// whether this platform can (glibc).
bool keep_freed_memory();

// At least `count` floats of scratch memory, 64-byte aligned, owned by the calling thread until its next call.
float* scratch(std::size_t count);

}  // namespace hornbook::kernels
