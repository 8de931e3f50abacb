// SPDX-License-Identifier: BSD-2-Clause
// The running kernel's process connector: a netlink socket that listens to everything. Whoever closes one without an
// ignore leaves every fork and exit of the system a little slower for ever, so destruction sends it; a process that is
// killed with SIGKILL cannot. One thread at a time.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

class VIF_API ConnectorSocket {
 public:
  static constexpr std::size_t kBatch = 128;              // datagrams a call
  static constexpr std::size_t kDatagramBytesMax = 256;   // the kernel's have 76
  static constexpr int kReceiveBytesDefault = 8'388'608;  // 832 of them an event: about 10,000

  // Joins, listens, and waits for the kernel's acknowledgement. `receive_bytes` is forced where that is allowed, else
  // net.core.rmem_max is the limit. Errors, after which events have to come from elsewhere (child_watch.hpp):
  // EPROTONOSUPPORT: this kernel has no connector. ECONNREFUSED: not in the initial network namespace. EPERM: a kernel
  // before 6.6 and no CAP_NET_ADMIN. ETIMEDOUT: no acknowledgement, as in another pid or user namespace.
  static Result<ConnectorSocket> open(int receive_bytes = kReceiveBytesDefault);
  ConnectorSocket(ConnectorSocket&& other) noexcept;
  ConnectorSocket& operator=(ConnectorSocket&&) = delete;
  ~ConnectorSocket();

  int fd() const { return fd_.get(); }  // readable when receive() would find something

  enum class Received : std::uint8_t { some, nothing, overflow };
  // Up to kBatch datagrams of the kernel's to `each`, borrowed for its call. `overflow`: none, and the kernel says that
  // it has dropped some; it goes on dropping until all that waits is read. Errors: recvmmsg's.
  Result<Received> receive(const std::function<void(Bytes)>& each);

  // How many the kernel had no room for, since the socket was made.
  Result<std::uint64_t> drops() const;

 private:
  struct Buffers;
  explicit ConnectorSocket(UniqueFd fd);

  Status listen();
  Status tell(std::uint32_t op, std::uint32_t ack) const;
  Status await_acknowledgement(std::uint32_t ack);

  UniqueFd fd_;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace vif::host
