// Runs work on threads while the calling thread waits, watches for interrupts, and reports progress.
//
// The threads end before `run_workers` returns, also on an exception, so none is alive when a process forks. The core
// knows nothing of Python: the caller hands in `StopToken::poll`, which the binding fills with a check for signals.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace hornbook {

// Raised inside the core when `poll` asked to stop.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

// A vocabulary or merges that make no tokenizer, or text that this one cannot encode; the message is a plain sentence.
struct ModelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Text that cannot be processed; the message is a plain sentence.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Bytes of a file that are not UTF-8; the sentence is made in Python, as for all other text.
struct MalformedError : std::runtime_error {
  MalformedError(std::string file, uint64_t byte) : std::runtime_error(file), path(std::move(file)), offset(byte) {}
  std::string path;
  uint64_t offset;
};

// A file could not be opened or read.
struct FileError : std::runtime_error {
  FileError(int code, std::string file) : std::runtime_error(file), error_number(code), path(std::move(file)) {}
  int error_number;
  std::string path;
};

struct StopToken {
  std::atomic<bool> stop_requested{false};
  std::atomic<uint64_t> done{0};  // bytes or merges, for progress
  std::function<bool()> poll;     // called about every 50 ms by the waiting thread; true: stop
  void check() const {            // called by the workers, at least every few milliseconds of work
    if (stop_requested.load(std::memory_order_relaxed)) throw Interrupted();
  }
  void check_at(size_t step) const {  // the same for a loop over bytes, in steps of at most 8: once in 65,536 or so
    if ((step & 0xFFFF) < 8) check();
  }
};

// Calls work(0) … work(threads - 1), each on a thread of its own. The first exception stops the others and is rethrown.
void run_workers(int threads, StopToken& stop_token, const std::function<void(int)>& work);

// Cores that this process may use.
int available_cores();

}  // namespace hornbook
