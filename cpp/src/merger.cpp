#include "hornbook/merger.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <unordered_map>

#include "hornbook/simd.hpp"
#include "merge_short.hpp"

namespace hornbook {

size_t merge_short_avx2(const PairRanks&, const uint8_t*, size_t, uint32_t*);
size_t merge_short_avx512(const PairRanks&, const uint8_t*, size_t, uint32_t*);

namespace {

struct Plain {
  struct Keys {
    uint32_t keys[32];
    size_t count;
    Keys(const uint32_t* from, size_t n) : count(n) { std::copy(from, from + 32, keys); }
    // One by one: wide loads would have to wait until the narrow stores before them are done.
    uint32_t lowest() const {
      uint32_t low = keys[0];
      for (size_t i = 1; i < count; ++i) {
        low = std::min(low, keys[i]);
        asm("" : "+r"(low));
      }
      return low;
    }
    void set(uint32_t place, uint32_t key) {
      if (place < 32) keys[place] = key;
    }
  };

  static uint32_t rank(const PairRanks& ranks, uint32_t left, uint32_t right) {
    const uint64_t key = pair_key(left, right);
    return rank_from(ranks, key, first_line(ranks, key));
  }
  static uint32_t lowest(const uint32_t* keys, size_t count) {
    uint32_t low = keys[0];
    for (size_t i = 1; i < count; ++i) low = std::min(low, keys[i]);
    return low;
  }
};

std::string quoted(std::string_view bytes) {
  static const char* digits = "0123456789abcdef";
  std::string out = "b'";
  for (const char ch : bytes.substr(0, 40)) {
    const auto b = static_cast<uint8_t>(ch);
    if (b >= 0x20 && b < 0x7F && b != '\'' && b != '\\') {
      out += ch;
    } else {
      out += {'\\', 'x', digits[b >> 4], digits[b & 15]};
    }
  }
  return out + (bytes.size() > 40 ? "…'" : "'");
}

}  // namespace

Merger::Merger(const std::vector<std::pair<std::string, std::string>>& merges) : square_(65536, kNone) {
  if (merges.size() > kMaxSymbols - 256)
    throw ModelError("a tokenizer has at most 2,096,896 merges, not " + std::to_string(merges.size()));
  std::unordered_map<std::string, uint32_t> numbers;
  numbers.reserve(merges.size() + 256);
  for (int b = 0; b < 256; ++b) {
    symbols_.emplace_back(1, static_cast<char>(b));
    numbers.emplace(symbols_.back(), static_cast<uint32_t>(b));
  }
  slots_ = HugeArray<uint64_t>(std::bit_ceil(merges.size() * 5 / 2 + 64));
  std::fill_n(slots_.data(), slots_.size(), PairRanks::kEmpty);
  results_.reserve(merges.size());
  ranks_ = {square_.data(), slots_.data(), slots_.size() / PairRanks::kLine, nullptr};
  for (uint32_t r = 0; r < merges.size(); ++r) {
    const auto& [left, right] = merges[r];
    const auto a = numbers.find(left), b = numbers.find(right);
    if (a == numbers.end() || b == numbers.end()) {
      throw ModelError("merge " + std::to_string(r) + " joins " + quoted(left) + " and " + quoted(right) +
                       ", but no earlier merge makes " + quoted(a == numbers.end() ? left : right));
    }
    const uint32_t x = a->second, y = b->second;
    const auto [place, fresh] = numbers.emplace(left + right, static_cast<uint32_t>(symbols_.size()));
    if (fresh) symbols_.push_back(left + right);
    results_.push_back(place->second);
    if (rank(x, y) != kNone) continue;  // the same pair again: the first one counts
    if ((x | y) < 256) {
      square_[x << 8 | y] = r;
      continue;
    }
    const uint64_t key = pair_key(x, y);
    size_t at = first_line(ranks_, key) * PairRanks::kLine;
    while (slots_[at] != PairRanks::kEmpty) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = key | r;
  }
  if (symbols_.size() < results_.size() + 256) ranks_.results = results_.data();
  for (const std::string& symbol : symbols_) lengths_.push_back(static_cast<uint32_t>(symbol.size()));
}

size_t Merger::merge(const uint8_t* text, size_t length, uint32_t* out, const StopToken& stop_token) const {
  if (length > kLongestMergeShort) return merge_long(text, length, out, stop_token);
#if defined(__x86_64__)
  if (active_simd() == Simd::avx512) return merge_short_avx512(ranks_, text, length, out);
  if (active_simd() == Simd::avx2) return merge_short_avx2(ranks_, text, length, out);
#endif
  return merge_short<Plain>(ranks_, text, length, out);
}

// One cell per byte: a symbol that covers bytes i…j has its number in cells i and j (as in the trainer), so neighbours
// are found by lengths. The heap holds (rank, place); an entry whose pair is no longer there is passed over.
size_t Merger::merge_long(const uint8_t* text, size_t length, uint32_t* out, const StopToken& stop_token) const {
  if (length >= kNone) throw InputError("a pre-token of 4 GiB or more cannot be processed");
  constexpr uint32_t kInside = kNone;
  uint32_t* cells = out;
  std::vector<uint64_t> heap;
  auto add = [&](uint32_t r, size_t place) {
    if (r == kNone) return;
    heap.push_back(static_cast<uint64_t>(r) << 32 | place);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (size_t i = 0; i < length; ++i) {
    stop_token.check_at(i);
    cells[i] = text[i];
    if (i + 1 < length) add(square_[text[i] << 8 | text[i + 1]], i);
  }
  auto push = [&](uint32_t r, uint32_t now, size_t place) {
    if (r > now) add(r, place);
  };
  for (size_t step = 0; !heap.empty(); ++step) {
    stop_token.check_at(step);
    const uint64_t top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    const auto r = static_cast<uint32_t>(top >> 32);
    const size_t i = top & 0xFFFFFFFF;
    const uint32_t a = cells[i];
    if (a == kInside) continue;
    const size_t j = i + lengths_[a];
    if (j >= length) continue;
    const uint32_t b = cells[j];
    if (b == kInside || rank(a, b) != r) continue;
    const size_t end = j + lengths_[b];
    const uint32_t z = result_of(ranks_, r);
    cells[j - 1] = kInside;
    cells[j] = kInside;
    cells[i] = z;
    cells[end - 1] = z;
    if (end < length) push(rank(z, cells[end]), r, i);
    if (i > 0) {
      const uint32_t x = cells[i - 1];
      push(rank(x, z), r, i - lengths_[x]);
    }
  }
  size_t n = 0;
  for (size_t i = 0; i < length;) {
    stop_token.check_at(n + 1);
    const uint32_t s = cells[i];
    i += lengths_[s];
    cells[n++] = s;
  }
  return n;
}

}  // namespace hornbook
