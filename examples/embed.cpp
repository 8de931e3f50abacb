// SPDX-License-Identifier: BSD-2-Clause
// Any stack of yours on a virtual interface: frames in by input(), frames out by transmit(). This one answers ARP and
// ping for one IPv4 address, and nothing else.
// Build: c++ -std=c++20 embed.cpp $(pkg-config --cflags --libs virtif)
// Run: unshare -Ur -n sh -c './a.out tap:t0 192.0.2.1 & sleep 1; ip addr add 192.0.2.2/24 dev t0; ip link set t0 up;
//      ping -c 3 192.0.2.1; kill $!'
#include <hypercall/host/instance.hpp>
#include <hypercall/linux_ports.hpp>
#include <hypercall/run.hpp>
#include <netstack/inet/ip_address.hpp>

#include <cstdio>
#include <cstring>

using namespace vif;

class Stack final : public net::IfInput {
 public:
  explicit Stack(const net::inet::IpAddress& address) { address.store4(address_); }

  // A frame is ours to keep; it begins with its Ethernet header, and most are in one piece.
  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    if (packet->next() != nullptr) return;
    std::byte* const frame = packet->data();
    const std::size_t bytes = packet->len();
    if (bytes < kEther + 28) return;
    const std::uint16_t type = load_be16(frame + 12);
    if (!(type == 0x0806 && answers_arp(frame + kEther, ifp)) && !(type == 0x0800 && answers_ping(frame + kEther)))
      return;
    // Back to who sent it.
    std::memcpy(frame, frame + 6, 6);
    ifp.lladdr().store(frame + 6);
    if (Status sent = ifp.transmit(std::move(packet)); !sent) std::fprintf(stderr, "%s\n", sent.error().text.c_str());
  }

 private:
  static constexpr std::size_t kEther = net::kEtherHeaderBytes;

  // RFC 826: a request for our address becomes the reply.
  bool answers_arp(std::byte* arp, const net::Ifnet& ifp) const {
    if (load_be16(arp + 6) != 1 || std::memcmp(arp + 24, address_, 4) != 0) return false;
    store_be16(arp + 6, 2);
    std::memcpy(arp + 18, arp + 8, 10);  // who asks is now who is answered
    ifp.lladdr().store(arp + 8);
    std::memcpy(arp + 14, address_, 4);
    return true;
  }

  // RFC 792: an echo request becomes the reply. Without IPv4 options; the checksum changes with the type only.
  bool answers_ping(std::byte* ip) const {
    std::byte* const icmp = ip + 20;
    if (ip[0] != std::byte{0x45} || ip[9] != std::byte{1} || icmp[0] != std::byte{8}) return false;
    if (std::memcmp(ip + 16, address_, 4) != 0) return false;
    std::memcpy(ip + 16, ip + 12, 4);
    std::memcpy(ip + 12, address_, 4);
    icmp[0] = std::byte{0};
    const unsigned sum = load_be16(icmp + 2) + 0x0800U;
    store_be16(icmp + 2, static_cast<std::uint16_t>(sum + (sum >> 16)));
    return true;
  }

  std::byte address_[4];
};

Status run(const char* linkstr, const net::inet::IpAddress& address) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  auto loop = host::Loop::create(clock, random, {});
  if (!loop) return loop.error();
  Stack stack(address);
  host::Instance instance({clock, files});
  auto virt0 = instance.attach(**loop).create("virt0");
  if (!virt0) return virt0.error();
  net::Ifnet& ifp = **virt0;
  ifp.set_input(&stack);
  if (Status ok = ifp.ioctl(net::SetLinkstr{linkstr}); !ok) return ok;
  if (Status ok = ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}); !ok) return ok;
  std::puts("answering");
  std::fflush(stdout);
  host::Runner runner(**loop);
  if (Status ok = runner.stop_on_signals(); !ok) return ok;
  return runner.run();
}

int main(int argc, char** argv) {
  const auto address = argc == 3 ? net::inet::IpAddress::parse(argv[2]) : fail(EINVAL, "");
  if (!address || !address->is_v4()) return std::fprintf(stderr, "usage: %s LINKSTR IPV4_ADDRESS\n", argv[0]), 2;
  const Status done = run(argv[1], *address);
  if (!done) std::fprintf(stderr, "%s\n", done.error().text.c_str());
  return done ? 0 : 1;
}
