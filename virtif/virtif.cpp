// SPDX-License-Identifier: BSD-2-Clause
// Life cycle: create, link, run, stop, unlink, go - in that order and back.
#include "virtif/virtif.hpp"

#include <algorithm>

#include "virtif/tx_cutter.hpp"

namespace vif::drv {

using net::Reprogram;

namespace {

// A wire without an opinion.
constexpr LinkCaps kNoWire{.frame_bytes_max = net::kFrameBytesMax};

}  // namespace

Virtif::Virtif(net::Domain& domain, LinkOpener& opener, const std::string& base, std::uint32_t unit)
    : ifp_(domain, *this, base, unit, net::IfQueue::kDefaultFrames),
      opener_(opener),
      made_lladdr_(net::random_mac(domain.random().next())) {}

Result<std::unique_ptr<Virtif>> Virtif::create(net::Domain& domain, LinkOpener& opener, const std::string& base,
                                               std::uint32_t unit) {
  std::unique_ptr<Virtif> sc(new Virtif(domain, opener, base, unit));
  sc->slot_ = domain.enter(*sc);
  if (!sc->slot_) return fail(std::errc::no_space_on_device, "the domain is full: raise its interfaces_max");
  net::ether_ifattach(sc->ifp_, sc->made_lladdr_);
  return sc;
}

// Down and away in this order: no more output, no more upcalls, nothing queued, nobody listening, closed.
Virtif::~Virtif() {
  net::Domain& domain = ifp_.domain();
  departing_ = true;
  if (ifp_.is(net::IFF_RUNNING)) if_stop();
  if (ifp_.index() != 0) domain.withdraw(ifp_);
  net::ether_ifdetach(ifp_);
  if (slot_) domain.leave(*slot_);
  close_link();
}

void Virtif::close_link() {
  const net::UpcallScope scope(ifp_.domain());
  cutter_.reset();
  link_.reset();
}

Status Virtif::unclone() {
  if (Status may = may_close(); !may) return may;
  departing_ = true;
  return {};
}

Status Virtif::may_close() const {
  if (!link_ || link_->dying == nullptr) return {};
  const net::UpcallScope scope(ifp_.domain());  // a backend may call us: what it asks for has to wait
  return link_->dying->dying();
}

std::optional<std::string_view> Virtif::linkstr() const {
  if (!link_) return std::nullopt;
  return linkstr_;
}

// The link may not be stopped while one of its upcalls is on the stack.
Status Virtif::may_change_link() const {
  if (ifp_.domain().in_upcall()) {
    return fail(std::errc::resource_deadlock_would_occur,
                ifp_.name() + ": flags and link cannot change from inside an upcall; post the change to the domain");
  }
  if (departing_) return fail(ENXIO, ifp_.name() + " is being destroyed");
  return {};
}

Status Virtif::if_ioctl(const net::IfRequest& request) {
  const bool may_stop_link = std::holds_alternative<net::SetFlags>(request) ||
                             std::holds_alternative<net::SetLinkstr>(request) ||
                             std::holds_alternative<net::UnsetLinkstr>(request);
  if (may_stop_link) {
    if (Status may = may_change_link(); !may) return may;
  }
  if (departing_) return fail(ENXIO, ifp_.name() + " is being destroyed");
  if (const auto* set = std::get_if<net::SetLinkstr>(&request)) return set_linkstr(set->text);
  if (std::holds_alternative<net::UnsetLinkstr>(request)) return unset_linkstr();

  const net::MacAddress before = ifp_.lladdr();
  Result<Reprogram> done = net::ether_ioctl(ifp_, request);
  if (!done) return std::move(done).error();
  if (std::holds_alternative<net::SetLladdr>(request)) lladdr_set_ = true;
  if (std::holds_alternative<net::SetMtu>(request)) mtu_set_ = true;
  if (*done == Reprogram::yes) reprogram();
  if (ifp_.lladdr() != before) ifp_.domain().announce_link_change(ifp_);
  return {};
}

Status Virtif::set_linkstr(std::string_view text) {
  if (ifp_.is(net::IFF_UP)) {
    return fail(std::errc::device_or_resource_busy, ifp_.name() + " is up: bring it down before changing its link");
  }
  if (link_) {
    return fail(std::errc::device_or_resource_busy,
                ifp_.name() + " is linked to '" + linkstr_ + "': unset that link string first");
  }
  Result<Linkstr> parsed = Linkstr::parse(text);
  if (!parsed) return std::move(parsed).error();
  std::string linkstr(text);
  Result<OpenLink> opened = open(*parsed);
  if (!opened) return std::move(opened).error();
  adopt(std::move(*opened), std::move(linkstr));
  return {};
}

Result<OpenLink> Virtif::open(const Linkstr& linkstr) {
  const net::UpcallScope scope(ifp_.domain());
  return opener_.open(linkstr, {ifp_.name(), lladdr_of_ours(), ifp_.domain()});
}

void Virtif::adopt(OpenLink opened, std::string linkstr) {
  link_ = std::move(opened);
  linkstr_ = std::move(linkstr);
  link_error_.clear();
  link_is_gone_ = false;
  if (link_->caps.offload != net::OffloadSet::all()) {
    cutter_ = std::make_unique<TxCutter>(link_->caps, ifp_.counters.linearised);
  }
  follow(link_->caps);
  ifp_.set_link_state(link_->caps.link_state);
}

// The interface as its wire wants it, where the user has not said otherwise.
void Virtif::follow(const LinkCaps& caps) {
  const std::uint32_t mtu_bytes = caps.mtu_bytes != 0 ? caps.mtu_bytes : net::Ifnet::kMtuDefault;
  if (!mtu_set_) ifp_.set_mtu(std::max(mtu_bytes, net::Ifnet::kMtuMin));
  ifp_.set_mtu_max(caps.frame_bytes_max - static_cast<std::uint32_t>(net::kEtherHeaderBytes));
  if (!lladdr_set_) ifp_.set_lladdr(caps.lladdr.value_or(made_lladdr_));
  ifp_.set_baudrate(caps.baudrate);
}

void Virtif::follow_again() {
  follow(link_ ? link_->caps : kNoWire);
  reprogram();
}

void Virtif::follow_mtu() {
  mtu_set_ = false;
  follow_again();
}

void Virtif::follow_lladdr() {
  lladdr_set_ = false;
  follow_again();
}

Status Virtif::unset_linkstr() {
  if (!link_) return fail(std::errc::no_such_file_or_directory, ifp_.name() + " is not linked");
  if (ifp_.is(net::IFF_UP)) {
    return fail(std::errc::device_or_resource_busy, ifp_.name() + " is up: bring it down before unlinking it");
  }
  if (Status may = may_close(); !may) return may;
  let_go();
  return {};
}

void Virtif::let_go() {
  close_link();
  linkstr_.clear();
  link_error_.clear();
  link_is_gone_ = false;
  follow(kNoWire);
  ifp_.set_link_state(net::LinkState::unknown);
}

Status Virtif::if_init() {
  if (!link_) return fail(ENXIO, ifp_.name() + " has no link: set a link string first, as in mem:lan0");
  reprogram();
  Status started = [&] {
    const net::UpcallScope scope(ifp_.domain());
    return link_->port->start(*this);
  }();
  if (!started) return started;
  ifp_.set_flag(net::IFF_RUNNING, true);
  ifp_.domain().trace().running(ifp_.name(), 1);
  ready();  // whatever came before we listened
  return {};
}

void Virtif::if_stop() {
  assert(!ifp_.domain().in_upcall());
  ifp_.set_flag(net::IFF_RUNNING, false);
  ifp_.domain().trace().running(ifp_.name(), 0);
  {
    const net::UpcallScope scope(ifp_.domain());
    link_->port->stop();
  }
  ifp_.set_flag(net::IFF_OACTIVE, false);
  purge();
}

void Virtif::reprogram() {
  filter_.program(ifp_);
  if (!link_) return;
  std::vector<net::MacRange> groups;
  for (const auto& entry : ifp_.groups().entries()) groups.push_back(entry.range);
  link_->port->set_receive_filter({ifp_.lladdr(), ifp_.is(net::IFF_PROMISC), ifp_.is(net::IFF_ALLMULTI), groups});
}

void Virtif::link_changed(net::LinkState state, const Error* why) {
  if (departing_) return;
  link_error_ = why != nullptr ? why->text : "";
  link_is_gone_ = why != nullptr && why->number() == ENODEV;
  ifp_.set_link_state(state, link_error_);
}

void Virtif::caps_changed(const LinkCaps& caps) {
  if (departing_) return;
  link_->caps = caps;
  follow(caps);
  reprogram();
  ifp_.domain().announce_link_change(ifp_);
}

bool Virtif::poll(std::size_t budget) {
  if (!ifp_.is(net::IFF_RUNNING) || departing_) return false;
  const bool more = link_->port->drain(budget);
  ifp_.set_flag(net::IFF_OACTIVE, false);
  if_start();
  return more;
}

}  // namespace vif::drv
