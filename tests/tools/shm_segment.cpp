// SPDX-License-Identifier: BSD-2-Clause
// For dump_cli_test.py: attaches to the segment named on the command line as many times as it is told, sends from each
// what it is told, and stays until its standard input ends; or dies at once, as after `kill -9`.
// shm_segment LINKSTR ATTACHERS FRAMES stay|die
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "hypercall/linux_ports.hpp"
#include "hypercall/shm/shm_link.hpp"
#include "tests/support/some_owner.hpp"

int main(int argc, char** argv) {
  using namespace vif;
  if (argc != 5) return 2;
  test::SomeOwner owner;
  host::LinuxClock clock;
  host::FdWatch watch = *host::FdWatch::create();
  std::vector<drv::OpenLink> links;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    owner.ifname = "virt" + std::to_string(i);
    auto opened = host::open_shm_link(*drv::Linkstr::parse(argv[1]), owner, watch, clock);
    if (!opened) return std::fprintf(stderr, "%s\n", opened.error().text.c_str()), 1;
    links.push_back(std::move(*opened));
  }
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    for (const drv::OpenLink& link : links) {
      const test::Frame bytes = test::ether(net::kBroadcast, 0x88b5, test::counting(46 + static_cast<std::size_t>(i)));
      const Bytes slice = bytes;
      const drv::TxFrame frame{.slices = std::span(&slice, 1), .bytes = static_cast<std::uint32_t>(bytes.size())};
      link.port->send({&frame, 1});
    }
  }
  std::printf("%d\n", ::getpid());
  std::fflush(stdout);
  if (std::string_view(argv[4]) == "die") ::raise(SIGKILL);
  while (std::getchar() != EOF) {
  }
  return 0;
}
