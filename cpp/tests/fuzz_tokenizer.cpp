// Fuzzing the scanner, the trainer and the encoder: mutated inputs, each checked against plain code.
//
// A loop of its own, so that any compiler with sanitizers will do: build with -fsanitize=address,undefined and run
//     fuzz_tokenizer CORPUS_FOLDER SECONDS [SEED]
// An input that fails is written to crash.bin in the working folder, and the process aborts. With -DLIBFUZZER the same
// check is libFuzzer's entry point.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <random>

#include "hornbook/counts.hpp"
#include "hornbook/encoder.hpp"
#include "hornbook/simd.hpp"
#include "hornbook/trainer.hpp"
#include "hornbook/unicode.hpp"

using namespace hornbook;
using Bytes = std::vector<uint8_t>;
using Word = std::vector<std::string>;

namespace {

Bytes current;  // what is written out when a check fails

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "failed: %s (%zu bytes, see crash.bin)\n", what, current.size());
  std::ofstream("crash.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(current.data()), static_cast<std::streamsize>(current.size()));
  std::abort();
}

// The patterns as their publishers write them, matched by backtracking: alternatives in order, each a row of elements
// that take as many characters as they can and give them back one by one where the rest does not match.
struct Element {
  std::function<bool(const Char&)> is;  // empty: a contraction without case, its apostrophe included
  size_t least, most;
  bool gives_back = true;
};
struct Alternative {
  std::vector<Element> elements;
  enum class After { anything, end, no_text } after = After::anything;  // what has to follow: $ or (?!\S)
};

size_t contraction_by_spelling(const Bytes& text, size_t at) {
  for (const std::string spelling : {"'s",  "'S",  "'\xc5\xbf", "'t", "'T",  "'re", "'rE", "'Re", "'RE", "'ve", "'vE",
                                     "'Ve", "'VE", "'m",        "'M", "'ll", "'lL", "'Ll", "'LL", "'d",  "'D"}) {
    if (text.size() - at >= spelling.size() && std::memcmp(text.data() + at, spelling.data(), spelling.size()) == 0)
      return spelling.size();
  }
  return 0;
}

size_t match_row(const Bytes& text, size_t at, const Alternative& row, size_t k) {  // the end, or 0
  const uint8_t* const end = text.data() + text.size();
  if (k == row.elements.size()) {
    if (at == text.size() || row.after == Alternative::After::anything) return at;
    const bool space = decode_char(text.data() + at, end).type == CharClass::whitespace;
    return row.after == Alternative::After::no_text && space ? at : 0;
  }
  const Element& e = row.elements[k];
  std::vector<size_t> places{at};
  while (places.size() <= e.most && places.back() < text.size()) {
    const size_t p = places.back();
    if (!e.is) {
      const size_t n = contraction_by_spelling(text, p);
      if (n == 0) break;
      places.push_back(p + n);
      continue;
    }
    const Char c = decode_char(text.data() + p, end);
    if (!e.is(c)) break;
    places.push_back(p + c.length);
  }
  for (size_t taken = places.size(); taken-- > e.least;) {
    if (const size_t found = match_row(text, places[taken], row, k + 1)) return found;
    if (!e.gives_back) break;
  }
  return 0;
}

