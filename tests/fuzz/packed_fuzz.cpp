// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a file that may be packed: the pieces it is read in do not change what comes out, up to damage, nor
// whether it is damaged; an error stays; and a file that is not packed comes out as it is.
//
// libzstd decodes a frame at once when it has all of it and room for it: then nothing comes before the damage, and no
// window is needed that could be too large.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "hypercall/packed/gzip_source.hpp"
#include "hypercall/packed/packed_source.hpp"
#include "hypercall/packed/zstd_source.hpp"

namespace {

using namespace vif;

constexpr std::size_t kOutputBytesMax = 256 << 10;  // a few bytes may unpack to very many

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

class InMemory final : public ByteSource {
 public:
  InMemory(Bytes bytes, std::size_t piece) : rest_(bytes), piece_(piece) {}

  Result<std::size_t> read(MutBytes into) override {
    const std::size_t n = std::min({into.size(), rest_.size(), piece_});
    std::copy_n(rest_.begin(), n, into.begin());
    rest_ = rest_.subspan(n);
    return n;
  }

 private:
  Bytes rest_;
  const std::size_t piece_;
};

struct Unpacked {
  std::vector<std::byte> bytes;
  int error = 0;
  bool cut = false;  // there may be more, or an error
};

Unpacked unpack(Bytes file, std::size_t piece, std::size_t into_bytes) {
  auto source = host::unpack_if_packed(std::make_unique<InMemory>(file, piece), "fuzzed");
  require(source.has_value());
  Unpacked all;
  std::vector<std::byte> into(into_bytes);
  while (all.bytes.size() < kOutputBytesMax) {
    const Result<std::size_t> n = (*source)->read(into);
    if (!n || *n == 0) {
      if (!n) all.error = n.error().number();
      require(all.error == 0 || all.error == EBADMSG || all.error == EFBIG);
      const Result<std::size_t> again = (*source)->read(into);
      require(again.has_value() == n.has_value() && (!again || *again == 0));
      return all;
    }
    require(*n <= into.size());
    all.bytes.insert(all.bytes.end(), into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*n));
  }
  all.bytes.resize(kOutputBytesMax);
  all.cut = true;
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + data[0] % 64U, into = 1 + data[1] * 16U;
  const Bytes file = std::as_bytes(std::span(data + 2, size - 2));
  const Unpacked whole = unpack(file, SIZE_MAX, 64 << 10), parted = unpack(file, piece, into);
  const std::size_t common = std::min(whole.bytes.size(), parted.bytes.size());
  require(
      std::equal(whole.bytes.begin(), whole.bytes.begin() + static_cast<std::ptrdiff_t>(common), parted.bytes.begin()));
  if (whole.cut || parted.cut) return 0;
  if (whole.error == 0 && parted.error == 0) require(whole.bytes.size() == parted.bytes.size());
  else require(whole.error == parted.error || parted.error == EFBIG);
  if (!host::begins_as_gzip(file) && !host::begins_as_zstd(file)) {
    require(whole.error == 0 && std::equal(whole.bytes.begin(), whole.bytes.end(), file.begin()));
  }
  return 0;
}
