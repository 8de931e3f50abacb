// SPDX-License-Identifier: BSD-2-Clause
// A program in a user and network namespace of its own, whose one interface besides lo is eth0, a TAP.
//
//   open      forks: the child makes the namespaces and hands out what the TAP is made with
//   (make the TAP, and whatever is behind it)
//   enter     the child gives eth0 its addresses and becomes the program
//
// One thread, and no other when it is opened. The child ends with this process, and one that waits with the Room.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "hypercall/tap/tap_link.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::tools {

inline constexpr const char* kInsideName = "eth0";

struct RoomPlan {
  std::vector<net::inet::IpPrefix> addresses;
  std::vector<net::inet::IpAddress> gateways;  // default routes
  std::vector<std::string> words;              // the program, looked for in PATH, and its arguments
};

class Room {
 public:
  // Exit statuses of a child that did not become the program; env(1) has the same.
  static constexpr int kFailed = 125, kNotExecutable = 126, kNotFound = 127;

  // The program will have `mask` as its blocked signals. Errors: the host's, with what to do; EPERM where nobody may
  // make namespaces.
  static Result<Room> open(const RoomPlan& plan, const sigset_t& mask);
  Room(Room&&) = default;
  Room& operator=(Room&&) = delete;

  host::TapPlace take_place() { return std::move(place_); }

  // Errors: why the child did not become the program. It has ended then; wait for it.
  Status enter();

  pid_t pid() const { return pid_; }

 private:
  Room(pid_t pid, host::UniqueFd socket, host::TapPlace place)
      : pid_(pid), socket_(std::move(socket)), place_(std::move(place)) {}

  pid_t pid_;
  host::UniqueFd socket_;  // to the child; closes when that becomes the program
  host::TapPlace place_;
};

}  // namespace vif::tools