std::vector<Alternative> published(Pattern pattern) {
  using C = const Char&;
  const auto any = ~size_t{0};
  const auto kind = [](std::initializer_list<CharClass> kinds) {
    return
        [set = std::vector<CharClass>(kinds)](C c) { return std::find(set.begin(), set.end(), c.type) != set.end(); };
  };
  using K = CharClass;
  const auto number = kind({K::number}), space = kind({K::whitespace}), letter = kind({K::upper, K::lower, K::letter});
  const auto upper = kind({K::upper, K::letter, K::mark}), lower = kind({K::lower, K::letter, K::mark});
  const auto rest = kind({K::other, K::mark});
  const auto line = [](C c) { return c.valid && (c.code == '\r' || c.code == '\n'); };
  const auto prefix = [=](C c) { return !line(c) && !letter(c) && !number(c); };
  const auto blank = [](C c) { return c.valid && c.code == ' '; };
  const auto line_or_slash = [=](C c) { return line(c) || (c.valid && c.code == '/'); };
  using After = Alternative::After;
  if (pattern == Pattern::cl100k) {
    return {{{{{}, 1, 1}}},
            {{{prefix, 0, 1, false}, {letter, 1, any, false}}},
            {{{number, 1, 3, false}}},
            {{{blank, 0, 1}, {rest, 1, any, false}, {line, 0, any, false}}},
            {{{space, 1, any, false}}, After::end},
            {{{space, 0, any}, {line, 1, 1}}},
            {{{space, 1, any}}, After::no_text},
            {{{space, 1, 1}}}};
  }
  return {{{{prefix, 0, 1}, {upper, 0, any}, {lower, 1, any}, {{}, 0, 1}}},
          {{{prefix, 0, 1}, {upper, 1, any}, {lower, 0, any}, {{}, 0, 1}}},
          {{{number, 1, 3}}},
          {{{blank, 0, 1}, {rest, 1, any}, {line_or_slash, 0, any}}},
          {{{space, 0, any}, {line, 1, any}}},
          {{{space, 1, any}}, After::no_text},
          {{{space, 1, any}}}};
}

std::vector<uint32_t> scan(Pattern pattern, const uint8_t* text, size_t length, size_t& malformed) {
  std::vector<uint32_t> ends;
  const StopToken stop_token;
  Scanner scanner(pattern, text, length, stop_token);
  uint32_t batch[100 + Scanner::kMargin];
  while (const size_t n = scanner.next(batch, 100)) ends.insert(ends.end(), batch, batch + n);
  malformed = scanner.first_malformed();
  return ends;
}

// The ends of the pre-tokens, by plain code: the scanner of one character at a time for gpt2, the expression for the
// others.
std::vector<uint32_t> cut_plainly(Pattern pattern, const Bytes& text) {
  std::vector<uint32_t> ends;
  const std::vector<Alternative> rows = pattern == Pattern::gpt2 ? std::vector<Alternative>{} : published(pattern);
  for (size_t at = 0, end = 0; at < text.size(); at = end) {
    if (pattern == Pattern::gpt2) end = gpt2_end(text.data(), text.size(), at);
    for (size_t k = 0; k < rows.size() && end == at; ++k) {
      if (const size_t found = match_row(text, at, rows[k], 0)) end = found;
    }
    require(end > at, "every character is in some pre-token");
    ends.push_back(static_cast<uint32_t>(end));
  }
  return ends;
}

// Every instruction set cuts as plain code does, and a safe cut changes nothing.
std::vector<uint32_t> check_scanner(Pattern pattern, const Bytes& text) {
  const std::vector<uint32_t> wanted = cut_plainly(pattern, text);
  const size_t bad = find_malformed(text.data(), text.size(), StopToken());
  for (int level = 0; level < 3; ++level) {
    if (!set_simd(static_cast<Simd>(level))) continue;
    size_t malformed = 0;
    require(scan(pattern, text.data(), text.size(), malformed) == wanted, "a scanner cuts as plain code does");
    require(malformed == bad, "the first malformed byte");
  }
  for (size_t p = 1; p < text.size(); ++p) {
    if (!is_safe_cut(text.data(), text.size(), p)) continue;
    size_t ignored = 0;
    std::vector<uint32_t> parts = scan(pattern, text.data(), p, ignored);
    for (const uint32_t end : scan(pattern, text.data() + p, text.size() - p, ignored))
      parts.push_back(end + static_cast<uint32_t>(p));
    require(parts == wanted, "a safe cut changes no pre-token");
    p += 7;
  }
  return wanted;
}

void merge_word(Word& word, const std::string& left, const std::string& right) {
  Word out;
  for (size_t i = 0; i < word.size(); ++i) {
    if (i + 1 < word.size() && word[i] == left && word[i + 1] == right) {
      out.push_back(left + right);
      ++i;
    } else {
      out.push_back(word[i]);
    }
  }
  word = std::move(out);
}

using Merges = std::vector<std::pair<std::string, std::string>>;

