// SPDX-License-Identifier: BSD-2-Clause
#include "virtif/virtif_module.hpp"

namespace vif::drv {

Result<std::unique_ptr<VirtifModule>> VirtifModule::init(net::IfCloneTable& table, LinkOpener& opener,
                                                         std::string base) {
  std::unique_ptr<VirtifModule> module(new VirtifModule(table, opener, std::move(base)));
  if (Status attached = table.attach(module->base_, *module); !attached) return std::move(attached).error();
  return module;
}

Status VirtifModule::fini() { return table_.detach(base_); }

Result<std::unique_ptr<net::ClonedIf>> VirtifModule::clone(net::Domain& domain, std::uint32_t unit) {
  Result<std::unique_ptr<Virtif>> sc = Virtif::create(domain, opener_, base_, unit);
  if (!sc) return std::move(sc).error();
  return std::unique_ptr<net::ClonedIf>(std::move(*sc));
}

}  // namespace vif::drv
