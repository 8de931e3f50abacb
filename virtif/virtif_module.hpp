// SPDX-License-Identifier: BSD-2-Clause
// The driver as a kernel module: loading it makes a kind of interface, unloading takes the kind away again.
// One per domain and base name, on that domain's thread; the table and the opener outlive it.
#pragma once

#include <memory>
#include <string>

#include "virtif/virtif.hpp"

namespace vif::drv {

class VIF_API VirtifModule final : private net::IfCloner {
 public:
  // Registers the cloner `base` (usually "virt"). Errors as IfCloneTable::attach.
  static Result<std::unique_ptr<VirtifModule>> init(net::IfCloneTable& table, LinkOpener& opener, std::string base);
  // Unregisters it. EBUSY, and nothing has changed, while interfaces of this kind exist.
  Status fini();
  // fini() was called, or the table is gone.
  ~VirtifModule() override = default;

 private:
  VirtifModule(net::IfCloneTable& table, LinkOpener& opener, std::string base)
      : table_(table), opener_(opener), base_(std::move(base)) {}

  Result<std::unique_ptr<net::ClonedIf>> clone(net::Domain& domain, std::uint32_t unit) override;

  net::IfCloneTable& table_;
  LinkOpener& opener_;
  std::string base_;
};

}  // namespace vif::drv
