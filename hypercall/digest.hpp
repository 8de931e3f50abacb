// SPDX-License-Identifier: BSD-2-Clause
// SHA-256 (FIPS 180-4) over pieces, by OpenSSL.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "netstack/base/bytes.hpp"

namespace vif::host {

class Sha256 {
 public:
  Sha256();
  ~Sha256();

  static constexpr std::size_t kBytes = 32;

  void update(Bytes bytes);
  // Of everything so far; the digest is used up.
  std::array<std::byte, kBytes> finish();
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vif::host
