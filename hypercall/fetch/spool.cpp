// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fetch/spool.hpp"

#include "hypercall/host_error.hpp"
#include "hypercall/nameless_file.hpp"
#include "hypercall/write_all.hpp"

namespace vif::host {

Result<std::unique_ptr<Spool>> Spool::create(const std::string& folder) {
  Result<UniqueFd> file = open_nameless_file(folder);
  if (!file) return fail(file.error().number(), "what is fetched is kept for a while in " + file.error().text);
  return std::unique_ptr<Spool>(new Spool(*std::move(file), folder));
}

Status Spool::append(Bytes bytes) {
  digest_.update(bytes);
  bytes_ += bytes.size();
  if (write_all(fd_.get(), bytes)) return {};
  return host_error(folder_ + ": what is fetched is kept here for a while (TMPDIR names another folder)");
}

}  // namespace vif::host
