#include "hornbook/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <unordered_map>

#include "pair_index.hpp"

namespace hornbook {
namespace {

std::atomic<uint64_t> first_threshold{0};

// Numbers inside the trainer: 0 stands between words, 1 marks the inside of a symbol, byte b is b + 2, merges follow.
constexpr uint32_t kGap = 0, kDead = 1, kFirst = 2;

// All distinct words lie one after the other, one cell per byte, a kGap before each and one at the end. A symbol that
// covers bytes i…j has its number in cells i and j; what lies between is kDead or was never more than that. So the
// symbol after position i starts at i + length(i), the one before it has its number at i - 1, and merging writes four
// cells.
template <class Cell>
class Trainer {
 public:
  Trainer(WordTable& table, size_t max_symbols, int threads, StopToken& stop_token, TrainTimes& times)
      : stop_token_(stop_token), times_(times), max_symbols_(max_symbols), threads_(threads), worse_{&bytes_} {
    bytes_.resize(kFirst);
    for (int b = 0; b < 256; ++b) bytes_.push_back(std::string(1, static_cast<char>(b)));
    for (const std::string& s : bytes_) lengths_.push_back(static_cast<uint32_t>(s.size()));
    by_bytes_.reserve(max_symbols);
    for (uint32_t s = kFirst; s < bytes_.size(); ++s) by_bytes_.emplace(bytes_[s], s);
    load(table);
  }

  TrainResult run();

 private:
  struct Site {
    uint32_t at;      // first cell of the left symbol
    uint32_t weight;  // index into weights_
  };
  // Of one pair of symbols, while an index is made.
  struct PairStats {
    uint64_t count = 0, postings = 0;
    uint32_t sites = 0;
  };
  struct Neighbour {
    uint64_t weight = 0;
    uint64_t postings = 0;
    uint32_t sites = 0;
  };
  struct Merged {
    Site site;
    uint32_t before, after;
  };
  enum class Side { left, right };

  struct Part {  // a stretch of whole words, for one thread
    size_t begin, end;
    uint32_t word;
  };

  void load(WordTable& table);
  void index_bytes();
  void keep(uint32_t left, uint32_t right, uint64_t count, uint64_t postings, uint32_t sites);
  void rebuild(bool lower);
  void compact();
  void reserve(size_t used);
  uint64_t choose_threshold(uint64_t top, uint64_t total, bool lower) const;
  void push(uint32_t left, uint32_t right, uint64_t count, uint64_t postings, uint32_t sites);
  bool pop_best(Waiting& best);
  void merge(const Waiting& best);
  void apply(const Waiting& best, uint32_t merged);
  void settle(uint32_t a, uint32_t b, uint32_t z);
  void touch(std::vector<Neighbour>& side, std::vector<uint32_t>& touched, uint32_t symbol, uint64_t weight) {
    Neighbour& n = side[symbol];
    if (n.sites++ == 0) touched.push_back(symbol);
    n.weight += weight;
  }

  StopToken& stop_token_;
  TrainTimes& times_;
  size_t max_symbols_;
  int threads_;
  std::vector<std::string> bytes_;
  std::vector<uint32_t> lengths_;
  std::unordered_map<std::string, uint32_t> by_bytes_;
  std::vector<std::pair<uint32_t, uint32_t>> merges_;

  HugeArray<Cell> cells_;
  size_t num_cells_ = 0;
  std::vector<uint64_t> weights_;
  std::vector<Part> parts_;

