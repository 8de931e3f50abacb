// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fetch/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<std::unique_ptr<Spool>> Spool::create(const std::string& folder) {
  std::string name = folder + "/virtif-fetch-XXXXXX";
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd || ::unlink(name.c_str()) != 0) return host_error(folder + ": what is fetched is kept here for a while");
  return std::unique_ptr<Spool>(new Spool(std::move(fd), folder));
}

Status Spool::append(Bytes bytes) {
  digest_.update(bytes);
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      return host_error(folder_ + ": what is fetched is kept here for a while (TMPDIR names another folder)");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace vif::host
