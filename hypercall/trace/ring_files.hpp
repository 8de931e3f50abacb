// SPDX-License-Identifier: BSD-2-Clause
// Rings in files that the kernel keeps when the process dies, however it does: Session::Settings::rings. They are in
// FOLDER/now, and after a death without an heir there; the next process that records there moves them to FOLDER/before,
// where they stay until it has died itself. salvage.hpp reads them. One thread at a time, that of the Tracing.
//
// A crash of the process leaves them whole; one of the machine may not.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/pages_port.hpp"

namespace vif::host {

// Whether there are rings in it and what they hold: FOLDER/now or FOLDER/before of a process that died amidst.
bool holds_a_recording(const std::string& folder);

class VIF_API RingFiles final : public trace::PagesPort {
 public:
  // Makes the folder, for its owner alone, if need be. EBUSY: a living process records there. Errors: the host's.
  static Result<std::unique_ptr<RingFiles>> open(const std::string& folder);
  ~RingFiles() override;  // what is not mapped any more is gone with it

  // What the rings hold, as trace_dat_head() has it without rings: before the first record of a new event. Errors: the
  // host's.
  Status describe(std::string_view head);

  // The disk space is taken at once: a ring that grows into a full disk would end the process.
  MutBytes map(std::size_t bytes) override;
  void unmap(MutBytes pages) override;
  // Why map() gave nothing, when it did not the last time: the host's errno, as ENOSPC.
  const Status& room() const { return room_; }

 private:
  RingFiles(std::string folder, UniqueFd lock) : now_(std::move(folder) + "/now"), lock_(std::move(lock)) {}

  std::string now_;
  UniqueFd lock_;
  std::map<const std::byte*, std::string> files_;  // by where they are mapped
  unsigned next_ = 0;
  Status room_;
};

}  // namespace vif::host
