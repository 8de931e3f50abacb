// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/room.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "hypercall/host_error.hpp"
#include "tools/virtifctl/host_addresses.hpp"

namespace vif::tools {
namespace {

using host::host_error;
using host::UniqueFd;

constexpr std::size_t kTextBytesMax = 1024;
constexpr std::size_t kPlaceFds = 2;

Status write_file(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return host_error("cannot write " + path);
  }
  return {};
}

Error no_namespace() {
  Error error = host_error("cannot make a user and network namespace");
  if (error.number() == EPERM || error.number() == ENOSPC) {
    error.text +=
        "; have root do `sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000` (on Ubuntu also "
        "kernel.apparmor_restrict_unprivileged_userns=0), or be root";
  }
  return error;
}

// We are root inside, and the same user outside. A root that may make no user namespace does without.
Status make_namespaces() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return uid == 0 && ::unshare(CLONE_NEWNET) == 0 ? Status() : no_namespace();
  }
  // A group's map is for who gave up setgroups (user_namespaces(7)).
  if (Status done = write_file("/proc/self/setgroups", "deny"); !done) return done;
  if (Status done = write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1"); !done) return done;
  return write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
}

// A message: text, and descriptors with it.
bool send_message(int socket, std::string_view text, const host::TapPlace* place) {
  iovec data{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kPlaceFds * sizeof(int))> control{};
  if (place != nullptr) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr& header = *CMSG_FIRSTHDR(&message);
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = SCM_RIGHTS;
    header.cmsg_len = CMSG_LEN(kPlaceFds * sizeof(int));
    const std::array<int, kPlaceFds> fds = {place->tun.get(), place->netlink.get()};
    std::memcpy(CMSG_DATA(&header), fds.data(), sizeof fds);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

struct Message {
  std::string text;  // empty: the other end is gone
  host::TapPlace place;
};
Message receive_message(int socket) {
  std::array<char, kTextBytesMax> text;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kPlaceFds * sizeof(int))> control;
  iovec data{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  Message received;
  received.text.assign(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const cmsghdr* const header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(kPlaceFds * sizeof(int))) {
    std::array<int, kPlaceFds> fds{};
    std::memcpy(fds.data(), CMSG_DATA(header), sizeof fds);
    received.place = {UniqueFd(fds[0]), UniqueFd(fds[1])};
  }
  return received;
}

// The child's errors travel as "ERRNO TEXT".
[[noreturn]] void give_up(int socket, const Error& why, int status) {
  const std::string text = std::to_string(why.number()) + ' ' + why.text;
  (void)send_message(socket, std::string_view(text).substr(0, kTextBytesMax), nullptr);
  ::_exit(status);
}
Error given_up(const std::string& text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos) return fail(EIO, "the process that was to be the program is gone");
  return fail(std::atoi(text.c_str()), text.substr(blank + 1));
}

[[noreturn]] void become(const std::vector<std::string>& words, int socket) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const Error why = host_error("cannot run " + words[0]);
  give_up(socket, why, why.number() == ENOENT ? Room::kNotFound : Room::kNotExecutable);
}

[[noreturn]] void live(int socket, const RoomPlan& plan, const sigset_t& mask) {
  if (Status made = make_namespaces(); !made) give_up(socket, made.error(), Room::kFailed);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // behind what changes our rights, which would end that
  {
    const Result<host::TapPlace> place = host::TapPlace::here();
    if (!place) give_up(socket, place.error(), Room::kFailed);
    if (!send_message(socket, "here", &*place)) ::_exit(Room::kFailed);
  }
  if (receive_message(socket).text.empty()) ::_exit(Room::kFailed);
  // Claiming addresses takes a second, and nobody else is here.
  (void)write_file(std::string("/proc/sys/net/ipv6/conf/") + kInsideName + "/accept_dad", "0");
  const Status configured = configure_host(kInsideName, plan.addresses, plan.gateways);
  if (!configured) give_up(socket, configured.error(), Room::kFailed);
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  become(plan.words, socket);
}

}  // namespace

Result<Room> Room::open(const RoomPlan& plan, const sigset_t& mask) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return host_error("cannot begin");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return host_error("cannot begin another process");
  if (pid == 0) {
    ours = UniqueFd();
    live(theirs.get(), plan, mask);
  }
  theirs = UniqueFd();
  Message message = receive_message(ours.get());
  if (message.place.tun) return Room(pid, std::move(ours), std::move(message.place));
  ::waitpid(pid, nullptr, 0);
  return given_up(message.text);
}

Status Room::enter() {
  (void)send_message(socket_.get(), "go", nullptr);
  const std::string text = receive_message(socket_.get()).text;
  return text.empty() ? Status() : Status(given_up(text));
}

}  // namespace vif::tools
