// Hands results on in the order of the text, whichever thread finishes first.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "hornbook/encoder.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {

template <class Id>
class OrderedSink {
 public:
  // At most `ahead` results wait for an earlier one; a thread that is further ahead waits itself.
  OrderedSink(const Sink<Id>& sink, size_t ahead) : sink_(sink), ahead_(ahead) {}

  // Where the ids of the block at `index`, `length` bytes long, are to be written: in place if it is the next one,
  // since nobody else hands on anything before it has; otherwise into `scratch`, made large enough.
  Id* reserve(size_t index, size_t length, HugeArray<Id>& scratch) {
    if (sink_.reserve) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (index == next_) return sink_.reserve(length);
    }
    if (scratch.size() < length + kPaddingIds) scratch = HugeArray<Id>(length + kPaddingIds);
    return scratch.data();
  }

  void put(size_t index, const Id* ids, size_t count, const StopToken& stop_token) {
    std::unique_lock<std::mutex> lock(mutex_);
    wait(lock, index, stop_token);
    if (index != next_) {
      waiting_.emplace(index, std::vector<Id>(ids, ids + count));
      return;
    }
    sink_.take(ids, count);
    ++next_;
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; it = waiting_.erase(it), ++next_) {
      sink_.take(it->second.data(), it->second.size());
    }
    moved_.notify_all();
  }

  // The result at `index` is an error: thrown only when all earlier ones went well, so that the first one is named.
  [[noreturn]] void put_error(size_t index, const StopToken& stop_token, const MalformedError& error) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (index != next_) {
      moved_.wait_for(lock, std::chrono::milliseconds(20));
      stop_token.check();
    }
    throw error;
  }

 private:
  void wait(std::unique_lock<std::mutex>& lock, size_t index, const StopToken& stop_token) {
    while (index > next_ + ahead_) {
      moved_.wait_for(lock, std::chrono::milliseconds(20));
      stop_token.check();
    }
  }

  const Sink<Id>& sink_;
  size_t ahead_, next_ = 0;
  std::map<size_t, std::vector<Id>> waiting_;
  std::mutex mutex_;
  std::condition_variable moved_;
};

}  // namespace hornbook
