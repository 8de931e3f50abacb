// SPDX-License-Identifier: BSD-2-Clause
// Listens to interfaces for one client: the domain's thread copies each frame that matches into a bounded ring, from
// which another thread takes it. It never waits for that thread: without room the frame is lost to this client, and
// counted.
//
//   Ifnet::taps -> CaptureTap::tap -> ByteRing   domain's thread | reader's thread   readable(), consume() -> client
//
// Made and destroyed by the reader, which sees to it that the domain's thread is done with it: stop() has returned
// there.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "hypercall/host/capture/byte_ring.hpp"
#include "hypercall/host/capture/capture_record.hpp"
#include "netstack/ifnet.hpp"

namespace vif::host {

class CaptureTap final : private net::IfEventListener {
 public:
  static constexpr std::size_t kRingBytes = std::size_t{8} << 20;  // 7 ms at 10 Gbit/s
  static constexpr std::size_t kInterfacesMax = 256;

  struct Config {
    net::BpfProgram program;
    net::BpfDirections directions = net::BpfDirections::both;
    std::uint32_t snap_bytes = kCaptureBodyBytesMax;  // at most that
  };

  // `wake` ends the reader's sleep, from the domain's thread. Both outlive this.
  CaptureTap(ClockPort& clock, net::WakePort& wake);
  ~CaptureTap() override;
  CaptureTap(const CaptureTap&) = delete;
  CaptureTap& operator=(const CaptureTap&) = delete;

  // --- the domain's thread ---

  // Listens to these from now on, in this order; once. 1 to kInterfacesMax, each of them once.
  void attach(std::span<net::Ifnet* const> interfaces, const Config& config);
  // Ends what there still is: for each interface left a record of what came of its frames. May be called again.
  void stop();

  // --- the reader ---

  ByteRing& ring() { return ring_; }
  // What was published last is the end: the interfaces are gone, or stop() was called.
  bool ended() const { return ended_.load(std::memory_order_relaxed); }

 private:
  class Listener;

  void if_arrived(net::Ifnet&) override {}
  void if_link_changed(net::Ifnet&) override {}
  void if_departed(net::Ifnet& ifp) override;
  void end(std::unique_ptr<Listener>& listener, CaptureRecord::Kind why);
  void publish() {
    if (ring_.publish()) wake_.wake();
  }

  ClockPort& clock_;
  net::WakePort& wake_;
  ByteRing ring_;
  std::uint32_t snap_bytes_ = 0;
  net::Domain* domain_ = nullptr;                     // null: nothing is attached
  std::vector<std::unique_ptr<Listener>> listeners_;  // as the interfaces were given; null: ended
  std::atomic<bool> ended_{false};
};

}  // namespace vif::host
