// SPDX-License-Identifier: BSD-2-Clause
// A frame's way through a tunnel, from send() at one end to deliver() at the other, beside the bare system calls that
// move the same bytes: UDP_SEGMENT with UDP_GRO, and sendmmsg with recvmmsg. Over a veth pair between two namespaces of
// its own; both ends in one thread. vxlan_bench [rounds]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "hypercall/linux_ports.hpp"
#include "hypercall/vxlan/vxlan_link.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using bench::give_up;

constexpr std::size_t kBurst = 64;     // frames of one send
constexpr std::size_t kAhead = 8;      // sends before the other end reads
constexpr std::size_t kTurns = 40;     // of a measurement
constexpr std::size_t kHeader = 8;     // of VXLAN
constexpr int kBufferBytes = 4 << 20;  // as the link's

void must(bool ok, const char* what) {
  if (!ok) give_up(std::string(what) + ": " + std::strerror(errno));
}

// The two hosts of the cable: 10.77.0.1 here and 10.77.0.2 there.
class Stage {
 public:
  Stage() {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      bench::skip(std::string("no network namespace: ") + std::strerror(errno));
    }
    there_ = host::UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    must(::unshare(CLONE_NEWNET) == 0, "unshare");
    here_ = host::UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    const std::string there = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(there_.get());
    ip("link add va address 02:00:00:00:00:01 mtu 9000 type veth peer name vb address 02:00:00:00:00:02 mtu 9000 "
       "netns " +
       there);
    ip("addr add 10.77.0.1/24 dev va");
    ip("link set va up");
    ip("neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev va");
    go(there_);
    ip("addr add 10.77.0.2/24 dev vb");
    ip("link set vb up");
    ip("neigh add 10.77.0.1 lladdr 02:00:00:00:00:01 dev vb");
    go(here_);
  }
  template <class Make>
  auto there(Make make) const {
    go(there_);
    auto made = make();
    go(here_);
    return made;
  }

 private:
  static void ip(const std::string& words) {
    if (std::system(("ip " + words).c_str()) != 0) bench::skip("ip " + words + " failed");
  }
  static void go(const host::UniqueFd& where) { must(::setns(where.get(), CLONE_NEWNET) == 0, "setns"); }

  host::UniqueFd here_, there_;
};

// Counts, as cheaply as can be.
class CountSink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> burst) override {
    frames += burst.size();
    for (const drv::RxFrame& frame : burst) bytes += frame.bytes.size();
  }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason reason, std::uint64_t n) override {
    give_up("lost " + std::to_string(n) + " frames: " + std::string(name(reason)));
  }
  std::uint64_t frames = 0, bytes = 0;
};

class OurEnd {
 public:
  explicit OurEnd(const std::string& linkstr) {
    auto opened = host::open_vxlan_link(*drv::Linkstr::parse(linkstr), owner_, watch_, clock_);
    if (!opened) give_up(opened.error().text);
    link_ = std::move(*opened);
    must(link_.port->start(sink).has_value(), "start");
  }
  ~OurEnd() { link_.port->stop(); }
  drv::LinkPort& port() { return *link_.port; }
  CountSink sink;

 private:
  test::SomeOwner owner_;
  host::LinuxClock clock_;
  host::FdWatch watch_ = std::move(*host::FdWatch::create());
  drv::OpenLink link_;
};

double ours(OurEnd& from, OurEnd& to, std::size_t frame_bytes, std::size_t burst_frames) {
  const std::vector<std::byte> bytes(frame_bytes, std::byte{2});
  const Bytes slice = bytes;
  std::array<drv::TxFrame, kBurst> burst;
  burst.fill({{&slice, 1}, static_cast<std::uint32_t>(frame_bytes), {}});
  const std::uint64_t before = to.sink.frames;
  const double begun = bench::now_ns();
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t sent = 0; sent < kAhead * kBurst; sent += burst_frames) {
      if (from.port().send(std::span(burst).first(burst_frames)).taken != burst_frames) give_up("not all taken");
    }
    while (to.port().drain(kBurst)) continue;
  }
  const double spent = bench::now_ns() - begun;
  if (to.sink.frames - before != kTurns * kAhead * kBurst) give_up("frames are missing");
  return spent / static_cast<double>(kTurns * kAhead * kBurst);
}

