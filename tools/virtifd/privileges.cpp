// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "hypercall/host_error.hpp"

namespace vif::tools {
namespace {

using host::host_error;

// capset(2): version 3 has two words of 32 capabilities. CAP_NET_ADMIN and CAP_NET_RAW are in the first.
Status set_capabilities(std::uint32_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> sets = {{{kept, kept, 0}, {0, 0, 0}}};
  return ::syscall(SYS_capset, &header, sets.data()) == 0
             ? Status()
             : host_error("cannot keep CAP_NET_ADMIN and CAP_NET_RAW, and give up the rest");
}

}  // namespace

Result<Identity> find_identity(const std::string& words) {
  const std::size_t colon = words.find(':');
  const std::string user = words.substr(0, colon);
  const passwd* const found = ::getpwnam(user.c_str());
  if (found == nullptr) return fail(EINVAL, "--user: there is no user '" + user + "'");
  Identity identity{user, found->pw_uid, found->pw_gid};
  if (colon == std::string::npos) return identity;
  const std::string name = words.substr(colon + 1);
  const group* const named = ::getgrnam(name.c_str());
  if (named == nullptr) return fail(EINVAL, "--user: there is no group '" + name + "'");
  identity.gid = named->gr_gid;
  return identity;
}

Status become(const Identity& identity, Keep keep) {
  const std::uint32_t kept = keep == Keep::nothing ? 0 : 1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_KEEPCAPS, kept != 0 ? 1 : 0, 0, 0, 0) != 0) {
    return host_error("cannot give up what root may");
  }
  if (::initgroups(identity.user.c_str(), identity.gid) != 0 ||
      ::setresgid(identity.gid, identity.gid, identity.gid) != 0 ||
      ::setresuid(identity.uid, identity.uid, identity.uid) != 0) {
    return host_error("cannot become '" + identity.user + "'");
  }
  if (Status set = set_capabilities(kept); !set) return set;
  if (identity.uid != 0 && ::setresuid(0, 0, 0) == 0) return fail(EPERM, "root again after giving it up: not served");
  return {};
}

}  // namespace vif::tools
