// SPDX-License-Identifier: BSD-2-Clause
// DPDK's testpmd as a peer in a comparison: started for every round, read by its own counters. Debian: dpdk-dev.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <string>

#include "tests/bench/rounds.hpp"

namespace vif::bench {

inline bool has_testpmd() { return std::system("command -v dpdk-testpmd >/dev/null 2>&1") == 0; }

// Forwards in `mode` (txonly, rxonly, io) over `vdevs` ("--vdev=net_tap0,iface=d0") with more `options`, and returns ns
// a frame, by the faster of its directions over 0.7 s, after as long to warm up. Gives up when it cannot run.
inline double testpmd_ns(const std::string& vdevs, const std::string& mode, const std::string& options) {
  const std::string command =
      "(sleep 1.2; for k in 1 2; do sleep 0.7; echo show port stats all; done; echo stop; echo quit) | "
      "timeout 30 chrt -f 1 taskset -c 0,1 dpdk-testpmd --no-huge -m 256 --no-pci -l 0,1 --no-telemetry "
      "--file-prefix=vif" +
      std::to_string(::getpid()) + " " + vdevs + " -- -i --auto-start --total-num-mbufs=16384 --no-lsc-interrupt " +
      "--forward-mode=" + mode + " " + options + " 2>&1";
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr) give_up("cannot start testpmd");
  double pps = 0;
  std::array<char, 512> line;
  std::string all;
  while (std::fgets(line.data(), line.size(), output) != nullptr) {
    all += line.data();
    double rx = 0, tx = 0;
    if (std::sscanf(line.data(), " Rx-pps: %lf", &rx) == 1 || std::sscanf(line.data(), " Tx-pps: %lf", &tx) == 1) {
      pps = std::max({pps, rx, tx});
    }
  }
  ::pclose(output);
  if (pps <= 0) give_up("testpmd counted nothing:\n" + all);
  return 1e9 / pps;
}

}  // namespace vif::bench
