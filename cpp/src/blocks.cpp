#include "hornbook/blocks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hornbook/scanner.hpp"
#include "hornbook/unicode.hpp"

namespace hornbook {
namespace {

bool usable(const uint8_t* text, size_t length, size_t p, const SpecialMatcher& specials) {
  if (is_safe_cut(text, length, p)) return specials.empty() || !specials.straddles(text, length, p);
  if (specials.empty()) return false;
  return specials.match_at(text, length, p).begin != SpecialMatcher::kNone && !specials.straddles(text, length, p);
}

bool is_tail(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Whether all bytes within `reach` of `p` are well formed. The stretch may begin or end inside a character.
bool clean_around(const uint8_t* text, size_t length, size_t p, size_t reach, const StopToken& stop_token) {
  size_t from = p > reach + 3 ? p - reach - 3 : 0;
  for (int k = 0; k < 3 && from && is_tail(text[from]); ++k) ++from;
  const size_t to = std::min(length, p + reach),
               bad = find_malformed(text + from, std::min(length, to + 3) - from, stop_token);
  return bad == ~size_t{0} || from + bad >= to;
}

}  // namespace

size_t find_cut(const uint8_t* text, size_t length, bool at_end, size_t from, size_t to, const SpecialMatcher& specials,
                const StopToken& stop_token, Errors errors) {
  // Near the end of what is known a character or a special token may be cut short: those places are left alone.
  const size_t margin = at_end ? 0 : specials.longest() + 4;
  const size_t stop = std::min(to, length > margin ? length - margin : 0);
  const bool replacing = errors == Errors::replace && specials.any_replacement();
  for (size_t p = std::max<size_t>(from, 1); p < stop; ++p) {
    stop_token.check_at(p);
    if (usable(text, length, p, specials) &&
        (!replacing || clean_around(text, length, p, specials.longest(), stop_token)))
      return p;
  }
  return to;
}

size_t last_cut(const uint8_t* text, size_t length, size_t from, const SpecialMatcher& specials) {
  const size_t margin = std::max<size_t>(4, specials.longest());
  if (length <= margin) return from;
  for (size_t p = length - margin; p > from; --p) {
    if (usable(text, length, p, specials)) return p;
  }
  return from;
}

size_t find_malformed(const uint8_t* text, size_t length, const StopToken& stop_token) {
  const uint8_t* const end = text + length;
  for (size_t i = 0; i < length;) {
    uint64_t eight;
    stop_token.check_at(i);
    if (i + 8 <= length && (std::memcpy(&eight, text + i, 8), (eight & 0x8080808080808080u) == 0)) {
      i += 8;
      continue;
    }
    const Char c = decode_char(text + i, end);
    if (!c.valid) return i;
    i += c.length;
  }
  return ~size_t{0};
}

std::vector<uint8_t> replace_malformed(const uint8_t* text, size_t length, const StopToken& stop_token) {
  std::vector<uint8_t> out;
  out.reserve(length + 16);
  const uint8_t* const end = text + length;
  for (size_t i = 0; i < length;) {
    stop_token.check_at(i);
    const Char c = decode_char(text + i, end);
    if (c.valid) {
      out.insert(out.end(), text + i, text + i + c.length);
      i += c.length;
      continue;
    }
    // The maximal part: as many bytes as could still have begun a well-formed sequence (Unicode 16, table 3-7).
    const uint8_t lead = text[i];
    size_t wanted = lead >= 0xC2 && lead <= 0xDF   ? 2
                    : lead >= 0xE0 && lead <= 0xEF ? 3
                    : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                   : 1;
    size_t n = 1;
    while (n < wanted && i + n < length) {
      const uint8_t b = text[i + n];
      uint8_t low = 0x80, high = 0xBF;
      if (n == 1) {
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
      }
      if (b < low || b > high) break;
      ++n;
    }
    out.insert(out.end(), {0xEF, 0xBF, 0xBD});
    i += n;
  }
  return out;
}

BlockReader::BlockReader(const std::vector<std::string>& paths, const SpecialMatcher& specials, Errors errors,
                         size_t block)
    : specials_(specials), errors_(errors), block_(block) {
  auto fail = [&](const std::string& path) {
    const int code = errno;
    for (const File& file : files_) close(file.descriptor);
    throw FileError(code, path);
  };
  for (const std::string& path : paths) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(path);
    struct stat info{};
    if (fstat(descriptor, &info) != 0) {
      close(descriptor);
      fail(path);
    }
    if (!S_ISREG(info.st_mode)) {
      close(descriptor);
      errno = S_ISDIR(info.st_mode) ? EISDIR : ESPIPE;
      fail(path);
    }
    const auto size = static_cast<uint64_t>(info.st_size);
    files_.push_back({path, descriptor, size, total_blocks_});
    total_blocks_ += static_cast<size_t>((size + block_ - 1) / block_);
    total_bytes_ += size;
  }
}

BlockReader::~BlockReader() {
  for (const File& file : files_) close(file.descriptor);
}

bool BlockReader::next(Block& block, const StopToken& stop_token) {
  const size_t index = taken_.fetch_add(1);
  if (index >= total_blocks_) return false;
  size_t f = files_.size() - 1;
  while (files_[f].first_block > index || files_[f].size == 0) --f;
  const File& file = files_[f];
  block.index = index;
  block.file = f;
  const uint64_t start = static_cast<uint64_t>(index - file.first_block) * block_;
  fill(file, block, start, std::min<uint64_t>(start + block_, file.size), stop_token);
  return true;
}

namespace {
constexpr size_t kCopy = size_t{16} << 20;  // bytes read or moved between two checks of the stop token
}

// Loads [start, stop) with what is needed around it, then finds both cuts; reads on while the second is not in sight.
void BlockReader::fill(const File& file, Block& block, uint64_t start, uint64_t stop,
                       const StopToken& stop_token) const {
  const size_t margin = specials_.longest() + 8;  // what finding a cut looks at before and after it
  const uint64_t origin = start > margin ? start - margin : 0;
  uint64_t known = origin;
  auto read_to = [&](uint64_t wanted) {
    wanted = std::min(wanted, file.size);
    if (block.buffer.size() < wanted - origin + 64) {
      HugeArray<uint8_t> larger(wanted - origin + 64);
      for (size_t at = 0; at < known - origin; at += kCopy) {
        stop_token.check();
        std::memcpy(larger.data() + at, block.buffer.data() + at, std::min<size_t>(kCopy, known - origin - at));
      }
      block.buffer = std::move(larger);
    }
    while (known < wanted) {
      stop_token.check();
      const size_t part = static_cast<size_t>(std::min<uint64_t>(wanted - known, kCopy));
      const ssize_t n = pread(file.descriptor, block.buffer.data() + (known - origin), part, static_cast<off_t>(known));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw FileError(errno, file.path);
      if (n == 0) throw InputError(file.path + " became shorter while it was read");
      known += static_cast<uint64_t>(n);
    }
  };
  read_to(stop + margin + 4096);
  block.text = nullptr;
  block.length = 0;
  // Where a cut for the byte at `from` lies; searches up to `to` and reads on until it is found if `extend`.
  auto cut_at = [&](uint64_t from, uint64_t to, bool extend) -> uint64_t {
    if (from == 0) return 0;
    for (uint64_t begin = from;;) {
      const bool at_end = known == file.size;
      const size_t cut = find_cut(block.buffer.data(), known - origin, at_end, begin - origin, to - origin, specials_,
                                  stop_token, errors_);
      if (origin + cut < to) return origin + cut;
      if (!extend || at_end) return to;
      begin = std::max(from, to > margin ? to - margin : 0);
      read_to(known + std::max<uint64_t>(known - origin, 65536));
      to = known;
    }
  };
  const uint64_t first = cut_at(start, stop, false);
  if (first == stop && start != 0) {  // no cut in this block: it belongs to an earlier one
    block.offset = stop;
    return;
  }
  const uint64_t last = stop == file.size ? stop : cut_at(stop, known, true);
  block.offset = first;
  block.text = block.buffer.data() + (first - origin);
  block.length = static_cast<size_t>(last - first);
}

}  // namespace hornbook
