// SPDX-License-Identifier: BSD-2-Clause
// The driver: one virtual Ethernet interface between a BSD-like stack (Ifnet) and a pluggable link (LinkPort).
//
// A resource of one domain; everything is for that domain's thread but ready(). The states, and what moves between
// them:
//
//   unlinked --set_linkstr--> linked --IFF_UP--> running        unclone: from any state, at once
//            <-unset_linkstr--       <-not UP---
//
// An error leaves the state where it was. Nothing is passed up but while running.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "netstack/ether.hpp"
#include "netstack/if_clone.hpp"
#include "virtif/link.hpp"
#include "virtif/rx_filter.hpp"

namespace vif::drv {

class TxCutter;

class VIF_API Virtif final : public net::ClonedIf, private net::IfDriver, private LinkSink, private net::Pollable {
 public:
  static constexpr std::size_t kBurstFrames = 32;   // gathered for one send
  static constexpr std::size_t kBurstSlices = 128;  // of all of them

  // ENOSPC: the domain polls as many interfaces as it can.
  static Result<std::unique_ptr<Virtif>> create(net::Domain& domain, LinkOpener& opener, const std::string& base,
                                                std::uint32_t unit);
  ~Virtif() override;

  net::Ifnet& ifnet() override { return ifp_; }
  Status unclone() override;

  // Another wire in place of the one it has, if any; an interface that is up goes down for it and comes up again. On an
  // error the old link is there as before: nobody touched it when LinkOpener::check() or opening a different wire
  // refused; it was closed and opened again when the host refused the same wire anew (another option of the same TAP),
  // and then the text says so if it could not be had any more. Errors: as SetLinkstr, and what the old link refuses.
  Status relink(std::string_view text);

  // Takes a SetMtu or SetLladdr back: from now on as its wire wants it, or as it was made. Harmless when there was
  // none.
  void follow_mtu();
  void follow_lladdr();
  // Whether its address is the wire's.
  bool follows_lladdr() const { return link_ && link_->caps.lladdr && !lladdr_set_; }

  // SIOCGLINKSTR: what was set, or nullopt while unlinked.
  std::optional<std::string_view> linkstr() const;
  // What the open link can do; null while unlinked.
  const LinkCaps* caps() const { return link_ ? &link_->caps : nullptr; }
  // What the open link found on this host and uses, in words; empty while unlinked.
  std::string_view link_chosen() const { return link_ ? std::string_view(link_->chosen) : std::string_view(); }
  // Why the link is down, where its backend said so: always when it is for good. Or empty.
  const std::string& link_error() const { return link_error_; }
  // What it stood on was removed (ENODEV); setting the link string anew may have it back.
  bool link_is_gone() const { return link_is_gone_; }

 private:
  // What one send is given; kept, as clearing it for each would cost more than the rest of the way out.
  struct Burst {
    std::array<TxFrame, kBurstFrames> frames;
    std::array<Bytes, kBurstSlices> slices;
  };

  Virtif(net::Domain& domain, LinkOpener& opener, const std::string& base, std::uint32_t unit);
  // Where the wire has no opinion.
  const net::MacAddress& lladdr_of_ours() const { return lladdr_set_ ? ifp_.lladdr() : made_lladdr_; }

  // IfDriver
  Status if_init() override;
  void if_stop() override;
  void if_start() override;
  Status if_ioctl(const net::IfRequest& request) override;

  // LinkSink
  void deliver(std::span<const RxFrame> frames) override;
  void ready() override { ifp_.domain().ready(*slot_); }
  void link_changed(net::LinkState state, const Error* why) override;
  void caps_changed(const LinkCaps& caps) override;
  void lost(DropReason reason, std::uint64_t frames) override { ifp_.drop(reason, frames); }

  // Pollable
  bool poll(std::size_t budget) override;

  Status set_linkstr(std::string_view text);
  Status unset_linkstr();
  Status change_wire(const Linkstr& wanted, std::string text);
  Status may_change_link() const;
  Status may_close() const;
  Result<OpenLink> open(const Linkstr& linkstr);
  void adopt(OpenLink opened, std::string linkstr);
  void let_go();
  void close_link();
  void reprogram();
  void follow(const LinkCaps& caps);
  void follow_again();

  void receive(const RxFrame& frame);
  std::span<const TxFrame> gather();
  bool cutting() const;
  bool begin_cutting(net::MbufPtr& m, DropReason& why);
  bool fit(net::MbufPtr& m, DropReason& why);
  void sent(std::size_t frames);
  void sent_oldest();
  void drop_oldest(DropReason why);
  void purge();

  net::Ifnet ifp_;
  LinkOpener& opener_;
  std::optional<std::size_t> slot_;  // among the domain's polled; none only when create() fails
  std::optional<OpenLink> link_;
  std::unique_ptr<TxCutter> cutter_;  // of a link that does not take every offload
  std::string linkstr_;
  std::string link_error_;
  bool link_is_gone_ = false;
  RxFilter filter_;
  Burst burst_;
  net::MacAddress made_lladdr_;  // which it was made with
  bool lladdr_set_ = false;      // by the user, who then outranks the backend
  bool mtu_set_ = false;         // likewise
  bool starting_ = false;        // if_start is on the stack
  bool departing_ = false;       // uncloned
};

}  // namespace vif::drv
