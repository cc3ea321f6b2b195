// What the binding files share: running core code without the GIL, with signals watched and progress reported.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "hornbook/memory.hpp"
#include "hornbook/scanner.hpp"
#include "hornbook/workers.hpp"

namespace hornbook::python {

namespace nb = nanobind;

// Arguments by the names that type checkers see (src/hornbook/tokenizer/_core.pyi); only `text_of` looks at a Text.
inline bool is_any(nb::handle) { return true; }
class Text : public nb::object {
 public:
  NB_OBJECT(Text, nb::object, "str | bytes", is_any)
};
using Texts = nb::typed<nb::sequence, Text>;
using Strings = nb::typed<nb::sequence, nb::str>;
using Indices = std::optional<nb::typed<nb::sequence, size_t>>;
using Progress = std::optional<nb::typed<nb::callable, nb::object(uint64_t)>>;

// Calls f(stop_token) with the GIL released. Signals are looked at about every 50 ms, and `progress(done)` is called
// about ten times a second; what either raises ends the work and goes out.
template <class F>
void without_gil(const Progress& progress, F&& f) {
  StopToken stop_token;
  std::optional<nb::python_error> raised;
  auto last = std::chrono::steady_clock::now();
  stop_token.poll = [&] {
    nb::gil_scoped_acquire gil;
    try {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      const auto now = std::chrono::steady_clock::now();
      if (progress && now - last > std::chrono::milliseconds(100)) {
        last = now;
        (*progress)(stop_token.done.load());
      }
    } catch (nb::python_error& error) {
      raised.emplace(std::move(error));
      return true;
    }
    return false;
  };
  try {
    nb::gil_scoped_release release;
    f(stop_token);
  } catch (...) {
    if (!raised) throw;
  }
  if (raised) throw std::move(*raised);
}

// The UTF-8 of a str (kept by the str object) or the content of bytes. A lone surrogate raises UnicodeEncodeError.
inline std::pair<const uint8_t*, size_t> text_of(nb::handle text) {
  Py_ssize_t length = 0;
  const char* data = nullptr;
  if (PyUnicode_Check(text.ptr())) {
    data = PyUnicode_AsUTF8AndSize(text.ptr(), &length);
    if (!data) throw nb::python_error();
  } else if (PyBytes_Check(text.ptr())) {
    data = PyBytes_AS_STRING(text.ptr());
    length = PyBytes_GET_SIZE(text.ptr());
  } else {
    throw nb::type_error("text is a str or bytes");
  }
  return {reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(length)};
}

inline std::string string_of(nb::handle text) {
  const auto [data, length] = text_of(text);
  return {reinterpret_cast<const char*>(data), length};
}

inline std::vector<std::string> strings_of(const nb::sequence& texts) {
  std::vector<std::string> out;
  for (nb::handle text : texts) out.push_back(string_of(text));
  return out;
}

inline nb::bytes bytes_of(std::string_view s) { return nb::bytes(s.data(), s.size()); }

template <class T>
using Array = nb::ndarray<nb::numpy, T, nb::ndim<1>, nb::c_contig>;

// An array that owns its memory.
template <class T>
Array<T> array_of(HugeArray<T>&& data, size_t count) {
  auto* keep = new HugeArray<T>(std::move(data));
  nb::capsule owner(keep, [](void* p) noexcept { delete static_cast<HugeArray<T>*>(p); });
  return Array<T>(keep->data(), {count}, owner);
}

template <class T>
Array<T> array_copy(const T* data, size_t count) {
  auto* keep = new T[count ? count : 1];
  std::copy(data, data + count, keep);
  nb::capsule owner(keep, [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return Array<T>(keep, {count}, owner);
}

Pattern pattern_of(const std::string& name);

void bind_training(nb::module_& m);
void bind_encoding(nb::module_& m);

}  // namespace hornbook::python
