// Text to ids and back, for one vocabulary.
//
// An `Encoder` never changes after it is built, but for its workers: caches and scratch memory that threads acquire and
// release, kept between calls so that a second pass is warm. `Id` is uint16_t where every id fits, else uint32_t.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hornbook/blocks.hpp"
#include "hornbook/cache.hpp"
#include "hornbook/merger.hpp"
#include "hornbook/scanner.hpp"
#include "hornbook/special.hpp"

namespace hornbook {

struct Vocabulary {
  std::vector<std::pair<uint32_t, std::string>> entries;         // id, bytes
  std::vector<std::pair<std::string, std::string>> merges;       // in order of creation
  std::vector<std::pair<std::string, uint32_t>> special_tokens;  // text, id
};

// What a text held, summed over its blocks in order.
struct TextTally {
  uint64_t bytes = 0;          // all of them, malformed ones as replaced
  uint64_t special_bytes = 0;  // those of special tokens
  uint64_t documents = 0;      // stretches of ordinary text between special tokens that hold more than whitespace
  bool open = false;           // the stretch under way does
  bool any_special = false, head = false;  // of one block: see add
  void add(const TextTally& block);
  uint64_t total_documents() const { return documents + open; }
};

inline constexpr size_t kPaddingIds = 64;  // ids are written in wide strokes: so many places past the last one may be

// Where finished ids go, in the order of the text; called by one thread at a time.
template <class Id>
struct Sink {
  // Called once before anything else with the most ids that can come. Empty: of no interest.
  std::function<void(size_t most)> begin;
  std::function<void(const Id* ids, size_t count)> take;
  // Where the ids of the next `count` bytes may be written before `take` is called with them (one id per byte at most,
  // and kPaddingIds). Empty: nowhere, they come from elsewhere.
  std::function<Id*(size_t count)> reserve;
};

template <class Id>
class Encoder {
 public:
  using Sink = hornbook::Sink<Id>;

  struct Worker {
    // What a short text needs is there from the start: a process at its memory limit can still encode.
    explicit Worker(size_t cache_limit) : cache(cache_limit), out(kFirstIds), symbols(kFirstSymbols) {}
    static constexpr size_t kFirstIds = size_t{1} << 15, kFirstSymbols = 1024;
    EncodeCache<Id> cache;
    HugeArray<Id> out;
    std::vector<uint32_t> symbols;
  };

  Encoder(const Vocabulary& vocabulary, Pattern pattern, size_t cache_limit);
  ~Encoder();

  // The ids of one text on the calling thread; valid until the worker is used again. Bytes past the end are not read.
  std::pair<const Id*, size_t> encode(const uint8_t* text, size_t length, const SpecialMatcher& specials,
                                      const std::vector<uint32_t>& special_ids, Worker& worker,
                                      const StopToken& stop_token) const;

  // The ids of pre-tokens cut elsewhere; `ends` ascending, the last one is the length of the text.
  std::pair<const Id*, size_t> encode_pieces(const uint8_t* text, const std::vector<size_t>& ends, Worker& worker,
                                             const StopToken& stop_token) const;

  // One long text, divided at safe cuts among threads.
  void encode_text(const uint8_t* text, size_t length, const SpecialMatcher& specials,
                   const std::vector<uint32_t>& special_ids, int threads, StopToken& stop_token,
                   const Sink& sink) const;

  TextTally encode_file(const std::string& path, int threads, Errors errors, StopToken& stop_token,
                        const Sink& sink) const;

  const SpecialMatcher& specials() const { return specials_; }
  const std::vector<uint32_t>& special_ids() const { return special_ids_; }
  Pattern pattern() const { return pattern_; }
  void set_cache_limit(size_t bytes);
  size_t cache_memory() const;

  // A worker for one thread, released on destruction. Lock-free, so a fork in the middle loses a cache at worst.
  class WorkerLease {
   public:
    explicit WorkerLease(const Encoder& encoder) : encoder_(encoder), worker_(encoder.acquire()) {}
    ~WorkerLease() { encoder_.release(std::move(worker_)); }
    WorkerLease(const WorkerLease&) = delete;
    WorkerLease& operator=(const WorkerLease&) = delete;
    Worker& operator*() const { return *worker_; }

   private:
    const Encoder& encoder_;
    std::unique_ptr<Worker> worker_;
  };

 private:
  std::unique_ptr<Worker> acquire() const;
  void release(std::unique_ptr<Worker> worker) const;
  void encode_span(const uint8_t* text, size_t length, bool padded_tail, Worker& w, Id*& out, size_t& malformed,
                   const StopToken& stop_token) const;
  Id* encode_one(const Key& key, uint64_t hash, const uint8_t* text, size_t length, Worker& w, Id* out,
                 const StopToken& stop_token) const;
  Id* encode_miss(const Key& key, uint64_t hash, const uint8_t* text, size_t length, Worker& w, Id* out,
                  const StopToken& stop_token) const;
  size_t encode_block(const uint8_t* text, size_t length, bool padded_tail, const SpecialMatcher& specials,
                      const std::vector<uint32_t>& special_ids, Worker& w, Id* out, size_t& malformed, TextTally& tally,
                      const StopToken& stop_token) const;

  Merger merger_;
  std::vector<uint32_t> symbol_ids_;  // symbol -> id; Merger::kNone for a byte that the vocabulary lacks
  SpecialMatcher specials_;
  std::vector<uint32_t> special_ids_;
  Pattern pattern_;
  std::atomic<size_t> cache_limit_;
  static constexpr size_t kMaxIdle = 64;
  mutable std::array<std::atomic<Worker*>, kMaxIdle> idle_{};
};

extern template class Encoder<uint16_t>;
extern template class Encoder<uint32_t>;

}  // namespace hornbook
