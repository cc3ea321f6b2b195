#include "hornbook/counts.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>

namespace hornbook {

namespace {
constexpr size_t kSlab = size_t{1} << 20;
}

WordTable::WordTable(size_t capacity) : entries_(capacity), mask_(capacity - 1) {}

void WordTable::clear() { *this = WordTable(); }

size_t WordTable::memory() const {
  size_t total = entries_.bytes();
  for (const auto& slab : slabs_) total += slab.bytes();
  return total;
}

std::string_view WordTable::view(const Entry& e) {
  if (!e.key.is_long()) return {reinterpret_cast<const char*>(&e.key), e.key.short_length()};
  return {reinterpret_cast<const char*>(e.text) + 8, load64(e.text)};
}

const uint8_t* WordTable::store(const uint8_t* text, size_t length) {
  const size_t wanted = (length + 8 + 7) / 8 * 8;
  if (slabs_.empty() || slab_used_ + wanted > slabs_.back().size()) {
    slabs_.emplace_back(std::max(kSlab, wanted));
    slab_used_ = 0;
  }
  uint8_t* place = slabs_.back().data() + slab_used_;
  slab_used_ += wanted;
  const uint64_t n = length;
  std::memcpy(place, &n, 8);
  std::memcpy(place + 8, text, length);
  return place;
}

void WordTable::grow() {
  HugeArray<Entry> old(entries_.size() * 2);
  old.swap(entries_);
  mask_ = entries_.size() - 1;
  for (size_t i = 0; i < old.size(); ++i) {
    const Entry& e = old[i];
    if (!e.key.high) continue;
    size_t at = hash_key(e.key) & mask_;
    while (entries_[at].key.high) at = (at + 1) & mask_;
    entries_[at] = e;
  }
}

uint64_t WordTable::add_slow(const Key& key, uint64_t hash, const uint8_t* text, size_t length, uint64_t count) {
  for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
    Entry& e = entries_[at];
    if (e.key == key) {
      if (key.is_long() && (load64(e.text) != length || std::memcmp(e.text + 8, text, length) != 0)) continue;
      return e.count += count;
    }
    if (e.key.high == 0) {
      e.text = key.is_long() ? store(text, length) : nullptr;
      e.key = key;
      e.count = count;
      if (++size_ * 4 > (mask_ + 1) * 3) grow();
      return count;
    }
  }
}

void WordTable::add_checked(const Key& key, uint64_t hash, const uint8_t* text, size_t length, uint64_t count) {
  if (count <= kMostCount && add(key, hash, text, length, count) <= kMostCount) return;
  if (count <= kMostCount) add(key, hash, text, length, ~count + 1);  // takes it back
  throw InputError(
      "the count of a pre-token would be above 9,223,372,036,854,775,807 (2^63 - 1): divide all counts by "
      "the same number first");
}

void WordTable::add(const uint8_t* text, size_t length, uint64_t count) {
  const Key key = make_key(text, length, false);
  add_checked(key, hash_key(key), text, length, count);
}

void WordTable::merge(const WordTable& other, const StopToken& stop_token) {
  if (other.size_ == 0) return;
  constexpr size_t kAhead = 16;
  const size_t n = other.mask_ + 1;
  for (size_t i = 0; i < n; ++i) {
    stop_token.check_at(i);
    if (i + kAhead < n) {
      const Entry& later = other.entries_[i + kAhead];
      if (later.key.high) prefetch(hash_key(later.key));
    }
    const Entry& e = other.entries_[i];
    if (!e.key.high) continue;
    const std::string_view bytes = view(e);
    add_checked(e.key, hash_key(e.key), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), e.count);
  }
}

