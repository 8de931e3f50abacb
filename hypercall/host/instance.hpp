// SPDX-License-Identifier: BSD-2-Clause
// Puts the pieces together: one host's ports, the table of schemes, the segments in memory, and for each domain its
// interfaces. A value of the program's; nothing in the library is global.
#pragma once

#include <memory>
#include <vector>

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
  explicit Instance(const HostPorts& ports);  // knows mem:, null: and pcap:
  ~Instance();  // on the thread of its domains, which are not polled any more; destroys every interface
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // For more backends; before the first interface is linked.
  SchemeTable& schemes() { return schemes_; }

  // Loads the driver into `domain`, which outlives the Instance: its interfaces are called virt0, virt1, ... The result
  // is the Instance's, for use on the domain's thread.
  net::IfCloneTable& attach(net::Domain& domain);

 private:
  struct Attached {
    explicit Attached(net::Domain& domain) : interfaces(domain) {}

    std::unique_ptr<drv::VirtifModule> driver;  // outlives what it made
    net::IfCloneTable interfaces;
  };

  MemSegments segments_;
  SchemeTable schemes_;
  std::vector<std::unique_ptr<Attached>> attached_;
};

}  // namespace vif::host
