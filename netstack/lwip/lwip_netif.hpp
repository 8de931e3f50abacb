// SPDX-License-Identifier: BSD-2-Clause
// One of our interfaces as an lwIP netif. Domain's thread; stays where it is while attached.
#pragma once

#include <memory>
#include <vector>

#include "netstack/ifnet.hpp"
#include "netstack/lwip/lwip_headers.hpp"
#include "netstack/lwip/lwip_stack.hpp"

namespace vif::net::lwip {

// Mbufs lent to lwIP as pbufs until it frees them; when all are lent out, frames are copied.
class LentMbufs {
 public:
  static constexpr std::size_t kLentMax = 512;

  LentMbufs();
  ~LentMbufs();

  // The packet as a pbuf (in one piece, at most 65535 bytes), or null: none is left, and `packet` still the caller's.
  pbuf* lend(MbufPtr& packet);

 private:
  struct Lent {
    pbuf_custom pbuf;  // first: lwIP hands its address back
    MbufPtr packet;
    LentMbufs* owner;
    Lent* next;
  };
  static void take_back(pbuf* p);

  std::unique_ptr<Lent[]> all_;
  Lent* free_ = nullptr;
  std::size_t lent_ = 0;
};

class LwipNetif final : public IfInput {
 public:
  // What the netifs of a stack have in common.
  struct Shared {
    LwipStack* stack = nullptr;
    LentMbufs lent;
    std::size_t connections_max = 0;
    std::size_t connections = 0;  // an upper estimate of lwIP's, made exact when it reaches the limit
    Counter syn_refused, own_source, copied;

    bool admits(std::size_t listed);  // one more connection; listed: 1 when lwIP has it already
  };

  LwipNetif(Ifnet& ifp, Shared& shared) : ifp_(ifp), shared_(shared) {}
  ~LwipNetif() override;

  // ENOBUFS: lwIP's numbers are used up.
  Status add();
  void follow_link();  // address, MTU and carrier as they are now

  Ifnet& ifp() { return ifp_; }
  netif& lwip() { return netif_; }

 private:
  void input(Ifnet& ifp, MbufPtr packet) override;
  bool complete(MbufPtr& packet);
  void admit_hidden();

  static err_t init(netif* n);
  static err_t output(netif* n, pbuf* p);
  static err_t igmp_filter(netif* n, const ip4_addr_t* group, netif_mac_filter_action action);
  static err_t mld_filter(netif* n, const ip6_addr_t* group, netif_mac_filter_action action);
  err_t program(const MacRange& group, netif_mac_filter_action action);

  Ifnet& ifp_;
  Shared& shared_;
  netif netif_{};
  bool added_ = false;
  std::vector<MacRange> joined_;  // what lwIP had us join
};

}  // namespace vif::net::lwip
