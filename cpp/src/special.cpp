#include "hornbook/special.hpp"

#include <algorithm>
#include <cstring>

namespace hornbook {

SpecialMatcher::SpecialMatcher(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  for (uint32_t i = 0; i < tokens_.size(); ++i) {
    by_first_[static_cast<uint8_t>(tokens_[i][0])].push_back(i);
    longest_ = std::max(longest_, tokens_[i].size());
    any_replacement_ = any_replacement_ || tokens_[i].find("\xEF\xBF\xBD") != std::string::npos;
  }
  for (auto& list : by_first_) {
    std::stable_sort(list.begin(), list.end(),
                     [&](uint32_t a, uint32_t c) { return tokens_[a].size() > tokens_[c].size(); });
  }
  common_pair_ = !tokens_.empty();
  for (const std::string& token : tokens_) {
    common_pair_ = common_pair_ && token.size() >= 2 && token.compare(0, 2, tokens_[0], 0, 2) == 0;
  }
  if (common_pair_) std::memcpy(pair_, tokens_[0].data(), 2);
}

SpecialMatcher::Match SpecialMatcher::match_at(const uint8_t* text, size_t length, size_t at) const {
  for (const uint32_t i : by_first_[text[at]]) {
    const std::string& token = tokens_[i];
    if (token.size() <= length - at && std::memcmp(text + at, token.data(), token.size()) == 0)
      return {at, token.size(), i};
  }
  return {kNone, 0, 0};
}

SpecialMatcher::Match SpecialMatcher::find(const uint8_t* text, size_t length, size_t from) const {
  if (tokens_.empty()) return {kNone, 0, 0};
  for (size_t p = from; p < length; ++p) {
    if (common_pair_) {
      p += find_pair(text + p, length - p, pair_[0], pair_[1]);
      if (p >= length) break;
    } else if (by_first_[text[p]].empty()) {
      continue;
    }
    const Match m = match_at(text, length, p);
    if (m.begin != kNone) return m;
  }
  return {kNone, 0, 0};
}

bool SpecialMatcher::straddles(const uint8_t* text, size_t length, size_t p) const {
  const size_t first = p >= longest_ ? p - longest_ + 1 : 0;
  for (size_t q = first; q < p; ++q) {
    for (const uint32_t i : by_first_[text[q]]) {
      const std::string& token = tokens_[i];
      if (token.size() <= p - q) continue;
      const size_t known = std::min(token.size(), length - q);
      if (std::memcmp(text + q, token.data(), known) == 0) return true;
    }
  }
  return false;
}

}  // namespace hornbook
