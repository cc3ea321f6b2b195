// The Python module hornbook.nn._kernels: addresses, sizes and switches in, by name; nothing out. Its callers
// (hornbook.nn.cpu_kernels) check shapes, types and contiguity; the GIL is released while a kernel runs. No logic here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "../cpp/kernels/kernels.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace hornbook::kernels;

namespace {

using Address = std::uintptr_t;  // of a tensor's first element; 0: there is none

template <typename T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

void bind_enums(nb::module_& m) {
  nb::enum_<DType>(m, "DType")
      .value("float32", DType::float32)
      .value("bfloat16", DType::bfloat16)
      .value("int8", DType::int8);
  nb::enum_<NormPlacement>(m, "NormPlacement")
      .value("pre", NormPlacement::pre)
      .value("post", NormPlacement::post)
      .value("none", NormPlacement::none);
  nb::enum_<FeedForward>(m, "FeedForward")
      .value("swiglu", FeedForward::swiglu)
      .value("silu", FeedForward::silu)
      .value("relu2", FeedForward::relu2);
}

void bind_attention(nb::module_& m) {
  nb::class_<Heads>(m, "Heads", "A (batch, time, head, channel) tensor, channels side by side; strides in elements.")
      .def(
          "__init__",
          [](Heads* self, Address data, Index batch, Index time, Index head) {
            new (self) Heads{.data = at<void>(data), .batch = batch, .time = time, .head = head};
          },
          "data"_a, "batch"_a, "time"_a, "head"_a);
  nb::class_<AttentionShape>(m, "AttentionShape")
      .def(
          "__init__",
          [](AttentionShape* self, Index batch, Index heads, Index time, Index width, Address cosine, Address sine,
             Address query_gain, Address key_gain, float eps, DType dtype) {
            new (self) AttentionShape{.batch = batch,
                                      .heads = heads,
                                      .time = time,
                                      .width = width,
                                      .cosine = at<float>(cosine),
                                      .sine = at<float>(sine),
                                      .query_gain = at<float>(query_gain),
                                      .key_gain = at<float>(key_gain),
                                      .eps = eps,
                                      .dtype = dtype};
          },
          nb::kw_only(), "batch"_a, "heads"_a, "time"_a, "width"_a, "cosine"_a, "sine"_a, "query_gain"_a, "key_gain"_a,
          "eps"_a, "dtype"_a);
  m.def(
      "attention_forward",
      [](const AttentionShape& shape, const Heads& q, const Heads& k, const Heads& v, const Heads& out,
         Address log_sum) {
        kernels().attention_forward(
            {.shape = shape, .q = q, .k = k, .v = v, .out = out, .log_sum = at<float>(log_sum)});
      },
      nb::call_guard<nb::gil_scoped_release>(), "shape"_a, nb::kw_only(), "q"_a, "k"_a, "v"_a, "out"_a, "log_sum"_a);
  m.def(
      "attention_backward",
      [](const AttentionShape& shape, const Heads& q, const Heads& k, const Heads& v, const Heads& out, Address log_sum,
         const Heads& d_out, const Heads& d_q, const Heads& d_k, const Heads& d_v, Address d_gains) {
        kernels().attention_backward({.shape = shape,
                                      .q = q,
                                      .k = k,
                                      .v = v,
                                      .out = out,
                                      .log_sum = at<float>(log_sum),
                                      .d_out = d_out,
                                      .d_q = d_q,
                                      .d_k = d_k,
                                      .d_v = d_v,
                                      .d_gains = at<float>(d_gains)});
      },
      nb::call_guard<nb::gil_scoped_release>(), "shape"_a, nb::kw_only(), "q"_a, "k"_a, "v"_a, "out"_a, "log_sum"_a,
      "d_out"_a, "d_q"_a, "d_k"_a, "d_v"_a, "d_gains"_a);
}

void bind_rows(nb::module_& m) {
  m.def(
      "rms_norm_forward",
      [](DType x_type, Address x, Address gain, float eps, DType y_type, Address y, Address scale, Index rows,
         Index width) {
        kernels().rms_norm_forward({.x_type = x_type,
                                    .x = at<void>(x),
                                    .gain = at<float>(gain),
                                    .eps = eps,
                                    .y_type = y_type,
                                    .y = at<void>(y),
                                    .scale = at<float>(scale),
                                    .rows = rows,
                                    .width = width});
      },
      nb::call_guard<nb::gil_scoped_release>(), nb::kw_only(), "x_type"_a, "x"_a, "gain"_a, "eps"_a, "y_type"_a, "y"_a,
      "scale"_a, "rows"_a, "width"_a);
  m.def(
      "rms_norm_backward",
      [](DType x_type, Address x, Address gain, Address scale, DType y_type, Address d_y, Address d_x, Address d_gain,
         Index parts, Index rows, Index width) {
        kernels().rms_norm_backward({.x_type = x_type,
                                     .x = at<void>(x),
                                     .gain = at<float>(gain),
                                     .scale = at<float>(scale),
                                     .y_type = y_type,
                                     .d_y = at<void>(d_y),
                                     .d_x = at<void>(d_x),
                                     .d_gain = at<float>(d_gain),
                                     .parts = parts,
                                     .rows = rows,
                                     .width = width});
      },
      nb::call_guard<nb::gil_scoped_release>(), nb::kw_only(), "x_type"_a, "x"_a, "gain"_a, "scale"_a, "y_type"_a,
      "d_y"_a, "d_x"_a, "d_gain"_a, "parts"_a, "rows"_a, "width"_a);
  m.def(
      "swiglu_forward",
      [](DType dtype, Address both, Address out, Index rows, Index width) {
        kernels().swiglu_forward(
            {.dtype = dtype, .both = at<void>(both), .out = at<void>(out), .rows = rows, .width = width});
      },
      nb::call_guard<nb::gil_scoped_release>(), nb::kw_only(), "dtype"_a, "both"_a, "out"_a, "rows"_a, "width"_a);
  m.def(
      "swiglu_backward",
      [](DType dtype, Address both, Address d_out, Address d_both, Index rows, Index width) {
        kernels().swiglu_backward({.dtype = dtype,
                                   .both = at<void>(both),
                                   .d_out = at<void>(d_out),
                                   .d_both = at<void>(d_both),
                                   .rows = rows,
                                   .width = width});
      },
      nb::call_guard<nb::gil_scoped_release>(), nb::kw_only(), "dtype"_a, "both"_a, "d_out"_a, "d_both"_a, "rows"_a,
      "width"_a);
  m.def(
      "cross_entropy",
      [](DType dtype, Address logits, Address targets, Address loss, float weight, float softcap, bool with_gradient,
         Index rows, Index width) {
        kernels().cross_entropy({.dtype = dtype,
                                 .logits = at<void>(logits),
                                 .targets = at<std::int64_t>(targets),
                                 .loss = at<float>(loss),
                                 .weight = weight,
                                 .softcap = softcap,
                                 .with_gradient = with_gradient,
                                 .rows = rows,
                                 .width = width});
      },
      nb::call_guard<nb::gil_scoped_release>(), nb::kw_only(), "dtype"_a, "logits"_a, "targets"_a, "loss"_a, "weight"_a,
      "softcap"_a, "with_gradient"_a, "rows"_a, "width"_a);
}

void bind_decode(nb::module_& m) {
  nb::class_<DecodeShape>(m, "DecodeShape", "A model's sizes and switches; dtype: of the layers' and head's weights.")
      .def(
          "__init__",
          [](DecodeShape* self, Index batch, Index d_model, Index heads, Index d_ff, Index vocabulary, Index context,
             NormPlacement norm, FeedForward ffn, float eps, float softcap, Address cosine, Address sine, DType dtype) {
            new (self) DecodeShape{.batch = batch,
                                   .d_model = d_model,
                                   .heads = heads,
                                   .d_ff = d_ff,
                                   .vocabulary = vocabulary,
                                   .context = context,
                                   .norm = norm,
                                   .ffn = ffn,
                                   .eps = eps,
                                   .softcap = softcap,
                                   .cosine = at<float>(cosine),
                                   .sine = at<float>(sine),
                                   .dtype = dtype};
          },
          nb::kw_only(), "batch"_a, "d_model"_a, "heads"_a, "d_ff"_a, "vocabulary"_a, "context"_a, "norm"_a, "ffn"_a,
          "eps"_a, "softcap"_a, "cosine"_a, "sine"_a, "dtype"_a)
      .def_ro("batch", &DecodeShape::batch)
      .def_ro("d_model", &DecodeShape::d_model)
      .def_ro("vocabulary", &DecodeShape::vocabulary)
      .def_ro("context", &DecodeShape::context);
  nb::class_<DecodeLayer>(m, "DecodeLayer", "Addresses of one layer's weights, keys and values; 0: there is none.")
      .def(
          "__init__",
          [](DecodeLayer* self, Address q, Address k, Address v, Address o, Address w1, Address w2, Address w3,
             Address ln1, Address ln2, Address query_gain, Address key_gain, Address keys, Address values) {
            new (self) DecodeLayer{.q = at<void>(q),
                                   .k = at<void>(k),
                                   .v = at<void>(v),
                                   .o = at<void>(o),
                                   .w1 = at<void>(w1),
                                   .w2 = at<void>(w2),
                                   .w3 = at<void>(w3),
                                   .ln1 = at<float>(ln1),
                                   .ln2 = at<float>(ln2),
                                   .query_gain = at<float>(query_gain),
                                   .key_gain = at<float>(key_gain),
                                   .keys = at<float>(keys),
                                   .values = at<float>(values)};
          },
          nb::kw_only(), "q"_a, "k"_a, "v"_a, "o"_a, "w1"_a, "w2"_a, "w3"_a, "ln1"_a, "ln2"_a, "query_gain"_a,
          "key_gain"_a, "keys"_a, "values"_a);
  m.def(
      "decode",
      [](const DecodeShape& shape, const std::vector<DecodeLayer>& layers, Address table, Address final_gain,
         Address head, Address ids, Address positions, Address sequences, Address wanted, Index num_wanted,
         Address logits) {
        kernels().decode({.shape = shape,
                          .layers = layers.data(),
                          .num_layers = static_cast<Index>(layers.size()),
                          .table = at<float>(table),
                          .final_gain = at<float>(final_gain),
                          .head = at<void>(head),
                          .ids = at<std::int64_t>(ids),
                          .positions = at<std::int64_t>(positions),
                          .sequences = at<std::int64_t>(sequences),
                          .wanted = at<std::int64_t>(wanted),
                          .num_wanted = num_wanted,
                          .logits = at<float>(logits)});
      },
      nb::call_guard<nb::gil_scoped_release>(), "shape"_a, "layers"_a, nb::kw_only(), "table"_a, "final_gain"_a,
      "head"_a, "ids"_a, "positions"_a, "sequences"_a, "wanted"_a, "num_wanted"_a, "logits"_a);
}

std::vector<std::string> variant_names() {
  std::vector<std::string> names;
  for (const Kernels* const* k = variants(); *k; ++k) names.emplace_back((*k)->name);
  return names;
}

}  // namespace

NB_MODULE(_kernels, m) {
  m.doc() = "hornbook's CPU kernels, by address";
  // An autograd graph, a tokenizer or a story may live until the interpreter ends: that is no leak to report to a user.
  nb::set_leak_warnings(false);
  bind_enums(m);
  bind_attention(m);
  bind_rows(m);
  bind_decode(m);
  m.def("variant", [] { return kernels().name; }, "The instruction set that the kernels run now.");
  m.def("variants", &variant_names, "The instruction sets that this machine runs, widest first.");
  m.def(
      "set_variant", [](const std::string& name) { return set_variant(name.c_str()); }, "name"_a,
      "Run another one; False (and no change) where the machine lacks it.");
  m.def("set_threads", &set_threads, "count"_a, "How many threads take part where there is no OpenMP.");
  m.def("use_own_threads", &use_own_threads, "wanted"_a, "For tests: leave OpenMP alone.");
  m.def("keep_freed_memory", &keep_freed_memory);
}
