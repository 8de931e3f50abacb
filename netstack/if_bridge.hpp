// SPDX-License-Identifier: BSD-2-Clause
// A learning switch between interfaces of one domain, whatever their links are (BSD's bridge(4), IEEE 802.1Q).
//
// It takes its members' input and makes them promiscuous. A frame for a known address moves to that port as it is (its
// mbuf, its offload); others are copied to every port, within bounds. Addresses are learned per VLAN id. On the
// domain's thread, and not destroyed from inside an upcall; members are borrowed, and one that departs is let go.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "netstack/bridge/bridge_if.hpp"
#include "netstack/bridge/bridge_vlans.hpp"
#include "netstack/bridge/loop_probe.hpp"
#include "netstack/bridge/station_table.hpp"

namespace vif::net {

// What became of a frame that a port passed to the bridge.
enum class BridgeFate : std::uint8_t {
  forwarded,       // to the port its destination is on
  flooded,         // to every other port that sends
  own_probe,       // the bridge's own probe came back: a loop
  blocked,         // came from, or was for, a port that the loop guard blocks
  bad_source,      // from a group address, or too short for one
  bad_tag,         // ends inside its VLAN tag
  vlan_refused,    // of a VLAN that the port, or the destination's, is not in
  reserved_group,  // 01:80:c2:00:00:00 to 0f stay on their segment (IEEE 802.1D, 7.12.6)
  same_port,       // its destination is on the port it came from
  flood_limit,     // more to flood than the port may
  no_mbuf,         // the pool was empty
  kCount,
};
inline constexpr std::size_t kBridgeFates = static_cast<std::size_t>(BridgeFate::kCount);
inline constexpr std::array<std::string_view, kBridgeFates> kBridgeFateNames = {
    "forwarded",    "flooded",        "own_probe", "blocked",     "bad_source", "bad_tag",
    "vlan_refused", "reserved_group", "same_port", "flood_limit", "no_mbuf"};

// Why the loop guard blocks a port.
enum class BridgeBlock : std::uint8_t {
  none,
  address_moves,  // an address jumps between this port and an older one
  own_probe,      // a probe of the bridge came back: this port and an older one, or itself, are joined elsewhere
};
inline constexpr std::array<std::string_view, 3> kBridgeBlockNames = {"none", "address_moves", "own_probe"};
constexpr std::string_view name(BridgeBlock block) { return kBridgeBlockNames[static_cast<std::size_t>(block)]; }

// What a port may be told, while it is one, too.
struct BridgePortSettings {
  bool learns = true;                                     // who sends here; static stations are known all the same
  bool floods_unknown = true;                             // sends frames for addresses nobody knows,
  bool floods_multicast = true;                           // for groups,
  bool floods_broadcast = true;                           // for everybody
  std::uint32_t floods_per_second = 100'000;              // what it passes in and is flooded; 0: no limit
  BridgeVlans vlans = BridgeVlans::access(kVlanDefault);  // only with Bridge::Config::filters_vlans
};

struct BridgePortData {
  // In: their sum is what the interface passed up, since it is a member. Out: what the interface was given to send, in
  // all and of that probes; its own counters say what became of it.
  std::array<std::uint64_t, kBridgeFates> fates{};
  std::uint64_t given = 0, probes = 0;
  std::uint64_t flood_copies_failed = 0;  // ports a flooded frame did not reach for want of an mbuf
  std::uint64_t times_blocked = 0;
  std::uint64_t stations_displaced = 0;  // forgotten early, as the table was full
  std::uint64_t stations_refused = 0;    // not learned, as it was full of static ones
  std::size_t stations = 0;
  BridgeBlock blocked_by = BridgeBlock::none;

  std::uint64_t count(BridgeFate fate) const { return fates[static_cast<std::size_t>(fate)]; }
};

struct BridgeStation {
  std::uint16_t vlan = 0;
  MacAddress address;
  const Ifnet* ifp = nullptr;
  bool is_static = false;
  Time silent_for{};  // as good as a 64th of the age it is forgotten at; of a static one 0
};

class VIF_API Bridge final : private IfEventListener, private BridgeIfSwitch {
 public:
  struct Config {
    std::size_t stations_max = 4096;  // 4 to 16 millions
    Time station_age = std::chrono::seconds(300);
    bool filters_vlans = false;                     // else frames pass with the tags they have
    std::uint32_t moves_per_second = 16;            // of one address between ports; above it is a loop
    Time probe_interval = std::chrono::seconds(2);  // 0: no probes
    Time block_time = std::chrono::seconds(5);      // since a loop was last seen; at least three probe intervals
  };
  static constexpr std::size_t kPortsMax = StationTable::kPortsMax;

