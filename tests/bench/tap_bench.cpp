// SPDX-License-Identifier: BSD-2-Clause
// What a frame through tap: costs beside the bare calls that move the same frame: write(2), read(2) and batches of an
// io_uring, on TAPs of their own with and without a virtio_net_hdr. Receiving is the drain of a full queue.
// tap_bench [rounds]: in a network namespace of its own; needs root, or user namespaces. Build with
// --buildtype=release.
#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/tap/tap_link.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using namespace vif::bench;

constexpr std::size_t kBatch = 64, kSlotBytes = 2048, kHeaderBytes = 10;
constexpr std::size_t kSent = 20'480, kReceived = 4'096;

void must(const Status& status) {
  if (!status) give_up(status.error().text);
}
void must(bool done, const std::string& what) {
  if (!done) give_up(what + ": " + std::strerror(errno));
}

void set_up(const std::string& name) {
  const std::string words = "ip link set " + name + " txqueuelen 8192 up";
  must(std::system(words.c_str()) == 0, words);
}

std::vector<std::byte> frame_of(std::size_t bytes) {
  std::vector<std::byte> frame(bytes);
  net::EtherHeader{test::kOurMac, test::kPeerMac, 0x88b5}.store(frame.data());
  return frame;
}

// Fills the queue of a TAP from the host's side.
class Filler {
 public:
  explicit Filler(const std::string& name) : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
    must(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind to " + name);
    const int bytes = 256 << 20;
    must(::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) == 0, "SO_SNDBUFFORCE");
  }
  void fill(std::size_t frame_bytes) const {
    std::vector<std::byte> frame = frame_of(frame_bytes);
    iovec piece{frame.data(), frame.size()};
    std::array<mmsghdr, kBatch> burst{};
    for (mmsghdr& message : burst) message.msg_hdr = {nullptr, 0, &piece, 1, nullptr, 0, 0};
    for (std::size_t sent = 0; sent < kReceived; sent += kBatch) {
      must(::sendmmsg(fd_.get(), burst.data(), kBatch, 0) == kBatch, "sendmmsg");
    }
  }

 private:
  host::UniqueFd fd_;
};

