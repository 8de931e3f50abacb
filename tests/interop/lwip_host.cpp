// SPDX-License-Identifier: BSD-2-Clause
// A host on a link whose stack is lwIP, for real clients: HTTP on port 80 ("/" and "/bytes/N"), echo on 7 (TCP and
// UDP), discard on 9, chargen on 19.
//
// usage: lwip_host LINKSTR ADDRESS/PREFIX... : says "ready" when it can be reached. A line on standard input asks for
// all counters, which come as a line of JSON; the end of standard input ends it.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/interop/lwip_services.hpp"

namespace {

using namespace vif;
using namespace vif::test;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "lwip_host: %s\n", why.c_str());
  std::exit(1);
}
void must(const Status& status) {
  if (!status) give_up(status.error().text);
}

void print(const net::IfData& data, const Counts& counts, const net::lwip::LwipData& lwip) {
  const auto line = [](const char* name, std::uint64_t value) {
    std::printf("\"%s\": %llu, ", name, static_cast<unsigned long long>(value));
  };
  std::printf("{");
  line("received", data.received());
  line("ipackets", data.ipackets);
  line("offered", data.offered());
  line("opackets", data.opackets);
  line("accepted", counts.accepted);
  line("failed", counts.failed);
  line("discarded", counts.discarded);
  line("requests", counts.requests);
  line("udp_received", counts.udp_received);
  line("udp_sent", counts.udp_sent);
  line("udp_refused", counts.udp_refused);
  line("syn_refused", lwip.syn_refused);
  line("copied", lwip.copied);
  std::printf("\"drops\": {");
  const char* separator = "";
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    if (data.drops[i] == 0) continue;
    std::printf("%s\"%s\": %llu", separator, std::string(name(static_cast<DropReason>(i))).c_str(),
                static_cast<unsigned long long>(data.drops[i]));
    separator = ", ";
  }
  std::printf("}}\n");
  std::fflush(stdout);
}

// Polls until standard input ends; each line on it is a call of `asked`.
void serve(host::Loop& loop, host::LinuxClock& clock, const std::function<void()>& asked) {
  std::array<pollfd, 2> waits = {pollfd{loop.fd(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
  while (true) {
    const std::optional<Time> deadline = loop.next_deadline();
    const auto wait = deadline ? std::max(*deadline - clock.now(), Time(0)) : std::chrono::minutes(1);
    ::poll(waits.data(), waits.size(), static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
    for (int rounds = 16; rounds > 0 && loop.poll(64); --rounds) continue;
    if (waits[1].revents == 0) continue;
    char line[64];
    const ssize_t bytes = ::read(STDIN_FILENO, line, sizeof line);
    if (bytes <= 0) return;
    asked();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) give_up("usage: lwip_host LINKSTR ADDRESS/PREFIX...");
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  auto loop = host::Loop::create(clock, random, {});
  if (!loop) give_up(loop.error().text);
  host::Instance instance({clock, files});
  auto made = instance.attach(**loop).create("virt0");
  if (!made) give_up(made.error().text);
  net::Ifnet& ifp = **made;
  must(ifp.ioctl(net::SetLinkstr{argv[1]}));
  (*loop)->poll(64);  // for the clock to be set
  auto stack = LwipStack::create((*loop)->domain(), {});
  if (!stack) give_up(stack.error().text);
  must((*stack)->attach(ifp));
  for (int i = 2; i < argc; ++i) {
    const auto prefix = net::inet::IpPrefix::parse(argv[i]);
    if (!prefix) give_up(prefix.error().text);
    must((*stack)->add_address(ifp, *prefix));
  }
  {
    Shop shop{**stack};
    TcpService<HttpSession> http(shop, 80);
    TcpService<EchoSession> echo(shop, 7);
    TcpService<DiscardSession> discard(shop, 9);
    TcpService<ChargenSession> chargen(shop, 19);
    UdpEcho udp(shop, 7);
    for (const Status& usable : {http.usable(), echo.usable(), discard.usable(), chargen.usable(), udp.usable()}) {
      must(usable);
    }
    std::puts("ready");
    std::fflush(stdout);
    serve(**loop, clock, [&] { print(ifp.counters.read(), shop.counts, (*stack)->read()); });
  }
  return 0;
}
