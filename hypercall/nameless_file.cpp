// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/nameless_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<UniqueFd> open_nameless_file(const std::string& folder) {
  UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  // A file system that cannot: it has a name for a moment.
  std::string name = folder + "/virtif-XXXXXX";
  file = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (!file || ::unlink(name.c_str()) != 0) return host_error(folder);
  return file;
}

}  // namespace vif::host
