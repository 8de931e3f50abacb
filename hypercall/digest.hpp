// SPDX-License-Identifier: BSD-2-Clause
// SHA-256 (FIPS 180-4) over pieces, by OpenSSL.
#pragma once

#include <memory>
#include <string>

#include "netstack/base/bytes.hpp"

namespace vif::host {

class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void update(Bytes bytes);
  std::string hex();  // of everything so far; the digest is used up

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vif::host
