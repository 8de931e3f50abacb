// SPDX-License-Identifier: BSD-2-Clause
// Behind virtif.h: what the opaque handles are, and how a C++ failure becomes an errno and a text.
#pragma once

#include <atomic>
#include <cerrno>
#include <future>
#include <list>
#include <new>
#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/host/virtif.h"
#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "hypercall/run.hpp"

// Hands an interface's frames to a C callback, which knows no offload: as on the wire.
class CInput final : public vif::net::IfInput {
 public:
  CInput(virtif_if* handle, virtif_input_fn callback, void* cookie)
      : handle_(handle), callback_(callback), cookie_(cookie) {}
  ~CInput() override {
    if (gone_ != nullptr) *gone_ = true;
  }
  CInput(const CInput&) = delete;
  CInput& operator=(const CInput&) = delete;
  void input(vif::net::Ifnet& ifp, vif::net::MbufPtr packet) override;

 private:
  bool cut(const vif::net::Mbuf& packet, unsigned flags);

  virtif_if* handle_;
  virtif_input_fn callback_;
  void* cookie_;
  bool* gone_ = nullptr;  // of a cut() under way, whose callback may replace us
};

// Owned by its virtif; gone once the interface is.
struct virtif_if {
  virtif_if(virtif& instance_in, vif::net::Ifnet& ifp_in) : instance(instance_in), ifp(ifp_in) {}

  virtif& instance;
  vif::net::Ifnet& ifp;
  std::optional<CInput> input;
};

struct virtif {
  vif::host::LinuxClock clock;
  vif::host::LinuxRandom random;
  vif::host::LinuxFiles files;
  std::unique_ptr<vif::host::Loop> loop;
  std::unique_ptr<vif::host::Instance> kernel;
  vif::net::IfCloneTable* interfaces = nullptr;  // the kernel's
  std::list<virtif_if> handles;
  std::unique_ptr<vif::host::Runner> runner;  // with VIRTIF_OWN_THREAD
  std::thread thread;
  std::atomic<bool> ended{false};  // the thread has; nobody runs what is posted
};

namespace vif::host {

// Fills `error`, when there is one, and returns the number.
int report(virtif_error* error, int number, std::string_view text) noexcept;
int report(virtif_error* error, const Status& status) noexcept;

// Runs `call` and keeps every exception in.
template <class Call>
int guarded(virtif_error* error, Call call) noexcept {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return report(error, ENOMEM, "out of memory");
  } catch (...) {
    return report(error, EIO, "unexpected failure inside libvirtif; please report it");
  }
}

// Runs `call` on the domain's thread and waits for it.
template <class Call>
int on_domain(virtif& instance, virtif_error* error, Call call) noexcept {
  return guarded(error, [&] {
    const bool here = !instance.thread.joinable() || instance.thread.get_id() == std::this_thread::get_id();
    if (here) return call();
    if (instance.ended) return report(error, EIO, "the domain's thread has ended");
    std::promise<int> done;
    const bool posted = instance.loop->domain().post([&] { done.set_value(guarded(error, call)); });
    if (!posted) return report(error, EAGAIN, "the domain's inbox is full: try again");
    return done.get_future().get();
  });
}

}  // namespace vif::host
