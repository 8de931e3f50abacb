// SPDX-License-Identifier: BSD-2-Clause
// A TAP of this host: a descriptor of /dev/net/tun with an interface behind it, and what may be asked of it (Linux:
// drivers/net/tun.c, linux/if_tun.h). Probes what this kernel can do when it opens. One thread at a time.
//
// A TAP that was there before, or is to stay, is given back without our filter and offloads.
#pragma once

#include <memory>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "virtif/link.hpp"

namespace vif::host {

struct TapWanted {
  std::string name;      // empty or with %d: the kernel picks the name, or its number
  bool offload = true;   // frames with a virtio_net_hdr, where the kernel has it
  bool persist = false;  // the interface stays when we go
};

class TapDevice {
 public:
  // /dev/net/tun, for open(): the interface will be in the network namespace of the thread that calls this. Errors:
  // ENOENT, ENODEV (no TAP on this host), EACCES, and the host's.
  static Result<UniqueFd> open_tun();
  // Makes the interface, or attaches to the TAP of this name. Errors: EINVAL (no interface's name, or no TAP's), EPERM,
  // EBUSY (somebody else's), and the host's.
  static Result<std::unique_ptr<TapDevice>> open(const TapWanted& wanted, UniqueFd tun);
  ~TapDevice();
  TapDevice(const TapDevice&) = delete;
  TapDevice& operator=(const TapDevice&) = delete;

  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }  // when it was opened
  bool was_there() const { return was_there_; }
  // Bytes of virtio_net_hdr before each frame, in and out.
  std::size_t header_bytes() const { return header_bytes_; }
  net::OffloadSet offload() const { return offload_; }
  // RWF_NOWAIT is known: requests through io_uring are done in order, or refused, but never put off.
  bool nowait() const { return nowait_; }
  bool has_carrier_control() const { return has_carrier_control_; }
  bool has_filter() const { return has_filter_; }

  // False: there is no interface behind the descriptor any more.
  bool exists() const;
  // What the host's side sees of us. Without the control it sees a carrier as long as we are attached.
  void set_carrier(bool on);
  // What the host need not even queue for us. When it cannot take the filter, all passes.
  void set_filter(const drv::ReceiveFilter& filter);

 private:
  explicit TapDevice(UniqueFd fd) : fd_(std::move(fd)) {}

  Status attach(const TapWanted& wanted);
  Status set_header();
  void set_offload();
  void probe_controls();

  UniqueFd fd_;
  std::string name_;
  unsigned features_ = 0;  // TUNGETFEATURES
  std::size_t header_bytes_ = 0;
  net::OffloadSet offload_;
  bool was_there_ = false;
  bool stays_ = false;
  bool nowait_ = false;
  bool has_carrier_control_ = false;
  bool has_filter_ = false;
};

}  // namespace vif::host
