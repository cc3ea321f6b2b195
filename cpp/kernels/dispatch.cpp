// What all variants share: the choice between them, the scratch memory.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "kernels.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace hornbook::kernels {

const Kernels& kernels_portable();
#if defined(__x86_64__)
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();
#endif

const Kernels* const* variants() {
  struct Supported {
    const Kernels* list[4] = {};
    Supported() {
      const Kernels** next = list;
#if defined(__x86_64__)
      __builtin_cpu_init();
      if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        *next++ = &kernels_avx512();
      if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) *next++ = &kernels_avx2();
#endif
      *next = &kernels_portable();
    }
  };
  static const Supported supported;
  return supported.list;
}

namespace {

std::atomic<const Kernels*>& active() {
  static std::atomic<const Kernels*> value{variants()[0]};
  return value;
}

}  // namespace

const Kernels& kernels() { return *active().load(std::memory_order_relaxed); }

bool set_variant(const char* name) {
  for (const Kernels* const* k = variants(); *k; ++k) {
    if (std::strcmp((*k)->name, name) != 0) continue;
    active().store(*k, std::memory_order_relaxed);
    return true;
  }
  return false;
}

namespace {

struct Buffer {
  float* data = nullptr;
  std::size_t count = 0;
  ~Buffer() { std::free(data); }
};

}  // namespace

bool keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int largest = 32 << 20;  // glibc's own upper limit
  return mallopt(M_MMAP_THRESHOLD, largest) == 1 && mallopt(M_TRIM_THRESHOLD, 0x7fffffff) == 1;
#else
  return false;
#endif
}

float* scratch(std::size_t count) {
#ifdef __SANITIZE_ADDRESS__
  constexpr bool exact = true;  // a buffer that is larger than asked for would hide a step beyond it
#else
  constexpr bool exact = false;
#endif
  thread_local Buffer buffer;
  if (buffer.count < count || (exact && buffer.count != count)) {
    std::free(buffer.data);
    std::size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    buffer.data = static_cast<float*>(std::aligned_alloc(64, bytes));
    buffer.count = buffer.data ? count : 0;
    if (!buffer.data) throw std::bad_alloc();
  }
  return buffer.data;
}

}  // namespace hornbook::kernels
