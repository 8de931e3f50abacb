// SPDX-License-Identifier: BSD-2-Clause
// --from http://... without lwIP.
#include <cerrno>

#include "tools/virtifctl/fwu/fwu_fetch.hpp"

namespace vif::tools {

Status fwu_fetch_http(FwuTransfer) {
  return fail(ENOTSUP,
              "http:// needs lwIP, and this virtifctl was built without it (Debian: liblwip-dev); tftp:// works");
}

}  // namespace vif::tools
