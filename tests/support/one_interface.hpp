// SPDX-License-Identifier: BSD-2-Clause
// One interface in a domain of the simulated host, with a driver that only records: for tests of what lies between a
// driver and the protocols.
#pragma once

#include <optional>
#include <vector>

#include "hypercall/sim/sim_host.hpp"
#include "netstack/ether.hpp"
#include "tests/support/frames.hpp"

namespace vif::test {

// Does what IfDriver says, and no more. `accepts` is how many frames it still takes off the queue.
class RecordingDriver final : public net::IfDriver {
 public:
  Status if_init() override {
    ++inits;
    if (init_error) return *init_error;
    ifp->set_flag(net::IFF_RUNNING, true);
    return {};
  }
  void if_stop() override {
    ++stops;
    ifp->set_flag(net::IFF_RUNNING, false);
    ifp->purge(DropReason::tx_down);
  }
  void if_start() override {
    ++starts;
    for (; accepts > 0 && ifp->snd.size() > 0; --accepts) {
      const net::MbufPtr frame = ifp->snd.pop();
      ifp->counters.otaken.add(1);
      sent.push_back(flat(*frame));
      sent_flags.push_back(frame->pkthdr.flags);
      sent_offload.push_back(frame->pkthdr.offload);
    }
  }
  Status if_ioctl(const net::IfRequest& request) override {
    Result<net::Reprogram> done = net::ether_ioctl(*ifp, request);
    if (!done) return std::move(done).error();
    return {};
  }

  net::Ifnet* ifp = nullptr;
  std::optional<Error> init_error;
  std::size_t accepts = SIZE_MAX;
  int inits = 0, stops = 0, starts = 0;
  std::vector<Frame> sent;
  std::vector<std::uint16_t> sent_flags;
  std::vector<net::Offload> sent_offload;
};

// A protocol that keeps what it gets.
class RecordingProtocol final : public net::EtherProtocol {
 public:
  struct Got {
    net::EtherHeader header;
    Frame payload;
    std::uint16_t flags;
    std::uint16_t vlan_tci;
    net::Offload offload;
  };
  void ether_protocol_input(net::Ifnet&, const net::EtherHeader& header, net::MbufPtr payload) override {
    got.push_back({header, flat(*payload), payload->pkthdr.flags, payload->pkthdr.vlan_tci, payload->pkthdr.offload});
  }
  std::vector<Got> got;
};

struct OneInterface {
  OneInterface() {
    driver.ifp = &ifp;
    net::ether_ifattach(ifp, kOurMac);
    domain.publish(ifp);
  }
  ~OneInterface() { domain.withdraw(ifp); }

  Status up() { return ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}); }
  Status down() { return ifp.ioctl(net::SetFlags{ifp.flags() & ~std::uint32_t{net::IFF_UP}}); }
  std::uint64_t dropped(DropReason reason) const { return ifp.counters.read().dropped(reason); }

  host::sim::SimHost host{1};
  net::Domain& domain = host.add_domain();
  net::MbufPool& pool = domain.pool();
  RecordingDriver driver;
  net::Ifnet ifp{domain, driver, "sim", 0, net::IfQueue::kDefaultFrames};
};

}  // namespace vif::test
