// SPDX-License-Identifier: BSD-2-Clause
// What may be done from inside an upcall, a tap or an event, and what has to wait.
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;

class Upcall : public Rig {
 protected:
  // Runs `then` once from each place where the driver is on the stack, and `after` when everything has come to rest;
  // each begins with a running virt0.
  void from_everywhere(const std::function<void(Ifnet&)>& then, const std::function<void()>& after = {}) {
    constexpr const char* kPlaces[] = {"input", "tap in", "tap out", "link event", "input of another interface"};
    for (int place = 0; place < 5; ++place) {
      SCOPED_TRACE(kPlaces[place]);
      Ifnet& ifp = running();
      trigger(place, ifp, then);
      received.then = {};
      events.then = {};
      host.settle();
      if (after) after();
      if (table->find("virt0") != nullptr) destroy("virt0");
    }
  }

  void trigger(int place, Ifnet& ifp, const std::function<void(Ifnet&)>& then) {
    Tapped tap;
    const bool tapped = place == 1 || place == 2;
    const auto id = ifp.taps.attach(tap, {}, place == 1 ? BpfDirections::in : BpfDirections::out);
    bool called = false;
    const auto once = [&] {
      if (!std::exchange(called, true)) then(ifp);
    };
    if (tapped) tap.then = once;
    if (place == 0) received.then = [&](Ifnet&) { once(); };
    if (place == 3) events.then = [&](Ifnet&, const std::string&) { once(); };
    if (place == 2) transmit(ifp, frame(kPeer, ifp.lladdr()));
    if (place == 4) {
      Ifnet& other = create("virt1");
      EXPECT_EQ(link(other, "sim:other"), 0);
      EXPECT_EQ(up(other), 0);
      received.then = [&](Ifnet&) { once(); };
      wire("other").arrive(frame(other.lladdr(), kPeer));
    }
    if (place == 0 || place == 1) wire().arrive(frame(ifp.lladdr(), kPeer));
    if (place == 3) wire().carrier(LinkState::down);
    if (place != 2) domain.poll({}, 64);
    EXPECT_TRUE(called);
    if (place == 4) destroy("virt1");
    ifp.taps.detach(id);
  }
};

TEST_F(Upcall, flags_and_link_do_not_change_under_the_driver) {
  from_everywhere([&](Ifnet& ifp) {
    EXPECT_EQ(down(ifp), EDEADLK);
    EXPECT_EQ(up(ifp), EDEADLK);
    EXPECT_EQ(link(ifp, "sim:x"), EDEADLK);
    EXPECT_EQ(unlink(ifp), EDEADLK);
    EXPECT_TRUE(ifp.is(IFF_RUNNING));
    EXPECT_TRUE(wire().started);
  });
}

TEST_F(Upcall, what_has_to_wait_can_be_posted) {
  from_everywhere(
      [&](Ifnet& ifp) {
        ASSERT_TRUE(domain.post([&] { EXPECT_EQ(down(ifp), 0); }));
        EXPECT_TRUE(ifp.is(IFF_UP));
      },
      [&] { EXPECT_FALSE(wire().started); });
}

TEST_F(Upcall, groups_modes_mtu_and_address_change_at_once) {
  from_everywhere([&](Ifnet& ifp) {
    EXPECT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kGroup)})), 0);
    EXPECT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
    EXPECT_EQ(error_of(ifp.ioctl(SetMtu{1000})), 0);
    EXPECT_EQ(error_of(ifp.ioctl(SetLladdr{kStranger})), 0);
    EXPECT_EQ(wire().filter.lladdr, kStranger);
    EXPECT_EQ(wire().filter.groups, std::vector{MacRange::single(kGroup)});
  });
}

TEST_F(Upcall, a_group_joined_from_inside_is_heard_in_the_same_burst) {
  Ifnet& ifp = running();
  received.then = [&](Ifnet&) { ASSERT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kGroup)})), 0); };
  wire().arrive(frame(ifp.lladdr(), kPeer));
  wire().arrive(frame(kGroup, kPeer));
  host.settle();
  EXPECT_EQ(received.packets.size(), 2U);
}

TEST_F(Upcall, an_answer_is_sent_before_the_poll_is_over) {
  std::size_t expected = 0;
  from_everywhere(
      [&](Ifnet& ifp) {
        expected = wire().sent.size() + (ifp.link_state() == LinkState::up ? 1 : 0);
        transmit(ifp, frame(kPeer, ifp.lladdr()));
      },
      [&] { EXPECT_EQ(wire().sent.size(), expected); });
}

