// SPDX-License-Identifier: BSD-2-Clause
// Sends trains of frames to their remotes with as few system calls as this kernel allows, and accounts for each frame:
// sent to somebody, waiting, or failed. One thread.
#pragma once

#include "hypercall/vxlan/tunnel_socket.hpp"
#include "hypercall/vxlan/tx_trains.hpp"
#include "hypercall/vxlan/vxlan_network.hpp"

namespace vif::host {

class TunnelSender {
 public:
  // Both outlive it.
  TunnelSender(const TunnelSocket& socket, const VxlanNetwork& network);
  TunnelSender(const TunnelSender&) = delete;
  TunnelSender& operator=(const TunnelSender&) = delete;

  // Copies the frame. False: no room, flush first.
  bool push(const drv::TxFrame& frame) { return trains_.push(frame, network_.way_of(frame), in_trains_); }

  enum class Flushed : std::uint8_t {
    all,       // nothing is left
    full,      // the socket's buffer is: go on when it is writable
    later,     // the host has no room elsewhere: go on after a while
    unusable,  // the socket is not one any more; errno says how
  };
  Flushed flush();
  bool is_empty() const { return at_.train == trains_.trains().size(); }
  // Gives up what was not sent. It counts as failed.
  void abandon();

  // Trains again, where the kernel has refused one: its route may be another by now.
  void try_trains() { in_trains_ = socket_.has_segment(); }

  std::uint64_t take_failed() { return std::exchange(failed_, 0); }  // frames of which no copy was sent

  // What a refusal gave reason to look at.
  struct Doubts {
    bool reports = false;  // the error queue may say more
    bool path = false;     // it may have become narrower
  };
  Doubts take_doubts() { return std::exchange(doubts_, {}); }

 private:
  static constexpr std::size_t kMessages = 64;

  // The next message to send.
  struct Place {
    std::size_t train = 0;
    std::size_t copy = 0;     // of the remotes it goes to
    std::size_t segment = 0;  // where the train goes one by one
    bool singly = false;
  };
  struct Control {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> bytes{};
  };

  unsigned describe();
  void describe(std::size_t message, const Place& place);
  std::size_t segments_at(const Place& place) const;
  Place behind(Place place) const;
  void done(bool sent);
  void refused(int number);

  const TunnelSocket& socket_;
  const VxlanNetwork& network_;
  TxTrains trains_;
  bool in_trains_;
  Place at_;
  std::uint64_t reached_ = 0;  // segments of the train at_ of which a copy was sent, a bit each
  std::uint64_t failed_ = 0;
  Doubts doubts_;
  std::array<mmsghdr, kMessages> messages_{};
  std::array<iovec, kMessages> pieces_{};
  std::array<Control, kMessages> controls_{};
};

}  // namespace vif::host
