// SPDX-License-Identifier: BSD-2-Clause
// An event that the program's own code writes, with its layout known to the compiler:
//
//   trace::Event<"net_drop reason bytes ifname", std::uint32_t, std::uint64_t, std::string_view> net_drop;
//   net_drop.bind(file);                       // registers "net_drop u32 reason; u64 bytes; __rel_loc char[] ifname"
//   net_drop(writer, now, reason, bytes, name);
//
// Nobody records it: one load of a word of its own, one test. Somebody does: one call of `now`, and one store of the
// values into the ring of the writer it is handed. Binding is the control side's; calling is any thread's.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string>

#include "netstack/base/tracepoint.hpp"
#include "services/trace/data_file.hpp"
#include "services/trace/record.hpp"

namespace vif::trace {

// `kText`: the event's name, and its fields' names, parted by single spaces.
template <Literal kText, class... T>
class Event {
 public:
  constexpr Event() = default;
  ~Event() { unbind(); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Registers it with the file, which outlives the binding. Errors: DataFile::add's.
  Status bind(DataFile& file, const Registering& how = {}) {
    unbind();
    Result<DataFile::Registration> done = file.add(command(), how);
    if (!done) return std::move(done).error();
    event_ = &done->event;
    event_->word_copies.push_back(&word_);
    word_.store(event_->word.load(std::memory_order_relaxed), std::memory_order_release);
    return {};
  }
  // Disabled until bound again. No call of it may be going on.
  void unbind() {
    if (event_ == nullptr) return;
    std::erase(event_->word_copies, &word_);
    event_ = nullptr;
    word_.store(0, std::memory_order_relaxed);
  }

  bool enabled() const { return word_.load(std::memory_order_relaxed) != 0; }

  // `now_ns`: called once if somebody records; ns of one clock for all events of the program.
  template <class Clock>
  void operator()(Writer& writer, const Clock& now_ns, const T&... values) const {
    if (enabled()) [[unlikely]]
      write(writer, now_ns(), values...);
  }

  // What it registers.
  static std::string command() { return Layout::command(); }

 private:
  using Layout = TraceLayout<kText, T...>;

  // By value, as tracepoint.hpp says. Inlined, as with the layout known a record is a few stores: half of what the call
  // would cost.
  [[gnu::always_inline]] void write(Writer& writer, std::uint64_t now_ns, T... values) const {
    const Writer::Section section(writer);
    const std::size_t bytes = Layout::bytes(values...);
    const auto put = [&](MutBytes to) {
      Layout::put(to.data(), values...);
      return true;
    };
    std::uint32_t wanted = word_.load(std::memory_order_acquire);
    for (; wanted != 0; wanted &= wanted - 1) {
      const auto place = static_cast<std::size_t>(std::countr_zero(wanted));
      const Writer::Lane& lane = writer.lanes[place];
      if (RingWriter* const ring = lane.ring.load(std::memory_order_acquire); ring != nullptr) [[likely]] {
        (void)record_into(writer, lane, *ring, {*event_, bytes, now_ns}, put);
      } else {
        write_to_probe(writer, place, bytes, put);
      }
    }
  }

  // A probe that has no rings, or none for this thread.
  template <class Put>
  void write_to_probe(Writer& writer, std::size_t place, std::size_t bytes, const Put& put) const {
    Probe* const probe = event_->group.shared().probes[place].load(std::memory_order_acquire);
    if (probe == nullptr) return;
    std::array<std::byte, Layout::kBytesMax> payload;
    put(std::span(payload).first(bytes));
    const Bytes slice(payload.data(), bytes);
    (void)probe->record(writer, *event_, Slices(std::span(&slice, 1)));
  }

  std::atomic<std::uint32_t> word_{0};
  UserEvent* event_ = nullptr;
};

}  // namespace vif::trace
