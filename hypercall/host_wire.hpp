// SPDX-License-Identifier: BSD-2-Clause
// An Ethernet interface of this host as the wire of a link: its address, MTU and carrier become the link's, and what
// changes of them is told to the link's driver. The domain's thread.
#pragma once

#include "hypercall/host_interface.hpp"
#include "virtif/link.hpp"

namespace vif::host {

class HostWire {
 public:
  // ENODEV: no such interface; ENOTSUP: it carries no Ethernet frames. `scheme` is for people.
  static Result<HostWire> open(const std::string& scheme, const std::string& name);

  const HostInterface& interface() const { return interface_; }
  // Readable, on the edge, when tell() has something to read.
  int fd() const { return interface_.fd(); }

  // Writes the wire's part of `caps`.
  void describe(drv::LinkCaps& caps) const;
  // Tells `sink` what is now otherwise than in `caps`, and writes it there. From inside drain.
  void tell(drv::LinkSink& sink, drv::LinkCaps& caps);

 private:
  explicit HostWire(HostInterface interface) : interface_(std::move(interface)) {}

  // Why it is down; up: it is not.
  enum class Down : std::uint8_t { up, no_carrier, switched_off, gone };
  Down now() const;
  Error words(Down why) const;

  HostInterface interface_;
  Down told_ = Down::up;
};

}  // namespace vif::host
