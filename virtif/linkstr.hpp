// SPDX-License-Identifier: BSD-2-Clause
// The link string: what an interface is connected to.
//
//   linkstr  = scheme ":" argument *( "," option )      pcap:in.pcap,write=out.pcap
//   option   = key [ "=" value ]                        impair:[tap:t0,offload=off],loss=1%
//
// A nested link string stands in brackets and is kept with its text as it is. Elsewhere `, [ ]` are written %2C %5B
// %5D, and a '%' with two hex digits after it %25; any byte may be written %XX. A value, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"

namespace vif::drv {

struct VIF_API Linkstr {
  static constexpr std::size_t kBytesMax = 4096;  // RUMP_VIF_LINKSTRMAX of if_virt.c
  static constexpr std::size_t kNestingMax = 8;

  struct Option {
    std::string key;                   // letters, digits, '-', '_'
    std::optional<std::string> value;  // decoded; none for a bare key
    friend bool operator==(const Option&, const Option&) = default;
  };

  std::string scheme;    // a letter, then letters and digits; lower case
  std::string argument;  // decoded; of a nested link string its text without the brackets
  bool argument_nested = false;
  std::vector<Option> options;  // in order; no key twice

  // EINVAL: the text names the place and what was expected there. E2BIG: above kBytesMax.
  static Result<Linkstr> parse(std::string_view text);
  // The text parse() reads back as the same value.
  std::string format() const;

  const Option* find(std::string_view key) const;

  friend bool operator==(const Linkstr&, const Linkstr&) = default;
};

}  // namespace vif::drv
