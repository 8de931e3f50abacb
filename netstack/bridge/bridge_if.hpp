// SPDX-License-Identifier: BSD-2-Clause
// A bridge's own interface, bridge0: what a stack of this domain sits on to be a station of the bridged segment.
//
// What is sent on it comes into the bridge; what the bridge has for its address, its groups and broadcast it passes up.
// It belongs to its bridge, and has no link: up is up. On the domain's thread.
#pragma once

#include "netstack/ether.hpp"

namespace vif::net {

// Who switches what the interface sends.
class BridgeIfSwitch {
 public:
  virtual ~BridgeIfSwitch() = default;
  virtual void switch_own(MbufPtr frame) = 0;
};

class VIF_API BridgeIf final : public IfDriver {
 public:
  // Not published: its bridge does that when it can switch.
  BridgeIf(Domain& domain, std::uint32_t unit, BridgeIfSwitch& to);
  ~BridgeIf() override;
  BridgeIf(const BridgeIf&) = delete;
  BridgeIf& operator=(const BridgeIf&) = delete;

  Ifnet& ifnet() { return ifp_; }
  const Ifnet& ifnet() const { return ifp_; }
  static bool is_one(const Ifnet& ifp) { return dynamic_cast<const BridgeIf*>(&ifp.driver()) != nullptr; }

  // Whether frames for `dst` are to be passed up; and a frame that is.
  bool wants(const MacAddress& dst) const;
  void receive(MbufPtr frame);

 private:
  Status if_init() override;
  void if_stop() override;
  void if_start() override;
  Status if_ioctl(const IfRequest& request) override;

  Ifnet ifp_;
  BridgeIfSwitch& to_;
  bool starting_ = false;  // if_start is on the stack
};

}  // namespace vif::net
