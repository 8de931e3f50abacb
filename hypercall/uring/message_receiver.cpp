// SPDX-License-Identifier: BSD-2-Clause
// Frames by messages, where there is no ring shared with the kernel: multishot receives through io_uring, or recvmmsg.
// Tags and times come beside them in control messages.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "hypercall/host_error.hpp"
#include "hypercall/io_ring.hpp"
#include "hypercall/uring/packet_frame.hpp"
#include "hypercall/uring/packet_receiver.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBuffers = 64;  // a power of two
constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(tpacket_auxdata)) + CMSG_SPACE(sizeof(timespec));
constexpr std::size_t kFrameBytes = std::size_t{66} << 10;  // 64 KiB of payload, its headers, its offload
constexpr std::size_t kBufferBytes = std::size_t{68} << 10;
constexpr int kTries = 3;  // before an error counts: the first may be an old one, that the interface was down

struct Freed {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Pages = std::unique_ptr<std::byte[], Freed>;
Pages pages(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  return Pages(static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes + kPage - 1) & ~(kPage - 1))));
}

Status want_notes(PacketSocket& socket) {
  const int on = 1;
  if (Status aux = socket.set(PACKET_AUXDATA, on, "have VLAN tags beside frames"); !aux) return aux;
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0) return {};
  return host_error("cannot have times beside frames");
}

// Messages become frames, 32 at a time, and go up.
class Burst {
 public:
  Burst(drv::LinkSink& sink, PacketReceiver::Drained& drained, bool vnet)
      : sink_(sink), drained_(drained), vnet_(vnet) {}

  // `payload` has kVnetHeaderBytes in front that may be written.
  void add(MutBytes payload, Bytes control, bool cut) {
    const std::size_t vnet_bytes = vnet_ ? kVnetHeaderBytes : 0;
    if (cut || payload.size() < vnet_bytes) {
      ++drained_.lost;
      return;
    }
    frames_[n_++] = whole_frame(payload.subspan(vnet_bytes), notes_in_control(control), vnet_);
  }
  void deliver() {
    if (n_ > 0) sink_.deliver(std::span(frames_).first(n_));
    drained_.delivered += std::exchange(n_, 0);
  }
  static constexpr std::size_t kFrames = 32;

 private:
  drv::LinkSink& sink_;
  PacketReceiver::Drained& drained_;
  const bool vnet_;
  std::array<drv::RxFrame, kFrames> frames_;
  std::size_t n_ = 0;
};

class MessageReceiver final : public PacketReceiver {
 public:
  MessageReceiver(PacketSocket socket, bool vnet, Pages memory)
      : PacketReceiver(std::move(socket), vnet), memory_(std::move(memory)) {}

  Result<Drained> drain(std::size_t budget, drv::LinkSink& sink) override {
    Drained drained;
    Burst burst(sink, drained, vnet_);
    for (int failures = 0; drained.delivered < budget;) {
      const int n = receive(std::min(Burst::kFrames, budget - drained.delivered));
      if (n < 0 && errno == EAGAIN) return drained;
      if (n < 0 && ++failures == kTries) return host_error("cannot receive");
      for (std::size_t i = 0; n > 0 && i < static_cast<std::size_t>(n); ++i) {
        const msghdr& message = messages_[i].msg_hdr;
        const MutBytes payload(static_cast<std::byte*>(message.msg_iov->iov_base), messages_[i].msg_len);
        const Bytes control(static_cast<std::byte*>(message.msg_control), message.msg_controllen);
        burst.add(payload, control, (message.msg_flags & MSG_TRUNC) != 0);
      }
      burst.deliver();
    }
    drained.more = true;
    return drained;
  }

  std::string words() const override { return "recvmmsg"; }

 private:
  int receive(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::byte* const buffer = memory_.get() + i * kBufferBytes;
      slices_[i] = {buffer + kPayloadAt, kFrameBytes};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_iov = &slices_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
      messages_[i].msg_hdr.msg_control = buffer;
      messages_[i].msg_hdr.msg_controllen = kControlBytes;
    }
    return ::recvmmsg(socket_.fd(), messages_.data(), static_cast<unsigned>(count), 0, nullptr);
  }

  static constexpr std::size_t kPayloadAt = 128;  // behind the control messages, and room for a tag
  static_assert(kPayloadAt >= kControlBytes + kVnetHeaderBytes && kPayloadAt + kFrameBytes <= kBufferBytes);

  Pages memory_;
  std::array<iovec, Burst::kFrames> slices_;
  std::array<mmsghdr, Burst::kFrames> messages_;
};

// One receive that goes on for as long as it has buffers; what it brought is worked off in our own calls, when the
// socket's descriptor has told us, which is one hop fewer than to wait for the ring's.
class MultishotReceiver final : public PacketReceiver {
 public:
  MultishotReceiver(PacketSocket socket, bool vnet, Pages memory, Pages buffer_ring)
      : PacketReceiver(std::move(socket), vnet), memory_(std::move(memory)), buffer_ring_(std::move(buffer_ring)) {
    form_.msg_controllen = kControlBytes;
  }

