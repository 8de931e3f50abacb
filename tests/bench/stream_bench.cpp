// SPDX-License-Identifier: BSD-2-Clause
// stream: beside the bare system calls that move the same frames: sendmsg of a burst with its lengths and recv of 64
// KiB with a walk along them, or sendmmsg and recvmmsg; on sockets that somebody waits for, as for ours. In bursts of
// 32, in both framings: one thread that sends and receives in turn, and two that do one of them each, on two
// processors.
//   stream_bench [rounds]
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <thread>

#include "hypercall/linux_ports.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "hypercall/stream/stream_link.hpp"
#include "tests/bench/rounds.hpp"

namespace {

using namespace vif;
using namespace vif::bench;

constexpr std::size_t kBurst = 32;
constexpr std::size_t kReadBytes = 65'536;
constexpr std::size_t kHeaderBytes = 4;

struct Wire {
  const char* name;
  int type;
  const char* option;
  bool packets() const { return type == SOCK_SEQPACKET; }
};
constexpr Wire kWires[] = {{"qemu", SOCK_STREAM, ""}, {"bess", SOCK_SEQPACKET, ",framing=bess"}};

struct Pair {
  host::UniqueFd a, b;
  explicit Pair(int type) {
    int fds[2];
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) give_up("socketpair");
    a = host::UniqueFd(fds[0]);
    b = host::UniqueFd(fds[1]);
  }
};

// Somebody waits for what comes: telling it costs the sender, asleep or not.
class Waiter {
 public:
  explicit Waiter(const Pair& pair) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    for (const host::UniqueFd* fd : {&pair.a, &pair.b}) ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd->get(), &event);
  }

 private:
  host::UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
};

// One burst of frames of equal size, as both sides send it.
struct Burst {
  explicit Burst(std::size_t frame_bytes) : bytes(frame_bytes) {
    for (std::size_t i = 0; i < kBurst; ++i) slices[i] = Bytes(bytes);
    for (std::size_t i = 0; i < kBurst; ++i) {
      frames[i] = {{&slices[i], 1}, static_cast<std::uint32_t>(frame_bytes), {}};
    }
  }
  std::vector<std::byte> bytes;
  std::array<Bytes, kBurst> slices;
  std::array<drv::TxFrame, kBurst> frames;
};

// --- bare ---

class BareStream {
 public:
  BareStream(int fd, const Burst& burst) : fd_(fd), burst_(burst), room_(2 * kReadBytes) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      pieces_[2 * i] = {headers_[i].data(), kHeaderBytes};
      pieces_[2 * i + 1] = {const_cast<std::byte*>(burst.bytes.data()), burst.bytes.size()};
    }
    whole_ = kBurst * (kHeaderBytes + burst.bytes.size());
  }
  // The whole burst; waits for room.
  void send() {
    for (std::size_t i = 0; i < kBurst; ++i) store_be32(headers_[i].data(), burst_.frames[i].bytes);
    msghdr message{};
    message.msg_iov = pieces_.data();
    message.msg_iovlen = pieces_.size();
    if (::sendmsg(fd_, &message, MSG_NOSIGNAL) != static_cast<ssize_t>(whole_)) give_up("bare sendmsg");
  }
  // What there is, waiting for it; in frames.
  std::size_t receive() {
    const ssize_t n = ::recv(fd_, room_.data() + carried_, kReadBytes, 0);
    if (n <= 0) give_up("bare recv");
    const std::size_t end = carried_ + static_cast<std::size_t>(n);
    std::size_t frames = 0, at = 0;
    for (std::size_t length = 0; at + kHeaderBytes <= end; at += kHeaderBytes + length, ++frames) {
      length = load_be32(&room_[at]);
      if (end - at - kHeaderBytes < length) break;
    }
    carried_ = end - at;
    std::memmove(room_.data(), &room_[at], carried_);
    return frames;
  }

 private:
  int fd_;
  const Burst& burst_;
  std::vector<std::byte> room_;
  std::array<std::array<std::byte, kHeaderBytes>, kBurst> headers_;
  std::array<iovec, 2 * kBurst> pieces_;
  std::size_t whole_, carried_ = 0;
};

class BarePackets {
 public:
  BarePackets(int fd, const Burst& burst) : fd_(fd), room_(kBurst * kStride) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      pieces_[i] = {const_cast<std::byte*>(burst.bytes.data()), burst.bytes.size()};
      into_[i] = {&room_[i * kStride], kStride};
      leaving_[i].msg_hdr.msg_iov = &pieces_[i];
      arriving_[i].msg_hdr.msg_iov = &into_[i];
      leaving_[i].msg_hdr.msg_iovlen = arriving_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void send() {
    for (unsigned sent = 0; sent < kBurst;) {
      const int n = ::sendmmsg(fd_, &leaving_[sent], kBurst - sent, MSG_NOSIGNAL);
      if (n <= 0) give_up("bare sendmmsg");
      sent += static_cast<unsigned>(n);
    }
  }
  std::size_t receive() {
    const int n = ::recvmmsg(fd_, arriving_.data(), kBurst, MSG_WAITFORONE, nullptr);
    if (n <= 0) give_up("bare recvmmsg");
    return static_cast<std::size_t>(n);
  }

