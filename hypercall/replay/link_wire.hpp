// SPDX-License-Identifier: BSD-2-Clause
// Any link as the wire of a replay: frames go to its backend as they lie, in bursts, and what arrives is handed on as
// it would be on a wire, whatever work its sender left to others.
//
// It stands where the driver would, so no interface is in between: what `send` took, the backend took. On the domain's
// thread.
#pragma once

#include <array>

#include "netstack/domain.hpp"
#include "netstack/replay/replayer.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// Who stands behind a LinkWire. Called from inside Domain::poll only.
class WireListener {
 public:
  virtual ~WireListener() = default;
  // A frame arrived; borrowed for the call.
  virtual void wire_received(Bytes frame) = 0;
  virtual void wire_writable() = 0;
  // The carrier came or went; `why` as LinkSink::link_changed.
  virtual void wire_link_changed(net::LinkState state, const Error* why) = 0;
};

class LinkWire final : public net::ReplayWire, private drv::LinkSink, private net::Pollable {
 public:
  // Errors: as LinkOpener and LinkPort::start. The host and the listener outlive it.
  struct Host {
    drv::LinkOpener& opener;
    ClockPort& clock;
    net::Domain& domain;
  };
  static Result<std::unique_ptr<LinkWire>> open(const std::string& linkstr, const Host& host, WireListener& listener);
  ~LinkWire() override;
  LinkWire(const LinkWire&) = delete;
  LinkWire& operator=(const LinkWire&) = delete;

  Sent send(std::span<const Bytes> frames) override;
  void ready() override { domain_.ready(*slot_); }

  const drv::LinkCaps& caps() const { return link_.caps; }
  const std::string& chosen() const { return link_.chosen; }
  net::LinkState link_state() const { return link_.caps.link_state; }

  // No more is received; what the backend knows to have lost is counted. Harmless when closed.
  void close();
  std::uint64_t sent_frames() const { return sent_frames_; }  // taken by the backend
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  Time first_sent() const { return first_sent_; }             // before the first frame was taken
  Time last_sent() const { return last_sent_; }               // after the last one was
  std::uint64_t lost_frames() const { return lost_frames_; }  // taken, and lost by the backend later
  std::uint64_t received_frames() const { return received_frames_; }
  std::uint64_t unreadable_frames() const { return unreadable_frames_; }  // arrived with work that cannot be done

 private:
  static constexpr std::size_t kBurstFrames = 32;
  static constexpr std::size_t kPaddedBytesMax = 60;  // LinkCaps::frame_bytes_min

  LinkWire(const Host& host, WireListener& listener) : clock_(host.clock), domain_(host.domain), listener_(listener) {}
  Bytes padded(Bytes frame, std::size_t slot);

  void deliver(std::span<const drv::RxFrame> frames) override;
  void link_changed(net::LinkState state, const Error* why) override;
  void caps_changed(const drv::LinkCaps& caps) override { link_.caps = caps; }
  void lost(DropReason reason, std::uint64_t frames) override;
  bool poll(std::size_t budget) override;

  ClockPort& clock_;
  net::Domain& domain_;
  WireListener& listener_;
  drv::OpenLink link_;
  std::optional<std::size_t> slot_;  // among the domain's polled
  bool started_ = false;
  std::array<std::array<std::byte, kPaddedBytesMax>, kBurstFrames> padding_{};
  net::Scratch scratch_;
  std::vector<Bytes> arrived_;
  std::optional<Time> begun_;  // sending
  Time first_sent_{}, last_sent_{};
  std::uint64_t sent_frames_ = 0, sent_bytes_ = 0;
  std::uint64_t lost_frames_ = 0, received_frames_ = 0, unreadable_frames_ = 0;
};

}  // namespace vif::host
