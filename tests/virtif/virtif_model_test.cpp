// SPDX-License-Identifier: BSD-2-Clause
// Thousands of random things happen to an interface; after each, both sums of its counters hold, whoever records it
// was told of every drop, and no mbuf is lost.
#include "tests/support/super_frames.hpp"
#include "tests/virtif/rig.hpp"
#include "tests/virtif/told.hpp"

namespace {

using namespace rig;
using vif::drv::SendStatus;

class RandomOperations : public Rig, public testing::WithParamInterface<std::uint64_t> {
 protected:
  static constexpr int kSteps = 20'000;
  static constexpr std::uint64_t kOps = 16;

  // A pool small enough to run out.
  RandomOperations() : Rig({.pool = {.counts = {48, 4, 2, 0}, .external = 0}}, GetParam()), chance(GetParam()) {
    wire().caps.reflects = true;
    wire().caps.frame_bytes_min = 60;
    wire().caps.slices_max = 3;
    if (GetParam() % 2 == 0) wire().caps.offload = {.csum = true, .tso4 = true};
    create("virt0");
    link(ifp(), "sim:w");
    received.then = [this](Ifnet& at) {
      if (below(4) == 0) send(at);
    };
  }

  std::uint64_t below(std::uint64_t end) { return chance.next() % end; }
  Ifnet& ifp() { return *table->find("virt0"); }

  // Cut anyhow, and handed to the interface with work left to do.
  void send(Ifnet& at, const Frame& whole, const Offload& offload) {
    if (domain.pool().in_use() > 40) return;  // the test's own copies are not what is tested
    std::vector<std::size_t> pieces;
    for (std::size_t left = whole.size(); below(3) != 0 && left > 0; left -= pieces.back()) {
      pieces.push_back(below(std::min<std::size_t>(left, 20) + 1));
      if (pieces.size() == 5) break;
    }
    MbufPtr packet = chain(whole, pieces);
    packet->pkthdr.offload = offload;
    (void)at.transmit(std::move(packet));
    ++offered;
  }

  void send(Ifnet& at) {
    if (below(4) == 0) return send_super(at);
    const std::size_t bytes = below(8) == 0 ? 1400 + below(200) : 14 + below(100);
    const MacAddress to = below(3) == 0 ? kBroadcast : kPeer;
    Offload offload;
    if (below(10) == 0) offload = {.flags = Offload::kNeedsChecksum, .csum_start = 14, .csum_offset = 0};
    send(at, frame(to, at.lladdr(), bytes), offload);
  }

  // Of up to 80 segments, so of up to three bursts; some with a header that is not what it should be.
  void send_super(Ifnet& at) {
    auto whole = vif::test::super_frame({.ipv6 = below(2) == 0,
                                         .udp = below(2) == 0,
                                         .payload_bytes = below(1800),
                                         .gso_size = static_cast<std::uint16_t>(23 + below(1500))},
                                        kPeer, at.lladdr());
    if (below(4) == 0) whole.bytes[14 + below(40)] ^= std::byte{0x10};
    send(at, whole.bytes, whole.offload);
  }

  void hear() {
    if (!wire().started) return;
    constexpr std::array kTo = {kBroadcast, kGroup, kStranger};
    const std::uint64_t to = below(4);
    const MacAddress from = below(5) == 0 ? ifp().lladdr() : kPeer;
    Frame whole = frame(to < 3 ? kTo[to] : ifp().lladdr(), from, 14 + below(1510));
    if (below(10) == 0) whole.resize(below(14));
    wire().arrive(std::move(whole));
    ++on_the_wire;
  }

  void answer() {
    constexpr std::array kAnswers = {SendStatus::ok, SendStatus::would_block, SendStatus::would_block,
                                     SendStatus::message_size, SendStatus::network_down};
    const SendStatus status = kAnswers[below(kAnswers.size())];
    wire().send_answers.push_back({status == SendStatus::ok ? SIZE_MAX : below(5), status});
  }

  void lose() {
    if (!wire().started) return;
    if (below(2) == 0 && ifp().counters.read().opackets > failures) {
      wire().lose(DropReason::tx_error, 1);
      ++failures;
    } else {
      wire().lose(DropReason::rx_overrun, 2);
      on_the_wire += 2;
    }
  }

  void zero() {
    settle();  // so that nothing reported before is counted after
    ifp().counters.take(domain.now());
    told.dropped = {};
    heard = 0;
    offered = ifp().snd.size();
  }

  void take_down() {
    settle();  // so that the wire has nothing to forget
    EXPECT_EQ(down(ifp()), 0);
  }

  void settle() {
    host.settle();
    heard += std::exchange(on_the_wire, 0);
    failures = 0;
  }

  void act() {
    switch (below(kOps)) {
      case 0:
        return void(up(ifp()));
      case 1:
        return below(4) == 0 ? take_down() : wire().writable();
      case 2:
        return wire().carrier(below(4) == 0 ? LinkState::down : LinkState::up);
      case 3:
        return lose();
      case 4:
        return void(ifp().ioctl(SetPromisc{below(2) == 0}).has_value());
      case 5:
        return void(ifp().ioctl(AddMulti{MacRange::single(kGroup)}).has_value());
      case 6:
        return void(ifp().ioctl(DelMulti{MacRange::single(kGroup)}).has_value());
      case 7:
        return void(ifp().ioctl(SetMtu{static_cast<std::uint32_t>(46 + below(1500))}).has_value());
      case 8:
        return below(20) == 0 ? zero() : settle();
      case 9:
        return answer();
      case 10:
      case 11:
      case 12:
        return send(ifp());
      default:
        return hear();
    }
  }

  Told told{domain.trace()};
  vif::host::sim::SimRandom chance;
  std::uint64_t on_the_wire = 0, failures = 0;  // not reported yet
  std::uint64_t heard = 0, offered = 0;
};

TEST_P(RandomOperations, keep_both_sums) {
  std::uint64_t passed_both_ways = 0, cut = 0;
  for (int step = 0; step < kSteps && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    act();
    if (below(8) == 0) settle();
    const IfData data = ifp().counters.read();
    EXPECT_EQ(data.received(), heard);
    EXPECT_EQ(data.offered() + ifp().snd.size(), offered);
    EXPECT_EQ(told.dropped, data.drops);
    EXPECT_EQ(domain.pool().in_use() > 0, ifp().snd.size() > 0) << "only what is queued holds mbufs";
    EXPECT_EQ(ifp().is(IFF_UP), ifp().is(IFF_RUNNING));
    cut += data.ocut;
    passed_both_ways += data.ipackets > 0 && data.opackets > 0;
    received.packets.clear();
    wire().sent.clear();
    wire().sent_slices.clear();
    wire().sent_offload.clear();
    wire().calls.clear();
    events.heard.clear();
    told.events.clear();
  }
  EXPECT_GT(passed_both_ways, 0U);
  EXPECT_GT(cut, 0U);
  settle();
  EXPECT_EQ(destroy("virt0"), 0);
  EXPECT_EQ(domain.pool().in_use(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomOperations, testing::Values(1, 2, 3, 4));

}  // namespace