sockaddr_in at(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

host::UniqueFd udp(const char* host, std::uint16_t port) {
  host::UniqueFd made(::socket(AF_INET, SOCK_DGRAM, 0));
  const sockaddr_in address = at(host, port);
  must(::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  for (const int name : {SO_RCVBUFFORCE, SO_RCVBUF, SO_SNDBUFFORCE, SO_SNDBUF}) {
    ::setsockopt(made.get(), SOL_SOCKET, name, &kBufferBytes, sizeof kBufferBytes);
  }
  return made;
}

// Two sockets, the sending one connected, and the memory they work on.
struct Bare {
  Bare(const Stage& stage, std::uint16_t port, bool gro)
      : from(udp("10.77.0.1", port)), to(stage.there([=] { return udp("10.77.0.2", port); })) {
    const sockaddr_in there = at("10.77.0.2", port);
    must(::connect(from.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0, "connect");
    const int on = 1;
    if (gro) must(::setsockopt(to.get(), SOL_UDP, UDP_GRO, &on, sizeof on) == 0, "UDP_GRO");
  }
  host::UniqueFd from, to;
  std::vector<std::byte> out = std::vector<std::byte>(kBurst * 2048, std::byte{1});
  std::vector<std::byte> in = std::vector<std::byte>(kBurst * 65'536);
};

// One message of as many segments as fit, gathered from separate slots; one read for each.
double trains(Bare& bare, std::size_t frame_bytes) {
  const std::size_t bytes = frame_bytes + kHeader, segments = std::min(kBurst, 65'507 / bytes);
  std::vector<iovec> slots(segments);
  for (std::size_t i = 0; i < segments; ++i) slots[i] = {&bare.out[i * 2048], bytes};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(2)> control{};
  msghdr out{};
  out.msg_iov = slots.data();
  out.msg_iovlen = segments;
  out.msg_control = control.data();
  out.msg_controllen = control.size();
  cmsghdr& header = *CMSG_FIRSTHDR(&out);
  header.cmsg_level = SOL_UDP;
  header.cmsg_type = UDP_SEGMENT;
  header.cmsg_len = CMSG_LEN(2);
  const auto segment_bytes = static_cast<std::uint16_t>(bytes);
  std::memcpy(CMSG_DATA(&header), &segment_bytes, sizeof segment_bytes);

  alignas(cmsghdr) std::array<std::byte, 256> notes;
  iovec into{bare.in.data(), 65'536};
  std::size_t sent = 0, received = 0;
  const double begun = bench::now_ns();
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t ahead = 0; ahead < kAhead * kBurst; ahead += segments, sent += segments) {
      must(::sendmsg(bare.from.get(), &out, 0) > 0, "sendmsg");
    }
    for (;;) {
      msghdr in{};
      in.msg_iov = &into;
      in.msg_iovlen = 1;
      in.msg_control = notes.data();
      in.msg_controllen = notes.size();
      const ssize_t n = ::recvmsg(bare.to.get(), &in, MSG_DONTWAIT);
      if (n < 0) break;
      received += static_cast<std::size_t>(n) / bytes;
    }
  }
  const double spent = bench::now_ns() - begun;
  if (received != sent) give_up("bare trains are missing");
  return spent / static_cast<double>(sent);
}

double datagrams(Bare& bare, std::size_t frame_bytes) {
  std::array<iovec, kBurst> slots, rooms;
  std::array<mmsghdr, kBurst> out{}, in{};
  for (std::size_t i = 0; i < kBurst; ++i) {
    slots[i] = {&bare.out[i * 2048], frame_bytes + kHeader};
    rooms[i] = {&bare.in[i * 2048], 2048};
    out[i].msg_hdr.msg_iov = &slots[i];
    in[i].msg_hdr.msg_iov = &rooms[i];
    out[i].msg_hdr.msg_iovlen = in[i].msg_hdr.msg_iovlen = 1;
  }
  std::size_t received = 0;
  const double begun = bench::now_ns();
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    for (std::size_t ahead = 0; ahead < kAhead; ++ahead) {
      must(::sendmmsg(bare.from.get(), out.data(), kBurst, 0) == kBurst, "sendmmsg");
    }
    for (int n = 0; (n = ::recvmmsg(bare.to.get(), in.data(), kBurst, MSG_DONTWAIT, nullptr)) > 0;) {
      received += static_cast<std::size_t>(n);
    }
  }
  const double spent = bench::now_ns() - begun;
  if (received != kTurns * kAhead * kBurst) give_up("bare datagrams are missing");
  return spent / static_cast<double>(received);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  bench::begin();
  const Stage stage;
  bench::print_calibration();
  const auto end = [](const std::string& linkstr) { return std::make_unique<OurEnd>(linkstr); };
  const auto here = end("vxlan:10.77.0.2,vni=7");
  const auto there = stage.there([&] { return end("vxlan:10.77.0.1,vni=7"); });
  const auto one_of_two = stage.there([&] { return end("vxlan:10.77.0.1:4790+10.77.0.3,vni=7,port=4790"); });
  const auto to_two = end("vxlan:10.77.0.2:4790,vni=7,port=4790");
  Bare gro(stage, 5000, true), plain(stage, 5001, false);
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{1514}}) {
    bench::Comparison("vxlan: end to end, " + std::to_string(bytes) + " B",
                      {{"ours, bursts of 64", [&] { return ours(*here, *there, bytes, kBurst); }},
                       {"ours, bursts of 32", [&] { return ours(*here, *there, bytes, kBurst / 2); }},
                       {"ours, 64, with learning", [&] { return ours(*to_two, *one_of_two, bytes, kBurst); }},
                       {"UDP_SEGMENT + UDP_GRO", [&] { return trains(gro, bytes); }},
                       {"sendmmsg + recvmmsg", [&] { return datagrams(plain, bytes); }}},
                      {{"UDP_SEGMENT + UDP_GRO", 0.8}, {"sendmmsg + recvmmsg", bytes == 64 ? 20.0 : 8.0}})
        .run(rounds);
  }
}
