// The CPU kernels behind hornbook.nn.cpu_kernels: causal attention, RMSNorm, SwiGLU, cross-entropy, a decoding step.
//
// One source (variant.cpp) is compiled once per instruction set; `kernels()` returns the best variant that this machine
// runs. Activations are float32 or bfloat16 (as raw bits), all arithmetic is float32. The kernels know nothing of
// Python or PyTorch: pointers, sizes and strides in elements, one struct of them per kernel. Each is checked against
// its plain implementation in tests/unit/test_fused.py, and by cpp/tests/fuzz_kernels.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hornbook::kernels {

using Index = std::ptrdiff_t;

// int8: weights of `decode` alone: (out, in) whole numbers of at most ±127, after them a float32 scale for each row.
enum class DType { float32, bfloat16, int8 };

// A (batch, time, head, channel) tensor whose channels lie side by side; strides in elements.
struct Heads {
  void* data;
  Index batch, time, head;
};

struct AttentionShape {
  Index batch, heads, time, width;
  const float* cosine;  // (time, width / 2) rotation of queries and keys; null: none
  const float* sine;
  const float* query_gain;  // (width) RMSNorm of each query and key before the rotation; null: none
  const float* key_gain;
  float eps;
  DType dtype;
};

// out = causal softmax(q kᵀ / √width) v; log_sum (batch, heads, time) is kept for the backward pass.
struct AttentionForward {
  AttentionShape shape;
  Heads q, k, v, out;
  float* log_sum;
};

// d_gains (batch, heads, 2, width): each head's part of the gradients of query_gain and key_gain; null without them.
struct AttentionBackward {
  AttentionShape shape;
  Heads q, k, v, out;
  const float* log_sum;
  Heads d_out, d_q, d_k, d_v;
  float* d_gains;
};

// y = x · rsqrt(mean(x²) + eps) · gain for each row; scale (rows) keeps the rsqrt.
struct RMSNormForward {
  DType x_type;
  const void* x;
  const float* gain;
  float eps;
  DType y_type;
  void* y;
  float* scale;
  Index rows, width;
};

// d_gain (parts, width): the rows are cut into `parts` pieces, each sums its own share. d_y has y's type, d_x has x's.
struct RMSNormBackward {
  DType x_type;
  const void* x;
  const float* gain;
  const float* scale;
  DType y_type;
  const void* d_y;
  void* d_x;
  float* d_gain;
  Index parts, rows, width;
};

// out = silu(gate) · up, where each row of `both` is gate then up.
struct SwiGLUForward {
  DType dtype;
  const void* both;
  void* out;
  Index rows, width;
};

struct SwiGLUBackward {
  DType dtype;
  const void* both;
  const void* d_out;
  void* d_both;
  Index rows, width;
};

// loss (rows) = −log softmax(logits)[target]; with_gradient: logits become d(Σ loss · weight)/d logits.
// softcap c > 0: the logits are first replaced by c · tanh(logits / c).
struct CrossEntropy {
  DType dtype;
  void* logits;
  const std::int64_t* targets;
  float* loss;
  float weight, softcap;
  bool with_gradient;
  Index rows, width;
};

// Where a block norms: before each of its parts, after it, or not at all. The words of the model's configuration.
enum class NormPlacement { pre, post, none };
enum class FeedForward { swiglu, silu, relu2 };

// A model for `decode`; dtype: of the layers' and the head's weights.
struct DecodeShape {
  Index batch, d_model, heads, d_ff, vocabulary, context;
  NormPlacement norm;
  FeedForward ffn;
  float eps, softcap;
  const float *cosine, *sine;  // as in AttentionShape
  DType dtype;
};

struct DecodeLayer {
  const void *q, *k, *v, *o, *w1, *w2, *w3;  // (out, in); w3 is null without a gate
  const float *ln1, *ln2;                    // null without norms
  const float *query_gain, *key_gain;        // as in AttentionShape
  float *keys, *values;                      // (sequences, heads, context, width), filled below each one's position
};

// logits after ids[i] at positions[i], of one of the kept sequences; the layers keep the new keys and values. Several
// ids of a sequence lie together in their order. What is computed for an id does not depend on the others of the batch.
struct DecodeStep {
  DecodeShape shape;
  const DecodeLayer* layers;
  Index num_layers;
  const float* table;       // (vocabulary, d_model) embeddings
  const float* final_gain;  // null without norms
  const void* head;         // (vocabulary, d_model)
  const std::int64_t *ids, *positions;
  const std::int64_t* sequences;  // of each id; null: id i is of sequence i
  const std::int64_t* wanted;     // the ids after which logits are wanted, ascending; null: all of them
  Index num_wanted;
  float* logits;  // (num_wanted, vocabulary)
};

struct Kernels {
  const char* name;
  void (*attention_forward)(const AttentionForward&);
  void (*attention_backward)(const AttentionBackward&);
  void (*rms_norm_forward)(const RMSNormForward&);
  void (*rms_norm_backward)(const RMSNormBackward&);
  void (*swiglu_forward)(const SwiGLUForward&);
  void (*swiglu_backward)(const SwiGLUBackward&);
  void (*cross_entropy)(const CrossEntropy&);
  void (*decode)(const DecodeStep&);
};

// The variant in use: the widest that this machine runs, unless a test chose another.
const Kernels& kernels();

// The variants that this machine runs, widest first; nullptr after the last.
const Kernels* const* variants();

// Takes the variant of this name from now on; false (and no change) where the machine does not run it.
bool set_variant(const char* name);

// Runs body(context, begin, end) over [0, count) in pieces of `grain`, on the OpenMP threads that the process already
// has (PyTorch's), so that no second pool fights for the cores; without OpenMP, on threads of our own that sleep
// between calls. No result depends on which thread takes a piece.
using Body = void (*)(const void* context, Index begin, Index end);
void parallel_for(Index count, Index grain, Body body, const void* context);

// How many threads of our own take part, the calling one among them (1 until it is set; OpenMP knows its own number).
void set_threads(int count);

// For tests: take threads of our own although there is OpenMP.
void use_own_threads(bool wanted);

// Tells the allocator to keep freed blocks of up to 32 MiB for the next request instead of handing them back to the
// system, which would clear every page of every activation and gradient anew in each step. Affects the whole process.
// Returns whether this platform can (glibc).
bool keep_freed_memory();

// At least `count` floats of scratch memory, 64-byte aligned, owned by the calling thread until its next call.
float* scratch(std::size_t count);

}  // namespace hornbook::kernels
