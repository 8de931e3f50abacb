// SPDX-License-Identifier: BSD-2-Clause
// link.add, link.set, link.del, link.show: interfaces themselves.
#include <algorithm>
#include <array>

#include "hypercall/host/verbs/families.hpp"
#include "virtif/virtif.hpp"

namespace vif::host {
namespace {

constexpr VerbParam kIfname{"ifname", ParamType::text, true, "the interface"};
constexpr VerbParam kLinkstr{"linkstr", ParamType::text_or_null, false,
                             "what to connect to, as in tap:tap0; null: nothing"};
constexpr VerbParam kUp{"up", ParamType::boolean, false, "whether it moves frames"};
constexpr VerbParam kMtu{"mtu", ParamType::number_or_null, false,
                         "bytes of payload, 46 to what its link takes; null: as its link has it"};
constexpr VerbParam kAddress{"address", ParamType::text_or_null, false,
                             "its Ethernet address, as in 02:00:00:00:00:01; null: as its link has it"};
constexpr VerbParam kPromisc{"promisc", ParamType::boolean, false, "whether it hears everything"};
constexpr VerbParam kAllmulti{"allmulti", ParamType::boolean, false, "whether it hears every group"};

constexpr VerbParam kMaster{"master", ParamType::text_or_null, false, "the bridge it is a port of; null: none"};

constexpr std::array kAddParams = {
    VerbParam{"ifname", ParamType::text, true,
              "its name, as in virt0, or bridge0 for a bridge; virt: the lowest free number"},
    kLinkstr,
    kMaster,
    kUp,
    kMtu,
    kAddress,
    kPromisc,
    kAllmulti};
constexpr std::array kSetParams = {kIfname, kLinkstr, kMaster, kUp, kMtu, kAddress, kPromisc, kAllmulti};
constexpr std::array kDelParams = {kIfname};
constexpr std::array kShowParams = {VerbParam{"ifname", ParamType::text, false, "this one; all, when it is not given"},
                                    VerbParam{"stats", ParamType::boolean, false, "with counters"}};

Status set_up(net::Ifnet& ifp, bool up) {
  return ifp.ioctl(net::SetFlags{up ? ifp.flags() | net::IFF_UP : ifp.flags() & ~std::uint32_t{net::IFF_UP}});
}

// Descriptors of this process are none of a client's business.
Status check_linkstr(std::string_view text) {
  const Result<drv::Linkstr> parsed = drv::Linkstr::parse(text);
  if (!parsed) return parsed.error();
  if (parsed->argument_nested) return check_linkstr(parsed->argument);
  if (parsed->scheme != "stream" || !parsed->argument.starts_with("fd=")) return {};
  return fail(EPERM, "'" + std::string(text) + "' would take a descriptor of this process: name a socket's path");
}

drv::Virtif* driver_of(Node& node, const net::Ifnet& ifp) {
  return dynamic_cast<drv::Virtif*>(node.interfaces().find_clone(ifp.name()));
}

Status set_linkstr(Node& node, net::Ifnet& ifp, const Json& linkstr) {
  if (linkstr.is_null()) return ifp.ioctl(net::UnsetLinkstr{});
  const auto& wanted = linkstr.get_ref<const std::string&>();
  if (Status ours = check_linkstr(wanted); !ours) return ours;
  drv::Virtif* const driver = driver_of(node, ifp);
  return driver != nullptr ? driver->relink(wanted) : ifp.ioctl(net::SetLinkstr{wanted});
}

Status set_mtu(Node& node, net::Ifnet& ifp, const Json& mtu) {
  drv::Virtif* const driver = driver_of(node, ifp);
  Status done;
  if (mtu.is_null() && driver != nullptr) driver->follow_mtu();
  else {
    const std::uint64_t bytes = mtu.is_null() ? net::Ifnet::kMtuDefault : mtu.get<std::uint64_t>();
    done = ifp.ioctl(net::SetMtu{static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, UINT32_MAX))});
  }
  if (done) node.asked(ifp).mtu = !mtu.is_null();
  return done;
}

// A bridge has no link to have it from, and keeps what it has.
Status set_address(Node& node, net::Ifnet& ifp, const Json& address) {
  if (address.is_null()) {
    if (drv::Virtif* const driver = driver_of(node, ifp)) driver->follow_lladdr();
    return {};
  }
  const Result<net::MacAddress> mac = net::MacAddress::parse(address.get_ref<const std::string&>());
  return mac ? ifp.ioctl(net::SetLladdr{*mac}) : Status(mac.error());
}

