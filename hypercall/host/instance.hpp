// SPDX-License-Identifier: BSD-2-Clause
// Puts the pieces together: one host's ports, the table of schemes, the segments in memory, and for each domain its
// interfaces. A value of the program's; nothing in the library is global.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "hypercall/loop.hpp"
#include "hypercall/mem_link.hpp"
#include "hypercall/scheme_table.hpp"
#include "netstack/base/stream.hpp"
#include "netstack/if_clone.hpp"
#include "virtif/virtif_module.hpp"

namespace vif::host {

// What an Instance stands on: Linux (linux_ports.hpp), or a simulated host. All of it outlives the Instance.
struct HostPorts {
  ClockPort& clock;
  FilesPort& files;
};

class VIF_API Instance {
 public:
  explicit Instance(const HostPorts& ports);  // knows the schemes that README.md lists
  ~Instance();  // on the thread of its domains, which are not polled any more; destroys every interface
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // For more backends; before the first interface is linked.
  SchemeTable& schemes() { return schemes_; }

  // Loads the driver into `domain`, which outlives the Instance: its interfaces are called virt0, virt1, ... The result
  // is the Instance's, for use on the domain's thread.
  net::IfCloneTable& attach(net::Domain& domain);
  // The same for a loop's domain: links that wait for descriptors of this host need the loop, which outlives the
  // Instance.
  net::IfCloneTable& attach(Loop& loop);

 private:
  struct Attached {
    Attached(net::Domain& domain_in, FdWatch* watch_in) : domain(domain_in), watch(watch_in), interfaces(domain_in) {}

    net::Domain& domain;
    FdWatch* watch;                             // of the domain's loop; null: it has none
    std::unique_ptr<drv::VirtifModule> driver;  // outlives what it made
    net::IfCloneTable interfaces;
  };

  net::IfCloneTable& attach(net::Domain& domain, FdWatch* watch);
  // For links of `owner` that wait for descriptors. ENOTSUP: its domain was attached without a loop.
  Result<FdWatch*> watch_of(const drv::LinkOwner& owner);

  MemSegments segments_;
  SchemeTable schemes_;
  std::mutex attached_mutex_;
  std::vector<std::unique_ptr<Attached>> attached_;  // under attached_mutex_: another domain may be opening a link
};

}  // namespace vif::host
