// SPDX-License-Identifier: BSD-2-Clause
// What a writer hands in for one record, wherever it lies, and whether what came of it may be believed. Borrowed for
// the call; any thread.
#pragma once

#include <cstddef>
#include <span>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "services/trace/event_format.hpp"

namespace vif::trace {

class VIF_API Payload {
 public:
  virtual ~Payload() = default;
  virtual std::size_t bytes() const = 0;
  // Fills `to`, which is bytes() long. False: some of it could not be read.
  virtual bool copy_to(MutBytes to) const = 0;
};

// A payload in the memory of this program.
class VIF_API Slices final : public Payload {
 public:
  explicit Slices(std::span<const Bytes> slices);
  std::size_t bytes() const override { return bytes_; }
  bool copy_to(MutBytes to) const override;

 private:
  std::span<const Bytes> slices_;
  std::size_t bytes_ = 0;
};

// Whether everything the *_loc fields point to lies inside the record, and texts end in a NUL. `record`: header and
// payload, with all fixed fields. An empty text has no NUL, so it is refused.
VIF_API bool locations_valid(const EventFormat& format, Bytes record);

}  // namespace vif::trace
