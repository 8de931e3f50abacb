// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/kernel_events.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "services/trace/user_reg.hpp"

namespace vif::trace {
namespace {

// Bit 0 is left to who tests the word beside the kernel, as libtracepoint's users do.
constexpr std::uint8_t kKernelBit = 31;
constexpr std::size_t kIndexBytes = sizeof(std::int32_t);
constexpr std::size_t kTableBytes = (kTypeIds * sizeof(std::atomic<void*>) + kPageBytes - 1) / kPageBytes * kPageBytes;

// Fields with a space behind each ';', as kernels before 6.10 compare texts.
std::string command_of(const UserEvent& event) {
  const std::string& group = event.group.name();
  const std::string fields = fields_text(event.format);
  return (group.empty() ? "" : group + '_') + event.format.name + (fields.empty() ? "" : ' ' + fields);
}

template <class T>
void put(MutBytes into, std::size_t offset, T value) {
  std::memcpy(&into[offset], &value, sizeof value);
}

std::uint64_t address_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at); }

}  // namespace

Result<std::unique_ptr<KernelEvents>> KernelEvents::open(Tracing& tracing, PagesPort& pages, UserEventsPort& kernel) {
  std::unique_ptr<KernelEvents> events(new KernelEvents(tracing, pages, kernel));
  if (events->table_.bytes().empty()) return fail(ENOMEM, "no memory for a table of events");
  const Result<unsigned> place = tracing.add_probe(*events);
  if (!place) return place.error();
  events->place_ = *place;
  events->forwards_ = true;
  for (Group* group : tracing.groups()) {
    for (UserEvent* event : group->events()) events->event_created(*event);
  }
  tracing.watch(*events);
  return events;
}

KernelEvents::KernelEvents(Tracing& tracing, PagesPort& pages, UserEventsPort& kernel)
    : tracing_(tracing), kernel_(kernel), table_(pages, kTableBytes) {}

KernelEvents::~KernelEvents() {
  stop();
  for (Forward& forward : all_) remove(forward);
}

void KernelEvents::stop() {
  if (!std::exchange(forwards_, false)) return;
  tracing_.unwatch(*this);
  tracing_.remove_probe(place_);
}

KernelEvents::Table& KernelEvents::forward_of(const UserEvent& event) const {
  return reinterpret_cast<Table*>(table_.bytes().data())[event.type_id - kFirstTypeId];
}

void KernelEvents::event_created(UserEvent& event) {
  forward_of(event).store(nullptr, std::memory_order_relaxed);  // one that had its type id, and is gone
  Forward& forward = all_.emplace_back();
  const std::string command = command_of(event);
  int error = add(forward, command, event.formats == Formats::multi ? kRegMultiFormat : std::uint16_t{0});
  // A kernel that knows no formats beside each other takes the first.
  if (error == EINVAL && event.formats == Formats::multi) error = add(forward, command, 0);
  if (error != 0) {
    all_.pop_back();
    ++refused_;
    why_refused_ = command + ": " + std::generic_category().message(error);
    return;
  }
  forward.type_id = event.type_id;
  forward.is_registered = true;
  forward_of(event).store(&forward, std::memory_order_release);
}

int KernelEvents::add(Forward& forward, const std::string& command, std::uint16_t flags) {
  // By itself, as it may be read in pieces that end behind it.
  alignas(64) std::array<char, kCommandCharsMax + 1> text{};
  if (command.size() > kCommandCharsMax) return EINVAL;
  command.copy(text.data(), command.size());
  std::array<std::byte, user_reg::kBytes> reg{};
  put(reg, 0, static_cast<std::uint32_t>(reg.size()));
  put(reg, user_reg::kEnableBit, kKernelBit);
  put(reg, user_reg::kEnableSize, static_cast<std::uint8_t>(sizeof forward.word));
  put(reg, user_reg::kFlags, flags);
  put(reg, user_reg::kEnableAddr, address_of(&forward.word));
  put(reg, user_reg::kNameArgs, address_of(text.data()));
  const int error = kernel_.ioctl(kDiagIocsReg, reg.data());
  std::memcpy(&forward.index, &reg[user_reg::kWriteIndex], sizeof forward.index);
  return error;
}

void KernelEvents::remove(Forward& forward) {
  if (!std::exchange(forward.is_registered, false)) return;
  std::array<std::byte, user_unreg::kBytes> unreg{};
  put(unreg, 0, static_cast<std::uint32_t>(unreg.size()));
  put(unreg, user_unreg::kDisableBit, kKernelBit);
  put(unreg, user_unreg::kDisableAddr, address_of(&forward.word));
  (void)kernel_.ioctl(kDiagIocsUnreg, unreg.data());  // it was registered; the kernel forgets what it cannot write
}

std::size_t KernelEvents::follow() {
  if (!forwards_) return 0;
  std::size_t recorded = 0;
  for (Forward& forward : all_) forward.is_here = false;
  for (Group* group : tracing_.groups()) {
    for (UserEvent* event : group->events()) {
      Forward* const forward = forward_of(*event).load(std::memory_order_relaxed);
      if (forward == nullptr) continue;
      forward->is_here = true;
      const bool is_wanted = forward->word.load(std::memory_order_acquire) != 0;
      recorded += is_wanted;
      if (is_wanted) tracing_.enable(*event, place_);
      else tracing_.disable(*event, place_);  // the event may be gone now
    }
  }
  for (Forward& forward : all_) {
    if (!forward.is_here) remove(forward);
  }
  return recorded;
}

int KernelEvents::record(Writer&, const UserEvent& event, const Payload& payload) {
  const Forward* const forward = forward_of(event).load(std::memory_order_acquire);
  if (forward == nullptr || forward->word.load(std::memory_order_relaxed) == 0) return 0;
  // What is longer than a page the kernel's ring does not take either. A record without bytes gets one: kernels before
  // 6.6 took none at all for a fault.
  std::array<std::byte, kPageBytes> record;
  const std::size_t bytes = payload.bytes();
  int error = E2BIG;
  if (bytes <= record.size() - kIndexBytes) {
    put(record, 0, forward->index);
    record[kIndexBytes] = std::byte{0};
    if (!payload.copy_to(std::span(record).subspan(kIndexBytes, bytes))) return EFAULT;
    error = kernel_.write(std::span(record).first(kIndexBytes + std::max<std::size_t>(bytes, 1)));
  }
  if (error == EFAULT) return error;  // the record's fault, not ours
  // Nobody there records it any more: follow() will see it.
  if (error != 0 && error != EBADF) lost_.fetch_add(1, std::memory_order_relaxed);
  return 0;
}

}  // namespace vif::trace
