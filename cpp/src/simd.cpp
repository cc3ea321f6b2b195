#include "hornbook/simd.hpp"

#include <atomic>

namespace hornbook {

Simd best_simd() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2")) {
    return Simd::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
    return Simd::avx2;
#endif
  return Simd::plain;
}

namespace {
std::atomic<int>& level() {
  static std::atomic<int> value{static_cast<int>(best_simd())};
  return value;
}
}  // namespace

Simd active_simd() { return static_cast<Simd>(level().load(std::memory_order_relaxed)); }

bool set_simd(Simd wanted) {
  if (wanted > best_simd()) return false;
  level().store(static_cast<int>(wanted), std::memory_order_relaxed);
  return true;
}

}  // namespace hornbook