// A port has no stack of its own: its frames are the bridge's.
Status set_master(Node& node, net::Ifnet& ifp, const Json& master) {
  if (master.is_null()) {
    const net::Ifnet* const left = node.bridges().master_of(ifp);
    if (left == nullptr) return {};
    Status done = node.bridges().leave(ifp);
    node.fit_bridge(*left);
    return done;
  }
  const Result<net::Ifnet*> bridge = node.find(master.get_ref<const std::string&>());
  if (!bridge) return bridge.error();
  if (node.bridges().find(**bridge) == nullptr) return node.bridges().join(ifp, **bridge);  // which says so
  const auto asked = [](const auto& address) { return address.origin == net::inet::AddressOrigin::manual; };
  if (std::ranges::any_of(node.inet().addresses(ifp), asked) || node.leases().find(ifp) != nullptr) {
    return fail(EBUSY, ifp.name() + " has IP addresses: take them away, and give them to " + (*bridge)->name());
  }
  (void)node.inet().detach(ifp);  // ENXIO: it was not attached
  return node.bridges().join(ifp, **bridge);
}

// The mode is counted; an operator holds at most one reference of it.
template <class Request>
Status set_counted(net::Ifnet& ifp, bool& held, bool on) {
  if (held == on) return {};
  Status done = ifp.ioctl(Request{on});
  if (done) held = on;
  return done;
}

// Down before, up after everything else, so that one call may relink an interface that is up.
Status apply(Node& node, net::Ifnet& ifp, const Json& params) {
  const auto given = [&](const VerbParam& param) { return params.find(param.name) != params.end(); };
  const bool up = given(kUp) && params["up"].get<bool>();
  if (given(kUp) && !up) {
    if (Status done = set_up(ifp, false); !done) return done;
  }
  Node::Asked& asked = node.asked(ifp);
  Status done;
  if (given(kLinkstr)) done = set_linkstr(node, ifp, params["linkstr"]);
  if (done && given(kMaster)) done = set_master(node, ifp, params["master"]);
  if (done && given(kAddress)) done = set_address(node, ifp, params["address"]);
  if (done && given(kMtu)) done = set_mtu(node, ifp, params["mtu"]);
  node.fit_bridge(ifp);
  if (done && given(kPromisc)) done = set_counted<net::SetPromisc>(ifp, asked.promisc, params["promisc"].get<bool>());
  if (done && given(kAllmulti))
    done = set_counted<net::SetAllmulti>(ifp, asked.allmulti, params["allmulti"].get<bool>());
  if (done && up) done = set_up(ifp, true);
  return done;
}

Result<Json> add(Node& node, const Json& params) {
  node.begin_making();
  const Result<net::Ifnet*> created = node.interfaces().create(params["ifname"].get_ref<const std::string&>());
  Status done = created ? apply(node, **created, params) : Status(created.error());
  if (!done) {
    if (created) (void)node.interfaces().destroy((*created)->name());  // all or nothing
    node.end_making(nullptr);
    return done.error();
  }
  net::Ifnet& ifp = **created;
  node.end_making(&ifp);
  return link_json(node, ifp, false);
}

Result<Json> set(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  const Json before = link_json(node, **ifp, false);
  const Status done = apply(node, **ifp, params);
  // What came before a failure has been done.
  if (done || link_json(node, **ifp, false) != before) node.changed(**ifp);
  if (!done) return done.error();
  return link_json(node, **ifp, false);
}

Result<Json> del(Node& node, const Json& params) {
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  std::vector<net::Ifnet*> ports = node.bridges().ports(**ifp);
  std::erase(ports, *ifp);
  if (Status gone = node.interfaces().destroy((*ifp)->name()); !gone) return gone.error();
  for (const net::Ifnet* port : ports) node.changed(*port);  // it has no master any more
  return Json::object();
}

Result<Json> show(Node& node, const Json& params) {
  const Result<std::vector<net::Ifnet*>> chosen = chosen_interfaces(node, params);
  if (!chosen) return chosen.error();
  Json links = Json::array();
  for (const net::Ifnet* ifp : *chosen) links.push_back(link_json(node, *ifp, params.value("stats", false)));
  return links;
}

constexpr std::array kVerbs = {
    Verb{"link.add", "Makes an interface; all that is asked, or nothing.", kAddParams, "the interface, as link.show",
         add},
    Verb{
        "link.set",
        "Changes an interface, in this order: down, link, bridge, address, MTU, modes, up. A new link takes the old "
        "one's place; where it cannot be had, the old one stays. The same wire with other options is closed first, and "
        "opened again if they are refused.",
        kSetParams, "the interface, as link.show", set},
    Verb{"link.del", "Takes an interface away.", kDelParams, "{}", del},
    Verb{"link.show", "The interfaces, oldest first, with keys of `ip -j -d link`.", kShowParams,
         "an array of interfaces", show, nullptr, true},
};

}  // namespace

std::span<const Verb> link_verbs() { return kVerbs; }

Result<std::vector<net::Ifnet*>> chosen_interfaces(Node& node, const Json& params) {
  if (!params.contains("ifname")) return node.domain().interfaces();
  const Result<net::Ifnet*> ifp = named_interface(node, params);
  if (!ifp) return ifp.error();
  return std::vector{*ifp};
}

}  // namespace vif::host
