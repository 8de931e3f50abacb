// SPDX-License-Identifier: BSD-2-Clause
// From one wire to another, so that a wire that cannot be had costs nothing where that can be told beforehand.
#include "virtif/virtif.hpp"

namespace vif::drv {
namespace {

// What stands inside all brackets: a link string with the same scheme and argument there reaches the same wire.
Linkstr innermost(Linkstr linkstr) {
  while (linkstr.argument_nested) {
    Result<Linkstr> inner = Linkstr::parse(linkstr.argument);
    if (!inner) break;
    linkstr = std::move(*inner);
  }
  return linkstr;
}

}  // namespace

Status Virtif::relink(std::string_view text) {
  if (Status may = may_change_link(); !may) return may;
  if (!link_) return set_linkstr(text);
  Result<Linkstr> parsed = Linkstr::parse(text);
  if (!parsed) return std::move(parsed).error();
  if (Status fits = opener_.check(*parsed); !fits) return fits;

  const bool was_up = ifp_.is(net::IFF_UP);
  if (was_up) {
    if (Status down = ifp_.ioctl(net::SetFlags{ifp_.flags() & ~std::uint32_t{net::IFF_UP}}); !down) return down;
  }
  Status done = change_wire(*parsed, std::string(text));
  if (!was_up) return done;
  Status up = ifp_.ioctl(net::SetFlags{ifp_.flags() | net::IFF_UP});
  return done ? up : done;
}

// To another wire by opening it first. The same wire cannot always be had twice, and who is at its other end may not
// take two: then the old link goes first, and is opened again when the new one is refused.
Status Virtif::change_wire(const Linkstr& wanted, std::string text) {
  const std::string text_before = linkstr_;
  const Linkstr before = *Linkstr::parse(text_before);
  const Linkstr from = innermost(before), to = innermost(wanted);
  if (from.scheme != to.scheme || from.argument != to.argument) {
    Result<OpenLink> opened = open(wanted);
    // Another wire, but from the same address of ours.
    const bool in_use = !opened && opened.error().number() == EADDRINUSE && from.scheme == to.scheme;
    if (!opened && !in_use) return std::move(opened).error();
    if (opened) {
      Status may = may_close();
      const net::UpcallScope scope(ifp_.domain());  // for whichever of the two goes
      if (!may) return opened->port.reset(), may;
      close_link();
      adopt(std::move(*opened), std::move(text));
      return {};
    }
  }
  if (Status may = may_close(); !may) return may;
  let_go();
  Result<OpenLink> opened = open(wanted);
  if (opened) {
    adopt(std::move(*opened), std::move(text));
    return {};
  }
  Result<OpenLink> again = open(before);
  if (!again) {
    return Error{opened.error().code,
                 opened.error().text + "; and '" + text_before + "' cannot be had again: " + again.error().text};
  }
  adopt(std::move(*again), text_before);
  return std::move(opened).error();
}

}  // namespace vif::drv
