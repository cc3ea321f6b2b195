// The threads that the kernels run on: PyTorch's OpenMP threads (libgomp's), or a pool of our own where there is no
// GOMP_parallel (macOS, Windows). The pool's threads sleep between calls: spinning, they would take the cores from
// PyTorch's. Left out: affinity, nesting (an inner loop runs on the thread that calls it).
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "kernels.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#include <pthread.h>
#endif

namespace hornbook::kernels {
namespace {

struct Work {
  Body body;
  const void* context;
  Index count, grain;
  std::atomic<Index> next;
};

void take_pieces(void* data) {
  Work& work = *static_cast<Work*>(data);
  for (;;) {
    Index begin = work.next.fetch_add(work.grain, std::memory_order_relaxed);
    if (begin >= work.count) return;
    Index end = begin + work.grain < work.count ? begin + work.grain : work.count;
    work.body(work.context, begin, end);
  }
}

class Pool {
 public:
  // Runs take_pieces(work) on the calling thread and on up to `others` of the pool, and returns when all are done.
  void run(Work& work, int others) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return take_pieces(&work);  // another thread has the pool, which will keep the cores busy
    grow(others);
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = &work;
    seats_ = others < size_ ? others : size_;
    lock.unlock();
    wake_.notify_all();
    const Others join{*this};  // also when the memory of the calling thread's piece gives out
    take_pieces(&work);
  }

 private:
  struct Others {
    Pool& pool;
    ~Others() {
      std::unique_lock<std::mutex> lock(pool.mutex_);
      pool.seats_ = 0;  // who has not woken yet comes too late
      pool.done_.wait(lock, [this] { return pool.running_ == 0; });
    }
  };

  void grow(int others) {
    try {
      for (; size_ < others; ++size_) std::thread(&Pool::serve, this).detach();
    } catch (const std::system_error&) {  // the system gives no more: those there are will do
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return seats_ > 0; });
      --seats_, ++running_;
      Work* work = work_;
      lock.unlock();
      take_pieces(work);
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex turn_, mutex_;
  std::condition_variable wake_, done_;
  Work* work_ = nullptr;
  int seats_ = 0, running_ = 0;  // under mutex_
  int size_ = 0;                 // under turn_
};

// Never destroyed: its threads sleep in it until the process ends. A forked process has none of them and begins anew.
Pool*& pool() {
  static Pool* current = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] { pool() = new Pool; });
#endif
    return new Pool;
  }();
  return current;
}

// libgomp's entry point (stable since GCC 4.9), found among what the process has loaded. A second OpenMP or thread pool
// beside PyTorch's would leave each spinning in the other's way.
using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);

Parallel find_openmp() {
#if defined(__unix__) || defined(__APPLE__)
  return reinterpret_cast<Parallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
#else
  return nullptr;
#endif
}

std::atomic<int> pool_threads{1};
std::atomic<bool> pool_wanted{false};

}  // namespace

void set_threads(int count) { pool_threads.store(count, std::memory_order_relaxed); }
void use_own_threads(bool wanted) { pool_wanted.store(wanted, std::memory_order_relaxed); }

void parallel_for(Index count, Index grain, Body body, const void* context) {
  static const Parallel openmp = find_openmp();
  const int threads = pool_threads.load(std::memory_order_relaxed);
  Work work{body, context, count, grain, {0}};
  if (count <= grain)
    take_pieces(&work);
  else if (openmp && !pool_wanted.load(std::memory_order_relaxed))
    openmp(take_pieces, &work, 0, 0);
  else if (threads > 1)
    pool()->run(work, threads - 1);
  else
    take_pieces(&work);
}

}  // namespace hornbook::kernels
