// SPDX-License-Identifier: BSD-2-Clause
// The steady state allocates nothing: every operator new of this program is counted while frames go each way.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "tests/support/frames.hpp"

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

class HotPath : public testing::Test {
 protected:
  net::Ifnet& running(const char* linkstr) {
    net::Ifnet& ifp = **interfaces.create("virt");
    ifp.set_input(&input);
    (void)ifp.taps.attach(tap, {}, net::BpfDirections::both);
    EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{linkstr}));
    EXPECT_TRUE(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}));
    return ifp;
  }
  void burst(net::Ifnet& from, const Frame& frame) {
    for (std::size_t i = 0; i < kBurst; ++i) (void)from.transmit(domain.pool().copy_in(frame));
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
  const Frame there = ether(b.lladdr(), 0x88b5, counting(46), a.lladdr());
  const Frame back = ether(a.lladdr(), 0x88b5, counting(1400), b.lladdr());
  burst(a, there);
  burst(b, back);
  burst(null, there);
  const std::uint64_t null_in = null.counters.ipackets.get(), a_in = a.counters.ipackets.get();
  ASSERT_GT(tap.bytes, 0U);

  const std::size_t before = allocations;
  for (std::uint64_t sent = 0; sent < kFrames; sent += kBurst) {
    burst(a, there);
    burst(b, back);
    burst(null, there);
  }
  EXPECT_EQ(allocations, before);

  EXPECT_GE(a.counters.ipackets.get() - a_in, kFrames);
  EXPECT_GE(b.counters.ipackets.get(), kFrames);
  EXPECT_GE(null.counters.otaken.get(), kFrames);
  (void)null_in;
}

}  // namespace
