// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/group_files.hpp"

#include <cerrno>
#include <charconv>

namespace vif::trace {
namespace {

constexpr std::string_view kLimit = "user_events_limit=";

}  // namespace

Result<std::unique_ptr<StatusMapping>> StatusFile::map(std::size_t bytes) const {
  if (bytes != kPageBytes) return fail(EINVAL, "the status page is mapped whole: 4096 bytes");
  return std::make_unique<StatusMapping>(handle_.group());
}

std::string OptionsFile::text() const { return std::string(kLimit) + std::to_string(handle_.group().limit()) + '\n'; }

Status OptionsFile::write(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    std::uint32_t limit = 0;
    const char* const last = line.data() + line.size();
    const bool understood =
        line.starts_with(kLimit) && std::from_chars(line.data() + kLimit.size(), last, limit).ptr == last;
    if (!understood) return fail(EINVAL, "an option is user_events_limit=N, not \"" + std::string(line) + "\"");
    if (Status set = handle_.group().set_limit(limit); !set) return set;
  }
  return {};
}

}  // namespace vif::trace
