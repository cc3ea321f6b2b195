// hornbook.tokenizer._core: the encoder, for ids of 16 and of 32 bits, and decoding.
#include "common.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "hornbook/encoder.hpp"

namespace hornbook::python {
namespace {

// Below this a call is over before a signal could matter, and giving up the GIL would cost more than it gains.
constexpr size_t kInlineText = size_t{1} << 16;

// Special tokens that a call lets count as such: the indices of the allowed ones, or all.
struct Allowed {
  const SpecialMatcher* matcher;
  const std::vector<uint32_t>* ids;
  SpecialMatcher own{{}};
  std::vector<uint32_t> own_ids;
};

template <class Id>
void choose(const Encoder<Id>& encoder, const Indices& indices, Allowed& allowed) {
  allowed.matcher = &encoder.specials();
  allowed.ids = &encoder.special_ids();
  if (!indices) return;
  std::vector<std::string> texts;
  for (nb::handle h : *indices) {
    const auto i = nb::cast<size_t>(h);
    texts.push_back(encoder.specials().tokens().at(i));
    allowed.own_ids.push_back(encoder.special_ids()[i]);
  }
  allowed.own = SpecialMatcher(std::move(texts));
  allowed.matcher = &allowed.own;
  allowed.ids = &allowed.own_ids;
}

template <class Id>
nb::typed<nb::list, Id> list_of(const Id* ids, size_t count) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(count));
  if (!list) throw nb::python_error();
  auto owner = nb::steal<nb::typed<nb::list, Id>>(list);
  for (size_t i = 0; i < count; ++i) {
    if ((i & 0xFFFFF) == 0xFFFFF && PyErr_CheckSignals() != 0) throw nb::python_error();
    PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), PyLong_FromUnsignedLong(ids[i]));
  }
  return owner;
}

// One array that grows with the text. Ids are at most as many as bytes: that much address space is set aside, and only
// what is used becomes memory.
template <class Id>
struct GrowingArray {
  HugeArray<Id> ids;
  size_t count = 0;
  Sink<Id> sink() {
    return {[this](size_t most) { ids = HugeArray<Id>(most + kPaddingIds); },
            [this](const Id* from, size_t n) {
              if (from != ids.data() + count) std::copy(from, from + n, ids.data() + count);
              count += n;
            },
            [this](size_t) { return ids.data() + count; }};
  }
};

template <class Id>
GrowingArray<Id> encode_long(const Encoder<Id>& encoder, const uint8_t* data, size_t length, const Allowed& allowed,
                             int threads) {
  GrowingArray<Id> out;
  Sink<Id> sink = out.sink();
  sink.begin(length);
  without_gil(std::nullopt, [&](StopToken& stop_token) {
    encoder.encode_text(data, length, *allowed.matcher, *allowed.ids, threads, stop_token, sink);
  });
  return out;
}

template <class Id>
nb::typed<nb::list, Id> encode(const Encoder<Id>& encoder, const Text& text, const Indices& indices) {
  const auto [data, length] = text_of(text);
  Allowed allowed;
  choose(encoder, indices, allowed);
  if (length <= kInlineText) {
    const StopToken stop_token;
    typename Encoder<Id>::WorkerLease lease(encoder);
    const auto [ids, count] = encoder.encode(data, length, *allowed.matcher, *allowed.ids, *lease, stop_token);
    return list_of(ids, count);
  }
  const GrowingArray<Id> out = encode_long(encoder, data, length, allowed, 1);
  return list_of(out.ids.data(), out.count);
}

template <class Id>
Array<Id> encode_array(const Encoder<Id>& encoder, const Text& text, const Indices& indices, int threads) {
  const auto [data, length] = text_of(text);
  Allowed allowed;
  choose(encoder, indices, allowed);
  if (length <= kInlineText) {
    const StopToken stop_token;
    typename Encoder<Id>::WorkerLease lease(encoder);
    const auto [ids, count] = encoder.encode(data, length, *allowed.matcher, *allowed.ids, *lease, stop_token);
    return array_copy(ids, count);
  }
  GrowingArray<Id> out = encode_long(encoder, data, length, allowed, threads);
  return array_of(std::move(out.ids), out.count);
}

template <class Id>
nb::typed<nb::list, Array<Id>> encode_batch(const Encoder<Id>& encoder, const Texts& texts, const Indices& indices,
                                            int threads) {
  Allowed allowed;
  choose(encoder, indices, allowed);
  std::vector<std::pair<const uint8_t*, size_t>> inputs;
  std::vector<nb::object> alive;
  for (nb::handle text : texts) {
    inputs.push_back(text_of(text));
    alive.push_back(nb::borrow(text));
  }
  std::vector<std::vector<Id>> results(inputs.size());
  std::atomic<size_t> taken{0};
  threads = static_cast<int>(std::clamp<size_t>(inputs.size(), 1, static_cast<size_t>(threads)));
  without_gil(std::nullopt, [&](StopToken& stop_token) {
    run_workers(threads, stop_token, [&](int) {
      typename Encoder<Id>::WorkerLease lease(encoder);
      for (size_t k; (k = taken.fetch_add(1)) < inputs.size();) {
        stop_token.check();
        const auto [ids, count] =
            encoder.encode(inputs[k].first, inputs[k].second, *allowed.matcher, *allowed.ids, *lease, stop_token);
        results[k].assign(ids, ids + count);
      }
    });
  });
  nb::typed<nb::list, Array<Id>> out;
  for (const auto& ids : results) out.append(array_copy(ids.data(), ids.size()));
  return out;
}

