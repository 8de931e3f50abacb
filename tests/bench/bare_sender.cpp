// SPDX-License-Identifier: BSD-2-Clause
// What replay is measured beside, as bare as can be: the frames of a capture by one send(2) or write(2) each, at their
// recorded times (an absolute sleep, then a look at the clock until it is time) or as fast as that goes.
//
// usage: bare_sender FILE packet:IFNAME|tap:IFNAME [PASSES: at top speed]. Prints "N pps".
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "hypercall/unique_fd.hpp"
#include "tests/bench/rounds.hpp"

namespace {

using vif::host::UniqueFd;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::nanoseconds kSpin = std::chrono::microseconds(100);  // as long as virtifctl looks at the clock

struct Recorded {
  std::chrono::nanoseconds at;
  std::vector<unsigned char> bytes;
};

void must(bool done, const std::string& what) {
  if (!done) vif::bench::give_up(what + ": " + std::strerror(errno));
}

std::vector<Recorded> read(const char* path) {
  char why[PCAP_ERRBUF_SIZE] = "";
  pcap_t* const capture = ::pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
  if (capture == nullptr) vif::bench::give_up(why);
  std::vector<Recorded> all;
  pcap_pkthdr* header = nullptr;
  const unsigned char* bytes = nullptr;
  while (::pcap_next_ex(capture, &header, &bytes) == 1) {
    all.push_back({std::chrono::seconds(header->ts.tv_sec) + std::chrono::nanoseconds(header->ts.tv_usec),
                   {bytes, bytes + header->caplen}});
  }
  ::pcap_close(capture);
  return all;
}

UniqueFd open_packet(const std::string& name) {
  UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  must(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind to " + name);
  return fd;
}

UniqueFd open_tap(const std::string& name) {
  UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  must(::ioctl(fd.get(), TUNSETIFF, &request) == 0, "attach to " + name);
  return fd;
}

void wait_until(Clock::time_point due) {
  const auto until = (due - kSpin).time_since_epoch();
  const timespec at{until / std::chrono::seconds(1), (until % std::chrono::seconds(1)).count()};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
  while (Clock::now() < due) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) vif::bench::give_up("expected FILE and packet:IFNAME or tap:IFNAME");
  const std::string_view to = argv[2];
  const std::string name(to.substr(to.find(':') + 1));
  const UniqueFd fd = to.starts_with("tap:") ? open_tap(name) : open_packet(name);
  const std::vector<Recorded> frames = read(argv[1]);
  const bool is_timed = argc == 3;
  const int passes = is_timed ? 1 : std::stoi(argv[3]);
  const auto begun = Clock::now();
  for (int pass = 0; pass < passes; ++pass) {
    for (const Recorded& frame : frames) {
      if (is_timed) wait_until(begun + (frame.at - frames.front().at));
      must(::write(fd.get(), frame.bytes.data(), frame.bytes.size()) >= 0, "write");
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  std::printf("%.0f pps\n", static_cast<double>(frames.size()) * passes / seconds);
}
