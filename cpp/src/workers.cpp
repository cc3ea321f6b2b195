#include "hornbook/workers.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace hornbook {

int available_cores() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

void run_workers(int threads, StopToken& stop_token, const std::function<void(int)>& work) {
  std::mutex mutex;
  std::condition_variable changed;
  std::exception_ptr failure;
  int running = 0;
  std::vector<std::thread> pool;
  auto body = [&](int index) {
    std::exception_ptr mine;
    try {
      work(index);
    } catch (...) {
      mine = std::current_exception();
      stop_token.stop_requested = true;
    }
    std::lock_guard<std::mutex> lock(mutex);
    if (mine && !failure) failure = mine;
    --running;
    changed.notify_all();
  };
  try {
    pool.reserve(static_cast<size_t>(threads));
    for (int i = 0; i < threads; ++i) {
      {
        std::lock_guard<std::mutex> lock(mutex);
        ++running;
      }
      try {
        pool.emplace_back(body, i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex);
        --running;
        throw;
      }
    }
  } catch (...) {  // no more threads to be had: what runs is stopped, then the error goes out
    stop_token.stop_requested = true;
    for (std::thread& t : pool) t.join();
    throw;
  }
  {
    std::unique_lock<std::mutex> lock(mutex);
    while (running > 0) {
      changed.wait_for(lock, std::chrono::milliseconds(50));
      if (running == 0) break;
      if (stop_token.poll && !stop_token.stop_requested) {
        lock.unlock();
        if (stop_token.poll()) stop_token.stop_requested = true;
        lock.lock();
      }
    }
  }
  for (std::thread& t : pool) t.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hornbook
