// SPDX-License-Identifier: BSD-2-Clause
// What a stream still has for its client when virtifd ends. A client that reads gets all of it; one that does not holds
// virtifd up for a moment, and nothing goes out behind what it took a part of. One thread.
#pragma once

#include <chrono>

#include "netstack/base/bytes.hpp"

namespace vif::tools {

class LastWords {
 public:
  static constexpr auto kPatience = std::chrono::milliseconds(500);  // in all

  explicit LastWords(int socket) : socket_(socket) {}

  // Whether the client's socket took all of it. After the first no: no more is said.
  bool say(Bytes words);

 private:
  bool wait_for_room();

  int socket_;
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + kPatience;
};

}  // namespace vif::tools
