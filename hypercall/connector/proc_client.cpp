// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/proc_client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include "hypercall/host_error.hpp"
#include "services/connector/message.hpp"

namespace vif::host {

Result<ProcClient> ProcClient::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ENAMETOOLONG, "socket path '" + path + "' has " + std::to_string(path.size()) + " bytes: 1 to " +
                                  std::to_string(sizeof address.sun_path - 1) + " fit");
  }
  path.copy(address.sun_path, path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) return host_error("cannot make a socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return ProcClient(std::move(fd));
  }
  if (errno == ENOENT || errno == ECONNREFUSED) {
    return fail(errno, "nobody tells of process events at " + path + ": start virtifd with --proc");
  }
  return host_error("cannot reach " + path);
}

Status ProcClient::ask(const cn::Request& request) {
  const std::vector<std::byte> payload = cn::write_request(request);
  const cn::Message message{.id = cn::kProcId, .seq = ++last_ack_, .ack = last_ack_, .payload = payload};
  std::vector<std::byte> bytes(message.bytes());
  cn::write_message(message, bytes.data());
  // What it says before it hangs up is still to be read.
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET) {
    return host_error("cannot ask for process events");
  }
  for (;;) {
    Result<Told> told = read_next();
    if (!told) return told.error();
    // 0: an answer to nobody's question, which is why it hangs up.
    const bool is_answer = told->event.what == cn::What::none && (told->ack == last_ack_ + 1 || told->ack == 0);
    if (!is_answer) {
      kept_.push_back(*told);
      continue;
    }
    if (told->event.error == 0) return {};
    const int number = static_cast<int>(told->event.error);
    return fail(number, "virtifd says no: " + std::generic_category().message(number));
  }
}

Result<ProcClient::Told> ProcClient::next() {
  if (kept_.empty()) return read_next();
  const Told told = kept_.front();
  kept_.erase(kept_.begin());
  return told;
}

Result<ProcClient::Told> ProcClient::read_next() {
  while (at_ == datagram_.size()) {
    if (Status read = read_datagram(); !read) return std::move(read).error();
  }
  const std::optional<cn::Message> message = cn::read_message(Bytes(datagram_).subspan(at_));
  const std::optional<cn::ProcEvent> event = message ? cn::read_proc_event(message->payload) : std::nullopt;
  if (!event) return fail(EPROTO, "a process event was expected: is this a virtifd of another version?");
  at_ += message->bytes();
  return Told{*event, cn::read_extension(message->payload.subspan(cn::kProcEventBytes)), message->ack};
}

Status ProcClient::read_datagram() {
  datagram_.resize(cn::kMessageBytesMax);
  at_ = 0;
  ssize_t got = 0;
  do got = ::recv(fd_.get(), datagram_.data(), datagram_.size(), 0);
  while (got < 0 && errno == EINTR);
  const int why = errno;
  datagram_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (got > 0) return {};
  if (got == 0 || why == ECONNRESET) return fail(ECONNRESET, "virtifd went away");
  return errno = why, host_error("cannot hear virtifd");
}

}  // namespace vif::host
