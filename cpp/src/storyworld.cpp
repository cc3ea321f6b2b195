#include "hornbook/storyworld.hpp"

#include <stdexcept>
#include <utility>

namespace hornbook {
namespace {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ull;

// splitmix64's finaliser (Steele, Lea and Flood 2014).
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

enum Operation : int32_t { kLiteral, kReference, kPick, kSet, kChoice, kEnd };

}  // namespace

struct StoryMachine::Teller {
  const int32_t* words;
  const char* text;
  const int32_t* choices;  // per choice: offset of its record
  const int32_t* tables;   // per table: offset of its (offset, length) pairs
  const int32_t* pools;    // per pool: offset of its record
  std::vector<int32_t> state;
  std::vector<int32_t> open;
  uint64_t stream = 0;
  std::string& out;

  // Lemire's unbiased bounded draw (2019) on 32 bits.
  uint32_t below(uint32_t bound) {
    if (bound == 1) return 0;
    const uint32_t threshold = static_cast<uint32_t>((uint64_t{1} << 32) % bound);
    for (;;) {
      stream += kGolden;
      const uint64_t product = (mix(stream) >> 32) * bound;
      if (static_cast<uint32_t>(product) >= threshold) return static_cast<uint32_t>(product >> 32);
    }
  }

  void say(const int32_t* span) { out.append(text + span[0], static_cast<size_t>(span[1])); }

  bool holds(const int32_t* guard, int32_t conditions) const {
    for (int32_t i = 0; i < conditions; ++i) {
      const int32_t value = state[guard[0]];
      const int32_t count = guard[1];
      bool found = false;
      for (int32_t j = 0; j < count; ++j) found |= guard[2 + j] == value;
      if (!found) return false;
      guard += 2 + count;
    }
    return true;
  }

  void choose(int32_t index) {
    // Record: alternatives, then per alternative weight, code, number of conditions, guard.
    const int32_t* record = words + choices[index];
    const int32_t alternatives = record[0];
    uint32_t total = 0;
    for (int32_t i = 0; i < alternatives; ++i) {
      const int32_t* one = record + 1 + 4 * i;
      if (one[2] == 0 || holds(words + one[3], one[2])) total += static_cast<uint32_t>(one[0]);
    }
    if (total == 0) throw std::runtime_error("storyworld: no alternative fits the state");
    int64_t left = below(total);
    for (int32_t i = 0; i < alternatives; ++i) {
      const int32_t* one = record + 1 + 4 * i;
      if (one[2] != 0 && !holds(words + one[3], one[2])) continue;
      left -= one[0];
      if (left < 0) return run(words + one[1]);
    }
  }

  void pick(int32_t reg, int32_t pool, int32_t table) {
    // Record: entities, rivals, then the entities and the registers that may hold one of them.
    const int32_t* record = words + pools[pool];
    const int32_t entities = record[0];
    const int32_t rivals = reg >= 0 ? record[1] : 0;
    const int32_t* members = record + 2;
    open.clear();
    for (int32_t i = 0; i < entities; ++i) {
      bool taken = false;
      for (int32_t j = 0; j < rivals; ++j) taken |= state[members[entities + j]] == members[i];
      if (!taken) open.push_back(members[i]);
    }
    if (open.empty()) throw std::runtime_error("storyworld: nothing is left to pick");
    const int32_t entity = open[below(static_cast<uint32_t>(open.size()))];
    if (reg >= 0) state[reg] = entity;
    say(words + tables[table] + 2 * entity);
  }

  void run(const int32_t* code) {
    for (;;) {
      switch (code[0]) {
        case kLiteral:
          say(code + 1);
          code += 3;
          break;
        case kReference:
          say(words + tables[code[2]] + 2 * state[code[1]]);
          code += 3;
          break;
        case kPick:
          pick(code[1], code[2], code[3]);
          code += 4;
          break;
        case kSet:
          state[code[1]] = code[2];
          code += 3;
          break;
        case kChoice:
          choose(code[1]);
          code += 2;
          break;
        default:
          return;
      }
    }
  }
};

StoryMachine::StoryMachine(std::vector<int32_t> words, std::string text, int32_t num_registers)
    : words_(std::move(words)), text_(std::move(text)), num_registers_(num_registers) {
  if (words_.size() < 4) throw std::runtime_error("storyworld: the tables are too short");
}

std::string StoryMachine::tell(uint64_t seed, uint64_t first, uint64_t count, const std::string& ending) const {
  std::string out;
  // The header: start choice, then the offsets of the indexes of choices, tables and pools.
  Teller teller{words_.data(),
                text_.data(),
                words_.data() + words_[1],
                words_.data() + words_[2],
                words_.data() + words_[3],
                {},
                {},
                0,
                out};
  for (uint64_t i = first; i < first + count; ++i) {
    teller.state.assign(static_cast<size_t>(num_registers_), -1);
    teller.stream = mix(mix(seed + kGolden) + i * kGolden);
    teller.choose(words_[0]);
    out += ending;
  }
  return out;
}

}  // namespace hornbook
