// The block scanner of the gpt2 pattern: 64 bytes at a time, as masks (after simdjson), written once and compiled per
// instruction set. `Isa` gives classify (one bit per byte and class) and flatten (bits to offsets).
//
// Where a pre-token starts, as algebra on masks (a shift brings in the character before the block):
//   * at a character that is not whitespace, is of another kind than the one before it, and does not follow a U+0020;
//   * at the first character of a run of whitespace, and at its last one where text follows (that is what
//     \s+(?!\S)|\s+ says; a U+0020 there belongs to the word after it, which therefore does not start by itself);
//   * an apostrophe that starts a pre-token and begins a contraction: no start after it, one after the contraction.
//
// Blocks begin and end at character boundaries: one that would cut a character ends before it. Characters beyond ASCII
// have their kind smeared over their bytes; then the algebra is the same. The common ones are told by their bytes
// (`settle_common`, where there are wide instructions), the others are decoded one by one.
#pragma once

#include <bit>
#include <cstring>

#include "hornbook/scanner.hpp"
#include "hornbook/unicode.hpp"

namespace hornbook {

struct ByteMasks {
  uint64_t letter, number, whitespace, blank, apostrophe;
  uint64_t high;  // bytes beyond ASCII, but for those of characters that are settled already
};

// Bytes of a block that have one of these values, one bit per byte.
struct HighMasks {
  uint64_t tail;       // 80…BF
  uint64_t lead_two;   // C3 C4 C5 D0 D1: with any tail U+00C0…U+017F and U+0400…U+047F
  uint64_t c3, signs;  // signs: 97 and B7, which make × and ÷ after C3; all others are letters
  uint64_t e2, x80;    // E2 80 and
  uint64_t general;    // 90…A7: U+2010…U+2027, dashes, quotes, dots
  uint64_t lead_han;   // E5…E9: with any two tails U+5000…U+9FFF, all letters
};

namespace scan_detail {

static inline bool is_ascii_space(uint8_t b) { return b == ' ' || (b >= 9 && b <= 13); }

static inline uint64_t low_bits(size_t n) { return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; }

// Settles the characters that text beyond ASCII is mostly made of, where they lie in the block as a whole.
static inline void settle_common(const HighMasks& h, ByteMasks& m) {
  const uint64_t two = h.lead_two & (h.tail >> 1) & ~(h.c3 & (h.signs >> 1));
  const uint64_t han = h.lead_han & (h.tail >> 1) & (h.tail >> 2);
  const uint64_t general = h.e2 & (h.x80 >> 1) & (h.general >> 2);
  const uint64_t letters = two | two << 1 | han | han << 1 | han << 2;
  m.letter |= letters;
  m.high &= ~(letters | general | general << 1 | general << 2);
}

// Adds the other characters beyond ASCII to the masks. Returns the block's length: 64 (or what is left), less when the
// last character would be cut. `inner` gets the bytes of whitespace characters after their first.
static inline size_t add_high(const uint8_t* block, const uint8_t* end, size_t n, ByteMasks& m, uint64_t& inner,
                              size_t base, size_t& first_malformed) {
  uint64_t high = m.high;
  while (high) {
    const size_t i = static_cast<size_t>(std::countr_zero(high));
    const Char c = decode_char(block + i, end);
    if (i + c.length > n) {  // only possible at bit 61 and up: the block stops before this character
      n = i;
      break;
    }
    const uint64_t bits = low_bits(c.length) << i;
    if (is_letter(c.type)) {
      m.letter |= bits;
    } else if (c.type == CharClass::number) {
      m.number |= bits;
    } else if (c.type == CharClass::whitespace) {
      m.whitespace |= bits;
      inner |= bits & (bits - 1);
    } else if (!c.valid && first_malformed == Scanner::kNone) {
      first_malformed = base + i;
    }
    high &= ~bits;
  }
  const uint64_t valid = low_bits(n);
  m.letter &= valid;
  m.number &= valid;
  m.whitespace &= valid;
  m.blank &= valid;
  m.apostrophe &= valid;
  return n;
}

// Moves each last byte of a whitespace run to the first byte of its character.
static inline uint64_t to_lead(uint64_t ends, uint64_t inner) {
  uint64_t leads = ends & ~inner;
  for (uint64_t e = ends & inner; e; e &= inner) {
    e >>= 1;
    leads |= e & ~inner;
  }
  return leads;
}

// Handles the contractions whose apostrophe starts a pre-token. Bits past the block go to the next one.
static inline uint64_t contractions(const uint8_t* block, size_t left, size_t n, uint64_t apostrophes, uint64_t starts,
                                    ScanState& s) {
  uint64_t clear = 0, clear_next = 0, set = 0, set_next = 0;
  for (uint64_t a = apostrophes & starts; a; a &= a - 1) {
    const size_t i = static_cast<size_t>(std::countr_zero(a));
    if (i + 1 >= left) break;
    const uint8_t c1 = block[i + 1], c2 = i + 2 < left ? block[i + 2] : 0;
    size_t take = 0;
    if (c1 == 's' || c1 == 't' || c1 == 'd' || c1 == 'm') take = 2;
    if ((c1 == 'l' && c2 == 'l') || ((c1 == 'v' || c1 == 'r') && c2 == 'e')) take = 3;
    if (take == 0) continue;
    i + 1 < n ? clear |= uint64_t{1} << (i + 1) : clear_next |= uint64_t{1} << (i + 1 - n);
    if (i + take < left) i + take < n ? set |= uint64_t{1} << (i + take) : set_next |= uint64_t{1} << (i + take - n);
  }
  s.clear_next |= clear_next;
  s.set_next |= set_next;
  return (starts & ~clear) | set;
}

inline constexpr size_t kStretch = size_t{1} << 20;  // bytes after which a scan comes back, found anything or not

enum Carry : uint64_t { carry_letter = 1, carry_number = 2, carry_whitespace = 4, carry_blank = 8, carry_other = 16 };

}  // namespace scan_detail

template <class Isa>
size_t scan_gpt2(const uint8_t* text, size_t length, ScanState& state, size_t& first_malformed, uint32_t* ends,
                 size_t capacity) {
  using namespace scan_detail;
  ScanState s = state;  // a local one stays in registers
  size_t count = 0;
  const uint8_t* const text_end = text + length;
  const size_t pause = length - s.position > kStretch ? s.position + kStretch : length;
  while (s.position < pause && count + 64 < capacity) {
    const uint8_t* block = text + s.position;
    const size_t left = length - s.position;
    size_t n = left < 64 ? left : 64;
    ByteMasks m = left < 64 ? Isa::classify_tail(block, left) : Isa::classify(block);
    uint64_t inner = 0;
    if (m.high) n = add_high(block, text_end, n, m, inner, s.position, first_malformed);
    const uint64_t valid = low_bits(n);
    const uint64_t L = m.letter, N = m.number, W = m.whitespace, S = m.blank;
    const uint64_t O = ~(L | N | W) & valid;
    const uint64_t c = s.carry;
    const uint64_t same = (L & (L << 1 | (c & 1))) | (N & (N << 1 | (c >> 1 & 1))) | (O & (O << 1 | (c >> 4 & 1)));
    uint64_t starts = ~W & ~same & ~(S << 1 | (c >> 3 & 1)) & valid;
    // Is the character after the block whitespace? The end of the text counts as whitespace: it splits no run.
    uint64_t peek = 1;
    if (n < left) {
      const uint8_t after = block[n];
      peek = is_ascii_space(after);
      if (after >= 0x80 && (W >> (n - 1) & 1)) peek = decode_char(block + n, text_end).type == CharClass::whitespace;
    }
    const uint64_t run_end = W & ~(W >> 1 | peek << (n - 1));
    starts |= (W & ~(W << 1 | (c >> 2 & 1))) | (inner ? to_lead(run_end, inner) : run_end);
    starts = (starts & ~s.clear_next) | s.set_next;
    s.clear_next = s.set_next = 0;
    if (m.apostrophe & starts) [[unlikely]]
      starts = contractions(block, left, n, m.apostrophe, starts, s);
    const size_t top = n - 1;
    s.carry = (L >> top & 1) | (N >> top & 1) << 1 | (W >> top & 1) << 2 | (S >> top & 1) << 3 | (O >> top & 1) << 4;
    if (s.position == 0) starts &= ~uint64_t{1};  // a start is the end of the pre-token before it
    count += Isa::flatten(starts, static_cast<uint32_t>(s.position), ends + count);
    s.position += n;
  }
  if (s.position >= length && !s.finished && length > 0) {
    s.finished = true;
    ends[count++] = static_cast<uint32_t>(length);
  }
  state = s;
  return count;
}

// Where `first` `second` stand next to each other for the first time; `length` if nowhere.
static inline size_t find_pair_plain(const uint8_t* text, size_t length, uint8_t first, uint8_t second) {
  for (size_t i = 0; i + 1 < length; ++i) {
    const void* hit = std::memchr(text + i, first, length - 1 - i);
    if (!hit) break;
    i = static_cast<size_t>(static_cast<const uint8_t*>(hit) - text);
    if (text[i + 1] == second) return i;
  }
  return length;
}

// Bits to offsets without wide instructions: a loop over the set bits.
static inline size_t flatten_bits(uint64_t bits, uint32_t base, uint32_t* out) {
  size_t count = 0;
  for (; bits; bits &= bits - 1) out[count++] = base + static_cast<uint32_t>(std::countr_zero(bits));
  return count;
}

}  // namespace hornbook
