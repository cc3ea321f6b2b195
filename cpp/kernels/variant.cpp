// All kernels for one instruction set: compiled once per variant with its own flags and HB_VARIANT.
//
// Everything has internal linkage or lives in the variant's namespace, and no standard template is used, so that the
// linker can never put one variant's wide instructions where another variant's are called.
#include "kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define HB_JOIN2(a, b) a##b
#define HB_JOIN(a, b) HB_JOIN2(a, b)
#define HB_STRING2(a) #a
#define HB_STRING(a) HB_STRING2(a)

namespace hornbook::kernels {
namespace {
#include "vector-inl.hpp"

#include "gemm-inl.hpp"

#include "attention-inl.hpp"

#include "rows-inl.hpp"

#include "int8-inl.hpp"

#include "decode-inl.hpp"
}  // namespace

const Kernels& HB_JOIN(kernels_, HB_VARIANT)() {
  static constexpr Kernels table{HB_STRING(HB_VARIANT), attention_forward, attention_backward,
                                 rms_norm_forward,      rms_norm_backward, swiglu_forward,
                                 swiglu_backward,       cross_entropy,     decode};
  return table;
}

}  // namespace hornbook::kernels
