// Reads files in blocks that can be processed apart, several threads at once.
//
// A file's k-th block runs from the first safe cut at or after k * kBlock to the next block's: where those lie depends
// on the content alone, never on the threads. A safe cut is a place where the pattern certainly starts a pre-token
// (`is_safe_cut`), or where a special token begins, and that no special token lies across. Text without such places
// (one endless word) makes one long block.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hornbook/memory.hpp"
#include "hornbook/special.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {

enum class Errors { strict, replace };

// A safe cut in [from, to), or `to` where there is none. `length`: bytes known; `at_end`: nothing follows them.
// `errors`: what will become of malformed bytes. Where they are replaced and a special token has U+FFFD in it, no place
// is safe that has a malformed byte within the length of the longest one: replacing could make a special token across
// it.
size_t find_cut(const uint8_t* text, size_t length, bool at_end, size_t from, size_t to, const SpecialMatcher& specials,
                const StopToken& stop_token, Errors errors = Errors::strict);

// The last safe cut in (from, length), or `from`. More text may follow.
size_t last_cut(const uint8_t* text, size_t length, size_t from, const SpecialMatcher& specials);

// `text` with each maximal ill-formed part as U+FFFD, as Python's errors="replace" does.
std::vector<uint8_t> replace_malformed(const uint8_t* text, size_t length, const StopToken& stop_token);

// Offset of the first malformed byte, or ~0.
size_t find_malformed(const uint8_t* text, size_t length, const StopToken& stop_token);

struct Block {
  HugeArray<uint8_t> buffer;  // reused from block to block
  const uint8_t* text = nullptr;
  size_t length = 0;
  size_t index = 0;  // over all files, ascending
  size_t file = 0;
  uint64_t offset = 0;  // of `text` in the file
};

class BlockReader {
 public:
  static constexpr size_t kBlock = size_t{1} << 20;  // text, ids and the hot part of a table fit the second-level cache

  // Opens every file; throws FileError. The matcher must outlive the reader.
  BlockReader(const std::vector<std::string>& paths, const SpecialMatcher& specials, Errors errors,
              size_t block = kBlock);
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  // Fills `block` with the next one not taken yet; false when none is left. Any thread may call it.
  bool next(Block& block, const StopToken& stop_token);

  size_t num_blocks() const { return total_blocks_; }
  uint64_t total_bytes() const { return total_bytes_; }
  const std::string& path(size_t file) const { return files_[file].path; }

 private:
  struct File {
    std::string path;
    int descriptor;
    uint64_t size;
    size_t first_block;
  };
  void fill(const File& file, Block& block, uint64_t start, uint64_t stop, const StopToken& stop_token) const;

  std::vector<File> files_;
  const SpecialMatcher& specials_;
  Errors errors_;
  size_t block_;
  size_t total_blocks_ = 0;
  uint64_t total_bytes_ = 0;
  std::atomic<size_t> taken_{0};
};

}  // namespace hornbook