TEST_F(Upcall, a_received_packet_can_be_sent_back_as_it_is) {
  class Echo final : public IfInput {
   public:
    void input(Ifnet& ifp, MbufPtr packet) override {
      EtherHeader{EtherHeader::load(packet->data()).src, ifp.lladdr(), kType}.store(packet->data());
      EXPECT_TRUE(ifp.transmit(std::move(packet)));
    }
  } echo;
  Ifnet& ifp = running();
  ifp.set_input(&echo);
  arrive(frame(kBroadcast, kPeer));
  EXPECT_EQ(wire().sent, std::vector<Frame>{frame(kPeer, ifp.lladdr())});
  EXPECT_EQ(ifp.counters.read().omcasts, 0U) << "it came as a broadcast, but is not sent as one";
}

TEST_F(Upcall, destroying_silences_at_once_and_frees_at_the_next_poll) {
  std::size_t passed = 0;
  from_everywhere(
      [&](Ifnet& ifp) {
        wire().arrive(frame(ifp.lladdr(), kPeer));
        wire().carrier(LinkState::up);
        passed = received.packets.size();
        events.heard.clear();
        EXPECT_EQ(destroy("virt0"), 0);
        EXPECT_EQ(destroy("virt0"), ENXIO) << "once is enough";
        EXPECT_EQ(table->find("virt0"), nullptr);
        EXPECT_EQ(table->create("virt0").error().number(), EEXIST) << "the name is taken until then";
        EXPECT_EQ(error_of(ifp.ioctl(SetMtu{1000})), ENXIO);
        transmit(ifp, frame(kPeer, ifp.lladdr()));
        EXPECT_EQ(dropped(ifp, DropReason::tx_down) + ifp.snd.size(), 1U);
        EXPECT_TRUE(wire().open);
      },
      [&] {
        EXPECT_FALSE(wire().open);
        EXPECT_EQ(received.packets.size(), passed);
        std::erase(events.heard, "virt1 departed");
        EXPECT_EQ(events.heard, Strings{"virt0 departed"});
      });
}

TEST_F(Upcall, one_interface_may_destroy_the_next_which_is_not_polled_again) {
  Ifnet& first = running();
  Ifnet& second = create("virt1");
  ASSERT_EQ(link(second, "sim:other"), 0);
  ASSERT_EQ(up(second), 0);
  host.settle();
  events.heard.clear();
  wire("w").arrive(frame(first.lladdr(), kPeer));
  wire("other").arrive(frame(second.lladdr(), kPeer));
  wire("other").carrier(LinkState::down);
  received.then = [&](Ifnet&) { EXPECT_EQ(destroy("virt1"), 0); };
  host.settle();
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(events.heard, Strings{"virt1 departed"});
}

TEST_F(Upcall, destroying_from_a_tap_stops_the_rest_of_the_queue) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, vif::drv::SendStatus::would_block}};
  for (int i = 0; i < 40; ++i) ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  Tapped tap;
  ifp.taps.attach(tap, {}, BpfDirections::out);
  tap.then = [&] { destroy("virt0"); };
  wire().writable();
  domain.poll({}, 64);
  EXPECT_EQ(wire().sent.size(), 32U) << "the burst the backend had taken already";
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 8U);
}

TEST_F(Upcall, a_listener_may_destroy_the_interface_that_arrives) {
  events.then = [&](Ifnet& ifp, const std::string& what) {
    if (what == "arrived") destroy(ifp.name());
  };
  create("virt0");
  EXPECT_EQ(table->find("virt0"), nullptr);
  host.settle();
  EXPECT_EQ(events.heard, (Strings{"virt0 arrived", "virt0 departed"}));
}

TEST_F(Upcall, a_listener_looks_for_an_interface_that_departs_in_vain) {
  create("virt0");
  Ifnet* found = nullptr;
  const IfCloneTable* const names = table.get();
  events.then = [&](Ifnet& ifp, const std::string& what) {
    if (what == "departed") found = names->find(ifp.name());
  };
  ASSERT_EQ(destroy("virt0"), 0);
  EXPECT_EQ(found, nullptr);

  create("virt0");
  create("virt1");
  table.reset();
  EXPECT_EQ(found, nullptr);
  EXPECT_TRUE(domain.interfaces().empty());
}

TEST_F(Upcall, a_listener_may_destroy_another_interface_when_one_departs) {
  create("virt0");
  create("virt1");
  events.then = [&](Ifnet& ifp, const std::string& what) {
    if (what == "departed" && ifp.name() == "virt0") destroy("virt1");
  };
  ASSERT_EQ(destroy("virt0"), 0);
  host.settle();
  EXPECT_TRUE(domain.interfaces().empty());
}

}  // namespace