 private:
  static constexpr std::size_t kStride = 2048;  // as tight as 1514 bytes allow
  int fd_;
  std::vector<std::byte> room_;
  std::array<iovec, kBurst> pieces_, into_;
  std::array<mmsghdr, kBurst> leaving_{}, arriving_{};
};

// --- ours ---

struct CountingSink final : drv::LinkSink {
  void deliver(std::span<const drv::RxFrame> burst) override { frames += burst.size(); }
  void ready() override { is_ready = true; }
  void link_changed(net::LinkState, const Error*) override { give_up("the link went down"); }
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t) override { give_up("a frame was lost"); }
  std::size_t frames = 0;
  bool is_ready = false;
};

// A link of ours and the loop around it, on one thread.
class Ours {
 public:
  Ours(int fd, const Wire& wire, const Burst& burst) : burst_(burst) {
    const std::string ifname = "virt0";
    const net::MacAddress lladdr{{2, 0, 0, 0, 0, 1}};
    const std::string text = "stream:fd=" + std::to_string(fd) + wire.option;
    auto opened = host::open_stream_link(*drv::Linkstr::parse(text), {ifname, lladdr, domain_}, watch_, clock_);
    if (!opened) give_up(opened.error().text);
    port_ = std::move(opened->port);
    if (!port_->start(sink_)) give_up("start");
  }
  ~Ours() { port_->stop(); }

  void send() {
    for (std::size_t sent = 0; sent < kBurst;) {
      const drv::SendResult result = port_->send(std::span(burst_.frames).subspan(sent));
      sent += result.taken;
      if (result.status == drv::SendStatus::would_block) wait();
    }
  }
  std::size_t receive() {
    const std::size_t before = sink_.frames;
    if (!more_) wait();
    more_ = port_->drain(64);
    return sink_.frames - before;
  }
  // Without waiting for a descriptor to tell.
  std::size_t receive_now() {
    const std::size_t before = sink_.frames;
    while (port_->drain(64)) continue;
    return sink_.frames - before;
  }

 private:
  void wait() {
    for (watch_.collect(); !std::exchange(sink_.is_ready, false); watch_.collect()) {
      pollfd waited{watch_.fd(), POLLIN, 0};
      ::poll(&waited, 1, -1);
    }
  }

  const Burst& burst_;
  host::LinuxClock clock_;
  host::FdWatch watch_ = std::move(*host::FdWatch::create());
  host::sim::SimHost host_{1};
  net::Domain& domain_ = host_.add_domain({.pool = {.counts = {1, 0, 0, 0}, .external = 0}});
  CountingSink sink_;
  std::unique_ptr<drv::LinkPort> port_;
  bool more_ = false;
};

// --- one round of each ---

template <class Sender, class Receiver>
double one_thread(Sender& sender, Receiver receive, std::size_t frames) {
  const double begun = now_ns();
  std::size_t received = 0;
  for (std::size_t sent = 0; sent < frames; sent += kBurst) {
    sender.send();
    while (received < sent + kBurst) received += receive();
  }
  return (now_ns() - begun) / static_cast<double>(received);
}

template <class Sender, class Receiver>
double two_threads(Sender& sender, Receiver& receiver, std::size_t frames) {
  std::atomic<bool> go{false};
  std::thread sending([&] {
    pin(1);
    while (!go) continue;
    for (std::size_t sent = 0; sent < frames; sent += kBurst) sender.send();
  });
  const double begun = now_ns();
  go = true;
  for (std::size_t received = 0; received < frames;) received += receiver.receive();
  const double ns = (now_ns() - begun) / static_cast<double>(frames);
  sending.join();
  return ns;
}

template <class Bare>
void compare(const Wire& wire, std::size_t frame_bytes, int rounds) {
  const Burst burst(frame_bytes);
  const std::string what = std::string(wire.name) + ", " + std::to_string(frame_bytes) + " B";
  const std::size_t frames = kBurst * (frame_bytes > 1000 ? 4'000 : 12'000);

  Pair bare_pair(wire.type), ours_pair(wire.type);
  const Waiter waiter(bare_pair);
  Bare bare_sender(bare_pair.a.get(), burst), bare_receiver(bare_pair.b.get(), burst);
  Ours sender(::dup(ours_pair.a.get()), wire, burst), receiver(::dup(ours_pair.b.get()), wire, burst);
  Comparison("stream: " + what + ", one thread",
             {{"stream:",
               [&] {
                 return one_thread(
                     sender, [&] { return receiver.receive_now(); }, frames);
               }},
              {"bare calls",
               [&] {
                 return one_thread(
                     bare_sender, [&] { return bare_receiver.receive(); }, frames);
               }}},
             {{"bare calls", 0.9}})
      .run(rounds);
  Comparison("stream: " + what + ", two threads",
             {{"stream:", [&] { return two_threads(sender, receiver, frames); }},
              {"bare calls", [&] { return two_threads(bare_sender, bare_receiver, frames); }}},
             {{"bare calls", 0.9}})
      .run(rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  begin();
  print_calibration();
  for (const std::size_t frame_bytes : {std::size_t{64}, std::size_t{1514}}) {
    compare<BareStream>(kWires[0], frame_bytes, rounds);
    compare<BarePackets>(kWires[1], frame_bytes, rounds);
  }
}
