// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/events.hpp"

#include <array>

namespace vif::tools {

Events::Events(host::Node& node, EventSink& sink) : node_(node), sink_(sink) { node_.listen(this); }
Events::~Events() { node_.listen(nullptr); }

void Events::tell(std::string_view kind, const host::Json& what) {
  host::Json event = {{"seq", ++last_}, {"time_ns", node_.domain().now().count()}, {"kind", kind}};
  event.update(what);
  sink_.happened(last_, std::move(event));
}

void Events::link_arrived(const net::Ifnet& ifp) { tell("link.new", {{"link", host::link_json(node_, ifp, false)}}); }

void Events::link_departed(const net::Ifnet& ifp) {
  tell("link.del", {{"link", {{"ifindex", ifp.index()}, {"ifname", ifp.name()}}}});
}

void Events::link_changed(const net::Ifnet& ifp) {
  tell("link.change", {{"link", host::link_json(node_, ifp, false)}});
}

void Events::address_changed(const net::Ifnet& ifp, const net::inet::InterfaceAddress& address,
                             net::inet::AddressEvent event) {
  static constexpr std::array kKinds = {"addr.ready", "addr.duplicate", "addr.conflict", "addr.deprecated", "addr.del"};
  tell(kKinds[static_cast<std::size_t>(event)], {{"ifname", ifp.name()}, {"local", address.prefix.to_string()}});
}

}  // namespace vif::tools
