// SPDX-License-Identifier: BSD-2-Clause
// Bulk TCP between the kernel and lwIP on a TAP, both ways: our adapter with super-frames and without, beside lwIP with
// the barest netif there can be on a TAP of the same run. The time is that of 1460 bytes, the payload of a segment.
// lwip_bench LWIP_HOST BARE_LWIP [rounds]: a process for each lwIP, as each has one; in a network namespace of its own;
// needs root, or user namespaces. Not pinned: lwIP and the kernel's TCP work side by side.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hypercall/unique_fd.hpp"
#include "tests/bench/rounds.hpp"

namespace {

using namespace vif;
using namespace vif::bench;

constexpr std::size_t kBytes = 64 << 20, kSegment = 1460;

void must(bool done, const std::string& what) {
  if (!done) give_up(what + ": " + std::strerror(errno));
}

// A host in a process of its own, which ends with its standard input, and so with us.
class Host {
 public:
  Host(const std::string& program, const std::string& link, const std::string& tap, int subnet, bool prefix)
      : address_("10.91." + std::to_string(subnet) + ".1") {
    std::array<int, 2> in{}, out{};
    must(::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0, "pipe2");
    const std::string at = address_ + (prefix ? "/24" : "");
    if (::fork() == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execl(program.c_str(), program.c_str(), link.c_str(), at.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    std::array<char, 16> said{};
    if (::read(out[0], said.data(), said.size()) <= 0) skip(program + " cannot begin (it says why above)");
    const std::string up =
        "ip address add 10.91." + std::to_string(subnet) + ".2/24 dev " + tap + " && ip link set " + tap + " up";
    must(std::system(up.c_str()) == 0, up);
  }

  double discard() const {
    const host::UniqueFd socket = connected(9);
    const std::vector<char> bytes(1 << 16);
    const double begun = now_ns();
    for (std::size_t sent = 0; sent < kBytes;) {
      const ssize_t more = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      must(more > 0, "send");
      sent += static_cast<std::size_t>(more);
    }
    ::shutdown(socket.get(), SHUT_WR);
    char end = 0;
    must(::read(socket.get(), &end, 1) == 0, "the host closes when it has all");
    return (now_ns() - begun) / (kBytes / kSegment);
  }
  double chargen() const {
    const host::UniqueFd socket = connected(19);
    std::vector<char> bytes(1 << 16);
    const double begun = now_ns();
    for (std::size_t got = 0; got < kBytes;) {
      const ssize_t more = ::read(socket.get(), bytes.data(), bytes.size());
      must(more > 0, "read");
      got += static_cast<std::size_t>(more);
    }
    return (now_ns() - begun) / (kBytes / kSegment);
  }

 private:
  host::UniqueFd connected(std::uint16_t port) const {
    host::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    ::inet_pton(AF_INET, address_.c_str(), &to.sin_addr);
    must(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "connect to " + address_);
    return socket;
  }

  const std::string address_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) give_up("usage: lwip_bench LWIP_HOST BARE_LWIP [rounds]");
  const int rounds = std::max(argc > 3 ? std::atoi(argv[3]) : 7, 1);
  ::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (::unshare(CLONE_NEWNET) != 0) skip(std::string("no network namespace: ") + std::strerror(errno));
  print_calibration();
  const Host ours(argv[1], "tap:vifours", "vifours", 1, true);
  const Host plain(argv[1], "tap:vifplain,offload=off", "vifplain", 2, true);
  const Host bare(argv[2], "vifbare", "vifbare", 3, false);
  const std::vector<Bar> bars = {{"bare netif", 0.9}, {"ours, offload=off", 0}};
  Comparison("lwip: from the kernel to it",
             {{"ours", [&] { return ours.discard(); }},
              {"ours, offload=off", [&] { return plain.discard(); }},
              {"bare netif", [&] { return bare.discard(); }}},
             bars)
      .run(rounds);
  Comparison("lwip: from it to the kernel",
             {{"ours", [&] { return ours.chargen(); }},
              {"ours, offload=off", [&] { return plain.chargen(); }},
              {"bare netif", [&] { return bare.chargen(); }}},
             bars)
      .run(rounds);
  return 0;
}
