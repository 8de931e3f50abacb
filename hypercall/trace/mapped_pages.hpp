// SPDX-License-Identifier: BSD-2-Clause
// Memory of this process for tracing: whole pages from mmap(2), which cost nothing until they are touched. One thread
// at a time, as PagesPort says.
#pragma once

#include "netstack/base/api.hpp"
#include "services/trace/pages_port.hpp"

namespace vif::host {

class VIF_API MappedPages final : public trace::PagesPort {
 public:
  MutBytes map(std::size_t bytes) override;
  void unmap(MutBytes pages) override;
};

}  // namespace vif::host
