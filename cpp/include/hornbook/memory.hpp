// Zeroed memory straight from the system, on huge pages where they can be had.
//
// Large tables are asked for page-aligned and advised before the first touch: a table on 4 KiB pages loses prefetches
// to the TLB. `HugeArray` does not throw when `try_allocate` fails, so a cache can do without.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <utility>

namespace hornbook {

template <class T>
class HugeArray {
 public:
  HugeArray() = default;
  explicit HugeArray(size_t count) {
    if (count && !try_allocate(count)) throw std::bad_alloc();
  }
  HugeArray(HugeArray&& other) noexcept { swap(other); }
  HugeArray& operator=(HugeArray&& other) noexcept {
    HugeArray fresh(std::move(other));
    swap(fresh);
    return *this;
  }
  ~HugeArray() { release(); }

  bool try_allocate(size_t count) {
    release();
    if (count > (size_t{1} << 62) / sizeof(T)) return false;
    const size_t huge = size_t{2} << 20;
    bytes_ = count * sizeof(T);
    if (bytes_ >= huge) bytes_ = (bytes_ + huge - 1) / huge * huge;
    // A little more is mapped so that the start can be moved to a huge page's boundary; untouched pages cost nothing.
    mapped_bytes_ = bytes_ >= huge ? bytes_ + huge : bytes_;
    void* p = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
      bytes_ = mapped_bytes_ = 0;
      return false;
    }
    mapped_ = p;
    auto address = reinterpret_cast<size_t>(p);
    if (bytes_ >= huge) {
      address = (address + huge - 1) / huge * huge;
#ifdef MADV_HUGEPAGE
      madvise(reinterpret_cast<void*>(address), bytes_, MADV_HUGEPAGE);
#endif
    }
    data_ = reinterpret_cast<T*>(address);
    size_ = count;
    return true;
  }

  void release() {
    if (mapped_) munmap(mapped_, mapped_bytes_);
    mapped_ = nullptr;
    data_ = nullptr;
    size_ = bytes_ = mapped_bytes_ = 0;
  }
  void swap(HugeArray& other) noexcept {
    std::swap(mapped_, other.mapped_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
  }

  T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return bytes_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  void* mapped_ = nullptr;
  T* data_ = nullptr;
  size_t size_ = 0, bytes_ = 0, mapped_bytes_ = 0;
};

}  // namespace hornbook