  Bridge(Domain& domain, const Config& config);
  ~Bridge() override;  // lets every member go
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // EEXIST: it is a member. ENOSPC: kPortsMax are. EXDEV: it belongs to another domain. ELOOP: it is a bridge's own.
  // EINVAL: the settings.
  Status add(Ifnet& ifp, const BridgePortSettings& settings = {});
  // ENOENT: it is none.
  Status remove(Ifnet& ifp);
  // The bridge's own interface, "bridge" and `unit`: a port like others, which is never blocked. EEXIST: it is there.
  // ENOSPC, EINVAL as add.
  Result<Ifnet*> add_own(std::uint32_t unit, const BridgePortSettings& settings = {});

  // Of a member, or its own. ENOENT: it is none. EINVAL: the settings; as before then. Stations learned in VLANs that
  // it leaves are forgotten.
  Status set(const Ifnet& ifp, const BridgePortSettings& settings);
  Result<BridgePortSettings> settings(const Ifnet& ifp) const;
  Result<BridgePortData> data(const Ifnet& ifp) const;

  // A station that is not learned but told: it stays where it is said to be. `vlan` is 0 for frames without a tag,
  // unless the bridge filters VLANs. One that was learned is replaced. ENOENT: no member. EINVAL: a group, or a VLAN
  // that is not the port's. ENOSPC: the table is full of such.
  Status add_static(const Ifnet& ifp, std::uint16_t vlan, const MacAddress& address);
  Status remove_static(std::uint16_t vlan, const MacAddress& address);  // ENOENT: none such
  std::vector<BridgeStation> stations() const;                          // by VLAN and address
  // Where the station is, or null.
  Ifnet* find(std::uint16_t vlan, const MacAddress& address);
  void flush();  // forgets whom it has learned

 private:
  // One that is free has no interface. `joined` is never used twice, so a port of another life is told apart.
  struct Port final : IfInput {
    Port(Bridge& bridge_in, std::uint8_t index_in) : bridge(bridge_in), index(index_in) {}
    void input(Ifnet&, MbufPtr packet) override { bridge.pass(*this, std::move(packet)); }
    void count(BridgeFate fate) { ++data.fates[static_cast<std::size_t>(fate)]; }

    Bridge& bridge;
    const std::uint8_t index;
    Ifnet* ifp = nullptr;
    std::uint64_t joined = 0;
    BridgePortSettings settings;
    BridgePortData data;
    Time blocked_until{};
    Time flood_paid_until{};  // of its flood allowance
  };
  // Where a frame is to go; `to` when it is forwarded.
  struct Route {
    BridgeFate fate;
    MacAddress dst = {};
    std::uint16_t vlan = 0;
    Port* to = nullptr;
  };

  void if_arrived(Ifnet&) override {}
  void if_departed(Ifnet& ifp) override;
  void if_link_changed(Ifnet& ifp) override;
  void switch_own(MbufPtr frame) override;

  // if_bridge.cpp: ports and stations
  Result<Port*> join(Ifnet& ifp, const BridgePortSettings& settings);
  void let_go(Port& port);
  Port* port_of(const Ifnet& ifp) const;
  Status check(const BridgePortSettings& settings) const;

  // if_bridge_forward.cpp: a frame's way
  void pass(Port& from, MbufPtr packet);
  Route route(Port& from, MbufPtr& packet);
  Port* port_for(std::uint64_t station, const MacAddress& address);
  std::optional<BridgeFate> classify(const Port& from, MbufPtr& packet, std::uint16_t ether_type, std::uint16_t& vlan);
  bool is_in(const Port& port, std::uint16_t vlan) const {
    return !config_.filters_vlans || port.settings.vlans.members[vlan];
  }
  void flood(Port& from, MbufPtr packet, const Route& way);
  bool may_flood(Port& from);
  bool is_flooded_to(const Port& to, const Route& way) const;
  void send(Port& to, std::uint16_t vlan, MbufPtr packet);

  // if_bridge_guard.cpp: who is where, and loops
  void learn(std::uint64_t station, Port& from);
  bool moved_too_often(StationTable::Station& station) const;
  void block(Port& port, BridgeBlock why);
  void forget_learned(const Port& port);
  bool is_blocked(const Port& port) const { return domain_.now() < port.blocked_until; }
  bool sends(const Port& port) const;
  void probe_soon();
  void probe_all();
  void probe(Port& port);
  bool heard_probe(const Port& at, std::uint16_t vlan, const Mbuf& packet);

  Domain& domain_;
  const Config config_;
  StationTable stations_;
  LoopProbes probes_;
  Callout next_probes_;
  std::vector<std::unique_ptr<Port>> ports_;  // by index; never fewer
  std::unique_ptr<BridgeIf> own_;
  Port* own_port_ = nullptr;
  std::uint64_t last_joined_ = 0;
};

}  // namespace vif::net