// Pre-tokens cut by the caller (a pattern that the core does not scan).
template <class Id>
Array<Id> encode_pieces(const Encoder<Id>& encoder, const nb::bytes& text,
                        nb::ndarray<const uint64_t, nb::ndim<1>, nb::c_contig> ends) {
  const std::vector<size_t> places(ends.data(), ends.data() + ends.size());
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] > text.size() || (i && places[i] < places[i - 1]))
      throw nb::value_error("ends must ascend within the text");
  }
  const StopToken stop_token;
  typename Encoder<Id>::WorkerLease lease(encoder);
  const auto [ids, count] =
      encoder.encode_pieces(reinterpret_cast<const uint8_t*>(text.c_str()), places, *lease, stop_token);
  return array_copy(ids, count);
}

template <class Id>
Array<Id> encode_file(const Encoder<Id>& encoder, const std::string& path, int threads, bool replace,
                      const Progress& progress) {
  GrowingArray<Id> out;
  without_gil(progress, [&](StopToken& stop_token) {
    encoder.encode_file(path, threads, replace ? Errors::replace : Errors::strict, stop_token, out.sink());
  });
  return array_of(std::move(out.ids), out.count);
}

// Appends the ids of a file to an open file descriptor, in the machine's byte order. Returns (ids, bytes of ordinary
// text, documents).
template <class Id>
std::tuple<uint64_t, uint64_t, uint64_t> encode_file_to(const Encoder<Id>& encoder, const std::string& path,
                                                        int descriptor, int threads, bool replace,
                                                        const Progress& progress) {
  uint64_t count = 0;
  Sink<Id> sink;
  sink.take = [&](const Id* ids, size_t n) {
    const char* p = reinterpret_cast<const char*>(ids);
    for (size_t left = n * sizeof(Id); left > 0;) {
      const ssize_t written = write(descriptor, p, left);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw FileError(errno, "the token file");
      p += written;
      left -= static_cast<size_t>(written);
    }
    count += n;
  };
  TextTally tally;
  without_gil(progress, [&](StopToken& stop_token) {
    tally = encoder.encode_file(path, threads, replace ? Errors::replace : Errors::strict, stop_token, sink);
  });
  return {count, tally.bytes - tally.special_bytes, tally.total_documents()};
}

using Ids = nb::typed<nb::dict, uint32_t, nb::bytes>;
using Merges = nb::typed<nb::sequence, std::pair<nb::bytes, nb::bytes>>;
using Specials = nb::typed<nb::sequence, std::pair<nb::str, uint32_t>>;

Vocabulary vocabulary_of(const Ids& vocab, const Merges& merges, const Specials& specials) {
  Vocabulary v;
  for (const auto& [id, bytes] : vocab) v.entries.emplace_back(nb::cast<uint32_t>(id), string_of(bytes));
  for (nb::handle merge : merges) {
    const auto pair = nb::cast<nb::sequence>(merge);
    v.merges.emplace_back(string_of(pair[0]), string_of(pair[1]));
  }
  for (nb::handle special : specials) {
    const auto pair = nb::cast<nb::sequence>(special);
    v.special_tokens.emplace_back(string_of(pair[0]), nb::cast<uint32_t>(pair[1]));
  }
  return v;
}

template <class Id>
void bind(nb::module_& m, const char* name) {
  using E = Encoder<Id>;
  nb::class_<E>(m, name, "Text to ids, for one vocabulary.")
      .def(
          "__init__",
          [](E* self, const Ids& vocab, const Merges& merges, const Specials& specials, const std::string& pattern,
             size_t cache_bytes) {
            new (self) E(vocabulary_of(vocab, merges, specials), pattern_of(pattern), cache_bytes);
          },
          nb::arg("vocab"), nb::arg("merges"), nb::arg("specials"), nb::arg("pattern"), nb::arg("cache_bytes"))
      .def("encode", &encode<Id>, nb::arg("text"), nb::arg("allowed") = nb::none())
      .def("encode_array", &encode_array<Id>, nb::arg("text"), nb::arg("allowed") = nb::none(), nb::arg("threads") = 1)
      .def("encode_batch", &encode_batch<Id>, nb::arg("texts"), nb::arg("allowed"), nb::arg("threads"))
      .def("encode_pieces", &encode_pieces<Id>, nb::arg("text"), nb::arg("ends"))
      .def("encode_file", &encode_file<Id>, nb::arg("path"), nb::arg("threads"), nb::arg("replace"),
           nb::arg("progress"))
      .def("encode_file_to", &encode_file_to<Id>, nb::arg("path"), nb::arg("descriptor"), nb::arg("threads"),
           nb::arg("replace"), nb::arg("progress"))
      .def("set_cache_bytes", &E::set_cache_limit, nb::arg("limit"))
      .def("cache_memory", &E::cache_memory);
}

}  // namespace

void bind_encoding(nb::module_& m) {
  bind<uint16_t>(m, "Encoder16");
  bind<uint32_t>(m, "Encoder32");
}

}  // namespace hornbook::python
