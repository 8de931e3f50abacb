// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/proc_source.hpp"

#include <algorithm>
#include <array>

namespace vif::host {
namespace {

// A host that is short of something now says nothing about what it allows.
constexpr std::array kShort = {EMFILE, ENFILE, ENOMEM, ENOBUFS};

}  // namespace

Result<std::unique_ptr<ProcSource>> ProcSource::open(cn::ProcConnector& proc) {
  std::unique_ptr<ProcSource> made(new ProcSource);
  auto bridge = ConnectorBridge::open(proc);
  if (bridge) {
    made->bridge_ = std::move(*bridge);
    return made;
  }
  const Error& why = bridge.error();
  if (std::find(kShort.begin(), kShort.end(), why.number()) != kShort.end()) return why;
  made->refusal_ = Error{why.code, why.text + ": only the exits of own children are told of"};
  auto children = ChildWatch::create(proc);
  if (!children) return children.error();
  made->children_ = std::move(*children);
  return made;
}

Result<bool> ProcSource::drain(std::size_t budget) {
  if (bridge_) return bridge_->drain(budget);
  children_->drain();
  return false;
}

}  // namespace vif::host