// A TAP and the calls, with nothing in between.
class Raw {
 public:
  Raw(const std::string& name, bool header) : header_bytes_(header ? kHeaderBytes : 0) {
    fd_ = host::UniqueFd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd_) skip(std::string("/dev/net/tun: ") + std::strerror(errno));
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | (header ? IFF_VNET_HDR : 0));
    if (::ioctl(fd_.get(), TUNSETIFF, &request) != 0) skip(std::string("TUNSETIFF: ") + std::strerror(errno));
    set_up(name);
    filler_.emplace(name);
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    if (::io_uring_queue_init_params(kBatch, &ring_, &params) != 0) skip("no io_uring with DEFER_TASKRUN");
    const iovec all{slots_, sizeof slots_};
    const int file = fd_.get();
    must(::io_uring_register_buffers(&ring_, &all, 1) == 0, "register_buffers");
    must(::io_uring_register_files(&ring_, &file, 1) == 0, "register_files");
  }
  ~Raw() { ::io_uring_queue_exit(&ring_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  double write_loop(std::size_t frame_bytes) {
    place(frame_bytes);
    const double begun = now_ns();
    for (std::size_t i = 0; i < kSent; ++i) must(::write(fd_.get(), slot(0), header_bytes_ + frame_bytes) > 0, "write");
    return (now_ns() - begun) / kSent;
  }
  double write_batches(std::size_t frame_bytes) {
    place(frame_bytes);
    const double begun = now_ns();
    for (std::size_t i = 0; i < kSent; i += kBatch) {
      for (std::size_t k = 0; k < kBatch; ++k) {
        io_uring_sqe* const sqe = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_write_fixed(sqe, 0, slot(k), static_cast<unsigned>(header_bytes_ + frame_bytes), 0, 0);
        sqe->flags |= IOSQE_FIXED_FILE;
      }
      run();
    }
    return (now_ns() - begun) / kSent;
  }
  double read_loop(std::size_t frame_bytes) {
    filler_->fill(frame_bytes);
    std::size_t frames = 0;
    const double begun = now_ns();
    while (::read(fd_.get(), slot(0), kSlotBytes - kHead) > 0) ++frames;
    return per_frame(begun, frames);
  }
  double read_batches(std::size_t frame_bytes) {
    filler_->fill(frame_bytes);
    std::size_t frames = 0;
    const double begun = now_ns();
    for (bool more = true; more;) {
      for (std::size_t k = 0; k < kBatch; ++k) {
        io_uring_sqe* const sqe = ::io_uring_get_sqe(&ring_);
        ::io_uring_prep_read_fixed(sqe, 0, slot(k), kSlotBytes - kHead, 0, 0);
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->rw_flags = RWF_NOWAIT;
      }
      const std::size_t answered = run();
      frames += answered;
      more = answered == kBatch;
    }
    return per_frame(begun, frames);
  }

 private:
  static constexpr std::size_t kHead = 64;  // frames begin on a cache line, as ours do

  std::byte* slot(std::size_t i) { return slots_ + i * kSlotBytes + kHead - header_bytes_; }
  void place(std::size_t frame_bytes) {
    const std::vector<std::byte> frame = frame_of(frame_bytes);
    for (std::size_t k = 0; k < kBatch; ++k) std::memcpy(slot(k) + header_bytes_, frame.data(), frame.size());
    for (std::size_t k = 0; k < kBatch; ++k) std::memset(slot(k), 0, header_bytes_);
  }
  std::size_t run() {
    must(::io_uring_submit_and_wait(&ring_, kBatch) == static_cast<int>(kBatch), "submit");
    unsigned head = 0, seen = 0;
    std::size_t done = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++seen;
      done += cqe->res > 0;
    }
    ::io_uring_cq_advance(&ring_, seen);
    return done;
  }
  static double per_frame(double begun, std::size_t frames) {
    if (frames != kReceived) give_up("some frames were lost on the way");
    return (now_ns() - begun) / static_cast<double>(frames);
  }

  const std::size_t header_bytes_;
  host::UniqueFd fd_;
  std::optional<Filler> filler_;
  io_uring ring_{};
  alignas(4096) std::byte slots_[kBatch * kSlotBytes] = {};
};

class CountSink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> burst) override { frames += burst.size(); }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t count) override { give_up("lost " + std::to_string(count) + " frames"); }
  std::size_t frames = 0;
};

// Ours, without a driver on it.
class Ours {
 public:
  Ours(const std::string& name, const std::string& options) {
    auto opened = host::open_tap_link(*drv::Linkstr::parse("tap:" + name + options), owner_, watch_, clock_);
    if (!opened) skip(opened.error().text);
    link_ = std::move(*opened);
    std::printf("ours: %s\n", link_.chosen.c_str());
    set_up(name);
    filler_.emplace(name);
    must(link_.port->start(sink_));
    link_.port->drain(kBatch);
  }
  ~Ours() { link_.port->stop(); }

  double send(std::size_t frame_bytes, std::size_t burst_frames) {
    const std::vector<std::byte> bytes = frame_of(frame_bytes);
    const Bytes slice = bytes;
    std::vector<drv::TxFrame> burst(burst_frames, {{&slice, 1}, static_cast<std::uint32_t>(frame_bytes), {}});
    const double begun = now_ns();
    std::size_t sent = 0;
    while (sent < kSent) sent += link_.port->send(burst).taken;
    return (now_ns() - begun) / static_cast<double>(sent);
  }
  double receive(std::size_t frame_bytes) {
    filler_->fill(frame_bytes);
    sink_.frames = 0;
    const double begun = now_ns();
    while (link_.port->drain(256)) continue;
    const double took = now_ns() - begun;
    if (sink_.frames != kReceived) give_up("some frames were lost on the way");
    return took / kReceived;
  }

