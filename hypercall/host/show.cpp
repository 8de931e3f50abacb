// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/show.hpp"

namespace vif::host {

Result<ShownLink> show(const std::string& linkstr, net::IfCloneTable& interfaces) {
  Result<net::Ifnet*> created = interfaces.create("virt");
  if (!created) return std::move(created).error();
  net::Ifnet& ifp = **created;
  const std::string name = ifp.name();
  const Status linked = ifp.ioctl(net::SetLinkstr{linkstr});
  ShownLink shown;
  if (const auto* driver = dynamic_cast<drv::Virtif*>(interfaces.find_clone(name)); linked) {
    shown = {*driver->caps(), std::string(driver->link_chosen()), ifp.mtu_bytes()};
  }
  if (Status gone = interfaces.destroy(name); !gone) return std::move(gone).error();
  if (!linked) return linked.error();
  return shown;
}

}  // namespace vif::host
