// SPDX-License-Identifier: BSD-2-Clause
// The host's TCP to the host's TCP in another namespace, through two TAPs that we join: super-frames with their
// checksum left open go through us whole, and the kernel takes them back from us.
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/hypercall/tap/tap_instance.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// Passes on what comes in here, out there.
class Patch final : public net::IfInput {
 public:
  Patch(net::Ifnet& from, net::Ifnet& to) : from_(from), to_(to) { from_.set_input(this); }
  ~Patch() override { from_.set_input(nullptr); }
  void input(net::Ifnet&, net::MbufPtr packet) override {
    if (packet->pkthdr.offload.is_super_frame()) ++super_frames;
    if ((packet->pkthdr.offload.flags & net::Offload::kNeedsChecksum) != 0) ++open_checksums;
    largest = std::max(largest, packet->pkthdr.len);
    (void)to_.transmit(std::move(packet));  // what it drops it counts
  }
  std::size_t super_frames = 0, open_checksums = 0;
  std::uint32_t largest = 0;

 private:
  net::Ifnet& from_;
  net::Ifnet& to_;
};

// A connection from 10.86.0.1 in one namespace to 10.86.0.2 in another.
class TapTcp : public TapInstance {
 protected:
  void join(const std::string& options_a, const std::string& options_b) {
    network.enter();
    a = add("tap:vifa" + options_a);
    NetNamespace::ip("addr add 10.86.0.1/24 dev vifa");
    NetNamespace::ip("link set vifa up");
    other.enter();
    b = add("tap:vifb" + options_b);
    NetNamespace::ip("addr add 10.86.0.2/24 dev vifb");
    NetNamespace::ip("link set vifb up");
    ASSERT_TRUE(a != nullptr && b != nullptr);
    // A bridge hears everything.
    ASSERT_TRUE(a->ioctl(net::SetPromisc{true}) && b->ioctl(net::SetPromisc{true}));
    ASSERT_TRUE(until([&] { return a->link_state() == net::LinkState::up && b->link_state() == net::LinkState::up; }));
    forth.emplace(*a, *b);
    back.emplace(*b, *a);
    connect();
  }
  void connect() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(0x0a560002);
    to.sin_port = htons(5001);
    other.enter();
    const host::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0) << std::strerror(errno);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    network.enter();
    sender = host::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(sender.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), -1);
    ASSERT_EQ(errno, EINPROGRESS);
    ASSERT_TRUE(until([&] {
      receiver = host::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(receiver);
    })) << "no connection";
  }
  // All of `sent` through the connection, and whether it came as it went.
  void transfer(const Frame& sent) {
    Frame received(sent.size());
    std::size_t out = 0, in = 0;
    EXPECT_TRUE(until([&] {
      if (out < sent.size()) {
        const ssize_t bytes = ::write(sender.get(), sent.data() + out, sent.size() - out);
        if (bytes > 0) out += static_cast<std::size_t>(bytes);
      }
      const ssize_t bytes = ::read(receiver.get(), received.data() + in, received.size() - in);
      if (bytes > 0) in += static_cast<std::size_t>(bytes);
      return in == sent.size();
    })) << in
        << " of " << sent.size() << " bytes came";
    EXPECT_TRUE(received == sent);
  }
  void expect_sums(const net::Ifnet& ifp) {
    const net::IfData data = ifp.counters.read();
    EXPECT_EQ(data.offered(), data.opackets - data.ocut) << ifp.name() << " dropped something";
    EXPECT_EQ(data.received(), data.ipackets) << ifp.name();
  }

  NetNamespace other;
  net::Ifnet *a = nullptr, *b = nullptr;
  std::optional<Patch> forth, back;
  host::UniqueFd sender, receiver;
};

constexpr std::size_t kBytes = 4 << 20;

TEST_F(TapTcp, super_frames_go_through_whole) {
  join("", "");
  if (HasFatalFailure()) return;
  transfer(counting(kBytes));
  EXPECT_GT(forth->super_frames, 20U);
  EXPECT_GT(forth->open_checksums, forth->super_frames);
  EXPECT_GT(forth->largest, 16'000U);
  EXPECT_LT(a->counters.read().ipackets, kBytes / 1448) << "far fewer frames than the wire would have seen";
  EXPECT_GT(a->counters.read().isegments, kBytes / 1448);
  expect_sums(*a);
  expect_sums(*b);
}

// What one side takes whole is cut, and its checksums finished, for the other.
TEST_F(TapTcp, super_frames_are_cut_where_the_other_side_cannot) {
  join("", ",offload=off");
  if (HasFatalFailure()) return;
  transfer(counting(kBytes));
  EXPECT_GT(forth->super_frames, 20U);
}

TEST_F(TapTcp, ordinary_frames_go_without_offload) {
  join(",offload=off", ",offload=off");
  if (HasFatalFailure()) return;
  transfer(counting(kBytes));
  EXPECT_EQ(forth->open_checksums, 0U);
  EXPECT_LE(forth->largest, 1514U);
}

}  // namespace