// Training by the definition: count all pairs again after every merge.
Merges train_plainly(const std::map<std::string, uint64_t>& counts, size_t max_merges) {
  std::vector<std::pair<Word, uint64_t>> words;
  for (const auto& [text, count] : counts) {
    Word word;
    for (const char c : text) word.emplace_back(1, c);
    words.emplace_back(word, count);
  }
  Merges merges;
  while (merges.size() < max_merges) {
    std::map<std::pair<std::string, std::string>, uint64_t> pairs;
    for (const auto& [word, count] : words) {
      for (size_t i = 0; i + 1 < word.size(); ++i) pairs[{word[i], word[i + 1]}] += count;
    }
    if (pairs.empty()) break;
    auto best = pairs.begin();
    for (auto it = pairs.begin(); it != pairs.end(); ++it) {
      if (it->second >= best->second) best = it;  // ascending order: the last of the highest is the greatest
    }
    merges.push_back(best->first);
    for (auto& [word, count] : words) merge_word(word, best->first.first, best->first.second);
  }
  return merges;
}

Vocabulary vocabulary_of(const Merges& merges) {
  Vocabulary v;
  for (uint32_t b = 0; b < 256; ++b) v.entries.emplace_back(b, std::string(1, static_cast<char>(b)));
  for (const auto& [left, right] : merges)
    v.entries.emplace_back(static_cast<uint32_t>(v.entries.size()), left + right);
  v.merges = merges;
  v.special_tokens = {{"<|e|>", static_cast<uint32_t>(v.entries.size())},
                      {"a b", static_cast<uint32_t>(v.entries.size() + 1)}};
  for (const auto& [text, id] : v.special_tokens) v.entries.emplace_back(id, text);
  return v;
}

template <class Id>
void check_encoder(Pattern pattern, const Bytes& text, const std::vector<uint32_t>& ends, const Merges& merges) {
  const Vocabulary v = vocabulary_of(merges);
  const Encoder<Id> encoder(v, pattern, size_t{1} << 20);
  const StopToken stop_token;
  std::map<std::string, uint32_t> ids;
  for (size_t i = 0; i < 256 + merges.size(); ++i) ids[v.entries[i].second] = v.entries[i].first;
  std::vector<Id> wanted;
  size_t begin = 0;
  for (const uint32_t end : ends) {
    Word word;
    for (size_t i = begin; i < end; ++i) word.emplace_back(1, static_cast<char>(text[i]));
    for (const auto& [left, right] : merges) merge_word(word, left, right);
    for (const std::string& symbol : word) wanted.push_back(static_cast<Id>(ids[symbol]));
    begin = end;
  }
  const SpecialMatcher none({});
  for (int level = 0; level < 3; ++level) {
    if (!set_simd(static_cast<Simd>(level))) continue;
    typename Encoder<Id>::Worker worker(size_t{1} << 20);
    for (int pass = 0; pass < 2; ++pass) {  // the second one from the cache
      const auto [found, count] = encoder.encode(text.data(), text.size(), none, {}, worker, stop_token);
      require(std::vector<Id>(found, found + count) == wanted, "ids are those of the definition");
    }
  }
  typename Encoder<Id>::WorkerLease lease(encoder);
  const auto [found, count] =
      encoder.encode(text.data(), text.size(), encoder.specials(), encoder.special_ids(), *lease, stop_token);
  std::string decoded;
  for (size_t i = 0; i < count; ++i) decoded += v.entries[found[i]].second;
  require(decoded == std::string(text.begin(), text.end()), "decoding gives the text back");
}