  // Makes its ring the calling thread's.
  Status make_ring() {
    ring_.reset();
    armed_ = false;
    Result<std::unique_ptr<IoRing>> ring = IoRing::create(8, 2 * kBuffers);
    if (!ring) return std::move(ring).error();
    if (!(*ring)->deferred()) return fail(ENOTSUP, "this io_uring would take frames when nobody asks it to");
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_.get());
    registration.ring_entries = kBuffers;
    if (const int answer = ::io_uring_register_buf_ring((*ring)->raw(), &registration, 0); answer < 0) {
      return fail(-answer, "cannot give io_uring buffers to choose from");
    }
    ring_ = std::move(*ring);
    ::io_uring_buf_ring_init(buffers());
    for (std::size_t i = 0; i < kBuffers; ++i) give_buffer(static_cast<std::uint16_t>(i), i);
    ::io_uring_buf_ring_advance(buffers(), kBuffers);
    return {};
  }

  Result<Drained> drain(std::size_t budget, drv::LinkSink& sink) override {
    Drained drained;
    for (int failures = 0; drained.delivered < budget;) {
      const int answer = armed_ ? ::io_uring_get_events(ring_->raw()) : arm();
      if (answer == -EEXIST) {  // another thread than before
        if (Status made = make_ring(); !made) return std::move(made).error();
      }
      const std::uint64_t before = drained.delivered + drained.lost;
      const int error = reap(std::min(Burst::kFrames, budget - drained.delivered), sink, drained);
      if (drained.delivered + drained.lost > before) {
        failures = 0;
        continue;
      }
      if (armed_ && answer >= 0) return drained;
      if (++failures < kTries) continue;
      errno = error != 0 ? error : -answer;
      return host_error("cannot receive through io_uring");
    }
    drained.more = true;
    return drained;
  }

  std::string words() const override { return "multishot receives, io_uring (DEFER_TASKRUN)"; }

 private:
  io_uring_buf_ring* buffers() { return reinterpret_cast<io_uring_buf_ring*>(buffer_ring_.get()); }
  void give_buffer(std::uint16_t id, std::size_t ahead) {
    ::io_uring_buf_ring_add(buffers(), memory_.get() + id * kBufferBytes, kBufferBytes, id, kBuffers - 1,
                            static_cast<int>(ahead));
  }

  int arm() {
    io_uring_sqe* const sqe = ::io_uring_get_sqe(ring_->raw());
    if (sqe == nullptr) return -EBUSY;
    ::io_uring_prep_recvmsg_multishot(sqe, socket_.fd(), &form_, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    const int answer = ::io_uring_submit(ring_->raw());
    armed_ = answer >= 0;
    return answer;
  }

  // What has come, at most `most` of it; its buffers go back when it is delivered. The errno of a receive that failed,
  // or 0.
  int reap(std::size_t most, drv::LinkSink& sink, Drained& drained) {
    Burst burst(sink, drained, vnet_);
    std::array<io_uring_cqe*, Burst::kFrames> completions;
    const unsigned n = ::io_uring_peek_batch_cqe(ring_->raw(), completions.data(), static_cast<unsigned>(most));
    std::array<std::uint16_t, Burst::kFrames> used;
    std::size_t frames = 0;
    int error = 0;
    for (const io_uring_cqe* const cqe : std::span(completions).first(n)) {
      if ((cqe->flags & IORING_CQE_F_MORE) == 0) armed_ = false;
      if (cqe->res < 0) error = -cqe->res;
      if ((cqe->flags & IORING_CQE_F_BUFFER) == 0) continue;
      used[frames] = static_cast<std::uint16_t>(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
      add(burst, memory_.get() + used[frames++] * kBufferBytes, cqe->res);
    }
    burst.deliver();
    for (std::size_t i = 0; i < frames; ++i) give_buffer(used[i], i);
    ::io_uring_buf_ring_advance(buffers(), static_cast<int>(frames));
    ::io_uring_cq_advance(ring_->raw(), n);
    return error;
  }
  void add(Burst& burst, std::byte* buffer, int bytes) {
    io_uring_recvmsg_out* const out = ::io_uring_recvmsg_validate(buffer, bytes, &form_);
    if (out == nullptr) return burst.add({}, {}, true);
    const std::size_t header = sizeof *out + kControlBytes;
    const Bytes control(buffer + sizeof *out, std::min<std::size_t>(out->controllen, kControlBytes));
    burst.add({buffer + header, static_cast<std::size_t>(bytes) - header}, control, (out->flags & MSG_TRUNC) != 0);
  }

  Pages memory_;
  Pages buffer_ring_;
  msghdr form_{};  // how much of a message's parts is wanted
  std::unique_ptr<IoRing> ring_;
  bool armed_ = false;  // there is a receive under way
};

Result<IncomingSocket> open_noted(const ReceivePlan& plan) {
  Result<IncomingSocket> incoming = open_incoming(plan);
  if (!incoming) return incoming;
  if (Status noted = want_notes(incoming->socket); !noted) return std::move(noted).error();
  return incoming;
}

Error no_memory() { return fail(ENOMEM, "no memory to receive into"); }

}  // namespace

Result<std::unique_ptr<PacketReceiver>> open_multishot(const ReceivePlan& plan) {
  Result<IncomingSocket> incoming = open_noted(plan);
  if (!incoming) return std::move(incoming).error();
  Pages memory = pages(kBuffers * kBufferBytes), buffer_ring = pages(kBuffers * sizeof(io_uring_buf));
  if (!memory || !buffer_ring) return no_memory();
  auto receiver = std::make_unique<MultishotReceiver>(std::move(incoming->socket), incoming->vnet, std::move(memory),
                                                      std::move(buffer_ring));
  if (Status made = receiver->make_ring(); !made) return std::move(made).error();
  return std::unique_ptr<PacketReceiver>(std::move(receiver));
}

Result<std::unique_ptr<PacketReceiver>> open_recvmmsg(const ReceivePlan& plan) {
  Result<IncomingSocket> incoming = open_noted(plan);
  if (!incoming) return std::move(incoming).error();
  Pages memory = pages(Burst::kFrames * kBufferBytes);
  if (!memory) return no_memory();
  return std::unique_ptr<PacketReceiver>(
      std::make_unique<MessageReceiver>(std::move(incoming->socket), incoming->vnet, std::move(memory)));
}

}  // namespace vif::host
