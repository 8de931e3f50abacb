// SPDX-License-Identifier: BSD-2-Clause
// One VXLAN network as this end of it sees it: which datagrams are frames of it, who was heard behind which remote, and
// so where a frame goes. Pure; one thread.
#pragma once

#include <array>
#include <utility>

#include "hypercall/vxlan/mac_table.hpp"
#include "hypercall/vxlan/remotes.hpp"
#include "hypercall/vxlan/rx_train.hpp"
#include "virtif/link.hpp"

namespace vif::host {

class VxlanNetwork {
 public:
  static constexpr Remotes::Number kEvery = 65'535;  // instead of a remote: all of them

  VxlanNetwork(std::uint32_t vni, Remotes remotes, std::uint64_t seed)
      : vni_(vni), remotes_(std::move(remotes)), stations_(seed) {}

  std::uint32_t vni() const { return vni_; }
  const Remotes& remotes() const { return remotes_; }

  // The remote a frame is for.
  Remotes::Number way_of(const drv::TxFrame& frame) const;

  // Takes datagrams off the front of the train, at most as many as `into` has room for; writes there the frames in
  // them, and learns. Those that are no frames of this network are counted.
  struct When {
    Time now{};
    std::int64_t wall_ns = 0;
  };
  struct Taken {
    std::size_t datagrams = 0, frames = 0;
  };
  Taken take(const UdpAddress& sender, RxTrain& train, std::span<drv::RxFrame> into, const When& when);

  void forget_before(Time since) { stations_.forget_before(since); }

  // Why take() refuses datagrams, and how many it has since last asked.
  static constexpr std::array kRefusals = {DropReason::rx_malformed, DropReason::other_network,
                                           DropReason::unknown_peer};
  std::uint64_t take_refused(DropReason why) { return std::exchange(refused_[static_cast<std::size_t>(why)], 0); }

 private:
  // With one remote there is nothing to choose.
  bool learns() const { return remotes_.size() > 1; }

  std::uint32_t vni_;
  Remotes remotes_;
  MacTable stations_;
  std::array<std::uint64_t, kDropReasons> refused_{};
};

}  // namespace vif::host