  uint64_t threshold_ = 0;
  PairCounts pairs_;
  std::vector<Waiting> queue_;
  Worse worse_;
  HugeArray<Site> postings_;
  size_t postings_used_ = 0;
  std::vector<Neighbour> before_, after_;
  std::vector<uint32_t> touched_before_, touched_after_;
  std::vector<Merged> merged_;
};

template <class Cell>
void Trainer<Cell>::load(WordTable& table) {
  uint64_t total = 1;
  unsigned __int128 pairs = 0;
  table.for_each([&](std::string_view word, uint64_t count) {
    total += word.size() > 1 ? word.size() + 1 : 0;
    pairs += static_cast<unsigned __int128>(count) * (word.size() - 1);
  });
  if (pairs >> 64) {
    throw InputError(
        "the counts of all pairs add up to more than 2^64 - 1: divide all counts by the same number first");
  }
  if (total > std::numeric_limits<uint32_t>::max()) {
    throw InputError("the distinct pre-tokens have more than 4 GiB; train on fewer or on text with shorter words");
  }
  cells_ = HugeArray<Cell>(total);
  num_cells_ = total;
  size_t at = 0;
  cells_[at++] = kGap;
  table.for_each([&](std::string_view word, uint64_t count) {
    if (word.size() < 2) return;  // carries no pair
    if (at > parts_.size() * (total / static_cast<size_t>(threads_)) && parts_.size() < static_cast<size_t>(threads_)) {
      if (!parts_.empty()) parts_.back().end = at;
      parts_.push_back({at, total, static_cast<uint32_t>(weights_.size())});
    }
    for (const char c : word) {
      stop_token_.check_at(at);
      cells_[at++] = static_cast<Cell>(kFirst + static_cast<uint8_t>(c));
    }
    cells_[at++] = kGap;
    weights_.push_back(count);
  });
  table.clear();
  before_.resize(std::max<size_t>(max_symbols_, 256) + kFirst + 1);
  after_.resize(before_.size());
}

// A pair rarer than the winner of the last merge never wins, because counts only fall. That count is not known before
// the end; as words follow Zipf's law it is some percent of (all pairs / merges to make). Taking a fraction of the
// guess costs little; guessing too high costs one more rebuild.
template <class Cell>
uint64_t Trainer<Cell>::choose_threshold(uint64_t top, uint64_t total, bool lower) const {
  if (const uint64_t forced = first_threshold.load(); forced && threshold_ == 0)
    return std::min(forced, std::max<uint64_t>(top, 1));
  if (!lower) return threshold_;
  const uint64_t left = std::max<uint64_t>(max_symbols_ + kFirst - bytes_.size(), 1);
  uint64_t guess = total / left / 128;
  if (threshold_) guess = std::min(guess, threshold_ / 4);
  return std::clamp<uint64_t>(guess, 1, std::max<uint64_t>(top, 1));
}

// Makes room for `used` postings, and for those that merges will add before `compact` has to make some.
template <class Cell>
void Trainer<Cell>::reserve(size_t used) {
  const size_t capacity = used + used / 4 + (size_t{1} << 16);
  if (postings_.size() < capacity) postings_ = HugeArray<Site>(capacity);
  postings_used_ = used;
}

template <class Cell>
void Trainer<Cell>::keep(uint32_t left, uint32_t right, uint64_t count, uint64_t postings, uint32_t sites) {
  pairs_.insert(PairCounts::key(left, right))->count = count;
  queue_.push_back({count, prefix_of(bytes_[left]), left, right, postings, sites});
}

// The first index: all symbols are bytes, so a square of 256 × 256 takes the place of the table, and the words can be
// shared out among threads. Each thread writes its postings behind those of the threads before it: they stay ascending.
template <class Cell>
void Trainer<Cell>::index_bytes() {
  const auto start = std::chrono::steady_clock::now();
  ++times_.rebuilds;
  std::vector<std::vector<PairStats>> squares(parts_.size());
  StopToken inner;
  inner.poll = [this] { return stop_token_.stop_requested.load(); };
  auto each_pair = [&](const Part& part, auto&& f) {
    uint32_t word = part.word;
    for (size_t i = part.begin; i + 1 < part.end; ++i) {
      if ((i & 0xFFFFF) == 0) inner.check();
      const uint32_t left = cells_[i], right = cells_[i + 1];
      if (right == kGap) {
        ++i;
        ++word;
        continue;
      }
      f((left - kFirst) << 8 | (right - kFirst), static_cast<uint32_t>(i), word);
    }
  };
  auto on_parts = [&](auto&& f) {
    run_workers(static_cast<int>(parts_.size()), inner, [&](int index) { f(static_cast<size_t>(index)); });
  };
  on_parts([&](size_t p) {
    squares[p].resize(65536);
    PairStats* square = squares[p].data();
    each_pair(parts_[p], [&](uint32_t pair, uint32_t, uint32_t word) {
      square[pair].count += weights_[word];
      ++square[pair].sites;
    });
  });
  std::vector<uint64_t> counts(65536);
  uint64_t top = 0, total = 0;
  for (uint32_t pair = 0; pair < 65536; ++pair) {
    for (const auto& square : squares) counts[pair] += square[pair].count;
    top = std::max(top, counts[pair]);
    total += counts[pair];
  }
  threshold_ = choose_threshold(top, total, true);
  size_t used = 0;
  for (uint32_t pair = 0; pair < 65536; ++pair) {
    if (counts[pair] < threshold_) continue;
    const size_t begin = used;
    for (auto& square : squares) {
      square[pair].postings = used;
      used += square[pair].sites;
    }
    keep(kFirst + (pair >> 8), kFirst + (pair & 255), counts[pair], begin, static_cast<uint32_t>(used - begin));
  }
  reserve(used);
  on_parts([&](size_t p) {
    PairStats* square = squares[p].data();
    each_pair(parts_[p], [&](uint32_t pair, uint32_t at, uint32_t word) {
      if (counts[pair] >= threshold_) postings_[square[pair].postings++] = {at, word};
    });
  });
  std::make_heap(queue_.begin(), queue_.end(), worse_);
  times_.pair_index += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Counts every adjacent pair of all words as they stand now, keeps those at or above the threshold, and lists where
// each stands, in order. The words alone hold the truth, so this may be done at any time. `lower`: below the threshold.
template <class Cell>
void Trainer<Cell>::rebuild(bool lower) {
  const auto start = std::chrono::steady_clock::now();
  ++times_.rebuilds;
  PairCounts index(size_t{1} << 16);  // pair -> 1 + place in stats
  std::vector<PairStats> stats;
  std::vector<uint64_t> keys;
  auto each_pair = [&](auto&& f) {
    uint32_t word = 0;
    for (size_t at = 1; at < num_cells_; ++at, ++word) {
      if ((word & 0xFFF) == 0) stop_token_.check();
      uint32_t left = cells_[at];
      for (size_t i = at;;) {
        const size_t next = i + lengths_[left];
        const uint32_t right = cells_[next];
        if (right == kGap) {
          at = next;
          break;
        }
        f(left, right, static_cast<uint32_t>(i), word);
        left = right;
        i = next;
        if ((i & 0xFFFFF) == 0) stop_token_.check();
      }
    }
  };
  uint64_t total = 0;
  auto stats_of = [&](uint32_t left, uint32_t right) -> PairStats& {
    auto* slot = index.insert(PairCounts::key(left, right));
    if (slot->count == 0) {
      stats.emplace_back();
      keys.push_back(slot->key);
      slot->count = stats.size();
    }
    return stats[slot->count - 1];
  };
  each_pair([&](uint32_t left, uint32_t right, uint32_t, uint32_t word) {
    PairStats& t = stats_of(left, right);
    t.count += weights_[word];
    ++t.sites;
    total += weights_[word];
  });
  uint64_t top = 0;
  for (const PairStats& t : stats) top = std::max(top, t.count);
  threshold_ = choose_threshold(top, total, lower);
  pairs_ = PairCounts();
  queue_.clear();
  size_t used = 0;
  for (PairStats& t : stats) {
    t.postings = used;
    if (t.count >= threshold_) used += t.sites;
  }
  reserve(used);
  for (size_t k = 0; k < stats.size(); ++k) {
    const PairStats& t = stats[k];
    if (t.count >= threshold_)
      keep(static_cast<uint32_t>(keys[k] >> 32), static_cast<uint32_t>(keys[k]), t.count, t.postings, t.sites);
  }
  each_pair([&](uint32_t left, uint32_t right, uint32_t at, uint32_t word) {
    PairStats& t = stats_of(left, right);
    if (t.count >= threshold_) postings_[t.postings++] = {at, word};
  });
  std::make_heap(queue_.begin(), queue_.end(), worse_);
  times_.pair_index += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Moves the postings that still hold to the front, in the order in which they lie, and drops pairs that cannot win.
template <class Cell>
void Trainer<Cell>::compact() {
  std::sort(queue_.begin(), queue_.end(), [](const Waiting& a, const Waiting& b) { return a.postings < b.postings; });
  size_t used = 0, kept = 0;
  for (Waiting& w : queue_) {
    const PairCounts::Slot* slot = pairs_.find(PairCounts::key(w.left, w.right));
    if (!slot || slot->count < threshold_) continue;
    const size_t begin = used, step = lengths_[w.left];
    for (size_t k = w.postings; k < w.postings + w.sites; ++k) {
      if (k + 24 < w.postings + w.sites) __builtin_prefetch(&cells_[postings_[k + 24].at]);
      const Site site = postings_[k];
      if (cells_[site.at] == w.left && cells_[site.at + step] == w.right) postings_[used++] = site;
    }
    w.count = slot->count;
    w.postings = begin;
    w.sites = static_cast<uint32_t>(used - begin);
    queue_[kept++] = w;
  }
  stop_token_.check();
  queue_.resize(kept);
  std::make_heap(queue_.begin(), queue_.end(), worse_);
  postings_used_ = used;
}

template <class Cell>
void Trainer<Cell>::push(uint32_t left, uint32_t right, uint64_t count, uint64_t postings, uint32_t sites) {
  pairs_.insert(PairCounts::key(left, right))->count = count;
  queue_.push_back({count, prefix_of(bytes_[left]), left, right, postings, sites});
  std::push_heap(queue_.begin(), queue_.end(), worse_);
}

// The queue's counts may be too high, never too low: one that is too high is put back with the true count.
template <class Cell>
bool Trainer<Cell>::pop_best(Waiting& best) {
  for (;;) {
    if (queue_.empty()) {
      if (threshold_ == 1) return false;
      rebuild(true);
      if (queue_.empty()) return false;
      continue;
    }
    best = queue_.front();
    const PairCounts::Slot* slot = pairs_.find(PairCounts::key(best.left, best.right));
    const uint64_t count = slot ? slot->count : 0;
    std::pop_heap(queue_.begin(), queue_.end(), worse_);
    queue_.pop_back();
    if (count == best.count) return true;
    if (count < threshold_) continue;
    best.count = count;
    queue_.push_back(best);
    std::push_heap(queue_.begin(), queue_.end(), worse_);
  }
}

// Replaces every live site of the pair by `z`, left to right, and adds up what that changes at either side.
template <class Cell>
void Trainer<Cell>::apply(const Waiting& best, uint32_t z) {
  constexpr size_t kAhead = 24;
  const uint32_t a = best.left, b = best.right, la = lengths_[a], lb = lengths_[b];
  const Site* sites = &postings_[best.postings];
  merged_.clear();
  for (size_t k = 0; k < best.sites; ++k) {
    if (k + kAhead < best.sites) {
      __builtin_prefetch(&cells_[sites[k + kAhead].at], 1);
      __builtin_prefetch(&weights_[sites[k + kAhead].weight]);
    }
    const size_t i = sites[k].at, j = i + la;
    if (cells_[i] != a || cells_[j] != b) continue;  // another merge took one of them
    const uint32_t x = cells_[i - 1], y = cells_[j + lb];
    cells_[j - 1] = kDead;
    cells_[j] = kDead;
    cells_[i] = static_cast<Cell>(z);
    cells_[j + lb - 1] = static_cast<Cell>(z);
    const uint64_t weight = weights_[sites[k].weight];
    if (x != kGap) touch(before_, touched_before_, x, weight);
    if (y != kGap) touch(after_, touched_after_, y, weight);
    merged_.push_back({sites[k], x, y});
    if ((k & 0xFFFF) == 0xFFFF) stop_token_.check();
  }
}

// Brings the pair counts up to date, and lists the new pairs that are frequent enough.
template <class Cell>
void Trainer<Cell>::settle(uint32_t a, uint32_t b, uint32_t z) {
  for (const uint32_t x : touched_before_) pairs_.prefetch(PairCounts::key(x, a));
  for (const uint32_t y : touched_after_) pairs_.prefetch(PairCounts::key(b, y));
  // "abab": the first site saw a on its right, the second then z on its left; the pair (z, a) came and went.
  if (after_[a].sites) after_[a].weight -= before_[z].weight;
  size_t wanted = 0;
  auto keep = [&](Neighbour& n) {
    n.postings = ~uint64_t{0};
    if (n.weight >= threshold_) {
      n.postings = wanted;
      wanted += n.sites;
    }
  };
  for (const uint32_t x : touched_before_) {
    if (auto* slot = x == z ? nullptr : pairs_.find(PairCounts::key(x, a))) slot->count -= before_[x].weight;
    keep(before_[x]);
  }
  for (const uint32_t y : touched_after_) {
    if (auto* slot = pairs_.find(PairCounts::key(b, y)))
      slot->count -= after_[y].weight + (y == a ? before_[z].weight : 0);
    keep(after_[y]);
  }
  if (auto* slot = pairs_.find(PairCounts::key(a, b))) slot->count = 0;
  if (wanted) {
    if (postings_used_ + wanted > postings_.size()) compact();
    if (postings_used_ + wanted > postings_.size()) {
      HugeArray<Site> larger(postings_used_ + wanted + postings_.size() / 2);
      std::copy(postings_.data(), postings_.data() + postings_used_, larger.data());
      postings_ = std::move(larger);
    }
    const size_t base = postings_used_;
    postings_used_ += wanted;
    auto open = [&](Neighbour& n, uint32_t left, uint32_t right) {
      if (n.postings == ~uint64_t{0}) return;
      n.postings += base;
      push(left, right, n.weight, n.postings, n.sites);
    };
    for (const uint32_t x : touched_before_) open(before_[x], x, z);
    for (const uint32_t y : touched_after_) open(after_[y], z, y);
    for (const Merged& m : merged_) {
      stop_token_.check_at(static_cast<size_t>(&m - merged_.data()) + 1);
      if (m.before != kGap && before_[m.before].postings != ~uint64_t{0}) {
        postings_[before_[m.before].postings++] = {m.site.at - lengths_[m.before], m.site.weight};
      }
      if (m.after != kGap && after_[m.after].postings != ~uint64_t{0}) postings_[after_[m.after].postings++] = m.site;
    }
  }
  for (const uint32_t x : touched_before_) before_[x] = {};
  for (const uint32_t y : touched_after_) after_[y] = {};
  touched_before_.clear();
  touched_after_.clear();
}

template <class Cell>
void Trainer<Cell>::merge(const Waiting& best) {
  std::string joined = bytes_[best.left] + bytes_[best.right];
  merges_.emplace_back(best.left - kFirst, best.right - kFirst);
  const auto known = by_bytes_.find(joined);
  if (known != by_bytes_.end()) {
    // No text is known that leads here (docs/tokenizer_core.md argues that none does); the rule is kept all the same.
    apply(best, known->second);
    for (const uint32_t x : touched_before_) before_[x] = {};
    for (const uint32_t y : touched_after_) after_[y] = {};
    touched_before_.clear();
    touched_after_.clear();
    rebuild(false);
    return;
  }
  const auto z = static_cast<uint32_t>(bytes_.size());
  by_bytes_.emplace(joined, z);
  lengths_.push_back(static_cast<uint32_t>(joined.size()));
  bytes_.push_back(std::move(joined));
  apply(best, z);
  settle(best.left, best.right, z);
}

template <class Cell>
TrainResult Trainer<Cell>::run() {
  index_bytes();
  const auto start = std::chrono::steady_clock::now();
  const double index_before = times_.pair_index;
  Waiting best;
  while (bytes_.size() - kFirst < max_symbols_ && pop_best(best)) {
    stop_token_.check();
    merge(best);
    stop_token_.done.fetch_add(1, std::memory_order_relaxed);
  }
  times_.merges += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() -
                   (times_.pair_index - index_before);
  bytes_.erase(bytes_.begin(), bytes_.begin() + kFirst);
  return {std::move(bytes_), std::move(merges_)};
}

}  // namespace

void set_first_threshold(uint64_t threshold) { first_threshold = threshold; }

TrainResult train(WordTable& table, size_t max_symbols, int threads, StopToken& stop_token, TrainTimes& times) {
  const auto start = std::chrono::steady_clock::now();
  auto done = [&] { times.words += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  if (max_symbols + kFirst <= 65536) {
    Trainer<uint16_t> trainer(table, max_symbols, threads, stop_token, times);
    done();
    return trainer.run();
  }
  Trainer<uint32_t> trainer(table, max_symbols, threads, stop_token, times);
  done();
  return trainer.run();
}

}  // namespace hornbook
