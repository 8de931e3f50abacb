// SPDX-License-Identifier: BSD-2-Clause
// Anything that may come out of a tunnel's socket: control messages, trains cut anyhow, datagrams of anybody. Every
// datagram becomes a frame or is counted, frames and what is left to do on them lie within the bytes that came, and
// what was learned leads somewhere.
//
// Input: messages, each a byte of sender, one of how much room there is, one of control bytes (by fours), the control
// bytes, a two-byte length (big-endian) and as many bytes as are left.
#include <array>
#include <cstdint>
#include <vector>

#include "hypercall/vxlan/vxlan_network.hpp"
#include "hypercall/vxlan/work_left.hpp"

namespace vif::host {
namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

struct Input {
  std::span<const std::uint8_t> left;

  std::uint8_t byte() { return take(1).empty() ? 0 : *(left.data() - 1); }
  Bytes take(std::size_t bytes) {
    const auto taken = left.first(std::min(bytes, left.size()));
    left = left.subspan(taken.size());
    return std::as_bytes(taken);
  }
};

RxNotes notes_of(Bytes control) {
  alignas(cmsghdr) std::array<std::byte, 1024> bytes{};
  std::copy(control.begin(), control.end(), bytes.begin());
  msghdr message{};
  message.msg_control = bytes.data();
  message.msg_controllen = control.size();
  return RxNotes::read(message);
}

std::uint64_t refused(VxlanNetwork& network) {
  std::uint64_t all = 0;
  for (const DropReason why : VxlanNetwork::kRefusals) all += network.take_refused(why);
  return all;
}

void look_at(VxlanNetwork& network, const drv::RxFrame& frame, Bytes within) {
  require(frame.bytes.data() >= within.data() &&
          frame.bytes.data() + frame.bytes.size() <= within.data() + within.size());
  const net::Offload left = work_left(frame.bytes, {1450, 1000});
  require(!left.is_pending() || left.csum_start + left.csum_offset + 2U <= frame.bytes.size());
  require(!left.is_super_frame() || (left.gso_size > 0 && left.hdr_len < frame.bytes.size()));
  if (frame.bytes.size() < 12) return;
  // An answer to its sender.
  std::vector<std::byte> answer(frame.bytes.begin() + 6, frame.bytes.begin() + 12);
  const Bytes slice = answer;
  const Remotes::Number way = network.way_of({{&slice, 1}, 6, {}});
  require(way == VxlanNetwork::kEvery || way < network.remotes().size());
}

void check(std::span<const std::uint8_t> data) {
  std::vector<UdpAddress> addresses;
  for (const char* text : {"10.0.0.2", "10.0.0.3", "10.0.0.3:7"}) addresses.push_back(*UdpAddress::parse(text, 4789));
  VxlanNetwork network(7, Remotes(addresses), data.size());
  addresses.push_back(*UdpAddress::parse("10.9.9.9", 4789));
  for (Input input{data}; !input.left.empty();) {
    const UdpAddress sender = addresses[input.byte() % addresses.size()];
    std::vector<drv::RxFrame> room(1 + input.byte() % 64);
    const RxNotes notes = notes_of(input.take(std::size_t{input.byte()} * 4));
    const Bytes length = input.take(2);
    const Bytes bytes = input.take(length.size() == 2 ? load_be16(length.data()) : 0);
    RxTrain train(bytes, notes.segment_bytes);
    std::uint64_t datagrams = train.datagrams(), frames = 0;
    require(datagrams > 0);
    while (!train.is_empty()) {
      const VxlanNetwork::Taken taken = network.take(sender, train, room, {});
      require(taken.datagrams > 0 && taken.frames <= taken.datagrams && taken.datagrams <= room.size());
      for (const drv::RxFrame& frame : std::span(room).first(taken.frames)) look_at(network, frame, bytes);
      frames += taken.frames;
      datagrams -= taken.datagrams;
    }
    require(datagrams == 0);
    const std::uint64_t total = RxTrain(bytes, notes.segment_bytes).datagrams();
    require(frames + refused(network) == total);
  }
}

}  // namespace
}  // namespace vif::host

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vif::host::check({data, size});
  return 0;
}
