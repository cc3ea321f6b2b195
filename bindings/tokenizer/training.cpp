// hornbook.tokenizer._core: counts of pre-tokens and training on them.
#include "common.hpp"

#include <algorithm>

#include "hornbook/counts.hpp"
#include "hornbook/trainer.hpp"

namespace hornbook::python {
namespace {

using Phases = nb::typed<nb::dict, nb::str, double>;
using SymbolList = nb::typed<nb::list, nb::bytes>;
using MergeList = nb::typed<nb::list, std::pair<nb::bytes, nb::bytes>>;
using WordList = nb::typed<nb::list, std::pair<nb::bytes, uint64_t>>;

struct Counts {
  WordTable table;
  uint64_t total() const {
    unsigned __int128 sum = 0;
    table.for_each([&](std::string_view, uint64_t count) { sum += count; });
    if (sum >> 64) throw InputError("the counts add up to more than 2^64 - 1");
    return static_cast<uint64_t>(sum);
  }
};

std::vector<std::pair<std::string, uint64_t>> sorted_words(const Counts& counts) {
  std::vector<std::pair<std::string, uint64_t>> words;
  words.reserve(counts.table.size());
  counts.table.for_each([&](std::string_view word, uint64_t count) { words.emplace_back(std::string(word), count); });
  std::sort(words.begin(), words.end());
  return words;
}

void add_text(Counts& counts, const Text& text, const std::string& pattern, const Strings& special_tokens) {
  const auto [data, length] = text_of(text);
  const SpecialMatcher specials(strings_of(special_tokens));
  const Pattern which = pattern_of(pattern);
  const uint8_t* bytes = data;
  const size_t size = length;
  constexpr size_t kPart = size_t{1} << 22;  // cut, so that what is done once per part stays short
  without_gil(std::nullopt, [&](StopToken& stop_token) {
    run_workers(1, stop_token, [&](int) {
      for (size_t begin = 0, end; begin < size; begin = end) {
        end = size - begin > kPart ? find_cut(bytes, size, true, begin + kPart, size, specials, stop_token) : size;
        count_block(which, bytes + begin, end - begin, specials, end + 16 <= size, counts.table, stop_token);
      }
    });
  });
}

Phases count(Counts& counts, const Strings& paths, const std::string& pattern, const Strings& special_tokens,
             int threads, bool replace, const Progress& progress) {
  const SpecialMatcher specials(strings_of(special_tokens));
  const std::vector<std::string> files = strings_of(paths);
  const Pattern which = pattern_of(pattern);
  CountTimes times;
  without_gil(progress, [&](StopToken& stop_token) {
    count_files(which, files, specials, threads, replace ? Errors::replace : Errors::strict, stop_token, counts.table,
                times);
  });
  Phases out;
  out["scan_and_count"] = times.scan_and_count;
  out["merge_tables"] = times.merge;
  return out;
}

std::tuple<nb::bytes, Array<uint64_t>, Array<uint64_t>> export_counts(const Counts& counts) {
  const auto words = sorted_words(counts);
  std::string blob;
  std::vector<uint64_t> lengths, numbers;
  for (const auto& [word, count] : words) {
    blob += word;
    lengths.push_back(word.size());
    numbers.push_back(count);
  }
  return {bytes_of(blob), array_copy(lengths.data(), lengths.size()), array_copy(numbers.data(), numbers.size())};
}

std::tuple<SymbolList, MergeList, Phases> train_counts(Counts& counts, size_t max_symbols, int threads, bool consume,
                                                       const Progress& progress) {
  TrainTimes times;
  TrainResult result;
  without_gil(progress, [&](StopToken& stop_token) {
    run_workers(1, stop_token, [&](int) {
      if (consume) {
        result = train(counts.table, max_symbols, threads, stop_token, times);
        return;
      }
      WordTable copy;
      copy.merge(counts.table, stop_token);
      result = train(copy, max_symbols, threads, stop_token, times);
    });
  });
  SymbolList symbols;
  MergeList merges;
  for (const std::string& symbol : result.symbols) symbols.append(bytes_of(symbol));
  for (const auto& [left, right] : result.merges) merges.append(nb::make_tuple(symbols[left], symbols[right]));
  Phases phases;
  phases["words"] = times.words;
  phases["pair_index"] = times.pair_index;
  phases["merges"] = times.merges;
  phases["rebuilds"] = times.rebuilds;
  return {symbols, merges, phases};
}

}  // namespace

void bind_training(nb::module_& m) {
  nb::class_<Counts>(m, "Counts", "Distinct pre-tokens (bytes) and how often each occurs (64 bits).")
      .def(nb::init<>())
      .def("__len__", [](const Counts& c) { return c.table.size(); })
      .def("total", &Counts::total)
      .def("memory", [](const Counts& c) { return c.table.memory(); })
      .def(
          "add",
          [](Counts& c, const nb::bytes& word, uint64_t count) {
            if (word.size() == 0) throw nb::value_error("a pre-token has at least one byte");
            c.table.add(reinterpret_cast<const uint8_t*>(word.c_str()), word.size(), count);
          },
          nb::arg("word"), nb::arg("count"))
      .def("add_text", &add_text, nb::arg("text"), nb::arg("pattern"), nb::arg("special_tokens"))
      .def("count_files", &count, nb::arg("paths"), nb::arg("pattern"), nb::arg("special_tokens"), nb::arg("threads"),
           nb::arg("replace"), nb::arg("progress"))
      .def(
          "merge",
          [](Counts& c, const Counts& other) {
            if (&c == &other) throw nb::value_error("counts cannot be merged with themselves");
            without_gil(std::nullopt, [&](StopToken& stop_token) {
              run_workers(1, stop_token, [&](int) { c.table.merge(other.table, stop_token); });
            });
          },
          nb::arg("other"))
      .def(
          "items",
          [](const Counts& c) {
            WordList out;
            for (const auto& [word, count] : sorted_words(c)) out.append(nb::make_tuple(bytes_of(word), count));
            return out;
          },
          "All (word, count), ascending by word.")
      .def("export", &export_counts, "Sorted: the words one after the other, their lengths, their counts.");
  m.def("train", &train_counts, nb::arg("counts"), nb::arg("max_symbols"), nb::arg("threads"), nb::arg("consume"),
        nb::arg("progress"));
  m.def(
      "last_cut",
      [](const nb::bytes& text, size_t from, const Strings& special_tokens) {
        const SpecialMatcher specials(strings_of(special_tokens));
        return last_cut(reinterpret_cast<const uint8_t*>(text.c_str()), text.size(), std::min(from, text.size()),
                        specials);
      },
      nb::arg("text"), nb::arg("start"), nb::arg("special_tokens"),
      "The last place after `start` where the text may be divided whatever follows, or `start`.");
  m.def("set_first_threshold", &set_first_threshold, nb::arg("threshold"),
        "For tests: the rarest pairs kept at the start; 0 chooses.");
}

}  // namespace hornbook::python
