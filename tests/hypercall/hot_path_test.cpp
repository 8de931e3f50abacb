// SPDX-License-Identifier: BSD-2-Clause
// The steady state allocates nothing: every operator new of this program is counted while frames go each way.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "tests/support/super_frames.hpp"

namespace {

std::size_t allocations = 0;

void* allocate(std::size_t bytes) {
  ++allocations;
  if (void* const at = std::malloc(bytes != 0 ? bytes : 1)) return at;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }

namespace {

using namespace vif;
using namespace vif::test;

constexpr std::uint64_t kFrames = 10'000;
constexpr std::size_t kBurst = 32;

// A tap that has seen nothing is not the steady state: this one looks at every frame.
struct Glance final : net::BpfSink {
  void tap(const net::Mbuf& packet, net::BpfDirection, std::uint32_t) noexcept override { bytes += packet.pkthdr.len; }
  std::uint64_t bytes = 0;
};

// Gives packets back without looking.
struct Discard final : net::IfInput {
  void input(net::Ifnet&, net::MbufPtr) override { ++packets; }
  std::uint64_t packets = 0;
};

// A wire that takes no offload, and as many frames as it is told before it is overloaded.
class PlainPort final : public drv::LinkPort {
 public:
  explicit PlainPort(std::size_t frames) : room_(frames) {}
  Status start(drv::LinkSink&) override { return {}; }
  void stop() override {}
  drv::SendResult send(std::span<const drv::TxFrame> frames) override {
    const std::size_t taken = std::min(frames.size(), room_);
    room_ -= taken;
    return {taken, taken == frames.size() ? drv::SendStatus::ok : drv::SendStatus::would_block};
  }
  bool drain(std::size_t) override { return false; }
  void set_receive_filter(const drv::ReceiveFilter&) override {}

 private:
  std::size_t room_;
};

class HotPath : public testing::Test {
 protected:
  HotPath() {
    // plain:SLICES takes so many pieces of a frame; plain:SLICES,room=FRAMES is full after those.
    EXPECT_TRUE(instance.schemes().add("plain", [](const drv::Linkstr& linkstr, const drv::LinkOwner&) {
      const drv::LinkCaps caps{.frame_bytes_max = 2000,
                               .frame_bytes_min = 60,
                               .slices_max = static_cast<std::uint16_t>(std::stoi(linkstr.argument))};
      return drv::OpenLink{
          std::make_unique<PlainPort>(linkstr.options.empty() ? SIZE_MAX : std::stoul(*linkstr.options[0].value)),
          caps};
    }));
  }
  net::Ifnet& running(const char* linkstr) {
    net::Ifnet& ifp = **interfaces.create("virt");
    ifp.set_input(&input);
    (void)ifp.taps.attach(tap, {}, net::BpfDirections::both);
    EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{linkstr}));
    EXPECT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
    return ifp;
  }
  void burst(net::Ifnet& from, const Frame& frame, const net::Offload& offload = {}) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      net::MbufPtr packet = domain.pool().copy_in(frame);
      packet->pkthdr.offload = offload;
      (void)from.transmit(std::move(packet));
    }
    while (loop->poll(kBurst)) continue;
  }

  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Discard input;
  Glance tap;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  net::Domain& domain = loop->domain();
  host::Instance instance{{clock, files}};
  net::IfCloneTable& interfaces = instance.attach(domain);
};

TEST_F(HotPath, counts_allocations_at_all) {
  const std::size_t before = allocations;
  EXPECT_NE(std::make_unique<int>(1), nullptr);
  EXPECT_EQ(allocations, before + 1);
}

TEST_F(HotPath, does_not_allocate) {
  net::Ifnet& null = running("null:,rx=20000");
  net::Ifnet& a = running("mem:lan");
  net::Ifnet& b = running("mem:lan");
  net::Ifnet& worse = running("impair:[null:,rx=40000],loss=1%,dup=1%,corrupt=1%,delay=1us,jitter=1us,rate=1tbit");
  const Frame there = ether(b.lladdr(), 0x88b5, counting(46), a.lladdr());
  const Frame back = ether(a.lladdr(), 0x88b5, counting(1400), b.lladdr());
  burst(a, there);
  burst(b, back);
  burst(null, there);
  burst(worse, there);
  const std::uint64_t a_in = a.counters.ipackets.get();
  ASSERT_GT(tap.bytes, 0U);

  const std::size_t before = allocations;
  for (std::uint64_t sent = 0; sent < kFrames; sent += kBurst) {
    burst(a, there);
    burst(b, back);
    burst(null, there);
    burst(worse, there);
  }
  EXPECT_EQ(allocations, before);

  EXPECT_GE(a.counters.ipackets.get() - a_in, kFrames);
  EXPECT_GE(b.counters.ipackets.get(), kFrames);
  EXPECT_GE(null.counters.otaken.get(), kFrames);
}

TEST_F(HotPath, does_not_allocate_for_a_super_frame_or_a_checksum_either) {
  const SuperFrame tcp = super_frame({.payload_bytes = 60'000}),
                   udp = super_frame({.udp = true, .payload_bytes = 1000, .gso_size = 0});
  net::Ifnet& pieces = running("plain:8");
  net::Ifnet& whole = running("plain:1");
  const std::size_t before = allocations;
  for (net::Ifnet* const ifp : {&pieces, &whole}) {
    burst(*ifp, tcp.bytes, tcp.offload);
    burst(*ifp, udp.bytes, udp.offload);
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(pieces.counters.osegments.get(), 43 * kBurst);
  EXPECT_EQ(whole.counters.linearised.get(), 42 * kBurst);
}

// Thousands of frames a second are refused then, and each must cost less than one that is sent.
TEST_F(HotPath, does_not_allocate_for_a_frame_that_is_refused) {
  net::Ifnet& full = running("plain:8,room=100");
  net::Ifnet& off = running("plain:8");
  ASSERT_TRUE(off.ioctl(net::SetFlags{off.flags() & ~std::uint32_t{net::IFF_UP}}));
  const Frame frame = ether(kOurMac, 0x88b5, counting(46)), too_short = counting(10), too_long = counting(1515);
  const std::size_t before = allocations;
  for (std::uint64_t sent = 0; sent < kFrames; sent += kBurst) {
    burst(full, frame);
    burst(full, too_short);
    burst(full, too_long);
    burst(off, frame);
  }
  EXPECT_EQ(allocations, before);
  const net::IfData data = full.counters.read();
  EXPECT_EQ(data.opackets, 100U);
  EXPECT_EQ(full.snd.size(), net::IfQueue::kDefaultFrames);
  EXPECT_EQ(data.offered() + full.snd.size(), 3 * off.counters.read().dropped(DropReason::tx_down));
  EXPECT_GT(data.dropped(DropReason::queue_full), kFrames / 2);
  EXPECT_GT(data.dropped(DropReason::tx_too_short), kFrames / 2);
  EXPECT_GT(data.dropped(DropReason::tx_too_long), kFrames / 2);
}

}  // namespace
