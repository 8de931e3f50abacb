// SPDX-License-Identifier: BSD-2-Clause
// What tap: is measured beside: a TAP of its own, with or without a virtio_net_hdr, and the bare calls on it: write(2),
// read(2) and batches of an io_uring with registered buffers. Receiving is the drain of a full queue.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/frames.hpp"

namespace vif::bench {

inline constexpr std::size_t kBatch = 64, kSlotBytes = 2048, kHeaderBytes = 10;
inline constexpr std::size_t kSent = 20'480, kReceived = 4'096;

inline void must(const Status& status) {
  if (!status) give_up(status.error().text);
}
inline void must(bool done, const std::string& what) {
  if (!done) give_up(what + ": " + std::strerror(errno));
}

inline void set_up(const std::string& name) {
  const std::string words = "ip link set " + name + " txqueuelen 8192 up";
  must(std::system(words.c_str()) == 0, words);
}

inline std::vector<std::byte> frame_of(std::size_t bytes) {
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

}  // namespace vif::bench
