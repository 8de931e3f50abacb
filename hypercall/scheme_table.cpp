// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/scheme_table.hpp"

namespace vif::host {

Status SchemeTable::add(const std::string& scheme, Open open, Check check) {
  const Result<drv::Linkstr> parsed = drv::Linkstr::parse(scheme + ":");
  if (!parsed || parsed->scheme != scheme) {
    return fail(std::errc::invalid_argument,
                "'" + scheme + "' is not a scheme: expected lower-case letters and digits");
  }
  if (!schemes_.try_emplace(scheme, Scheme{std::move(open), std::move(check)}).second) {
    return fail(std::errc::file_exists, "scheme '" + scheme + "' has a backend already");
  }
  return {};
}

Result<const SchemeTable::Scheme*> SchemeTable::find(const std::string& name) const {
  const auto at = schemes_.find(name);
  if (at != schemes_.end()) return &at->second;
  return fail(std::errc::invalid_argument, "no backend for '" + name + ":': known are " + schemes());
}

Result<drv::OpenLink> SchemeTable::open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) {
  const Result<const Scheme*> scheme = find(linkstr.scheme);
  return scheme ? (*scheme)->open(linkstr, owner) : scheme.error();
}

Status SchemeTable::check(const drv::Linkstr& linkstr) const {
  const Result<const Scheme*> scheme = find(linkstr.scheme);
  if (!scheme) return scheme.error();
  return (*scheme)->check ? (*scheme)->check(linkstr) : Status();
}

std::string SchemeTable::schemes() const {
  std::string list;
  for (const auto& [scheme, how] : schemes_) list += (list.empty() ? "" : ", ") + scheme;
  return list.empty() ? "none" : list;
}

}  // namespace vif::host