 private:
  test::SomeOwner owner_;
  host::LinuxClock clock_;
  host::FdWatch watch_ = *host::FdWatch::create();
  CountSink sink_;
  drv::OpenLink link_;
  std::optional<Filler> filler_;
};

// Ours, with virt0 on it: a frame as a stack hands it down, in bursts of 32.
class Whole {
 public:
  explicit Whole(const std::string& name) {
    ifp_ = *interfaces_.create("virt");
    must(ifp_->ioctl(net::SetLinkstr{"tap:" + name}));
    set_up(name);
    must(ifp_->ioctl(net::SetFlags{ifp_->flags() | net::IFF_UP}));
    while (ifp_->link_state() != net::LinkState::up) loop_->poll(64);
  }
  double send(std::size_t frame_bytes) {
    constexpr std::size_t kBurst = 32;
    const std::vector<std::byte> frame = frame_of(frame_bytes);
    const double begun = now_ns();
    for (std::size_t i = 0; i < kSent; i += kBurst) {
      ifp_->set_flag(net::IFF_OACTIVE, true);  // gathers a burst, as a busy stack does
      for (std::size_t n = 0; n < kBurst; ++n) must(ifp_->transmit(loop_->domain().pool().copy_in(frame)));
      ifp_->set_flag(net::IFF_OACTIVE, false);
      ifp_->driver().if_start();
    }
    return (now_ns() - begun) / kSent;
  }

 private:
  host::LinuxClock clock_;
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::unique_ptr<host::Loop> loop_ = *host::Loop::create(clock_, random_, {});
  host::Instance instance_{{clock_, files_}};
  net::IfCloneTable& interfaces_ = instance_.attach(*loop_);
  net::Ifnet* ifp_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  if (::unshare(CLONE_NEWNET) != 0) skip(std::string("no network namespace: ") + std::strerror(errno));
  std::system("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
  begin();
  print_calibration();
  static Raw plain("vifraw", false), header("vifrawh", true);
  Ours on("vifon", ""), off("vifoff", ",offload=off");
  Whole whole("vifwhole");
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{1514}}) {
    const std::string size = std::to_string(bytes) + " B";
    const Variant write_loop{"write()", [=] { return plain.write_loop(bytes); }};
    const Variant writes{"io_uring writes", [=] { return plain.write_batches(bytes); }};
    const Variant header_writes{"io_uring writes with header", [=] { return header.write_batches(bytes); }};
    const std::vector<Bar> out = {{"io_uring writes", 0.9}, {"io_uring writes with header", 0.9}, {"write()", 1.4}};
    const auto send = [&](const char* what, std::function<double()> run) {
      Comparison("tap: send " + size + ", " + what, {{"ours", std::move(run)}, writes, header_writes, write_loop}, out)
          .run(rounds);
    };
    send("bursts of 64", [&] { return on.send(bytes, 64); });
    send("bursts of 64, offload=off", [&] { return off.send(bytes, 64); });
    send("bursts of 32 from virt0", [&] { return whole.send(bytes); });

    const Variant read_loop{"read()", [=] { return plain.read_loop(bytes); }};
    const Variant reads{"io_uring reads", [=] { return plain.read_batches(bytes); }};
    const Variant header_loop{"read() with header", [=] { return header.read_loop(bytes); }};
    const Variant header_reads{"io_uring reads with header", [=] { return header.read_batches(bytes); }};
    Comparison("tap: receive " + size, {{"ours", [&] { return on.receive(bytes); }}, header_loop, header_reads, reads},
               {{"io_uring reads with header", 0.9}, {"io_uring reads", 0}, {"read() with header", 0}})
        .run(rounds);
    Comparison("tap: receive " + size + ", offload=off",
               {{"ours", [&] { return off.receive(bytes); }}, read_loop, reads},
               {{"io_uring reads", 0.9}, {"read()", 0}})
        .run(rounds);
  }
}
