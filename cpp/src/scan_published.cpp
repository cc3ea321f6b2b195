// The plain scanners of cl100k and o200k, alternative by alternative as tiktoken 0.14 publishes them
// (tiktoken_ext/openai_public.py), one character at a time. Equal to the `regex` library on every code point that
// Unicode 16.0 assigns and on random strings (tests/golden/test_scanners.py).
//
// Left out: block scanning with masks as for gpt2. These patterns train few models here; they are read to use
// other people's vocabularies.
#include "hornbook/scanner.hpp"
#include "hornbook/unicode.hpp"
#include "hornbook/workers.hpp"

namespace hornbook {
namespace {

struct Text {
  const uint8_t* begin;
  size_t length;
  const StopToken& stop_token;

  bool ends_at(size_t p) const { return p >= length; }
  Char at(size_t p) const {
    stop_token.check_at(p);
    return decode_char(begin + p, begin + length);
  }
};

bool is_break(const Char& c) { return c.code == '\r' || c.code == '\n'; }
bool is_number(const Char& c) { return c.type == CharClass::number; }
bool is_space(const Char& c) { return c.type == CharClass::whitespace; }
bool is_rest(const Char& c) { return !is_space(c) && !is_number(c) && !is_letter(c.type); }  // [^\s\p{L}\p{N}]
// [^\r\n\p{L}\p{N}]: what a word may take along before it.
bool is_prefix(const Char& c) { return !is_letter(c.type) && !is_number(c) && !(c.valid && is_break(c)); }
bool is_upper_set(const Char& c) {  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
  return c.type == CharClass::upper || c.type == CharClass::letter || c.type == CharClass::mark;
}
bool is_lower_set(const Char& c) {  // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
  return c.type == CharClass::lower || c.type == CharClass::letter || c.type == CharClass::mark;
}

template <class Is>
size_t run(const Text& t, size_t p, Is is) {
  while (!t.ends_at(p)) {
    const Char c = t.at(p);
    if (!is(c)) break;
    p += c.length;
  }
  return p;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d) at an apostrophe: its length, or 0. Without case U+017F (long s) is an s; the other
// letters have no such other form.
size_t contraction(const Text& t, size_t p) {
  if (t.ends_at(p + 1)) return 0;
  const Char first = t.at(p + 1);
  if (first.code == 0x17F) return 1 + first.length;
  const uint8_t a = t.begin[p + 1] | 0x20;
  if (first.length != 1 || !first.valid) return 0;
  if (a == 's' || a == 'd' || a == 'm' || a == 't') return 2;
  if (t.ends_at(p + 2)) return 0;
  const uint8_t second = t.begin[p + 2];
  const uint8_t b = second | 0x20;
  const bool two = (a == 'l' && b == 'l') || (a == 'v' && b == 'e') || (a == 'r' && b == 'e');
  return two ? 3 : 0;
}

// The end of \p{N}{1,3} at a number.
size_t up_to_three_numbers(const Text& t, size_t p) {
  for (int taken = 0; taken < 3 && !t.ends_at(p); ++taken) {
    const Char c = t.at(p);
    if (!is_number(c)) break;
    p += c.length;
  }
  return p;
}

// The end of ` ?[^\s\p{L}\p{N}]+` and the characters of `tail` after it, or `begin` where it does not match.
template <class Tail>
size_t punctuation(const Text& t, size_t begin, Tail tail) {
  size_t p = begin;
  if (t.begin[p] == ' ') ++p;
  const size_t end = run(t, p, is_rest);
  return end == p ? begin : run(t, end, tail);
}

// A run of whitespace, looked at once: where it ends, where its last character begins, where its last line break ends.
struct Whitespace {
  size_t end, last, after_break;
};

Whitespace whitespace(const Text& t, size_t begin) {
  Whitespace w{begin, begin, 0};
  while (!t.ends_at(w.end)) {
    const Char c = t.at(w.end);
    if (!is_space(c)) break;
    w.last = w.end;
    w.end += c.length;
    if (is_break(c)) w.after_break = w.end;
  }
  return w;
}

// \s+(?!\S)|\s+ where text follows: all but the last character, which the next pre-token may want; at least one.
size_t before_text(const Whitespace& w, size_t begin) { return w.last > begin ? w.last : w.end; }

// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ from `p`: its end, or `p` where it does not match.
size_t word_ending_low(const Text& t, size_t p) {
  size_t end = p, low_end = p;  // the first run's end, and the end of its last character that is in both sets
  while (!t.ends_at(end)) {
    const Char c = t.at(end);
    if (!is_upper_set(c)) break;
    end += c.length;
    if (is_lower_set(c)) low_end = end;
  }
  const size_t low = run(t, end, is_lower_set);
  // Backing off: no lower-case letter follows, so the second set can only win back a character from the first.
  return low > end ? low : low_end;
}

size_t with_contraction(const Text& t, size_t end) {
  return !t.ends_at(end) && t.begin[end] == '\'' ? end + contraction(t, end) : end;
}

}  // namespace

// '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s
size_t cl100k_end(const uint8_t* text, size_t length, size_t begin, const StopToken& stop_token) {
  const Text t{text, length, stop_token};
  const Char first = t.at(begin);
  const auto letter = [](const Char& c) { return is_letter(c.type); };
  if (first.code == '\'') {
    if (const size_t n = contraction(t, begin)) return begin + n;
  }
  if (letter(first)) return run(t, begin, letter);
  if (is_prefix(first)) {
    const size_t word = begin + first.length;
    if (const size_t end = run(t, word, letter); end > word) return end;
  }
  if (is_number(first)) return up_to_three_numbers(t, begin);
  if (const size_t end = punctuation(t, begin, is_break); end > begin) return end;
  const Whitespace w = whitespace(t, begin);
  if (t.ends_at(w.end)) return w.end;
  return w.after_break ? w.after_break : before_text(w, begin);
}

// [^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
// with U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], L = [\p{Ll}\p{Lm}\p{Lo}\p{M}], C = (?i:'s|'t|'re|'ve|'m|'ll|'d).
size_t o200k_end(const uint8_t* text, size_t length, size_t begin, const StopToken& stop_token) {
  const Text t{text, length, stop_token};
  const Char first = t.at(begin);
  const size_t word = is_prefix(first) ? begin + first.length : begin;
  if (const size_t end = word_ending_low(t, word); end > word) return with_contraction(t, end);
  if (word != begin) {
    if (const size_t end = word_ending_low(t, begin); end > begin) return with_contraction(t, end);
  }
  // Here no letter of L follows the capitals, or the first alternative would have matched.
  if (const size_t end = run(t, word, is_upper_set); end > word) return with_contraction(t, end);
  if (is_number(first)) return up_to_three_numbers(t, begin);
  const auto break_or_slash = [](const Char& c) { return is_break(c) || c.code == '/'; };
  if (const size_t end = punctuation(t, begin, break_or_slash); end > begin) return end;
  const Whitespace w = whitespace(t, begin);
  if (w.after_break) return w.after_break;
  return t.ends_at(w.end) ? w.end : before_text(w, begin);
}

}  // namespace hornbook
