// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/metrics_text.hpp"

#include <array>
#include <initializer_list>

#include "virtif/virtif.hpp"

namespace vif::tools {
namespace {

using Interface = NodeReading::Interface;

struct Label {
  std::string_view name, value;
};

// A family's metadata, then its samples, one after the other, as the specification wants them.
class Exposition {
 public:
  // Section "MetricFamily": a name ends in its unit; an empty `unit` is none.
  void family(std::string_view name, std::string_view type, std::string_view unit, std::string_view help) {
    name_ = name;
    suffix_ = type == "counter" ? "_total" : type == "info" ? "_info" : "";
    line({"# TYPE ", name, " ", type});
    if (!unit.empty()) line({"# UNIT ", name, " ", unit});
    line({"# HELP ", name, " ", help});
  }

  void sample(std::initializer_list<Label> labels, std::uint64_t value) {
    text_.append(name_).append(suffix_);
    char before = '{';
    for (const Label& label : labels) {
      text_ += std::exchange(before, ',');
      text_.append(label.name).append("=\"");
      escape(label.value);
      text_ += '"';
    }
    if (labels.size() != 0) text_ += '}';
    text_.append(" ").append(std::to_string(value)) += '\n';
  }

  std::string end() && {
    text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  void line(std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) text_ += part;
    text_ += '\n';
  }

  // Section "ABNF": escaped-string.
  void escape(std::string_view value) {
    for (const char c : value) {
      if (c == '\\' || c == '"') text_ += '\\';
      if (c == '\n') text_ += "\\n";
      else text_ += c;
    }
  }

  std::string text_;
  std::string_view name_, suffix_;
};

struct Family {
  std::string_view name, unit, help;
  std::uint64_t (*of)(const Interface&);
};

constexpr std::array kGauges = {
    Family{"virtif_interface_up", "", "Whether it was brought up.",
           [](const Interface& i) -> std::uint64_t { return i.up; }},
    Family{"virtif_interface_carrier", "", "Whether it is up and its link is there.",
           [](const Interface& i) -> std::uint64_t { return i.carrier; }},
    Family{"virtif_interface_mtu_bytes", "bytes", "Bytes of payload a frame may have.",
           [](const Interface& i) -> std::uint64_t { return i.mtu_bytes; }},
};

constexpr std::array kCounters = {
    Family{"virtif_receive_frames", "frames", "Frames passed up to taps and protocols.",
           [](const Interface& i) { return i.data.ipackets; }},
    Family{"virtif_receive_bytes", "bytes", "Their bytes.", [](const Interface& i) { return i.data.ibytes; }},
    Family{"virtif_receive_multicast_frames", "frames", "Those of them that went to a group.",
           [](const Interface& i) { return i.data.imcasts; }},
    Family{"virtif_receive_segments", "segments", "The same, each segment of a super-frame counted.",
           [](const Interface& i) { return i.data.isegments; }},
    Family{"virtif_receive_errors", "",
           "Frames received that were none: the sum of three reasons of virtif_dropped_frames.",
           [](const Interface& i) { return i.data.ierrors; }},
    Family{"virtif_receive_dropped", "", "Good frames nobody got: the sum of five reasons of virtif_dropped_frames.",
           [](const Interface& i) { return i.data.iqdrops + i.data.noproto; }},
    Family{"virtif_link_received_frames", "frames", "Frames the link received, whatever became of them.",
           [](const Interface& i) { return i.data.received(); }},
    Family{"virtif_transmit_frames", "frames", "Frames the link took.",
           [](const Interface& i) { return i.data.opackets; }},
    Family{"virtif_transmit_bytes", "bytes", "Their bytes.", [](const Interface& i) { return i.data.obytes; }},
    Family{"virtif_transmit_multicast_frames", "frames", "Those of them that went to a group.",
           [](const Interface& i) { return i.data.omcasts; }},
    Family{"virtif_transmit_segments", "segments", "The same, each segment of a super-frame counted.",
           [](const Interface& i) { return i.data.osegments; }},
    Family{"virtif_transmit_cut_segments", "segments",
           "Segments of super-frames cut for the link, but one of each: what they add to virtif_transmit_frames.",
           [](const Interface& i) { return i.data.ocut; }},
    Family{"virtif_transmit_errors", "",
           "Frames not sent but for want of room: a sum of reasons of virtif_dropped_frames.",
           [](const Interface& i) { return i.data.oerrors; }},
    Family{"virtif_transmit_dropped", "", "Frames not sent for want of room in the queue.",
           [](const Interface& i) { return i.data.oqdrops; }},
    Family{"virtif_link_offered_frames", "frames", "Frames offered to the interface, without those still queued.",
           [](const Interface& i) { return i.data.offered(); }},
};

template <std::size_t kCount>
void write(Exposition& to, std::string_view type, const std::array<Family, kCount>& families, const NodeReading& node) {
  for (const Family& family : families) {
    to.family(family.name, type, family.unit, family.help);
    for (const Interface& i : node.interfaces) to.sample({{"interface", i.ifname}}, family.of(i));
  }
}

void write_drops(Exposition& to, const NodeReading& node) {
  to.family("virtif_dropped_frames", "counter", "frames", "Frames that went no further, each for one reason.");
  for (const Interface& i : node.interfaces) {
    for (std::size_t reason = 0; reason < kDropReasons; ++reason) {
      to.sample({{"interface", i.ifname}, {"reason", kDropReasonNames[reason]}}, i.data.drops[reason]);
    }
  }
}

void write_control(Exposition& to, const NodeReading& node, const ControlReading& control) {
  to.family("virtifd", "info", "", "This virtifd.");
  to.sample({{"version", VIF_VERSION}}, 1);
  to.family("virtifd_interfaces", "gauge", "", "Interfaces there are.");
  to.sample({}, node.interfaces.size());
  to.family("virtifd_clients", "gauge", "", "Connections to the control socket.");
  to.sample({}, control.clients);
  to.family("virtifd_requests", "counter", "", "Requests they made.");
  to.sample({}, control.requests);
  to.family("virtifd_events", "counter", "", "Events there were, as `virtifctl monitor` numbers them.");
  to.sample({}, node.events);
}

}  // namespace

NodeReading read_node(host::Node& node) {
  NodeReading reading;
  for (const net::Ifnet* ifp : node.domain().interfaces()) {
    const auto* driver = dynamic_cast<const drv::Virtif*>(node.interfaces().find_clone(ifp->name()));
    const auto linkstr = driver == nullptr ? std::nullopt : driver->linkstr();
    const bool up = ifp->is(net::IFF_UP);
    reading.interfaces.push_back({ifp->name(), ifp->lladdr().to_string(), std::string(linkstr.value_or("")), up,
                                  up && ifp->link_state() == net::LinkState::up, ifp->mtu_bytes(),
                                  ifp->counters.read()});
  }
  return reading;
}

std::string metrics_text(const NodeReading& node, const ControlReading& control) {
  Exposition to;
  write_control(to, node, control);
  to.family("virtif_interface", "info", "", "An interface, its address and what it is linked to.");
  for (const Interface& i : node.interfaces) {
    to.sample({{"interface", i.ifname}, {"address", i.address}, {"linkstr", i.linkstr}}, 1);
  }
  write(to, "gauge", kGauges, node);
  write(to, "counter", kCounters, node);
  write_drops(to, node);
  return std::move(to).end();
}

}  // namespace vif::tools
