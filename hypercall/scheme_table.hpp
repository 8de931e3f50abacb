// SPDX-License-Identifier: BSD-2-Clause
// From scheme to open function: the one place that knows which backends there are. A value of the Instance's; filled
// before the first interface is linked, then only read.
#pragma once

#include <functional>
#include <map>

#include "virtif/link.hpp"

namespace vif::host {

class VIF_API SchemeTable final : public drv::LinkOpener {
 public:
  // Opens a link string of its scheme; what else it needs (files, clock, segments) it has captured.
  using Open = std::function<Result<drv::OpenLink>(const drv::Linkstr& linkstr, const drv::LinkOwner& owner)>;

  // Judges its argument and options, and asks the host for nothing; the first that is wrong, as Open would say it.
  using Check = std::function<Status(const drv::Linkstr& linkstr)>;

  // `check` may be none: then only opening tells. EEXIST: the scheme has a backend. EINVAL: not a scheme's name.
  Status add(const std::string& scheme, Open open, Check check = {});

  // EINVAL: no such scheme; the text lists those there are.
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override;
  Status check(const drv::Linkstr& linkstr) const override;

  std::string schemes() const;  // "mem, null, pcap": for messages

 private:
  struct Scheme {
    Open open;
    Check check;
  };
  // EINVAL: none of that name.
  Result<const Scheme*> find(const std::string& name) const;

  std::map<std::string, Scheme> schemes_;
};

}  // namespace vif::host
