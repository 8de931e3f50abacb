// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/uring/packet_sender.hpp"

#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kRingFramesMin = 4;  // below, a call costs less than a ring
constexpr int kRefusalsMax = 3;            // of one frame, before it counts as failed

Result<PacketSocket> open_outgoing(const SendPlan& plan, bool vnet) {
  Result<PacketSocket> socket = PacketSocket::open();
  if (!socket) return socket;
  if (plan.bypass_qdisc) {
    if (Status set = socket->set(PACKET_QDISC_BYPASS, 1, "bypass the queueing discipline"); !set)
      return std::move(set).error();
  }
  if (vnet) {
    if (Status set = socket->set(PACKET_VNET_HDR, 1, "send offload beside frames"); !set) return std::move(set).error();
  }
  if (Status attached = socket->attach(plan.ifindex); !attached) return std::move(attached).error();
  return socket;
}

}  // namespace

Result<std::unique_ptr<PacketSender>> PacketSender::open(const SendPlan& plan) {
  Result<PacketSocket> plain = open_outgoing(plan, false);
  if (!plain) return std::move(plain).error();
  std::unique_ptr<PacketSender> sender(new PacketSender(std::move(*plain)));
  int bytes = 0;
  socklen_t size = sizeof bytes;
  if (::getsockopt(sender->plain_.fd(), SOL_SOCKET, SO_SNDBUF, &bytes, &size) != 0) {
    return host_error("cannot ask a packet socket for its send buffer");
  }
  sender->send_buffer_bytes_ = static_cast<std::size_t>(bytes);
  if (Result<PacketSocket> with_offload = open_outgoing(plan, true)) sender->with_offload_ = std::move(*with_offload);
  sender->make_ring();
  return sender;
}

// The calling thread's; none when the host has none for us.
void PacketSender::make_ring() {
  ring_.reset();
  Result<std::unique_ptr<IoRing>> ring = IoRing::create(kBurst, 2 * kBurst);
  if (ring && (*ring)->register_file(plain_.fd())) ring_ = std::move(*ring);
}

std::string PacketSender::words() const { return ring_ ? std::string(ring_->words()) + " sends" : "sendmmsg"; }

drv::SendResult PacketSender::send(std::span<const drv::TxFrame> frames) {
  drv::SendResult total;
  while (!frames.empty() && total.status == drv::SendStatus::ok) {
    const bool with_offload = with_offload_ && frames[0].offload.is_pending();
    const auto end =
        std::find_if(frames.begin() + 1, frames.begin() + static_cast<std::ptrdiff_t>(std::min(kBurst, frames.size())),
                     [=](const drv::TxFrame& frame) { return frame.offload.is_pending() != with_offload; });
    const std::span<const drv::TxFrame> alike(frames.begin(), end);
    describe(alike, with_offload);
    const drv::SendResult result = with_offload ? send_by_call(*with_offload_, alike.size()) : send_plain(alike);
    if (result.taken > 0) refusals_ = 0;
    total.taken += result.taken;
    total.status = result.status;
    frames = frames.subspan(result.taken);
  }
  return total;
}

void PacketSender::describe(std::span<const drv::TxFrame> frames, bool with_offload) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const drv::TxFrame& frame = frames[i];
    iovec* const slices = slices_[i].data();
    std::size_t n = 0;
    if (with_offload) slices[n++] = {const_cast<net::Offload*>(&frame.offload), sizeof frame.offload};
    if (frame.slices.size() > 1 && frame.bytes <= kStagedBytes) {
      std::byte* at = staged_[i].data();
      for (const Bytes slice : frame.slices) at = std::copy(slice.begin(), slice.end(), at);
      slices[n++] = {staged_[i].data(), frame.bytes};
    } else {
      for (const Bytes slice : frame.slices) slices[n++] = {const_cast<std::byte*>(slice.data()), slice.size()};
    }
    messages_[i].msg_hdr.msg_iov = slices;
    messages_[i].msg_hdr.msg_iovlen = n;
  }
}

