// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/scheme_table.hpp"

namespace vif::host {

Status SchemeTable::add(const std::string& scheme, Open open) {
  const Result<drv::Linkstr> parsed = drv::Linkstr::parse(scheme + ":");
  if (!parsed || parsed->scheme != scheme) {
    return fail(std::errc::invalid_argument,
                "'" + scheme + "' is not a scheme: expected lower-case letters and digits");
  }
  if (!schemes_.try_emplace(scheme, std::move(open)).second) {
    return fail(std::errc::file_exists, "scheme '" + scheme + "' has a backend already");
  }
  return {};
}

Result<drv::OpenLink> SchemeTable::open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) {
  const auto at = schemes_.find(linkstr.scheme);
  if (at == schemes_.end()) {
    return fail(std::errc::invalid_argument, "no backend for '" + linkstr.scheme + ":': known are " + schemes());
  }
  return at->second(linkstr, owner);
}

std::string SchemeTable::schemes() const {
  std::string list;
  for (const auto& [scheme, open] : schemes_) list += (list.empty() ? "" : ", ") + scheme;
  return list.empty() ? "none" : list;
}

}  // namespace vif::host
