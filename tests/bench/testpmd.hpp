// SPDX-License-Identifier: BSD-2-Clause
// DPDK's testpmd as a peer that sends from one processor for about a second, counted by itself. It is started for every
// round, as it cannot be told to pause. Debian: dpdk.
#pragma once

#include <unistd.h>

#include "tests/bench/rounds.hpp"

namespace vif::bench {

inline constexpr const char* kTestpmd = "dpdk-testpmd";

// ns a frame through the virtual device `vdev` ("net_tap0,iface=NAME"). Its frames are UDP for somebody else.
inline double testpmd_sends(const std::string& vdev, std::size_t frame_bytes) {
  const std::string command =
      "(sleep 1; for k in 1 2; do sleep 0.4; echo show port stats all; done; echo stop; echo quit) | timeout 30 "
      "taskset -c 0,1 dpdk-testpmd --no-huge -m 256 --no-pci -l 0,1 --no-telemetry --file-prefix=vif" +
      std::to_string(::getpid()) + " --vdev=" + vdev + " -- -i --auto-start --total-num-mbufs=16384 " +
      "--no-lsc-interrupt --forward-mode=txonly --txpkts=" + std::to_string(frame_bytes) + " 2>&1";
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr) give_up("cannot start testpmd");
  double pps = 0;
  std::array<char, 512> line;
  std::string all;
  while (std::fgets(line.data(), line.size(), output) != nullptr) {
    all += line.data();
    std::sscanf(line.data(), " Tx-pps: %lf", &pps);  // since the last time; the last one counts
  }
  ::pclose(output);
  if (pps <= 0) give_up("testpmd counted nothing:\n" + all);
  return 1e9 / pps;
}

}  // namespace vif::bench
