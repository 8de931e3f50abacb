// SPDX-License-Identifier: BSD-2-Clause
// The groups an interface has joined: [lo, hi] ranges with a count each, as BSD's ether multicast list. Domain's
// thread.
#pragma once

#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/mac_address.hpp"

namespace vif::net {

// Whether the driver has to look at its receive filter again: BSD's ENETRESET against 0. Never an error.
enum class Reprogram : bool { no, yes };

class VIF_API MulticastList {
 public:
  struct Entry {
    MacRange range;
    std::uint32_t references;
  };

  static constexpr std::size_t kEntriesMax = 65'536;

  // Reprogram::yes for a new entry. EINVAL: not group addresses, or lo above hi. ENOBUFS: kEntriesMax are joined.
  Result<Reprogram> add(const MacRange& range);

  // Reprogram::yes when the last reference went. EINVAL as add. ENXIO: not joined.
  Result<Reprogram> remove(const MacRange& range);

  bool has_range() const { return ranges_ > 0; }
  const std::vector<Entry>& entries() const { return entries_; }  // ordered by (lo, hi)

 private:
  std::vector<Entry>::iterator lower_bound(const MacRange& range);

  std::vector<Entry> entries_;
  std::size_t ranges_ = 0;  // entries with lo != hi
};

}  // namespace vif::net
