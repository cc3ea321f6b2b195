#include "hornbook/merger.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <unordered_map>

namespace hornbook {
namespace {

constexpr size_t kShortest = 48;  // longer pre-tokens take the heap

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
  if (merges.size() > kMaxSymbols - 256) throw ModelError("a tokenizer has at most 2,096,896 merges, not " + std::to_string(merges.size()));
  std::unordered_map<std::string, uint32_t> numbers;
  numbers.reserve(merges.size() + 256);
  for (int b = 0; b < 256; ++b) {
    symbols_.emplace_back(1, static_cast<char>(b));
    numbers.emplace(symbols_.back(), static_cast<uint32_t>(b));
  }
  slots_.assign(std::bit_ceil(merges.size() * 5 / 2 + 64), kEmpty);
  mask_ = slots_.size() - 1;
  results_.reserve(merges.size());
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
    const uint64_t key = static_cast<uint64_t>(x) << 43 | static_cast<uint64_t>(y) << 22;
    size_t at = hash(key) & mask_;
    while (slots_[at] != kEmpty) at = (at + 1) & mask_;
    slots_[at] = key | r;
  }
}

size_t Merger::merge(const uint8_t* text, size_t length, uint32_t* out, const Control& control) const {
  return length <= kShortest ? merge_short(text, length, out) : merge_long(text, length, out, control);
}

// A pair that arises when its merge has had its turn already is left alone: merges apply in order of creation, once.
size_t Merger::merge_short(const uint8_t* text, size_t length, uint32_t* out) const {
  uint32_t ranks[kShortest + 16];
  size_t n = length;
  for (size_t i = 0; i < n; ++i) out[i] = text[i];
  for (size_t i = 0; i + 1 < n; ++i) ranks[i] = square_[text[i] << 8 | text[i + 1]];
  while (n > 1) {
    uint32_t best = kNone;
    size_t at = 0;
    for (size_t i = 0; i + 1 < n; ++i) {
      const bool lower = ranks[i] < best;
      best = lower ? ranks[i] : best;
      at = lower ? i : at;
    }
    if (best == kNone) break;
    out[at] = results_[best];
    --n;
    std::memmove(out + at + 1, out + at + 2, (n - at - 1) * sizeof(uint32_t));
    std::memmove(ranks + at, ranks + at + 1, (n - at - 1) * sizeof(uint32_t));
    auto later = [best](uint32_t r) { return r > best ? r : kNone; };
    if (at + 1 < n) ranks[at] = later(rank(out[at], out[at + 1]));
    if (at > 0) ranks[at - 1] = later(rank(out[at - 1], out[at]));
  }
  return n;
}

// One cell per byte: a symbol that covers bytes i…j has its number in cells i and j (as in the trainer), so neighbours are
// found by lengths. The heap holds (rank, place); an entry whose pair is no longer there is passed over.
size_t Merger::merge_long(const uint8_t* text, size_t length, uint32_t* out, const Control& control) const {
  if (length >= kNone) throw InputError("a pre-token of 4 GiB or more cannot be processed");
  constexpr uint32_t kInside = kNone;
  uint32_t* cells = out;
  std::vector<uint64_t> heap;
  for (size_t i = 0; i < length; ++i) {
    cells[i] = text[i];
    if (i + 1 == length) break;
    const uint32_t r = square_[text[i] << 8 | text[i + 1]];
    if (r != kNone) heap.push_back(static_cast<uint64_t>(r) << 32 | i);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  auto push = [&](uint32_t r, uint32_t now, size_t place) {
    if (r == kNone || r <= now) return;
    heap.push_back(static_cast<uint64_t>(r) << 32 | place);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (size_t step = 0; !heap.empty(); ++step) {
    if ((step & 0xFFFF) == 0) control.check();
    const uint64_t top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    const auto r = static_cast<uint32_t>(top >> 32);
    const size_t i = top & 0xFFFFFFFF;
    const uint32_t a = cells[i];
    if (a == kInside) continue;
    const size_t j = i + symbols_[a].size();
    if (j >= length) continue;
    const uint32_t b = cells[j];
    if (b == kInside || rank(a, b) != r) continue;
    const size_t end = j + symbols_[b].size();
    const uint32_t z = results_[r];
    cells[j - 1] = kInside;
    cells[j] = kInside;
    cells[i] = z;
    cells[end - 1] = z;
    if (end < length) push(rank(z, cells[end]), r, i);
    if (i > 0) {
      const uint32_t x = cells[i - 1];
      push(rank(x, z), r, i - symbols_[x].size());
    }
  }
  size_t n = 0;
  for (size_t i = 0; i < length;) {
    const uint32_t s = cells[i];
    i += symbols_[s].size();
    cells[n++] = s;
  }
  return n;
}

}  // namespace hornbook
