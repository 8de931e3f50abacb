// SPDX-License-Identifier: BSD-2-Clause
// The life of an interface: every order of requests, what each leaves behind, and who hears of it.
#include <array>

#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using vif::fail;

enum Op { kCreate, kDestroy, kLink, kLinkRefused, kUnlink, kUp, kUpRefused, kDown, kOps };

class LifeCycle : public Rig {
 protected:
  // The states of virtif.hpp, as its comment draws them.
  struct Model {
    bool exists = false, linked = false, up = false;
  } model;

  int request(Op op, Ifnet& ifp) {
    switch (op) {
      case kLinkRefused:
        wire().open_error = fail(ENODEV, "no such device");
        [[fallthrough]];
      case kLink:
        return link(ifp, "sim:w");
      case kUnlink:
        return unlink(ifp);
      case kUpRefused:
        wire().start_error = fail(EIO, "dead");
        [[fallthrough]];
      case kUp:
        return up(ifp);
      default:
        return down(ifp);
    }
  }

  int expect_request(Op op) {
    const bool link_op = op == kLink || op == kLinkRefused || op == kUnlink;
    if (op == kUnlink && !model.linked) return ENOENT;
    if (link_op && model.up) return EBUSY;
    if (op == kUnlink) return model.linked = false, 0;
    if (link_op && model.linked) return EBUSY;
    if (op == kLinkRefused) return ENODEV;
    if (op == kLink) return model.linked = true, 0;
    if (op == kDown) return model.up = false, 0;
    if (model.up) return 0;
    if (!model.linked) return ENXIO;
    if (op == kUpRefused) return EIO;
    return model.up = true, 0;
  }

  void step(Op op) {
    if (op == kCreate) {
      EXPECT_EQ(table->create("virt0").has_value(), !model.exists);
      model.exists = true;
    } else if (op == kDestroy) {
      EXPECT_EQ(destroy("virt0"), model.exists ? 0 : ENXIO);
      model = {};
    } else if (model.exists) {
      const int expected = expect_request(op);
      EXPECT_EQ(request(op, *table->find("virt0")), expected);
      wire().open_error.reset();
      wire().start_error.reset();
    }
    host.settle();
    check();
  }

  void check() {
    const Ifnet* const ifp = table->find("virt0");
    ASSERT_EQ(ifp != nullptr, model.exists);
    EXPECT_EQ(wire().open, model.linked);
    EXPECT_EQ(wire().started, model.up);
    if (ifp == nullptr) return;
    EXPECT_EQ(ifp->is(IFF_UP), model.up);
    EXPECT_EQ(ifp->is(IFF_RUNNING), model.up);
    EXPECT_EQ(ifp->link_state(), model.linked ? LinkState::up : LinkState::unknown);
    EXPECT_EQ(softc("virt0").linkstr().has_value(), model.linked);
    EXPECT_EQ(softc("virt0").caps() != nullptr, model.linked);
  }
};

TEST_F(LifeCycle, every_order_of_five_requests_ends_where_the_states_say) {
  std::array<int, 5> order{};
  std::uint64_t tried = 0;
  for (bool more = true; more && !HasFailure(); ++tried) {
    std::string words;
    for (const int op : order) words += std::to_string(op) + ' ';
    SCOPED_TRACE("after create, operations (see enum Op): " + words);
    step(kCreate);
    for (const int op : order) step(static_cast<Op>(op));
    step(kDestroy);
    events.heard.clear();
    wire().calls.clear();
    more = false;
    for (int& op : order) {
      more = ++op < kOps;
      if (more) break;
      op = 0;
    }
  }
  EXPECT_EQ(tried, 32'768U);
}

TEST_F(LifeCycle, the_backend_is_called_in_order) {
  Ifnet& ifp = create("virt0");
  link(ifp, "sim:w");
  up(ifp);
  down(ifp);
  up(ifp);
  destroy("virt0");
  EXPECT_EQ(wire().calls, (Strings{"open", "filter", "start", "stop", "filter", "start", "stop", "close"}));
}

TEST_F(LifeCycle, interfaces_are_told_apart) {
  Ifnet& first = create("virt");
  Ifnet& second = create("virt");
  EXPECT_EQ(first.name(), "virt0");
  EXPECT_EQ(second.name(), "virt1");
  EXPECT_NE(first.index(), second.index());
  ASSERT_EQ(link(first, "sim:a"), 0);
  EXPECT_EQ(link(second, "sim:a"), EBUSY);
  ASSERT_EQ(link(second, "sim:b"), 0);
  ASSERT_EQ(up(first), 0);
  ASSERT_EQ(up(second), 0);
  wire("b").arrive(frame(second.lladdr(), kPeer));
  host.settle();
  EXPECT_EQ(first.counters.read().ipackets, 0U);
  EXPECT_EQ(second.counters.read().ipackets, 1U);
  ASSERT_EQ(destroy("virt0"), 0);
  EXPECT_EQ(create("virt").name(), "virt0") << "the lowest free unit";
}

TEST_F(LifeCycle, linking_takes_the_address_and_the_limits_of_the_backend) {
  Ifnet& ifp = create("virt0");
  wire().caps.lladdr = kPeer;
  wire().caps.frame_bytes_max = 1014;
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(ifp.lladdr(), kPeer);
  EXPECT_EQ(ifp.mtu_bytes(), 1000U);
  EXPECT_EQ(ifp.mtu_bytes_max(), 1000U);
  ASSERT_EQ(unlink(ifp), 0);
  EXPECT_EQ(ifp.mtu_bytes_max(), kFrameBytesMax - kEtherHeaderBytes);
}

TEST_F(LifeCycle, frames_from_before_it_was_up_or_from_while_it_was_down_are_not_delivered) {
  Ifnet& ifp = running();
  wire().arrive(frame(ifp.lladdr(), kPeer));
  ASSERT_EQ(down(ifp), 0);
  arrive(frame(ifp.lladdr(), kPeer));
  ASSERT_EQ(up(ifp), 0);
  host.settle();
  EXPECT_TRUE(received.packets.empty());
  arrive(frame(ifp.lladdr(), kPeer));
  EXPECT_EQ(received.packets.size(), 1U);
}

TEST_F(LifeCycle, an_address_brings_it_up) {
  Ifnet& ifp = create("virt0");
  EXPECT_EQ(error_of(ifp.ioctl(InitAddress{})), ENXIO);
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(error_of(ifp.ioctl(InitAddress{})), 0);
  EXPECT_TRUE(wire().started);
}

TEST_F(LifeCycle, flags_that_follow_from_its_state_cannot_be_set) {
  Ifnet& ifp = running();
  for (const IfFlag flag : {IFF_RUNNING, IFF_OACTIVE, IFF_PROMISC, IFF_ALLMULTI, IFF_SIMPLEX, IFF_BROADCAST}) {
    EXPECT_EQ(error_of(ifp.ioctl(SetFlags{ifp.flags() ^ flag})), EINVAL);
  }
  EXPECT_TRUE(ifp.is(IFF_RUNNING));
  EXPECT_TRUE(wire().calls.empty());
}

using LinkEvents = Rig;

TEST_F(LinkEvents, nothing_is_sent_while_the_carrier_is_down) {
  Ifnet& ifp = running();
  wire().carrier(LinkState::down);
  host.settle();
  transmit(ifp, frame(kPeer, ifp.lladdr()));
  EXPECT_EQ(wire().sent.size(), 0U);
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 1U);
  wire().carrier(LinkState::up);
  host.settle();
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(wire().sent.size(), 1U);
  EXPECT_TRUE(ifp.is(IFF_RUNNING)) << "carrier and flags are two things";
}

