// SPDX-License-Identifier: BSD-2-Clause
// A learning switch between interfaces of one domain, whatever their links are (BSD's bridge(4), IEEE 802.1D).
//
// It takes its members' input and makes them promiscuous. A frame for a known address moves to that port as it is (its
// mbuf, its tag, its offload); others are copied to every port, within bounds. Addresses are learned per VLAN id. On
// the domain's thread; members are borrowed, and one that departs is let go.
#pragma once

#include <memory>
#include <vector>

#include "netstack/ifnet.hpp"
#include "netstack/inet/seeded_hash.hpp"

namespace vif::net {

// What became of a frame that a port passed to the bridge.
enum class BridgeFate : std::uint8_t {
  forwarded,       // to the port its destination was learned on
  flooded,         // to every other port that sends
  reserved_group,  // 01:80:c2:00:00:00 to 0f stay on their segment (IEEE 802.1D, 7.12.6)
  bad_source,      // from a group address, or too short for one
  same_port,       // its destination is on the port it came from
  blocked,         // came from, or was for, a port that the loop guard blocks
  flood_limit,     // more to flood than the port may
  kCount,
};

struct BridgePortData {
  std::array<std::uint64_t, static_cast<std::size_t>(BridgeFate::kCount)> fates{};  // their sum is what came in
  std::uint64_t flood_copies_failed = 0;  // ports a flooded frame did not reach for want of an mbuf
  std::uint64_t times_blocked = 0;
  bool is_blocked = false;

  std::uint64_t count(BridgeFate fate) const { return fates[static_cast<std::size_t>(fate)]; }
};

class VIF_API Bridge final : private IfInput, private IfEventListener {
 public:
  struct Config {
    std::size_t addresses_max = 4096;  // rounded up to a power of two, at least 4
    Time address_age = std::chrono::seconds(300);
    std::uint32_t floods_per_second = 100'000;  // of one port, at least 1; a tenth of it may come at once
    std::uint32_t moves_per_second = 16;        // of one address between ports; above it is a loop
    Time block_time = std::chrono::seconds(5);  // of the younger of the two ports
  };
  static constexpr std::size_t kPortsMax = 64;

  Bridge(Domain& domain, const Config& config);
  ~Bridge() override;  // lets every member go
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // EEXIST: it is a member. ENOSPC: kPortsMax are. EXDEV: it belongs to another domain.
  Status add(Ifnet& ifp);
  // ENOENT: it is none.
  Status remove(Ifnet& ifp);

  // Of a member; ENOENT as above.
  Result<BridgePortData> data(const Ifnet& ifp) const;
  // Where the address was learned, or null.
  Ifnet* find(std::uint16_t vlan, const MacAddress& address) const;
  void flush();  // forgets every address

 private:
  struct Port {
    Ifnet* ifp;
    BridgePortData data;
    Time blocked_until{};
    Time flood_paid_until{};  // of its flood allowance
  };
  // `key` is the VLAN id and the address; 0: free.
  struct Address {
    std::uint64_t key = 0;
    Ifnet* ifp = nullptr;
    Time seen{};
    Time moves_since{};
    std::uint32_t moves = 0;
  };
  static constexpr std::size_t kWays = 4;  // places an address may be in

  void input(Ifnet& ifp, MbufPtr packet) override;
  void if_arrived(Ifnet&) override {}
  void if_departed(Ifnet& ifp) override { let_go(ifp); }
  void if_link_changed(Ifnet&) override {}

  BridgeFate pass(Port& from, MbufPtr packet);
  bool flood(Port& from, MbufPtr packet);
  void learn(std::uint64_t key, Port& from);
  bool moved_too_often(Address& address);
  bool is_blocked(const Port& port) const { return domain_.now() < port.blocked_until; }
  bool is_fresh(const Address& address) const;
  Address* bucket(std::uint64_t key) const;
  Address* lookup(std::uint64_t key) const;
  Port* port_of(const Ifnet& ifp);
  void let_go(const Ifnet& ifp);

  Domain& domain_;
  const Config config_;
  inet::SeededHash hash_;
  std::unique_ptr<Address[]> addresses_;
  std::vector<Port> ports_;  // oldest first
};

}  // namespace vif::net
