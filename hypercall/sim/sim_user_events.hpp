// SPDX-License-Identifier: BSD-2-Clause
// The kernel's user_events of the simulated host: Linux 6.4's ABI over a Tracing, of which tests enable events and see
// what comes, and calls that fail where a test says. One thread.
#pragma once

#include <memory>

#include "hypercall/trace/own_memory.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/ports.hpp"
#include "services/trace/kernel_abi.hpp"
#include "services/trace/user_events_port.hpp"

namespace vif::host::sim {

class VIF_API SimUserEvents final : public trace::UserEventsPort {
 public:
  // All is borrowed. `kernel` stands for the kernel; its root group is what programs see of it.
  SimUserEvents(trace::Tracing& kernel, ClockPort& clock);
  ~SimUserEvents() override;  // as when the program ends
  SimUserEvents(const SimUserEvents&) = delete;
  SimUserEvents& operator=(const SimUserEvents&) = delete;

  // The call of this number from now on (0: the next) fails with `number`, and so do the `times` - 1 behind it.
  void fail_call(int call, int number, int times = 1) {
    fail_from_ = calls_ + call, fail_to_ = fail_from_ + times, fail_number_ = number;
  }
  int calls() const { return calls_; }

  int ioctl(std::uint64_t request, void* argument) override;
  int write(Bytes record) override;

 private:
  bool fails();

  trace::Tracing& kernel_;
  OwnMemory memory_;
  trace::Writer writer_;
  std::unique_ptr<trace::DataFile> file_;
  trace::KernelAbi abi_;
  int calls_ = 0, fail_from_ = 0, fail_to_ = 0, fail_number_ = 0;
};

}  // namespace vif::host::sim
