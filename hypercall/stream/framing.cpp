// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/stream/framing.hpp"

#include <cerrno>

namespace vif::host {

Framing::Trouble Framing::judge() {
  switch (errno) {
    case EINTR:
      return Trouble::again;
    case ENOBUFS:
    case ENOMEM:
      lacked_memory_ = true;
      return Trouble::nothing_now;
    case EAGAIN:
      return Trouble::nothing_now;
    default:
      return Trouble::broken;
  }
}

bool Framing::reading_goes_on() {
  const int number = errno;
  const Trouble trouble = judge();
  if (trouble == Trouble::again) return true;
  // An error comes before what the peer had sent until then: read that, too.
  if (trouble == Trouble::broken && broken_errno_ == 0) {
    broken_errno_ = number;
    return true;
  }
  const int why = trouble == Trouble::broken ? number : broken_errno_;
  if (why != 0) is_over(why, "the connection broke: " + std::generic_category().message(why));
  return false;
}

}  // namespace vif::host
