// SPDX-License-Identifier: BSD-2-Clause
// Reads a tunnel's socket, several trains with each system call, and hands out the datagrams in place, in order. They
// stay until the next read. One thread.
#pragma once

#include <array>
#include <memory>
#include <utility>

#include "hypercall/vxlan/rx_train.hpp"
#include "hypercall/vxlan/udp_address.hpp"

namespace vif::host {

class TunnelReceiver {
 public:
  struct Arrived {
    UdpAddress sender;
    RxTrain train;
    std::uint16_t udp_segment_bytes = 0;  // of the one frame in it, where that is a super-frame of UDP
  };

  TunnelReceiver();
  TunnelReceiver(const TunnelReceiver&) = delete;
  TunnelReceiver& operator=(const TunnelReceiver&) = delete;

  // When nothing is left of the last read. 0, or the errno: EAGAIN when there is nothing to read.
  int read(int socket);
  // Whether the last read found all there was.
  bool drained() const { return count_ < kTrains; }

  // The first train with datagrams not taken yet; null: there is none.
  Arrived* front();
  // Datagrams read and not taken, which are now forgotten.
  std::uint64_t forget();

  // From here on take_discarded() counts what the kernel discards beyond these.
  void count_discarded_from(std::uint32_t discarded) { discarded_before_ = discarded; }
  void count_discarded_until(std::uint32_t discarded);
  // Datagrams there was no room for.
  std::uint64_t take_discarded() { return std::exchange(discarded_, 0); }

 private:
  static constexpr std::size_t kTrains = 8;           // more would push each other out of the caches
  static constexpr std::size_t kTrainBytes = 65'536;  // no datagram of IPv4 or IPv6 is as long, and no train
  static constexpr std::size_t kControlBytes = 128;   // what RxNotes reads, and room

  struct Control {
    alignas(cmsghdr) std::array<std::byte, kControlBytes> bytes;
  };

  void arrived(std::size_t message);

  std::unique_ptr<std::byte[]> bytes_;
  std::array<Arrived, kTrains> arrived_;
  std::array<mmsghdr, kTrains> messages_{};
  std::array<iovec, kTrains> pieces_{};
  std::array<Control, kTrains> controls_;
  std::size_t next_ = 0, count_ = 0;  // of arrived_
  std::uint32_t discarded_before_ = 0;
  std::uint64_t discarded_ = 0;
};

}  // namespace vif::host
