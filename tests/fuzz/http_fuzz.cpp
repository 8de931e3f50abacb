// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as the answer to a GET, in pieces of any size: no more of a body is handed on than the bound, all of it or
// an error, and the same whichever way the pieces are cut where all is well.
#include <string>

#include "hypercall/fetch/http_response.hpp"

namespace vif::test {
namespace {

constexpr std::uint64_t kBytesMax = 3000;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

struct Outcome {
  bool is_whole = false;
  std::uint64_t bytes = 0;
};

Outcome read(Bytes answer, std::size_t piece_bytes) {
  Outcome outcome;
  host::HttpResponse response(kBytesMax, [&](Bytes bytes) {
    outcome.bytes += bytes.size();
    return Status();
  });
  for (; !answer.empty(); answer = answer.subspan(std::min(piece_bytes, answer.size()))) {
    if (!response.feed(answer.first(std::min(piece_bytes, answer.size())))) return outcome;
  }
  outcome.is_whole = response.finish().has_value();
  require(!outcome.is_whole || response.body_bytes().value_or(outcome.bytes) == outcome.bytes);
  return outcome;
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::test;
  if (size == 0) return 0;
  const auto answer = std::as_bytes(std::span(data, size)).subspan(1);
  const Outcome cut = read(answer, std::size_t{data[0]} + 1), whole = read(answer, size);
  require(cut.bytes <= kBytesMax && whole.bytes <= kBytesMax);
  require(cut.is_whole == whole.is_whole && (!whole.is_whole || cut.bytes == whole.bytes));
  return 0;
}
