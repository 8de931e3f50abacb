// SPDX-License-Identifier: BSD-2-Clause
// What a group shows besides its data file: user_events_status, to read and to map, and its options. Each keeps the
// group from being removed as long as it lives, which is shorter than the Tracing. The control side, one thread at a
// time; a mapping's bytes may be read by any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "netstack/base/api.hpp"
#include "services/trace/group.hpp"

namespace vif::trace {

// Counts an open file or mapping.
class GroupHandle {
 public:
  explicit GroupHandle(Group& group) : group_(group) { group_.handles().add(); }
  ~GroupHandle() { group_.handles().drop(); }
  GroupHandle(const GroupHandle&) = delete;
  GroupHandle& operator=(const GroupHandle&) = delete;
  Group& group() const { return group_; }

 private:
  Group& group_;
};

// The status page, read-only, as long as this lives.
class StatusMapping {
 public:
  explicit StatusMapping(Group& group) : handle_(group) {}
  Bytes bytes() const { return handle_.group().page().bytes(); }
  bool test(std::uint32_t bit) const { return StatusPage::test(bytes(), bit); }

 private:
  GroupHandle handle_;
};

class VIF_API StatusFile {
 public:
  explicit StatusFile(Group& group) : handle_(group) {}
  std::string text() const { return handle_.group().status_text(); }
  // EINVAL: `bytes` is not the one page there is. The mapping outlives the file if it wants.
  Result<std::unique_ptr<StatusMapping>> map(std::size_t bytes) const;

 private:
  GroupHandle handle_;
};

// Lines "user_events_limit=N", 1 to 32767.
class VIF_API OptionsFile {
 public:
  explicit OptionsFile(Group& group) : handle_(group) {}
  std::string text() const;
  // Line by line; EINVAL at the first that is not understood, those before it are done.
  Status write(std::string_view lines);

 private:
  GroupHandle handle_;
};

}  // namespace vif::trace