// Sends of a burst in the ring do not wait for each other: where one could fail for want of room and a later one not,
// frames would change places. So the ring gets what surely has room, and the call, which stops at the first failure,
// the rest.
drv::SendResult PacketSender::send_plain(std::span<const drv::TxFrame> frames) {
  if (ring_ && frames.size() >= kRingFramesMin) {
    const std::size_t n = frames_with_room(frames);
    if (n >= kRingFramesMin) return send_by_ring(n);
  }
  return send_by_call(plain_, frames.size());
}

std::size_t PacketSender::frames_with_room(std::span<const drv::TxFrame> frames) const {
  int queued = 0;
  if (::ioctl(plain_.fd(), SIOCOUTQ, &queued) != 0) return 0;
  std::size_t used = static_cast<std::size_t>(queued);
  std::size_t n = 0;
  // A frame is let in while the buffer is not full, and then counts as no more than this.
  for (; n < frames.size() && used < send_buffer_bytes_; ++n) used += std::size_t{2} * frames[n].bytes + 2048;
  return n;
}

drv::SendResult PacketSender::send_by_ring(std::size_t frames) {
  std::array<int, kBurst> results{};
  io_uring* const ring = ring_->raw();
  for (std::size_t i = 0; i < frames; ++i) {
    io_uring_sqe* const sqe = ::io_uring_get_sqe(ring);  // as many as a burst, and all of them free
    const msghdr& message = messages_[i].msg_hdr;
    if (message.msg_iovlen == 1) {
      ::io_uring_prep_send(sqe, 0, message.msg_iov->iov_base, message.msg_iov->iov_len, MSG_DONTWAIT);
    } else {
      ::io_uring_prep_sendmsg(sqe, 0, &message, MSG_DONTWAIT);
    }
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = i;
  }
  const int answer = ::io_uring_submit_and_wait(ring, static_cast<unsigned>(frames));
  const std::size_t submitted = static_cast<std::size_t>(std::max(answer, 0));
  unsigned head = 0, answered = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(ring, head, cqe) {
    results[cqe->user_data] = cqe->res;
    ++answered;
  }
  ::io_uring_cq_advance(ring, answered);
  // What was not submitted goes another way: through a ring of this thread's own if that was it, else without.
  if (answer == -EEXIST) make_ring();
  else if (submitted < frames || answered < submitted) ring_.reset();
  if (submitted == 0) return send_by_call(plain_, frames);

  std::size_t taken = submitted;
  while (taken > 0 && results[taken - 1] < 0) --taken;
  failed_ += static_cast<std::uint64_t>(std::count_if(
      results.begin(), results.begin() + static_cast<std::ptrdiff_t>(taken), [](int r) { return r < 0; }));
  if (taken == submitted) return {taken, drv::SendStatus::ok};
  drv::SendResult result = refused(-results[taken], plain_);
  result.taken += taken;
  return result;
}

drv::SendResult PacketSender::send_by_call(const PacketSocket& socket, std::size_t frames) {
  const int taken = ::sendmmsg(socket.fd(), messages_.data(), static_cast<unsigned>(frames), MSG_DONTWAIT);
  if (taken < 0) return refused(errno, socket);
  return {static_cast<std::size_t>(taken), drv::SendStatus::ok};
}

// What becomes of the frame at the front, which the kernel did not take.
drv::SendResult PacketSender::refused(int number, const PacketSocket& socket) {
  switch (number) {
    case EAGAIN:
      blocked_fd_ = socket.fd();
      return {0, drv::SendStatus::would_block};
    case EINTR:
    case ENOBUFS:  // a queue of the host's is full, or a rule of its traffic control has dropped this very frame
      if (++refusals_ > kRefusalsMax) break;
      blocked_fd_ = -1;
      return {0, drv::SendStatus::would_block};
    case EMSGSIZE:
      return {0, drv::SendStatus::message_size};
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
      return {0, drv::SendStatus::network_down};
    default:
      break;
  }
  // What comes behind it may do better.
  refusals_ = 0;
  ++failed_;
  return {1, drv::SendStatus::ok};
}

}  // namespace vif::host
