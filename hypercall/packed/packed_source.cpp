// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packed/packed_source.hpp"

#include <algorithm>
#include <vector>

#include "hypercall/packed/gzip_source.hpp"
#include "hypercall/packed/zstd_source.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kMagicBytesMax = 4;

// What was read to look for a magic, then the rest.
class Rewound final : public ByteSource {
 public:
  Rewound(std::vector<std::byte> head, std::unique_ptr<ByteSource> rest)
      : head_(std::move(head)), rest_(std::move(rest)) {}

  Result<std::size_t> read(MutBytes into) override {
    if (given_ == head_.size()) return rest_->read(into);
    const std::size_t n = std::min(into.size(), head_.size() - given_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(given_), n, into.begin());
    given_ += n;
    return n;
  }

 private:
  std::vector<std::byte> head_;
  std::unique_ptr<ByteSource> rest_;
  std::size_t given_ = 0;
};

Result<std::vector<std::byte>> read_head(ByteSource& source) {
  std::vector<std::byte> head(kMagicBytesMax);
  std::size_t have = 0;
  while (have < head.size()) {
    const Result<std::size_t> n = source.read(MutBytes(head).subspan(have));
    if (!n) return n.error();
    if (*n == 0) break;
    have += *n;
  }
  head.resize(have);
  return head;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> unpack_if_packed(std::unique_ptr<ByteSource> source, const std::string& path) {
  Result<std::vector<std::byte>> head = read_head(*source);
  if (!head) return std::move(head).error();
  const bool gzip = begins_as_gzip(*head), zstd = begins_as_zstd(*head);
  std::unique_ptr<ByteSource> rewound = std::make_unique<Rewound>(*std::move(head), std::move(source));
  if (gzip) return open_gzip(std::move(rewound), path);
  if (zstd) return open_zstd(std::move(rewound), path);
  return rewound;
}

}  // namespace vif::host
