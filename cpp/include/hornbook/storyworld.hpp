// The story machine: runs the compiled tables of a story grammar (src/hornbook/data/corpora/storyworld/grammar.py) with
// a seeded generator of integers. The plain implementation is src/hornbook/data/corpora/storyworld/machine.py; both
// give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hornbook {

// The layout of `words` is that of src/hornbook/data/corpora/storyworld/native.py:
// code, choices, guards, tables, pools, each found through the header of offsets.
class StoryMachine {
 public:
  StoryMachine(std::vector<int32_t> words, std::string text, int32_t num_registers);

  // Stories first … first + count − 1 of the corpus of `seed`, each followed by `ending`.
  // Throws std::runtime_error where no alternative fits the state (a defect of the grammar).
  std::string tell(uint64_t seed, uint64_t first, uint64_t count, const std::string& ending) const;

 private:
  struct Teller;
  std::vector<int32_t> words_;
  std::string text_;
  int32_t num_registers_;
};

}  // namespace hornbook