// Two loops per batch: keys and hashes with a prefetch of the table's line, then the look-ups, so that many cache
// misses are under way at once.
size_t count_text(Pattern pattern, const uint8_t* text, size_t length, bool padded_tail, WordTable& table,
                  const StopToken& stop_token) {
  constexpr size_t kBatch = 256;
  struct Record {
    Key key;
    uint64_t hash;
    uint32_t begin, length;
  };
  uint32_t ends[kBatch + Scanner::kMargin];
  Record records[kBatch + Scanner::kMargin];
  Scanner scanner(pattern, text, length, stop_token);
  const size_t last_readable = padded_tail ? length : (length >= 16 ? length - 16 : 0);
  uint32_t begin = 0;
  while (const size_t n = scanner.next(ends, kBatch + Scanner::kMargin)) {
    stop_token.check();
    for (size_t i = 0; i < n; ++i) {
      const size_t size = ends[i] - begin;
      Record& r = records[i];
      r.key = make_key(text + begin, size, begin <= last_readable && (padded_tail || length >= 16));
      r.hash = hash_key(r.key);
      r.begin = begin;
      r.length = static_cast<uint32_t>(size);
      table.prefetch(r.hash);
      begin = ends[i];
    }
    for (size_t i = 0; i < n; ++i) {
      const Record& r = records[i];
      table.add(r.key, r.hash, text + r.begin, r.length, 1);
    }
  }
  return scanner.first_malformed();
}

namespace {

constexpr size_t kPiece = size_t{1} << 31;  // a scanner's offsets have 32 bits

}  // namespace

size_t count_block(Pattern pattern, const uint8_t* text, size_t length, const SpecialMatcher& specials,
                   bool padded_tail, WordTable& table, const StopToken& stop_token) {
  size_t at = 0, malformed = Scanner::kNone;
  while (at < length) {
    const auto match = specials.find(text, length, at);
    const size_t piece_end = match.begin == SpecialMatcher::kNone ? length : match.begin;
    while (at < piece_end) {
      size_t stop = piece_end;
      if (stop - at > kPiece)
        stop = at + find_cut(text + at, piece_end - at, true, kPiece, piece_end - at, SpecialMatcher({}), stop_token);
      if (stop - at >= size_t{1} << 32) throw InputError("a pre-token of 4 GiB or more cannot be processed");
      const size_t bad =
          count_text(pattern, text + at, stop - at, padded_tail || stop + 16 <= length, table, stop_token);
      if (bad != Scanner::kNone && malformed == Scanner::kNone) malformed = at + bad;
      at = stop;
    }
    if (match.begin != SpecialMatcher::kNone) at = match.begin + match.length;
  }
  return malformed;
}

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void count_files(Pattern pattern, const std::vector<std::string>& paths, const SpecialMatcher& specials, int threads,
                 Errors errors, StopToken& stop_token, WordTable& table, CountTimes& times) {
  auto start = std::chrono::steady_clock::now();
  BlockReader reader(paths, specials, errors);
  threads = static_cast<int>(std::clamp<size_t>(reader.num_blocks(), 1, static_cast<size_t>(threads)));
  std::vector<WordTable> tables(static_cast<size_t>(threads));
  std::mutex mutex;
  std::atomic<bool> bad{false};
  size_t bad_file = ~size_t{0};  // the first malformed byte over all files, in their order
  uint64_t bad_offset = 0;
  run_workers(threads, stop_token, [&](int index) {
    Block block;
    WordTable& mine = tables[static_cast<size_t>(index)];
    while (!bad && reader.next(block, stop_token)) {
      size_t malformed = Scanner::kNone;
      if (errors == Errors::replace && find_malformed(block.text, block.length, stop_token) != ~size_t{0}) {
        const std::vector<uint8_t> repaired = replace_malformed(block.text, block.length, stop_token);
        malformed = count_block(pattern, repaired.data(), repaired.size(), specials, false, mine, stop_token);
      } else {
        malformed = count_block(pattern, block.text, block.length, specials, true, mine, stop_token);
      }
      if (malformed != Scanner::kNone) {
        bad = true;
        std::lock_guard<std::mutex> lock(mutex);
        const uint64_t offset = block.offset + malformed;
        if (block.file < bad_file || (block.file == bad_file && offset < bad_offset)) {
          bad_file = block.file;
          bad_offset = offset;
        }
        return;  // earlier blocks are in other hands, which end them; they may hold an earlier one
      }
      stop_token.done += block.length;
    }
  });
  if (bad_file != ~size_t{0}) throw MalformedError(reader.path(bad_file), bad_offset);
  times.scan_and_count += seconds_since(start);
  start = std::chrono::steady_clock::now();
  run_workers(1, stop_token, [&](int) {  // on a thread of its own, so that this one can watch for signals
    for (WordTable& part : tables) {
      if (part.size() > table.size()) std::swap(part, table);
      table.merge(part, stop_token);
      part.clear();
    }
  });
  times.merge += seconds_since(start);
}

}  // namespace hornbook
