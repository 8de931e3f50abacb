// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/multicast_list.hpp"

#include <algorithm>

namespace vif::net {
namespace {

std::string to_string(const MacRange& range) {
  return range.is_single() ? range.lo.to_string() : range.lo.to_string() + " to " + range.hi.to_string();
}

Status check(const MacRange& range) {
  if (range.lo.is_group() && range.hi.is_group() && range.lo <= range.hi) return {};
  return fail(std::errc::invalid_argument, to_string(range) +
                                               " is not a group: expected multicast addresses (lowest bit of the first "
                                               "octet set), the lower one first");
}

}  // namespace

std::vector<MulticastList::Entry>::iterator MulticastList::lower_bound(const MacRange& range) {
  return std::lower_bound(entries_.begin(), entries_.end(), range,
                          [](const Entry& entry, const MacRange& wanted) { return entry.range < wanted; });
}

Result<Reprogram> MulticastList::add(const MacRange& range) {
  if (Status ok = check(range); !ok) return std::move(ok).error();
  const auto at = lower_bound(range);
  if (at != entries_.end() && at->range == range) {
    ++at->references;
    return Reprogram::no;
  }
  if (entries_.size() == kEntriesMax) {
    return fail(std::errc::no_buffer_space, "all " + std::to_string(kEntriesMax) + " group entries are in use");
  }
  entries_.insert(at, {range, 1});
  ranges_ += !range.is_single();
  return Reprogram::yes;
}

Result<Reprogram> MulticastList::remove(const MacRange& range) {
  if (Status ok = check(range); !ok) return std::move(ok).error();
  const auto at = lower_bound(range);
  if (at == entries_.end() || at->range != range) {
    return fail(ENXIO, to_string(range) + " is not a joined group");
  }
  if (--at->references > 0) return Reprogram::no;
  ranges_ -= !range.is_single();
  entries_.erase(at);
  return Reprogram::yes;
}

}  // namespace vif::net
