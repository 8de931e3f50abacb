// SPDX-License-Identifier: BSD-2-Clause
// The same exchanges in real time: over a socket of this host, with its clock, all at once. Each is in a process of its
// own, as a process has lwIP once; they wait most of the time.
//
// A machine that stops for longer than a peer waits, half a second, upsets an exchange: what failed is asked again, a
// few times, and fails when it always does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tests/golden/exchanges.hpp"
#include "tests/golden/hosts.hpp"

namespace vif::test {
namespace {

using namespace host;

// Longer ones take a minute: fragments that never come. They are asked in virtual time only.
constexpr Time kSpanMax = std::chrono::seconds(4);
constexpr Time kSettle = std::chrono::seconds(2);  // until the stack has said who it is
constexpr int kTries = 3;
constexpr char kNotBuilt[] = "built without lwIP";

// A pair of connected sockets: the stack's end, and the peer's.
std::array<UniqueFd, 2> connected() {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string linkstr_of(UniqueFd& end) { return "stream:fd=" + std::to_string(end.release()) + ",framing=bess"; }

void pass_time(Loop& loop, Time time) {
  Runner runner(loop);
  loop.poll(0);
  Callout end(loop.domain().callouts(), [&] { runner.stop(); });
  end.schedule(loop.domain().now() + time);
  EXPECT_TRUE(runner.run());
}

std::string asked_on_a_link(const Exchange& exchange) {
  LinuxClock clock;
  LinuxRandom random;
  LinuxFiles files;
  const auto loop = Loop::create(clock, random, {});
  if (!loop) return loop.error().text;
  Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(**loop);
  net::Ifnet& ifp = **interfaces.create("virt0");
  auto [ours, peers] = connected();
  if (Status set = ifp.ioctl(net::SetLladdr{*net::MacAddress::parse(kGoldenMac)}); !set) return set.error().text;
  if (Status linked = ifp.ioctl(net::SetLinkstr{linkstr_of(ours)}); !linked) return linked.error().text;
  (*loop)->poll(0);
  const auto open = exchange.stack == "inet" ? inet_host : lwip_host;
  const std::unique_ptr<GoldenHost> golden = open((*loop)->domain(), ifp);
  if (!golden) return kNotBuilt;
  pass_time(**loop, kSettle);
  std::array<std::byte, 2048> frame;
  while (::recv(peers.get(), frame.data(), frame.size(), 0) > 0) {
  }
  const ReplayOutcome outcome = peer_of(exchange).over(linkstr_of(peers), {instance.schemes(), clock, **loop});
  return complaint(exchange, outcome, World::host);
}

// An exchange under way in a process of its own, which writes what is wrong into the pipe.
struct Asked {
  Exchange exchange;
  pid_t process;
  UniqueFd complaint;
};

Asked ask(const Exchange& exchange) {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t process = ::fork();
  if (process == 0) {
    const std::string text = asked_on_a_link(exchange).substr(0, 4000);  // fits a pipe
    const bool told = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(told && !testing::Test::HasFailure() ? 0 : 1);
  }
  ::close(ends[1]);
  return {exchange, process, UniqueFd(ends[0])};
}

std::string answer(const Asked& asked) {
  std::string text(4096, '\0');
  const ssize_t bytes = ::read(asked.complaint.get(), text.data(), text.size());
  text.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  int status = 0;
  EXPECT_EQ(::waitpid(asked.process, &status, 0), asked.process);
  if (status != 0) text += "(the process ended with status " + std::to_string(status) + ")";
  return text;
}

TEST(GoldenOnALink, is_answered_as_linux_does) {
  std::vector<Exchange> to_ask = golden_exchanges();
  const std::size_t all = to_ask.size();
  std::erase_if(to_ask, [](const Exchange& exchange) { return span_of(exchange) > kSpanMax; });
  std::cout << to_ask.size() << " exchanges; skipped, as they take longer than 4 s: " << all - to_ask.size() << "\n";
  ASSERT_GE(to_ask.size(), 2 * 60U);
  std::vector<std::string> complaints;
  int not_built = 0;
  for (int tries = 0; tries < kTries && !to_ask.empty(); ++tries) {
    std::vector<Asked> under_way;
    for (const Exchange& exchange : to_ask) under_way.push_back(ask(exchange));
    to_ask.clear();
    complaints.clear();
    for (const Asked& asked : under_way) {
      const std::string text = answer(asked);
      not_built += text == kNotBuilt;
      if (text.empty() || text == kNotBuilt) continue;
      to_ask.push_back(asked.exchange);
      complaints.push_back(asked.exchange.stack + " " + asked.exchange.name + ": " + text);
    }
  }
  for (const std::string& text : complaints) ADD_FAILURE() << text;
  if (not_built > 0) std::cout << "skipped: " << not_built << " exchanges with lwIP: " << kNotBuilt << "\n";
}

}  // namespace
}  // namespace vif::test