void check_pattern(Pattern pattern, const Bytes& text) {
  const std::vector<uint32_t> ends = check_scanner(pattern, text);
  std::map<std::string, uint64_t> counts;
  size_t begin = 0;
  for (const uint32_t end : ends) {
    ++counts[std::string(text.begin() + static_cast<long>(begin), text.begin() + end)];
    begin = end;
  }
  StopToken stop_token;
  WordTable table;
  count_block(pattern, text.data(), text.size(), SpecialMatcher({}), false, table, stop_token);
  std::map<std::string, uint64_t> counted;
  table.for_each([&](std::string_view word, uint64_t count) { counted[std::string(word)] = count; });
  require(counted == counts, "counts are those of plain code");
  TrainTimes times;
  set_first_threshold(text.size() % 4);
  const TrainResult result = train(table, 256 + 20, 1 + static_cast<int>(text.size() % 3), stop_token, times);
  Merges merges;
  for (const auto& [left, right] : result.merges) merges.emplace_back(result.symbols[left], result.symbols[right]);
  require(merges == train_plainly(counts, merges.size() < 20 ? 21 : 20), "merges are those of the definition");
  check_encoder<uint16_t>(pattern, text, ends, merges);
  check_encoder<uint32_t>(pattern, text, ends, merges);
}

// One pattern goes through the trainer and the encoder, the others through the scanner alone: which one, the input
// says.
void check(const Bytes& text) {
  current = text;
  const Bytes repaired = replace_malformed(text.data(), text.size(), StopToken());
  require(find_malformed(repaired.data(), repaired.size(), StopToken()) == ~size_t{0}, "repaired text is well formed");
  const Pattern patterns[] = {Pattern::gpt2, Pattern::cl100k, Pattern::o200k};
  const size_t sum = std::accumulate(text.begin(), text.end(), size_t{0});
  const size_t chosen = sum % 5 < 3 ? 0 : sum % 5 - 2;
  for (size_t k = 0; k < 3; ++k) {
    if (k == chosen)
      check_pattern(patterns[k], text);
    else
      check_scanner(patterns[k], text);
  }
}

}  // namespace

#ifdef LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= 4096) check(Bytes(data, data + size));
  return 0;
}
#else
namespace {

// clang-format off
const char* const kPieces[] = {
    "'s", "'ll", " ", "  ", "\n", "\r\n", "<|e|>", "a b", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x99",
    "\xe4\xb8\xad", "\xf0\x9d\x92\xb3", "\xc3\xa9", "\xc3\x97", "\xd0\x96", "\xe2\x80\xa8", "\xe5\xa5\xbd",
    "'LL", "'\xc5\xbf", "Ab", "/", "\r", "\xff", "\xe2\x80", "\xed\xa0\x80", "aaaa", "abab", "12", "\xc2\xbd",
    "\xcc\x81",
};
// clang-format on

void mutate(Bytes& text, const std::vector<Bytes>& corpus, std::mt19937_64& rng) {
  auto below = [&](size_t n) { return n ? static_cast<size_t>(rng() % n) : 0; };
  for (size_t step = below(6) + 1; step > 0; --step) {
    const size_t at = below(text.size() + 1);
    const auto place = text.begin() + static_cast<long>(at);
    switch (below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<uint8_t>(rng());
        break;
      case 1:
        if (at < text.size()) text.erase(place, place + static_cast<long>(std::min(below(40) + 1, text.size() - at)));
        break;
      case 2: {
        const Bytes& other = corpus[below(corpus.size())];
        text.insert(place, other.begin(), other.begin() + static_cast<long>(below(other.size() + 1)));
        break;
      }
      case 3: {
        const Bytes copy(text.begin() + static_cast<long>(below(at + 1)), place);
        text.insert(text.begin() + static_cast<long>(below(at + 1)), copy.begin(), copy.end());
        break;
      }
      default: {
        const std::string piece = kPieces[below(std::size(kPieces))];
        for (size_t n = below(8) ? 1 : below(70); n > 0; --n)
          text.insert(text.begin() + static_cast<long>(at), piece.begin(), piece.end());
      }
    }
  }
  if (text.size() > 600) text.resize(600);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "fuzz_tokenizer CORPUS_FOLDER SECONDS [SEED]\n");
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    check(corpus.back());
  }
  std::mt19937_64 rng(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  const auto start = std::chrono::steady_clock::now();
  const double limit = std::atof(argv[2]);
  uint64_t runs = 0;
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < limit) {
    Bytes text = corpus[rng() % corpus.size()];
    mutate(text, corpus, rng);
    check(text);
    ++runs;
  }
  std::printf("%llu inputs, no failure\n", static_cast<unsigned long long>(runs));
  return 0;
}
#endif
