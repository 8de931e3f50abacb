// SPDX-License-Identifier: BSD-2-Clause
// What packetdrill's plugin reads: its flags, and the frames its gateway is sent. Flags are refused with words, or say
// a host's addresses; the gateway answers with whole frames to us, and shows packets that lie inside what it was given.
#include <algorithm>
#include <cstdint>

#include "hypercall/packetdrill/gateway.hpp"
#include "hypercall/packetdrill/settings.hpp"
#include "netstack/ether_demux.hpp"

namespace {

using namespace vif;
using namespace vif::host::packetdrill;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check_flags(std::string_view text) {
  const auto settings = Settings::parse(text);
  if (!settings) return require(!settings.error().text.empty());
  require(settings->local4.address.is_v4() && settings->local4.address.is_unicast());
  require(!settings->local6.address.is_v4() && settings->local6.address.is_unicast());
}

void check_frame(Bytes frame) {
  if (const auto reply = answer(frame)) {
    require(reply->size() > net::kEtherHeaderBytes);
    require(net::EtherHeader::load(reply->data()).dst == kOurMac);
  }
  const Bytes packet = packet_in(frame);
  if (packet.empty()) return;
  require(packet.data() >= frame.data() && packet.data() + packet.size() <= frame.data() + frame.size());
  require(std::ranges::equal(packet_in(to_us(packet)), packet));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_flags({reinterpret_cast<const char*>(data), size});
  check_frame(std::as_bytes(std::span(data, size)));
  return 0;
}
