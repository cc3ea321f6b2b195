// The Python module hornbook.data.corpora.storyworld._machine, Python's view of the story machine: tables in, bytes
// out, the GIL released while stories are told.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "hornbook/storyworld.hpp"

namespace nb = nanobind;
using namespace nb::literals;

NB_MODULE(_machine, m) {
  m.doc() = "The native story machine.";
  // An autograd graph, a tokenizer or a story may live until the interpreter ends: that is no leak to report to a user.
  nb::set_leak_warnings(false);
  nb::class_<hornbook::StoryMachine>(m, "StoryMachine", "A compiled story grammar that tells stories by number.")
      .def(
          "__init__",
          [](hornbook::StoryMachine* self, nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> words,
             nb::bytes text, int32_t num_registers) {
            new (self) hornbook::StoryMachine(std::vector<int32_t>(words.data(), words.data() + words.size()),
                                              std::string(text.c_str(), text.size()), num_registers);
          },
          "words"_a, "text"_a, "num_registers"_a)
      .def(
          "tell",
          [](const hornbook::StoryMachine& self, uint64_t seed, uint64_t first, uint64_t count, nb::bytes ending) {
            const std::string end(ending.c_str(), ending.size());
            std::string told;
            {
              nb::gil_scoped_release release;
              told = self.tell(seed, first, count, end);
            }
            return nb::bytes(told.data(), told.size());
          },
          "seed"_a, "first"_a, "count"_a, "ending"_a,
          "Stories first … first + count − 1 of a seed, each followed by `ending`.");
}
