// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/user_events_data.hpp"

#include <fcntl.h>
#include <mntent.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr const char* kUsualTracefs = "/sys/kernel/tracing";
constexpr const char* kFile = "/user_events_data";

UniqueFd open_in(const std::string& tracefs) {
  return UniqueFd(::open((tracefs + kFile).c_str(), O_WRONLY | O_CLOEXEC));
}

// Empty: none is mounted.
std::string mounted_tracefs() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> mounts(::setmntent("/proc/self/mounts", "re"), ::endmntent);
  std::string found;
  if (mounts == nullptr) return found;
  mntent entry{};
  char line[4096];
  while (::getmntent_r(mounts.get(), &entry, line, sizeof line) != nullptr) {
    const std::string_view type = entry.mnt_type;
    if (type == "tracefs") return entry.mnt_dir;
    if (type == "debugfs" && found.empty()) found = std::string(entry.mnt_dir) + "/tracing";
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<UserEventsData>> UserEventsData::open(const std::string& tracefs) {
  std::string from = tracefs.empty() ? kUsualTracefs : tracefs;
  UniqueFd fd = open_in(from);
  if (!fd && tracefs.empty()) {
    from = mounted_tracefs();
    if (from.empty()) return fail(ENOTSUP, "no tracefs is mounted: mount -t tracefs tracefs /sys/kernel/tracing");
    fd = open_in(from);
  }
  if (!fd && errno == ENOENT) return fail(ENOENT, from + ": this kernel has no user_events (CONFIG_USER_EVENTS)");
  if (!fd) return host_error(from + kFile);
  return std::unique_ptr<UserEventsData>(new UserEventsData(std::move(fd)));
}

int UserEventsData::ioctl(std::uint64_t request, void* argument) {
  return ::ioctl(fd_.get(), request, argument) == -1 ? errno : 0;
}

int UserEventsData::write(Bytes record) { return ::write(fd_.get(), record.data(), record.size()) == -1 ? errno : 0; }

}  // namespace vif::host
