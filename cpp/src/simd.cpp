#include "hornbook/simd.hpp"

#include <algorithm>
#include <atomic>

namespace hornbook {

// AVX-512 as the CPU kernels need it (cpp/kernels/dispatch.cpp), so that the word means the same machines in both.
Simd machine_simd() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2")) {
    return Simd::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
    return Simd::avx2;
#endif
  return Simd::portable;
}

namespace {

// The widest of the tokenizer's loops that `level` allows: those for AVX-512 permute bytes, which its first machines
// (Skylake) could not.
int usable(Simd level) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx512vbmi") || !__builtin_cpu_supports("avx512vbmi2"))
    level = std::min(level, Simd::avx2);
#endif
  return static_cast<int>(level);
}

std::atomic<int>& level() {
  static std::atomic<int> value{usable(machine_simd())};
  return value;
}

}  // namespace

Simd active_simd() { return static_cast<Simd>(level().load(std::memory_order_relaxed)); }

bool set_simd(Simd wanted) {
  if (wanted > machine_simd()) return false;
  level().store(usable(wanted), std::memory_order_relaxed);
  return true;
}

}  // namespace hornbook
