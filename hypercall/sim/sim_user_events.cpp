// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/sim/sim_user_events.hpp"

namespace vif::host::sim {

namespace {

std::uint64_t address_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at); }

}  // namespace

SimUserEvents::SimUserEvents(trace::Tracing& kernel, ClockPort& clock)
    : kernel_(kernel),
      writer_(1, clock),
      file_(std::make_unique<trace::DataFile>(kernel.root())),
      abi_(kernel, *file_, memory_, trace::Era::address, trace::Privilege::none) {}

SimUserEvents::~SimUserEvents() { kernel_.enablers().forget(memory_); }

bool SimUserEvents::fails() {
  const int call = calls_++;
  return call >= fail_from_ && call < fail_to_;
}

int SimUserEvents::ioctl(std::uint64_t request, void* argument) {
  return fails() ? fail_number_ : abi_.ioctl(request, address_of(argument));
}

int SimUserEvents::write(Bytes record) {
  return fails() ? fail_number_ : abi_.write(writer_, {address_of(record.data()), record.size()}, 0).error;
}

}  // namespace vif::host::sim
