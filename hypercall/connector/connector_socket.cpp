// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/connector_socket.hpp"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <memory>

#include "hypercall/host_error.hpp"
#include "services/connector/control.hpp"

namespace vif::host {
namespace {

constexpr int kAcknowledgementMs = 1000;  // the kernel answers inside our send(); more is a machine out of breath

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

Error refusal(const char* what) {
  if (errno == EPROTONOSUPPORT) return fail(errno, "this kernel has no connector (CONFIG_CONNECTOR)");
  if (errno == ECONNREFUSED) return fail(errno, "the process connector is in the initial network namespace only");
  return host_error(what);
}

}  // namespace

struct ConnectorSocket::Buffers {
  std::array<std::array<std::byte, kDatagramBytesMax>, kBatch> bytes;
  std::array<sockaddr_nl, kBatch> from;
  std::array<iovec, kBatch> pieces;
  std::array<mmsghdr, kBatch> messages;
};

ConnectorSocket::ConnectorSocket(UniqueFd fd) : fd_(std::move(fd)), buffers_(std::make_unique<Buffers>()) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    buffers_->pieces[i] = {buffers_->bytes[i].data(), kDatagramBytesMax};
    buffers_->messages[i] = {};
    buffers_->messages[i].msg_hdr.msg_iov = &buffers_->pieces[i];
    buffers_->messages[i].msg_hdr.msg_iovlen = 1;
  }
}

Result<ConnectorSocket> ConnectorSocket::open(int receive_bytes) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!fd) return refusal("cannot make a connector socket");
  // Without CAP_NET_ADMIN the limit of rmem_max stays; what does not fit is counted.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes) != 0) {
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = cn::kProcId.idx;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return refusal("cannot join the process connector's group");
  }
  ConnectorSocket made(std::move(fd));
  if (Status listening = made.listen(); !listening) return std::move(listening).error();
  return made;
}

ConnectorSocket::ConnectorSocket(ConnectorSocket&& other) noexcept = default;

ConnectorSocket::~ConnectorSocket() {
  if (fd_) (void)tell(static_cast<std::uint32_t>(cn::Op::ignore), 0);
}

Status ConnectorSocket::listen() {
  std::uint32_t ack = 0;
  if (::getrandom(&ack, sizeof ack, 0) != sizeof ack) return host_error("cannot get a random number");
  if (Status told = tell(static_cast<std::uint32_t>(cn::Op::listen), ack); !told) return told;
  return await_acknowledgement(ack + 1);
}

Status ConnectorSocket::tell(std::uint32_t op, std::uint32_t ack) const {
  std::byte payload[4];
  store<std::uint32_t, std::endian::native>(payload, op);
  const cn::Message message{.id = cn::kProcId, .seq = 1, .ack = ack, .payload = payload};
  std::byte datagram[cn::kNetlinkHeaderBytes + cn::kMessageHeaderBytes + sizeof payload];
  const std::size_t bytes = cn::write_datagram(message, datagram);
  if (::send(fd_.get(), datagram, bytes, 0) < 0) return refusal("cannot speak to the process connector");
  return {};
}

Status ConnectorSocket::await_acknowledgement(std::uint32_t ack) {
  std::optional<std::uint32_t> answer;
  const auto look = [&](Bytes datagram) {
    const std::optional<cn::Message> message = cn::read_datagram(datagram);
    const std::optional<cn::ProcEvent> event = message ? cn::read_proc_event(message->payload) : std::nullopt;
    if (event && event->what == cn::What::none && message->ack == ack) answer = event->error;
  };
  for (const std::int64_t until = now_ms() + kAcknowledgementMs; !answer;) {
    const Result<Received> received = receive(look);
    if (!received) return received.error();
    if (answer || *received != Received::nothing) continue;
    const std::int64_t left = until - now_ms();
    if (left <= 0) {
      return fail(ETIMEDOUT,
                  "the process connector does not answer: it serves the initial pid and user namespaces only");
    }
    pollfd waiting{fd_.get(), POLLIN, 0};
    (void)::poll(&waiting, 1, static_cast<int>(left));
  }
  if (*answer != 0) return fail(static_cast<int>(*answer), "the process connector refuses: it wants CAP_NET_ADMIN");
  return {};
}

Result<ConnectorSocket::Received> ConnectorSocket::receive(const std::function<void(Bytes)>& each) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    buffers_->messages[i].msg_hdr.msg_name = &buffers_->from[i];
    buffers_->messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_nl);
  }
  const int got = ::recvmmsg(fd_.get(), buffers_->messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return Received::nothing;
    if (errno == ENOBUFS) return Received::overflow;
    return host_error("cannot hear the process connector");
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    if (buffers_->from[i].nl_pid != 0) continue;  // not the kernel
    each(Bytes(buffers_->bytes[i].data(), buffers_->messages[i].msg_len));
  }
  return got > 0 ? Received::some : Received::nothing;
}

Result<std::uint64_t> ConnectorSocket::drops() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t bytes = sizeof info;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &bytes) != 0) {
    return host_error("cannot ask how many events were dropped");
  }
  return std::uint64_t{info[SK_MEMINFO_DROPS]};
}

}  // namespace vif::host
