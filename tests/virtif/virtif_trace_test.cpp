// SPDX-License-Identifier: BSD-2-Clause
// What an interface tells whoever records its domain. That the drops it tells add up to its counters, whatever happens,
// is in virtif_model_test.cpp.
#include "tests/virtif/rig.hpp"
#include "tests/virtif/told.hpp"

namespace {

using namespace rig;

class Trace : public Rig {};

TEST_F(Trace, a_frame_that_is_dropped_is_explained) {
  Ifnet& ifp = running();
  ASSERT_EQ(error_of(ifp.ioctl(SetMtu{100})), 0);
  Told told(domain.trace());
  arrive(frame(kStranger, kPeer, 77));
  arrive(frame(ifp.lladdr(), kPeer, 115));
  arrive(Frame(13));
  wire().lose(DropReason::rx_overrun, 3);
  host.settle();
  const auto burst = [](int frames) { return "rx_burst ifname=virt0 frames=" + std::to_string(frames); };
  const auto drop = [](const std::string& rest) { return "rx_drop ifname=virt0 reason=" + rest; };
  const std::string type = " type=" + std::to_string(kType);
  EXPECT_EQ(
      told.events,
      (Strings{burst(1), drop("not_for_us frames=1 bytes=77 dst=02:00:00:00:00:02 src=02:00:00:00:00:01" + type),
               burst(1),
               drop("too_long frames=1 bytes=115 dst=" + ifp.lladdr().to_string() + " src=02:00:00:00:00:01" + type),
               burst(1), drop("too_short frames=1 bytes=13 dst= src= type=0"),
               drop("rx_overrun frames=3 bytes=0 dst= src= type=0")}));
}

TEST_F(Trace, what_is_not_sent_is_explained_by_burst_and_frame) {
  Ifnet& ifp = running();
  Told told(domain.trace());
  wire().send_answers = {{0, vif::drv::SendStatus::message_size}};
  (void)transmit(ifp, frame(kPeer, ifp.lladdr(), 60));
  const std::string own = ifp.lladdr().to_string(), type = " type=" + std::to_string(kType);
  EXPECT_EQ(
      told.events,
      (Strings{"tx_burst ifname=virt0 frames=1 taken=0 status=message_size",
               "tx_drop ifname=virt0 reason=tx_too_long frames=1 bytes=60 dst=02:00:00:00:00:01 src=" + own + type}));
}

TEST_F(Trace, the_carrier_and_whether_frames_move_are_told_when_they_change) {
  Ifnet& ifp = create("virt0");
  Told told(domain.trace());
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  ASSERT_EQ(up(ifp), 0);
  host.settle();
  wire().carrier(LinkState::down);
  host.settle();
  wire().carrier(LinkState::up);
  host.settle();
  ASSERT_EQ(down(ifp), 0);
  EXPECT_EQ(told.events, (Strings{"linkstate ifname=virt0 state=up why=", "running ifname=virt0 on=1",
                                  "linkstate ifname=virt0 state=down why=", "linkstate ifname=virt0 state=up why=",
                                  "running ifname=virt0 on=0"}));
}

TEST_F(Trace, nothing_is_told_that_nobody_wants_and_nothing_after_detaching) {
  Ifnet& ifp = running();
  {
    Told told(domain.trace(), false);
    arrive(frame(kStranger, kPeer));
    EXPECT_EQ(told.events, Strings{});
  }
  arrive(frame(kStranger, kPeer));
  EXPECT_EQ(dropped(ifp, DropReason::not_for_us), 2U);
}

TEST_F(Trace, long_names_are_cut_and_the_record_stays_whole) {
  vif::Tracepoint<"said what n", std::string_view, std::uint32_t> said;
  struct Last final : vif::TraceSink {
    std::vector<std::byte> payload;
    void trace(const vif::AnyTracepoint&, vif::Bytes bytes) override { payload.assign(bytes.begin(), bytes.end()); }
  } last;
  said.attach(last, 0).store(1);
  EXPECT_EQ(said.command(), "said __rel_loc char[] what; u32 n;");
  said(std::string(5000, 'x'), 7);
  EXPECT_EQ(last.payload.size(), 8U + 1001);
  said("", 7);
  EXPECT_EQ(last.payload.size(), 8U + 1);
  said.detach();
}

}  // namespace
