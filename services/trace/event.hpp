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

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "services/trace/data_file.hpp"
#include "services/trace/record.hpp"

namespace vif::trace {

// A string literal as a template argument.
template <std::size_t kChars>
struct Literal {
  char text[kChars]{};
  constexpr Literal(const char (&from)[kChars]) { std::copy_n(from, kChars, text); }
  constexpr std::string_view view() const { return {text, kChars - 1}; }
};

// How a value is registered and laid out: numbers as they are, std::array<char, N> as char[N], std::string_view as
// __rel_loc char[] with a NUL added.
template <class T>
struct FieldOf {
  static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>, "a number, std::array<char, N> or std::string_view");
  static constexpr std::size_t kBytes = sizeof(T);
  static std::string type() { return (std::is_signed_v<T> ? "s" : "u") + std::to_string(8 * sizeof(T)); }
  static std::size_t dynamic_bytes(T) { return 0; }
  static void put(std::byte* fixed, std::byte*&, T value) { std::memcpy(fixed, &value, sizeof value); }
};

template <std::size_t kChars>
struct FieldOf<std::array<char, kChars>> {
  static constexpr std::size_t kBytes = kChars;
  static std::string type() { return "char[" + std::to_string(kChars) + "]"; }
  static std::size_t dynamic_bytes(const std::array<char, kChars>&) { return 0; }
  static void put(std::byte* fixed, std::byte*&, const std::array<char, kChars>& value) {
    std::memcpy(fixed, value.data(), kChars);
  }
};

template <>
struct FieldOf<std::string_view> {
  static constexpr std::size_t kBytes = 4;
  static constexpr std::size_t kCharsMax = 1000;  // more is cut
  static std::string type() { return "__rel_loc char[]"; }
  static std::size_t dynamic_bytes(std::string_view value) { return std::min(value.size(), kCharsMax) + 1; }
  static void put(std::byte* fixed, std::byte*& dynamic, std::string_view value) {
    const std::size_t bytes = dynamic_bytes(value);
    const auto offset = static_cast<std::uint32_t>(dynamic - (fixed + kBytes));
    store<std::uint32_t, std::endian::native>(fixed, static_cast<std::uint32_t>(bytes) << 16 | offset);
    std::memcpy(dynamic, value.data(), bytes - 1);
    dynamic[bytes - 1] = std::byte{0};
    dynamic += bytes;
  }
};

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
  static std::string command() {
    static_assert(std::ranges::count(kText.view(), ' ') == sizeof...(T), "a name for the event and one for each field");
    std::string_view rest = kText.view();
    const auto take_word = [&] {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      return std::string(word);
    };
    std::string text = take_word();
    ((text += ' ' + FieldOf<T>::type() + ' ' + take_word() + ';'), ...);
    return text;
  }

 private:
  static constexpr std::size_t kFixedBytes = (std::size_t{0} + ... + FieldOf<T>::kBytes);
  static constexpr std::size_t kTexts = (std::size_t{0} + ... + std::size_t{std::is_same_v<T, std::string_view>});
  static constexpr std::size_t kBytesMax = kFixedBytes + kTexts * (FieldOf<std::string_view>::kCharsMax + 1);
  static_assert(kBytesMax <= 4000, "a record has to fit a sub-buffer");

  void write(Writer& writer, std::uint64_t now_ns, const T&... values) const {
    const Writer::Section section(writer);
    const std::size_t bytes = (kFixedBytes + ... + FieldOf<T>::dynamic_bytes(values));
    const auto put = [&](MutBytes to) {
      std::byte* fixed = to.data();
      [[maybe_unused]] std::byte* dynamic = fixed + kFixedBytes;
      ((FieldOf<T>::put(fixed, dynamic, values), fixed += FieldOf<T>::kBytes), ...);
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
    std::array<std::byte, kBytesMax> payload;
    put(std::span(payload).first(bytes));
    const Bytes slice(payload.data(), bytes);
    (void)probe->record(writer, *event_, Slices(std::span(&slice, 1)));
  }

  std::atomic<std::uint32_t> word_{0};
  UserEvent* event_ = nullptr;
};

}  // namespace vif::trace