TEST_F(LinkEvents, what_waits_when_the_carrier_goes_is_dropped) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, vif::drv::SendStatus::would_block}};
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  wire().carrier(LinkState::down);
  host.settle();
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 1U);
  EXPECT_EQ(ifp.snd.size(), 0U);
}

TEST_F(LinkEvents, each_change_is_told_once_and_says_when) {
  Ifnet& ifp = running();
  events.heard.clear();
  host.run_until(vif::Time{5'000});
  wire().carrier(LinkState::down);
  wire().carrier(LinkState::down);
  wire().carrier(LinkState::up);
  host.settle();
  EXPECT_EQ(events.heard, (Strings{"virt0 down", "virt0 up"}));
  EXPECT_EQ(ifp.counters.read().lastchange, vif::Time{5'000});
}

TEST_F(LinkEvents, the_reason_a_link_went_for_good_is_kept_until_it_works_again) {
  running();
  EXPECT_EQ(softc("virt0").link_error(), "");
  wire().carrier(LinkState::down, fail(ENODEV, "tap0 was deleted"));
  host.settle();
  EXPECT_EQ(softc("virt0").link_error(), "tap0 was deleted");
  wire().carrier(LinkState::up);
  host.settle();
  EXPECT_EQ(softc("virt0").link_error(), "");
}

TEST_F(LinkEvents, a_carrier_lost_while_it_was_down_is_heard_of_when_it_comes_up) {
  Ifnet& ifp = running();
  ASSERT_EQ(down(ifp), 0);
  wire().carrier(LinkState::down);
  host.settle();
  EXPECT_EQ(ifp.link_state(), LinkState::up) << "nobody listens";
  ASSERT_EQ(up(ifp), 0);
  host.settle();
  EXPECT_EQ(ifp.link_state(), LinkState::down);
}

TEST_F(LinkEvents, a_listener_may_send_when_the_carrier_comes) {
  Ifnet& ifp = running();
  wire().carrier(LinkState::down);
  host.settle();
  events.then = [&](Ifnet& at, const std::string& what) {
    if (what == "up") transmit(at, frame(kBroadcast, at.lladdr()));
  };
  wire().carrier(LinkState::up);
  host.settle();
  EXPECT_EQ(wire().sent.size(), 1U);
  EXPECT_EQ(ifp.counters.read().omcasts, 1U);
}

TEST_F(LinkEvents, losses_the_backend_reports_are_counted_under_its_reason) {
  Ifnet& ifp = running();
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  wire().lose(DropReason::rx_overrun, 3);
  wire().lose(DropReason::other_linktype, 2);
  wire().lose(DropReason::tx_error, 1);
  host.settle();
  IfData data = ifp.counters.take(domain.now());
  EXPECT_EQ(data.received(), 5U);
  EXPECT_EQ(data.iqdrops, 3U);
  EXPECT_EQ(data.opackets, 0U);
  EXPECT_EQ(data.oerrors, 1U);
  EXPECT_EQ(data.offered(), 1U);

  wire().lose(DropReason::tx_error, 1);
  host.settle();
  EXPECT_EQ(ifp.counters.read().opackets, 0U) << "a failure of before the counters were zeroed takes nothing away";
}

}  // namespace
