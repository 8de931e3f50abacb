// SPDX-License-Identifier: BSD-2-Clause
// Another wire in place of the one there is: what a wire that cannot be had costs.
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using vif::fail;

class Relink : public Rig {
 protected:
  int relink(const std::string& linkstr) { return error_of(softc("virt0").relink(linkstr)); }
  std::string linkstr() { return std::string(softc("virt0").linkstr().value_or("none")); }
};

TEST_F(Relink, goes_to_another_wire_and_up_again) {
  Ifnet& ifp = running();
  EXPECT_EQ(relink("sim:b"), 0);
  EXPECT_EQ(linkstr(), "sim:b");
  EXPECT_TRUE(ifp.is(IFF_RUNNING));
  EXPECT_EQ(wire().calls, (Strings{"stop", "close"}));
  EXPECT_EQ(wire("b").calls, (Strings{"open", "filter", "start"}));
}

TEST_F(Relink, leaves_one_that_is_down_down_and_links_one_that_is_not_linked) {
  Ifnet& ifp = create("virt0");
  EXPECT_EQ(relink("sim:w"), 0);
  EXPECT_EQ(relink("sim:b"), 0);
  EXPECT_FALSE(ifp.is(IFF_UP));
  EXPECT_FALSE(wire().open);
  EXPECT_TRUE(wire("b").open);
}

TEST_F(Relink, does_not_touch_the_wire_for_a_text_that_is_wrong) {
  running();
  events.heard.clear();
  for (const char* wrong : {"sim:w,offlaod=off", "sim:b,offlaod=off", "smi:b", "nothing"}) {
    EXPECT_EQ(relink(wrong), EINVAL) << wrong;
  }
  EXPECT_EQ(wire().calls, Strings{});
  EXPECT_EQ(events.heard, Strings{});
  EXPECT_EQ(linkstr(), "sim:w");
}

TEST_F(Relink, keeps_the_wire_open_when_another_is_refused) {
  Ifnet& ifp = running();
  for (const int number : {EPERM, EBUSY}) {
    wire("b").open_error = fail(number, "not now");
    EXPECT_EQ(relink("sim:b"), number);
  }
  EXPECT_TRUE(ifp.is(IFF_RUNNING));
  EXPECT_EQ(wire().calls, (Strings{"stop", "filter", "start", "stop", "filter", "start"})) << "never closed";
  EXPECT_EQ(linkstr(), "sim:w");
}

TEST_F(Relink, closes_first_what_cannot_be_had_twice) {
  Ifnet& ifp = running();
  EXPECT_EQ(relink("sim:w"), 0) << "the same wire";
  EXPECT_EQ(wire().calls, (Strings{"stop", "close", "open", "filter", "start"}));
  wire("b").open_error = fail(EADDRINUSE, "by the other one");
  EXPECT_EQ(relink("sim:b"), 0) << "another wire, by the same address";
  EXPECT_EQ(wire("b").calls, (Strings{"open", "open", "filter", "start"}));
  EXPECT_TRUE(ifp.is(IFF_RUNNING));
  EXPECT_EQ(ifp.link_state(), LinkState::up);
}

TEST_F(Relink, opens_the_wire_again_when_it_is_refused_as_another) {
  running();
  wire().open_error = fail(EPERM, "not so");
  EXPECT_EQ(relink("sim:w"), EPERM);
  EXPECT_EQ(linkstr(), "sim:w");
  EXPECT_EQ(wire().calls, (Strings{"stop", "close", "open", "open", "filter", "start"}));
}

// Opens one link, and no second one.
struct Once final : vif::drv::LinkOpener {
  explicit Once(SimWires& wires_in) : wires(wires_in) {}
  vif::Result<vif::drv::OpenLink> open(const vif::drv::Linkstr& linkstr, const vif::drv::LinkOwner& owner) override {
    if (std::exchange(opened, true)) return fail(EMFILE, "no more");
    return wires.open(linkstr, owner);
  }
  SimWires& wires;
  bool opened = false;
};

TEST_F(Relink, says_so_when_neither_can_be_had) {
  Once once(wires);
  auto loaded = vif::drv::VirtifModule::init(*table, once, "once");
  ASSERT_TRUE(loaded);
  Ifnet& ifp = create("once0");
  link(ifp, "sim:w");
  up(ifp);
  const Status done = softc("once0").relink("sim:w");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text.find("no more; and 'sim:w' cannot be had again: "), std::string::npos)
      << done.error().text;
  EXPECT_FALSE(softc("once0").linkstr());
  EXPECT_FALSE(ifp.is(IFF_UP));
  EXPECT_EQ(ifp.link_state(), LinkState::unknown);
  EXPECT_EQ(destroy("once0"), 0);
  EXPECT_TRUE((*loaded)->fini());
}

TEST_F(Relink, asks_the_wire_before_it_goes) {
  wire().may_refuse_dying = true;
  wire().dying_error = fail(EBUSY, "still needed");
  running();
  EXPECT_EQ(relink("sim:b"), EBUSY);
  EXPECT_FALSE(wire("b").open);
  EXPECT_TRUE(wire().started);
  EXPECT_EQ(linkstr(), "sim:w");
  wire().dying_error.reset();
}

TEST_F(Relink, does_not_stop_a_wire_that_is_on_the_stack) {
  Ifnet& ifp = running();
  int refused = 0;
  received.then = [&](Ifnet&) { refused = relink("sim:b"); };
  arrive(frame(ifp.lladdr(), kPeer));
  EXPECT_EQ(refused, EDEADLK);
  EXPECT_TRUE(wire().started);
}

}  // namespace
