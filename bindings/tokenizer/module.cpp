// The Python module hornbook.tokenizer._core: converts arguments, releases the GIL, maps exceptions. No logic lives
// here.
#include "common.hpp"

#include "hornbook/simd.hpp"
#include "hornbook/unicode.hpp"

namespace hornbook::python {

Pattern pattern_of(const std::string& name) {
  if (name == "gpt2") return Pattern::gpt2;
  if (name == "cl100k") return Pattern::cl100k;
  if (name == "o200k") return Pattern::o200k;
  if (name.empty()) return Pattern::none;
  throw nb::value_error(("the native core has no scanner for the pattern " + name).c_str());
}

namespace {

const char* const kSimdNames[] = {"portable", "avx2", "avx512"};

// hornbook.errors is imported when the first error happens: the core itself stays free of Python modules.
void set_error(const char* type, const char* message) {
  nb::object error = nb::module_::import_("hornbook.errors").attr(type);
  PyErr_SetString(error.ptr(), message);
}

void translate(const std::exception_ptr& p, void*) {
  try {
    std::rethrow_exception(p);
  } catch (const ModelError& e) {
    set_error("TokenizerError", e.what());
  } catch (const InputError& e) {
    set_error("DataError", e.what());
  } catch (const MalformedError& e) {
    const nb::object sentence = nb::module_::import_("hornbook.tokenizer.utf8").attr("malformed_in_file");
    set_error("DataError", nb::cast<std::string>(sentence(e.path, e.offset)).c_str());
  } catch (const FileError& e) {
    errno = e.error_number;
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, e.path.c_str());
  } catch (const Interrupted&) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
  }
}

// Ends of pre-tokens and the offset of the first malformed byte (None: all is well formed). For tests.
std::pair<Array<uint32_t>, std::optional<size_t>> scan(const Text& text, const std::string& pattern, bool one_by_one) {
  const auto [data, length] = text_of(text);
  const StopToken stop_token;
  std::vector<uint32_t> ends;
  size_t malformed = Scanner::kNone;
  if (one_by_one) {
    const Pattern which = pattern_of(pattern);
    for (size_t at = 0; at < length;)
      ends.push_back(static_cast<uint32_t>(at = pretoken_end(which, data, length, at, stop_token)));
  } else {
    Scanner scanner(pattern_of(pattern), data, length, stop_token);
    uint32_t batch[256 + Scanner::kMargin];
    while (const size_t n = scanner.next(batch, 256)) ends.insert(ends.end(), batch, batch + n);
    malformed = scanner.first_malformed();
  }
  std::optional<size_t> bad;
  if (malformed != Scanner::kNone) bad = malformed;
  return {array_copy(ends.data(), ends.size()), bad};
}

}  // namespace
}  // namespace hornbook::python

NB_MODULE(_core, m) {
  using namespace hornbook;
  using namespace hornbook::python;
  m.doc() = "hornbook's native core: scanning, counting, training and encoding of byte-level BPE.";
  // An autograd graph, a tokenizer or a story may live until the interpreter ends: that is no leak to report to a user.
  nb::set_leak_warnings(false);
  nb::register_exception_translator(translate);
  m.attr("native_patterns") = nb::make_tuple("gpt2", "cl100k", "o200k");
  m.attr("unicode_version") = kUnicodeVersion;
  m.def(
      "char_class", [](uint32_t code) { return code < 0x110000 ? static_cast<int>(char_class(code)) : 0; },
      nb::arg("code"));
  m.def(
      "variant", [] { return kSimdNames[static_cast<int>(active_simd())]; },
      "The instruction set that the loops over text use now.");
  m.def(
      "set_variant",
      [](const std::string& name) {
        for (int i = 0; i < 3; ++i) {
          if (name == kSimdNames[i]) return set_simd(static_cast<Simd>(i));
        }
        return false;
      },
      nb::arg("name"), "Use nothing wider; False (and no change) where the machine lacks it.");
  m.def("available_cores", &available_cores);
  m.def("scan", &scan, nb::arg("text"), nb::arg("pattern"), nb::arg("one_by_one") = false);
  bind_training(m);
  bind_encoding(m);
}
