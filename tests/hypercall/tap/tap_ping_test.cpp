// SPDX-License-Identifier: BSD-2-Clause
// The host's own stack and ours ping each other through a TAP; we know no more of IP here than ARP and echo.
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/hypercall/tap/tap_instance.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// 10.86.0.2: answers ARP and echo requests, and notes the answers to its own.
class Responder final : public net::IfInput {
 public:
  explicit Responder(net::Ifnet& ifp) : ifp_(ifp) { ifp_.set_input(this); }
  ~Responder() override { ifp_.set_input(nullptr); }

  void input(net::Ifnet&, net::MbufPtr packet) override {
    Frame frame = flat(*packet);
    const std::uint16_t type = load_be16(&frame[12]);
    if (type == 0x0806) arp(std::move(frame));
    if (type == 0x0800 && frame[23] == std::byte{1}) icmp(std::move(frame));
  }
  void who_has_the_host() {
    Frame request = ether(net::kBroadcast, 0x0806, hex("0001 0800 06 04 0001"), ifp_.lladdr());
    send(request + lladdr() + hex("0a560002 000000000000 0a560001"));
  }
  void ping_the_host() {
    const Frame echo = hex("0800 a1b8 5646 0001 0000 0000");
    const Frame ip = hex("45 00 0020 0000 4000 40 01 262f 0a560002 0a560001");
    send(ether(*host, 0x0800, ip + echo, ifp_.lladdr()));
  }

  std::optional<net::MacAddress> host;  // once it has spoken
  int echoes = 0, answers = 0;

 private:
  Frame lladdr() const { return {as_bytes(ifp_.lladdr().octets).begin(), as_bytes(ifp_.lladdr().octets).end()}; }
  void send(const Frame& frame) { EXPECT_TRUE(ifp_.transmit(ifp_.domain().pool().copy_in(frame))); }

  void arp(Frame frame) {
    host = net::MacAddress::load(&frame[22]);
    if (load_be16(&frame[20]) != 1 || load_be32(&frame[38]) != 0x0a560002) return;
    Frame answer = ether(*host, 0x0806, hex("0001 0800 06 04 0002"), ifp_.lladdr()) + lladdr() + hex("0a560002");
    answer.insert(answer.end(), frame.begin() + 22, frame.begin() + 32);
    send(answer);
  }
  void icmp(Frame frame) {
    if (frame[34] == std::byte{0}) ++answers;
    if (frame[34] != std::byte{8}) return;
    ++echoes;
    std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
    std::swap_ranges(frame.begin() + 26, frame.begin() + 30, frame.begin() + 30);
    frame[34] = std::byte{0};
    const std::uint32_t sum = load_be16(&frame[36]) + 0x0800U;  // as much as the type has become less
    store_be16(&frame[36], static_cast<std::uint16_t>(sum + (sum >> 16)));
    send(frame);
  }

  net::Ifnet& ifp_;
};

// Pings 10.86.0.2 from the host.
class Pinger {
 public:
  Pinger() : socket_(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP)) {}

  void ping(std::size_t bytes) {
    Frame echo = hex("0800 0000 5646 0001") + counting(bytes);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < echo.size(); i += 2) sum += load_be16(&echo[i]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    store_be16(&echo[2], static_cast<std::uint16_t>(~sum));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(0x0a560002);
    EXPECT_EQ(::sendto(socket_.get(), echo.data(), echo.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(echo.size()))
        << std::strerror(errno);
  }
  // Bytes of the answer, after its headers.
  std::optional<std::size_t> answer() {
    std::array<std::byte, 70'000> packet;
    const ssize_t bytes = ::recv(socket_.get(), packet.data(), packet.size(), 0);
    if (bytes < 28 || packet[20] != std::byte{0}) return std::nullopt;
    return static_cast<std::size_t>(bytes) - 28;
  }

 private:
  host::UniqueFd socket_;
};

class TapPing : public TapInstance, public testing::WithParamInterface<const char*> {};

TEST_P(TapPing, goes_both_ways) {
  net::Ifnet* const ifp = add(std::string("tap:viftap") + GetParam());
  ASSERT_NE(ifp, nullptr);
  Responder responder(*ifp);
  NetNamespace::ip("addr add 10.86.0.1/24 dev viftap");
  NetNamespace::ip("link set viftap up");
  ASSERT_TRUE(until([&] { return ifp->link_state() == net::LinkState::up; }));

  Pinger pinger;
  for (const std::size_t bytes : {0UL, 56UL, 1472UL}) {
    pinger.ping(bytes);
    std::optional<std::size_t> answer;
    EXPECT_TRUE(until([&] { return (answer = pinger.answer()).has_value(); })) << bytes << " bytes were not answered";
    EXPECT_EQ(answer, bytes);
  }
  EXPECT_EQ(responder.echoes, 3);

  responder.host.reset();
  responder.who_has_the_host();
  ASSERT_TRUE(until([&] { return responder.host.has_value(); })) << "the host does not answer ARP";
  responder.ping_the_host();
  EXPECT_TRUE(until([&] { return responder.answers == 1; })) << "the host does not answer us";
  const net::IfData data = ifp->counters.read();
  EXPECT_EQ(data.opackets, data.offered());
  EXPECT_EQ(data.dropped(DropReason::tx_error), 0U);
}

// A jumbo that the host may send is one that we pass, and answer.
TEST_P(TapPing, follows_the_hosts_mtu) {
  net::Ifnet* const ifp = add(std::string("tap:viftap") + GetParam());
  ASSERT_NE(ifp, nullptr);
  Responder responder(*ifp);
  NetNamespace::ip("addr add 10.86.0.1/24 dev viftap");
  NetNamespace::ip("link set viftap mtu 9000 up");
  ASSERT_TRUE(until([&] { return ifp->link_state() == net::LinkState::up && ifp->mtu_bytes() == 9000; }));
  Pinger pinger;
  pinger.ping(8972);
  std::optional<std::size_t> answer;
  EXPECT_TRUE(until([&] { return (answer = pinger.answer()).has_value(); }));
  EXPECT_EQ(answer, 8972U);
}

INSTANTIATE_TEST_SUITE_P(Offload, TapPing, testing::Values("", ",offload=off"),
                         [](const auto& offload) { return std::string(*offload.param == '\0' ? "on" : "off"); });

}  // namespace
