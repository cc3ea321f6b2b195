// The Python module hornbook.nn._kernels: addresses and sizes in, nothing out. Its callers (hornbook.nn.cpu_kernels) check shapes,
// types and contiguity; the GIL is released while a kernel runs. No logic lives here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <tuple>
#include <vector>

#include "../cpp/kernels/kernels.hpp"

namespace nb = nanobind;
namespace hk = hornbook::kernels;

namespace {

using Address = std::uintptr_t;
using Index = std::ptrdiff_t;
using HeadsTuple = std::tuple<Address, Index, Index, Index>;  // address, strides of batch, time, head

template <typename T>
T* pointer(Address a) {
  return reinterpret_cast<T*>(a);
}

hk::DType dtype(int code) { return static_cast<hk::DType>(code); }

hk::Heads heads(const HeadsTuple& t) {
  return {pointer<void>(std::get<0>(t)), std::get<1>(t), std::get<2>(t), std::get<3>(t)};
}

using ShapeTuple = std::tuple<Index, Index, Index, Index, Address, Address, Address, Address, float, int>;

hk::AttentionShape shape(const ShapeTuple& t) {
  auto [batch, heads, time, width, cosine, sine, query_gain, key_gain, eps, type] = t;
  return {batch, heads, time, width, pointer<const float>(cosine), pointer<const float>(sine),
          pointer<const float>(query_gain), pointer<const float>(key_gain), eps, dtype(type)};
}

}  // namespace

NB_MODULE(_kernels, m) {
  m.doc() = "hornbook's CPU kernels, by address";
  const hk::Kernels& k = hk::kernels();
  m.def("variant", [&k] { return k.name; }, "The instruction set that the kernels run on this machine.");
  auto release = nb::call_guard<nb::gil_scoped_release>();

  m.def(
      "attention_forward",
      [&k](const ShapeTuple& s, const HeadsTuple& query, const HeadsTuple& key, const HeadsTuple& value,
           const HeadsTuple& out, Address log_sum) {
        k.attention_forward(shape(s), heads(query), heads(key), heads(value), heads(out), pointer<float>(log_sum));
      },
      release);
  m.def(
      "attention_backward",
      [&k](const ShapeTuple& s, const HeadsTuple& query, const HeadsTuple& key, const HeadsTuple& value,
           const HeadsTuple& out, Address log_sum, const HeadsTuple& d_out, const HeadsTuple& d_q,
           const HeadsTuple& d_k, const HeadsTuple& d_v, Address d_gains) {
        k.attention_backward(shape(s), heads(query), heads(key), heads(value), heads(out), pointer<const float>(log_sum),
                             heads(d_out), heads(d_q), heads(d_k), heads(d_v), pointer<float>(d_gains));
      },
      release);
  m.def(
      "rms_norm_forward",
      [&k](int x_type, Address x, Address gain, float eps, int y_type, Address y, Address scale, Index rows,
           Index width) {
        k.rms_norm_forward(dtype(x_type), pointer<void>(x), pointer<float>(gain), eps, dtype(y_type), pointer<void>(y),
                           pointer<float>(scale), rows, width);
      },
      release);
  m.def(
      "rms_norm_backward",
      [&k](int x_type, Address x, Address gain, Address scale, int y_type, Address d_y, Address d_x, Address d_gain,
           Index parts, Index rows, Index width) {
        k.rms_norm_backward(dtype(x_type), pointer<void>(x), pointer<float>(gain), pointer<float>(scale),
                            dtype(y_type), pointer<void>(d_y), pointer<void>(d_x), pointer<float>(d_gain), parts, rows,
                            width);
      },
      release);
  m.def(
      "swiglu_forward",
      [&k](int type, Address both, Address out, Index rows, Index width) {
        k.swiglu_forward(dtype(type), pointer<void>(both), pointer<void>(out), rows, width);
      },
      release);
  m.def(
      "swiglu_backward",
      [&k](int type, Address both, Address d_out, Address d_both, Index rows, Index width) {
        k.swiglu_backward(dtype(type), pointer<void>(both), pointer<void>(d_out), pointer<void>(d_both), rows, width);
      },
      release);
  m.def(
      "cross_entropy",
      [&k](int type, Address logits, Address targets, Address loss, float weight, float softcap, bool with_gradient,
           Index rows, Index width) {
        k.cross_entropy(dtype(type), pointer<void>(logits), pointer<std::int64_t>(targets), pointer<float>(loss),
                        weight, softcap, with_gradient, rows, width);
      },
      release);
  m.def(
      "decode",
      [&k](const std::vector<Index>& sizes, int norm, int ffn, float eps, float softcap, Address cosine, Address sine,
           int type, const std::vector<std::array<Address, 13>>& layers, Address table, Address final_gain,
           Address head, Address ids, Address positions, Address logits) {
        hk::DecodeShape s{sizes.at(0), sizes.at(1), sizes.at(2), sizes.at(3), sizes.at(4), sizes.at(5),
                          static_cast<Index>(layers.size()), norm, ffn, eps, softcap, pointer<const float>(cosine),
                          pointer<const float>(sine), dtype(type)};
        std::vector<hk::DecodeLayer> all;
        for (const auto& a : layers)
          all.push_back({pointer<void>(a[0]), pointer<void>(a[1]), pointer<void>(a[2]), pointer<void>(a[3]),
                         pointer<void>(a[4]), pointer<void>(a[5]), pointer<void>(a[6]), pointer<float>(a[7]),
                         pointer<float>(a[8]), pointer<float>(a[9]), pointer<float>(a[10]), pointer<float>(a[11]),
                         pointer<float>(a[12])});
        k.decode(s, all.data(), pointer<float>(table), pointer<float>(final_gain), pointer<void>(head),
                 pointer<std::int64_t>(ids), pointer<std::int64_t>(positions), pointer<float>(logits));
      },
      release);
  m.def("keep_freed_memory", hk::keep_freed_memory);
}
