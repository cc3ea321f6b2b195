#include "hornbook/encoder.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <unordered_map>

#include "ordered_sink.hpp"

namespace hornbook {

void TextTally::add(const TextTally& block) {
  bytes += block.bytes;
  special_bytes += block.special_bytes;
  if (!block.any_special) {
    open |= block.head;
    return;
  }
  documents += block.documents + (open || block.head);
  open = block.open;
}

template <class Id>
Encoder<Id>::Encoder(const Vocabulary& vocabulary, Pattern pattern, size_t cache_limit)
    : merger_(vocabulary.merges),
      specials_([&] {
        std::vector<std::string> texts;
        for (const auto& [text, id] : vocabulary.special_tokens) texts.push_back(text);
        return texts;
      }()),
      pattern_(pattern),
      cache_limit_(cache_limit) {
  // Where a special token has the same bytes as an ordinary symbol, it owns the lowest id and the symbol the last one.
  std::unordered_map<std::string_view, uint32_t> ids;
  ids.reserve(vocabulary.entries.size());
  for (const auto& [id, bytes] : vocabulary.entries) {
    const auto [place, fresh] = ids.emplace(bytes, id);
    if (!fresh) place->second = std::max(place->second, id);
  }
  for (const std::string& symbol : merger_.symbols()) {
    const auto found = ids.find(symbol);
    if (found == ids.end() && symbol.size() > 1) {
      throw ModelError("the merges make a token of " + std::to_string(symbol.size()) +
                       " bytes that the vocabulary lacks: '" + symbol + "'");
    }
    symbol_ids_.push_back(found == ids.end() ? Merger::kNone : found->second);
  }
  for (const auto& [text, id] : vocabulary.special_tokens) special_ids_.push_back(id);
  release(std::make_unique<Worker>(cache_limit));
}

template <class Id>
Encoder<Id>::~Encoder() {
  for (auto& place : idle_) delete place.load();
}

template <class Id>
std::unique_ptr<typename Encoder<Id>::Worker> Encoder<Id>::acquire() const {
  for (auto& place : idle_) {
    if (place.load(std::memory_order_relaxed)) {
      if (Worker* w = place.exchange(nullptr)) return std::unique_ptr<Worker>(w);
    }
  }
  return std::make_unique<Worker>(cache_limit_);
}

template <class Id>
void Encoder<Id>::release(std::unique_ptr<Worker> worker) const {
  for (auto& place : idle_) {
    Worker* empty = nullptr;
    if (place.compare_exchange_strong(empty, worker.get())) {
      worker.release();
      return;
    }
  }
}

template <class Id>
void Encoder<Id>::set_cache_limit(size_t bytes) {
  cache_limit_ = bytes;
  for (auto& place : idle_) delete place.exchange(nullptr);
}

template <class Id>
size_t Encoder<Id>::cache_memory() const {
  size_t total = 0;
  for (auto& place : idle_) {
    Worker* w = place.exchange(nullptr);
    if (!w) continue;
    total += w->cache.memory();
    Worker* empty = nullptr;
    if (!place.compare_exchange_strong(empty, w)) delete w;
  }
  return total;
}

// The pre-token is not in the cache: merge it, write its ids, remember them.
template <class Id>
Id* Encoder<Id>::encode_miss(const Key& key, uint64_t hash, const uint8_t* text, size_t length, Worker& w, Id* out,
                             const StopToken& stop_token) const {
  if (w.symbols.size() < length) w.symbols.resize(length);
  const size_t n = merger_.merge(text, length, w.symbols.data(), stop_token);
  for (size_t i = 0; i < n; ++i) {
    stop_token.check_at(i + 1);
    const uint32_t id = symbol_ids_[w.symbols[i]];
    if (id == Merger::kNone) {
      static const char* digits = "0123456789abcdef";
      const uint32_t byte = w.symbols[i];
      throw ModelError(std::string("the vocabulary has no token for the byte 0x") + digits[byte >> 4] +
                       digits[byte & 15] + ": a byte-level vocabulary needs all 256");
    }
    out[i] = static_cast<Id>(id);
  }
  if (w.symbols.size() > (size_t{1} << 20)) std::vector<uint32_t>().swap(w.symbols);
  w.cache.insert(key, hash, text, length, out, n);
  return out + n;
}

// The ids of a pre-token that is not in its own bucket, or whose ids are not inside its entry.
template <class Id>
Id* Encoder<Id>::encode_one(const Key& key, uint64_t hash, const uint8_t* text, size_t length, Worker& w, Id* out,
                            const StopToken& stop_token) const {
  const auto* e = w.cache.find(key, hash, text, length);
  if (!e) return encode_miss(key, hash, text, length, w, out, stop_token);
  if (e->count == EncodeCache<Id>::kElsewhere) {
    const auto& record = w.cache.record(*e);
    std::memcpy(out, record.ids(), record.num_ids * sizeof(Id));
    return out + record.num_ids;
  }
  std::memcpy(out, e->ids, e->count * sizeof(Id));
  return out + e->count;
}

// Two loops per batch, as in the counter: keys and prefetches, then look-ups. A hit of up to `kInline` ids is copied
// whole, without looking at how many they are; `out` has room for one value more than there can be ids.
template <class Id>
void Encoder<Id>::encode_span(const uint8_t* text, size_t length, bool padded_tail, Worker& w, Id*& out_end,
                              size_t& malformed, const StopToken& stop_token) const {
  using Cache = EncodeCache<Id>;
  constexpr size_t kBatch = 256;
  struct Record {
    Key key;
    const typename Cache::Bucket* home;
  };
  uint32_t cuts[1 + kBatch + Scanner::kMargin];  // pre-token i of a batch lies between cuts i and i + 1
  Record records[kBatch + Scanner::kMargin];
  Scanner scanner(pattern_, text, length, stop_token);
  const size_t readable = padded_tail ? length + 16 : length;
  Id* out = out_end;
  typename Cache::Table table = w.cache.table();
  cuts[0] = 0;
  while (const size_t n = scanner.next(cuts + 1, kBatch + Scanner::kMargin)) {
    stop_token.check();
    auto fill = [&, table](bool all_readable) {
      for (size_t i = 0; i < n; ++i) {
        const uint32_t begin = cuts[i];
        Record& r = records[i];
        r.key = make_key(text + begin, cuts[i + 1] - begin, all_readable || begin + size_t{16} <= readable);
        r.home = table.home(hash_key(r.key));
        __builtin_prefetch(r.home);
      }
    };
    cuts[n] + size_t{16} <= readable ? fill(true) : fill(false);
    for (size_t i = 0; i < n; ++i) {
      const Record& r = records[i];
      const auto* e = Cache::find_home(r.key, r.home);
      if (!e || e->count == Cache::kElsewhere) [[unlikely]] {
        out = encode_one(r.key, hash_key(r.key), text + cuts[i], cuts[i + 1] - cuts[i], w, out, stop_token);
        if (w.cache.table() == table) continue;
        table = w.cache.table();  // it grew
        for (size_t k = i + 1; k < n; ++k) records[k].home = table.home(hash_key(records[k].key));
      } else {
        std::memcpy(out, e->ids, 16);
        out += e->count;
      }
    }
    cuts[0] = cuts[n];
  }
  if (malformed == Scanner::kNone) malformed = scanner.first_malformed();
  out_end = out;
}

namespace {

constexpr size_t kPiece = size_t{1} << 31;  // a scanner's offsets have 32 bits

bool has_content(const uint8_t* text, size_t length, const StopToken& stop_token) {
  for (size_t i = 0; i < length; ++i) {
    stop_token.check_at(i);
    if (text[i] != ' ' && (text[i] < 9 || text[i] > 13)) return true;
  }
  return false;
}

}  // namespace

// Ids of one block into `out`, which has room for `length` + kPaddingIds; returns how many. `malformed`: offset of the
// first malformed byte, if any.
template <class Id>
size_t Encoder<Id>::encode_block(const uint8_t* text, size_t length, bool padded_tail, const SpecialMatcher& specials,
                                 const std::vector<uint32_t>& special_ids, Worker& w, Id* out, size_t& malformed,
                                 TextTally& tally, const StopToken& stop_token) const {
  Id* const first_id = out;
  tally.bytes = length;
  size_t at = 0;
  bool first = true;
  while (at < length || first) {
    const auto match = specials.find(text, length, at);
    const bool special = match.begin != SpecialMatcher::kNone;
    const size_t piece_end = special ? match.begin : length;
    const bool content = has_content(text + at, piece_end - at, stop_token);
    if (first)
      tally.head = content;
    else if (special)
      tally.documents += content;
    tally.open = content;
    first = false;
    while (at < piece_end) {
      size_t stop = piece_end;
      if (stop - at > kPiece) {
        stop = at + find_cut(text + at, piece_end - at, true, kPiece, piece_end - at, SpecialMatcher({}), stop_token);
        if (stop - at >= Merger::kNone) throw InputError("a pre-token of 4 GiB or more cannot be processed");
      }
      size_t bad = Scanner::kNone;
      encode_span(text + at, stop - at, padded_tail || stop + 16 <= length, w, out, bad, stop_token);
      if (bad != Scanner::kNone && malformed == Scanner::kNone) malformed = at + bad;
      at = stop;
    }
    if (!special) break;
    tally.any_special = true;
    tally.open = false;
    tally.special_bytes += match.length;
    *out++ = static_cast<Id>(special_ids[match.index]);
    at = match.begin + match.length;
  }
  return static_cast<size_t>(out - first_id);
}

template <class Id>
std::pair<const Id*, size_t> Encoder<Id>::encode(const uint8_t* text, size_t length, const SpecialMatcher& specials,
                                                 const std::vector<uint32_t>& special_ids, Worker& worker,
                                                 const StopToken& stop_token) const {
  size_t malformed = Scanner::kNone;
  TextTally tally;
  if (worker.out.size() < length + kPaddingIds) worker.out = HugeArray<Id>(length + kPaddingIds);
  const size_t n =
      encode_block(text, length, false, specials, special_ids, worker, worker.out.data(), malformed, tally, stop_token);
  return {worker.out.data(), n};
}

template <class Id>
std::pair<const Id*, size_t> Encoder<Id>::encode_pieces(const uint8_t* text, const std::vector<size_t>& ends, Worker& w,
                                                        const StopToken& stop_token) const {
  const size_t length = ends.empty() ? 0 : ends.back();
  if (w.out.size() < length + kPaddingIds) w.out = HugeArray<Id>(length + kPaddingIds);
  Id* out = w.out.data();
  size_t begin = 0;
  for (const size_t end : ends) {
    const uint8_t* p = text + begin;
    const size_t size = end - begin;
    begin = end;
    if (size == 0) continue;
    const Key key = make_key(p, size, false);
    const uint64_t hash = hash_key(key);
    out = encode_one(key, hash, p, size, w, out, stop_token);
  }
  return {w.out.data(), static_cast<size_t>(out - w.out.data())};
}

template <class Id>
void Encoder<Id>::encode_text(const uint8_t* text, size_t length, const SpecialMatcher& specials,
                              const std::vector<uint32_t>& special_ids, int threads, StopToken& stop_token,
                              const Sink& sink) const {
  constexpr size_t kPart = size_t{1} << 20;
  const size_t parts = std::max<size_t>(1, (length + kPart - 1) / kPart);
  threads = static_cast<int>(std::clamp<size_t>(parts, 1, static_cast<size_t>(threads)));
  std::atomic<size_t> taken{0};
  OrderedSink<Id> ordered(sink, static_cast<size_t>(threads) * 4);
  run_workers(threads, stop_token, [&](int) {
    WorkerLease lease(*this);
    for (size_t k; (k = taken.fetch_add(1)) < parts;) {
      const size_t from = k * kPart, to = std::min(length, from + kPart);
      const size_t begin = k == 0 ? 0 : find_cut(text, length, true, from, to, specials, stop_token);
      TextTally tally;
      size_t count = 0;
      Id* ids = nullptr;
      if (begin < to || k == 0) {
        const size_t end = to == length ? length : find_cut(text, length, true, to, length, specials, stop_token);
        size_t malformed = Scanner::kNone;
        ids = ordered.reserve(k, end - begin, (*lease).out);
        count = encode_block(text + begin, end - begin, end + 16 <= length, specials, special_ids, *lease, ids,
                             malformed, tally, stop_token);
      }
      ordered.put(k, ids, count, stop_token);
      stop_token.done += to - from;
    }
  });
}

template <class Id>
TextTally Encoder<Id>::encode_file(const std::string& path, int threads, Errors errors, StopToken& stop_token,
                                   const Sink& sink) const {
  BlockReader reader({path}, specials_, errors);
  // The reader ends where the file ended when it was opened; one malformed byte becomes three.
  if (sink.begin) sink.begin(reader.total_bytes() * (errors == Errors::replace ? 3 : 1));
  threads = static_cast<int>(std::clamp<size_t>(reader.num_blocks(), 1, static_cast<size_t>(threads)));
  OrderedSink<Id> ordered(sink, static_cast<size_t>(threads) * 4);
  std::vector<TextTally> tallies(reader.num_blocks());
  run_workers(threads, stop_token, [&](int) {
    WorkerLease lease(*this);
    Block block;
    while (reader.next(block, stop_token)) {
      const uint8_t* text = block.text;
      size_t length = block.length;
      std::vector<uint8_t> repaired;
      size_t malformed = Scanner::kNone;
      if (errors == Errors::replace && find_malformed(text, length, stop_token) != ~size_t{0}) {
        repaired = replace_malformed(text, length, stop_token);
        text = repaired.data();
        length = repaired.size();
      }
      Id* const ids = ordered.reserve(block.index, length, (*lease).out);
      const size_t count = encode_block(text, length, repaired.empty(), specials_, special_ids_, *lease, ids, malformed,
                                        tallies[block.index], stop_token);
      if (malformed != Scanner::kNone) {
        ordered.put_error(block.index, stop_token, MalformedError(path, block.offset + malformed));
      }
      ordered.put(block.index, ids, count, stop_token);
      stop_token.done += block.length;
    }
  });
  TextTally total;
  for (const TextTally& tally : tallies) total.add(tally);
  return total;
}

template class Encoder<uint16_t>;
template class Encoder<uint32_t>;

}  // namespace hornbook
