// SPDX-License-Identifier: BSD-2-Clause
// What other threads may do to an interface: feed its wire, post to its domain, read its counters; and that it can go
// at any moment while they do. Also the defects of if_virt.c 1.52 that were races: with one owner they cannot be, and
// these show the property that took their place. To be run under ThreadSanitizer too.
#include <gtest/gtest.h>

#include <barrier>

#include "tests/virtif/fed_wire.hpp"

namespace {

using namespace rig;
using namespace vif::net;

constexpr MacAddress kPeer{{0x02, 0, 0, 0, 0, 0x01}};
constexpr MacAddress kGroup{{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}};
constexpr int kThreads = 3;

Frame frame_to(const MacAddress& dst) { return vif::test::ether(dst, 0x88b5, Frame(46), kPeer); }

void join(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

// Counts what is passed up, and says when something comes after the interface was destroyed.
struct Upcalls final : IfInput {
  void input(Ifnet& ifp, MbufPtr packet) override {
    ++packets;
    if (gone) ++after_the_end;
    if (then) then(ifp, std::move(packet));
  }
  std::uint64_t packets = 0, after_the_end = 0;
  bool gone = false;
  std::function<void(Ifnet&, MbufPtr)> then;
};

class Threads : public testing::Test {
 protected:
  Threads() {
    EXPECT_TRUE(loop.call([&] {
      table = std::make_unique<IfCloneTable>(loop.domain);
      module = std::move(*vif::drv::VirtifModule::init(*table, wires, "virt"));
    }));
  }
  ~Threads() override {
    EXPECT_TRUE(loop.call([&] {
      table.reset();
      EXPECT_EQ(loop.domain.pool().in_use(), 0U);
      EXPECT_TRUE(loop.domain.interfaces().empty());
    }));
  }

  // On the domain's thread.
  void make_running() {
    upcalls.gone = false;
    ifp = *table->create("virt0");
    ifp->set_input(&upcalls);
    EXPECT_TRUE(ifp->ioctl(SetLladdr{kOurs}));
    EXPECT_TRUE(ifp->ioctl(AddMulti{MacRange::single(kGroup)}));
    EXPECT_TRUE(ifp->ioctl(SetLinkstr{"fed:w"}));
    EXPECT_TRUE(ifp->ioctl(SetFlags{ifp->flags() | IFF_UP}));
  }
  void set_up(bool on) {
    const std::uint32_t others = ifp->flags() & ~std::uint32_t{IFF_UP};
    EXPECT_TRUE(ifp->ioctl(SetFlags{on ? others | IFF_UP : others}));
  }
  void send() {
    MbufPtr packet = loop.domain.pool().copy_in(frame_to(kPeer));
    if (packet) (void)ifp->transmit(std::move(packet));
  }

  static constexpr MacAddress kOurs = vif::test::kOurMac;
  FedWires wires;
  Upcalls upcalls;
  DomainThread loop;
  std::unique_ptr<vif::drv::VirtifModule> module;
  std::unique_ptr<IfCloneTable> table;
  Ifnet* ifp = nullptr;
};

using Defect15 = Threads;
TEST_F(Defect15, counters_read_by_another_thread_never_go_back_and_are_exact_at_the_end) {
  ASSERT_TRUE(loop.call([&] { make_running(); }));
  std::atomic<bool> reading = true;
  std::thread reader([&] {
    for (std::uint64_t before = 0; reading;) {
      const std::uint64_t now = ifp->counters.read().ipackets;
      EXPECT_GE(now, before);
      before = now;
    }
  });
  std::atomic<std::uint64_t> fed = 0;
  std::vector<std::thread> feeders;
  for (int i = 0; i < kThreads; ++i) {
    feeders.emplace_back([&] {
      for (int n = 0; n < 5'000; ++n) fed += wires.wire.feed(frame_to(n % 2 == 0 ? kOurs : kGroup));
    });
  }
  join(feeders);
  while (ifp->counters.read().received() < fed) std::this_thread::yield();
  reading = false;
  reader.join();
  ASSERT_TRUE(loop.call([&] {
    EXPECT_EQ(upcalls.packets, fed);
    EXPECT_EQ(ifp->counters.read().ipackets, fed);
  }));
}

using Defect17 = Threads;
TEST_F(Defect17, frames_of_many_threads_enter_by_the_inbox_and_none_is_lost_or_out_of_order) {
  ASSERT_TRUE(loop.call([&] { make_running(); }));
  constexpr int kPosts = 50'000;
  std::barrier together(kThreads);
  std::array<std::atomic<int>, kThreads> posted{};
  std::array<int, kThreads> last{}, run{};  // the domain's
  std::vector<std::thread> posters;
  for (std::size_t i = 0; i < kThreads; ++i) {
    posters.emplace_back([&, i] {
      together.arrive_and_wait();
      for (int n = 1; n <= kPosts; ++n) {
        const bool taken = loop.domain.post([&, i, n] {
          EXPECT_GT(n, last[i]);
          last[i] = n;
          ++run[i];
          send();
        });
        posted[i] += taken;
        if (!taken) std::this_thread::yield();
      }
    });
  }
  join(posters);
  ASSERT_TRUE(loop.call([&] {
    std::uint64_t offered = 0;
    for (std::size_t i = 0; i < kThreads; ++i) {
      EXPECT_EQ(run[i], posted[i]);
      offered += static_cast<std::uint64_t>(posted[i]);
    }
    EXPECT_EQ(ifp->counters.read().offered(), offered);
    EXPECT_EQ(wires.wire.sent, offered);
  }));
}

using Defect18 = Threads;
TEST_F(Defect18, no_wake_up_is_lost) {
  ASSERT_TRUE(loop.call([&] { make_running(); }));
  for (int n = 0; n < 20'000; ++n) ASSERT_TRUE(loop.call([&] { send(); })) << "post " << n;
  EXPECT_EQ(wires.wire.sent, 20'000U);
}

using Defect19 = Threads;
TEST_F(Defect19, flags_that_many_threads_ask_for_are_changed_by_one) {
  ASSERT_TRUE(loop.call([&] { make_running(); }));
  std::vector<std::thread> askers;
  for (int i = 0; i < kThreads; ++i) {
    askers.emplace_back([&, i] {
      for (int n = 0; n < 2'000; ++n) {
        loop.domain.post([&, on = (n + i) % 2 == 0] {
          set_up(on);
          send();
          EXPECT_EQ(ifp->is(IFF_UP), ifp->is(IFF_RUNNING));
        });
        wires.wire.feed(frame_to(kOurs));
      }
    });
  }
  join(askers);
  ASSERT_TRUE(loop.call([&] {
    set_up(false);
    EXPECT_EQ(ifp->flags() & (IFF_UP | IFF_RUNNING | IFF_OACTIVE), 0U);
  }));
}

// Traffic both ways from several threads, from before an interface exists to after it is gone.
class Unclone : public Threads {
 protected:
  static constexpr int kLives = 300;

  Unclone() {
    wires.wire.blocks_every = 3;
    for (int i = 0; i < kThreads; ++i) traffic.emplace_back([this] { drive(); });
  }
  ~Unclone() override {
    flowing = false;
    join(traffic);
    EXPECT_GT(upcalls.packets, 0U);
    EXPECT_GT(wires.wire.sent, 0U);
    EXPECT_EQ(upcalls.after_the_end, 0U);
    EXPECT_GE(wires.wire.started, std::uint64_t{kLives});
  }

  void drive() {
    for (int n = 0; flowing; ++n) {
      if (wires.wire.feed(frame_to(n % 2 == 0 ? kOurs : kGroup))) ++fed;
      (void)loop.domain.post([this] {
        if (ifp != nullptr) send();
      });
      if (n % 16 == 0) std::this_thread::yield();
    }
  }
  // Lets some of the traffic through. Traffic is what ends the wait, so that every life has some.
  void live() {
    const std::uint64_t before = fed;
    while (fed < before + 20) std::this_thread::yield();
  }
  void destroy() {
    ifp = nullptr;
    EXPECT_TRUE(table->destroy("virt0"));
    upcalls.gone = true;
  }

  std::atomic<bool> flowing = true;
  std::atomic<std::uint64_t> fed = 0;
  std::vector<std::thread> traffic;
};

TEST_F(Unclone, while_up_with_members_joined_and_frames_in_flight_both_ways) {
  for (int life = 0; life < kLives; ++life) {
    ASSERT_TRUE(loop.call([&] { make_running(); }));
    live();
    ASSERT_TRUE(loop.call([&] { destroy(); }));
  }
}

TEST_F(Unclone, from_inside_an_upcall_while_up) {
  bool due = false;  // the domain's
  upcalls.then = [&](Ifnet&, MbufPtr) {
    if (std::exchange(due, false)) destroy();
  };
  for (int life = 0; life < kLives; ++life) {
    ASSERT_TRUE(loop.call([&] { make_running(); }));
    live();
    ASSERT_TRUE(loop.call([&] { due = true; }));
    for (bool gone = false; !gone;) {
      ASSERT_TRUE(loop.call([&] { gone = loop.domain.interfaces().empty(); }));
    }
  }
}

TEST_F(Unclone, while_every_frame_is_answered) {
  upcalls.then = [&](Ifnet& at, MbufPtr packet) { (void)at.transmit(std::move(packet)); };
  for (int life = 0; life < kLives; ++life) {
    ASSERT_TRUE(loop.call([&] { make_running(); }));
    live();
    ASSERT_TRUE(loop.call([&] {
      set_up(false);
      set_up(true);
      EXPECT_TRUE(ifp->ioctl(DelMulti{MacRange::single(kGroup)}));
    }));
    live();
    ASSERT_TRUE(loop.call([&] { destroy(); }));
  }
}

}  // namespace
