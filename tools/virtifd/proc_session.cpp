// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/proc_session.hpp"

#include <sys/socket.h>

#include "hypercall/host_error.hpp"
#include "services/connector/proc_event.hpp"

namespace vif::tools {

ProcSession::ProcSession(host::UniqueFd fd, cn::Bus& bus, const cn::Sender& sender)
    : fd_(std::move(fd)),
      bus_(bus),
      subscriber_(bus, {.ring_bytes = kRingBytes, .privileged = false}),
      sender_(sender) {
  sender_.subscriber = &subscriber_;
  (void)subscriber_.join(cn::kProcId.idx);
}

Result<std::unique_ptr<ProcSession>> ProcSession::open(host::UniqueFd fd, cn::Bus& bus) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return host::host_error("who is there?");
  // A process that has no number in our pid namespace is pid 0.
  const cn::Sender sender{.tid = peer.pid, .tgid = peer.pid, .uid = peer.uid, .initial_namespaces = peer.pid != 0};
  return std::unique_ptr<ProcSession>(new ProcSession(std::move(fd), bus, sender));
}

bool ProcSession::hear(const std::function<void()>& catch_up) {
  for (int requests = 0; requests < kRequestsARound; ++requests) {
    if (heard_.empty()) {
      const ssize_t got = ::recv(fd_.get(), in_.data(), in_.size(), MSG_DONTWAIT);
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      if (got == 0) return false;
      catch_up();
      heard_ = Bytes(in_.data(), static_cast<std::size_t>(got));
    }
    const std::optional<cn::Message> message = cn::read_message(heard_);
    if (message) bus_.receive(*message, sender_);
    heard_ = message ? heard_.subspan(message->bytes()) : Bytes();
  }
  return true;
}

bool ProcSession::put(Bytes record) {
  if (record.size() > out_.size() - out_bytes_) return false;
  std::memcpy(out_.data() + out_bytes_, record.data(), record.size());
  out_bytes_ += record.size();
  return true;
}

void ProcSession::pack() {
  if (!left_.empty() && put(left_)) left_.clear();
  while (left_.empty()) {
    const auto next = subscriber_.ring().read();
    if (const auto* record = std::get_if<cn::Record>(&next)) {
      if (!put(record->bytes)) left_.assign(record->bytes.begin(), record->bytes.end());
    } else if (const auto* lost = std::get_if<cn::Lost>(&next)) {
      std::byte payload[cn::kProcEventBytes], bytes[cn::kMessageHeaderBytes + sizeof payload];
      cn::write_proc_event({.what = cn::What::lost, .cpu = UINT32_MAX, .count = lost->count}, payload);
      cn::write_message({.id = cn::kProcId, .payload = payload}, bytes);
      if (!put(bytes)) left_.assign(std::begin(bytes), std::end(bytes));
    } else {
      return;
    }
  }
}

bool ProcSession::tell() {
  for (;;) {
    if (out_bytes_ == 0) pack();
    if (out_bytes_ == 0) return true;
    const ssize_t sent = ::send(fd_.get(), out_.data(), out_bytes_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
    out_bytes_ = 0;
  }
}

}  // namespace vif::tools
