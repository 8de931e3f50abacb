// SPDX-License-Identifier: BSD-2-Clause
// Reading and writing: all of it is one receive and one send, of any number of pieces. A copy lies between a caller and
// lwIP, so that nobody is on lwIP's stack while a call waits.
#include <algorithm>

#include "hypercall/packetdrill/addresses.hpp"
#include "hypercall/packetdrill/calls.hpp"

namespace vif::host::packetdrill {
namespace {

constexpr std::size_t kPiecesMax = 1024;                 // UIO_MAXIOV
constexpr std::size_t kBytesMax = std::size_t{1} << 24;  // copied at a time; lwIP's buffers have 64 KiB

// The bytes of all pieces, or an errno, negated.
Answer length_of(std::span<const iovec> pieces) {
  if (pieces.size() > kPiecesMax) return -EMSGSIZE;
  std::size_t bytes = 0;
  for (const iovec& piece : pieces) {
    if (piece.iov_base == nullptr && piece.iov_len > 0) return -EFAULT;
    if (piece.iov_len > kBytesMax - bytes) return -EINVAL;
    bytes += piece.iov_len;
  }
  return static_cast<Answer>(bytes);
}

std::vector<std::byte> gather(std::span<const iovec> pieces) {
  std::vector<std::byte> whole;
  for (const iovec& piece : pieces) {
    const auto* const begin = static_cast<const std::byte*>(piece.iov_base);
    whole.insert(whole.end(), begin, begin + piece.iov_len);
  }
  return whole;
}

void scatter(Bytes whole, std::span<const iovec> pieces) {
  for (const iovec& piece : pieces) {
    const std::size_t bytes = std::min(whole.size(), piece.iov_len);
    if (bytes > 0) std::memcpy(piece.iov_base, whole.data(), bytes);
    whole = whole.subspan(bytes);
  }
}

}  // namespace

Answer Calls::receive(int fd, const Message& into, const Address& from, int* flags_out) {
  constexpr int kKnown = MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | MSG_NOSIGNAL | MSG_WAITALL;
  Waiting::Lock lock = waiting_.enter();
  Socket* const socket = descriptors_->find(fd);
  if (socket == nullptr) return -EBADF;
  if ((into.flags & ~kKnown) != 0) return -EOPNOTSUPP;
  const Answer room = length_of(into.pieces);
  if (room < 0) return room;
  const bool is_stream = socket->type() == SOCK_STREAM;
  const int family = socket->family;  // the socket may be gone after a wait
  const ReceiveAs as{(into.flags & MSG_PEEK) != 0, (into.flags & MSG_TRUNC) != 0};
  const bool whole = is_stream && !as.peek && (into.flags & MSG_WAITALL) != 0;
  std::vector<std::byte> buffer(static_cast<std::size_t>(room));
  std::size_t done = 0;
  Received received;
  const Wait wait{POLLIN | POLLERR, (into.flags & MSG_DONTWAIT) != 0, socket->settings.receive_timeout};
  const Answer answer = attempt(lock, fd, wait, [&](Socket& s) -> Answer {
    if (done > 0 && s.unread() == 0 && s.has_error()) return 0;  // the next call's, as what came is told first
    const Answer got = s.receive(MutBytes(buffer).subspan(done), as, received);
    if (got > 0 && is_stream) done += static_cast<std::size_t>(got);
    return whole && got > 0 && done < buffer.size() ? -EAGAIN : got;
  });
  if (answer < 0 && done == 0) return answer;
  const std::size_t bytes = is_stream ? done : std::min(static_cast<std::size_t>(answer), buffer.size());
  scatter(Bytes(buffer).first(bytes), into.pieces);
  if (flags_out != nullptr) *flags_out = received.truncated ? MSG_TRUNC : 0;
  if (received.from && from.into != nullptr) {
    if (const Answer wrote = write_address(*received.from, family, from.into, from.bytes); wrote < 0) {
      return wrote;
    }
  } else if (from.bytes != nullptr) {
    *from.bytes = 0;
  }
  return is_stream ? static_cast<Answer>(done) : answer;
}

Answer Calls::send(int fd, const Message& from, const sockaddr* to, socklen_t to_bytes) {
  constexpr int kKnown = MSG_DONTWAIT | MSG_NOSIGNAL;
  Waiting::Lock lock = waiting_.enter();
  Socket* const socket = descriptors_->find(fd);
  if (socket == nullptr) return -EBADF;
  if ((from.flags & ~kKnown) != 0) return -EOPNOTSUPP;
  const Answer length = length_of(from.pieces);
  if (length < 0) return length;
  std::optional<Endpoint> peer;
  if (to != nullptr) {
    Endpoint named;
    if (const Answer read = read_address(to, to_bytes, socket->family, named); read != 0) return read;
    if (named.port == 0) return -EINVAL;
    peer = named;
  }
  const std::vector<std::byte> buffer = gather(from.pieces);
  std::size_t done = 0;
  const Wait wait{POLLOUT | POLLERR, (from.flags & MSG_DONTWAIT) != 0, socket->settings.send_timeout};
  const Answer answer = attempt(lock, fd, wait, [&](Socket& s) -> Answer {
    if (done > 0 && s.has_error()) return 0;  // the next call's, as what went is told first
    const Answer sent = s.send(Bytes(buffer).subspan(done), peer);
    if (sent > 0) done += static_cast<std::size_t>(sent);
    return sent > 0 && done < buffer.size() ? -EAGAIN : sent;
  });
  return done > 0 ? static_cast<Answer>(done) : answer;
}

}  // namespace vif::host::packetdrill
