// SPDX-License-Identifier: BSD-2-Clause
// Events of our own code that somebody may record, and how their values lie in a record:
//
//   Tracepoint<"net_drop reason bytes", std::string_view, std::uint32_t> net_drop;
//   net_drop("no room", 60);    // "net_drop __rel_loc char[] reason; u32 bytes", to the sink
//
// Off, which it is until somebody attached a sink that wants it, a tracepoint costs one load of a word of its own and
// one test. It belongs to what it is a member of, and is called, attached and detached on that domain's thread; what
// the word is set to is any thread's.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "netstack/base/bytes.hpp"

namespace vif {

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
struct TraceField {
  static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>, "a number, std::array<char, N> or std::string_view");
  static constexpr std::size_t kBytes = sizeof(T);
  static std::string type() { return (std::is_signed_v<T> ? "s" : "u") + std::to_string(8 * sizeof(T)); }
  static std::size_t dynamic_bytes(T) { return 0; }
  static void put(std::byte* fixed, std::byte*&, T value) { std::memcpy(fixed, &value, sizeof value); }
};

template <std::size_t kChars>
struct TraceField<std::array<char, kChars>> {
  static constexpr std::size_t kBytes = kChars;
  static std::string type() { return "char[" + std::to_string(kChars) + "]"; }
  static std::size_t dynamic_bytes(const std::array<char, kChars>&) { return 0; }
  static void put(std::byte* fixed, std::byte*&, const std::array<char, kChars>& value) {
    std::memcpy(fixed, value.data(), kChars);
  }
};

template <>
struct TraceField<std::string_view> {
  static constexpr std::size_t kBytes = 4;
  static constexpr std::size_t kCharsMax = 1000;  // more is cut
  static std::string type() { return "__rel_loc char[]"; }
  static std::size_t dynamic_bytes(std::string_view value) { return std::min(value.size(), kCharsMax) + 1; }
  static void put(std::byte* fixed, std::byte*& dynamic, std::string_view value) {
    const std::size_t bytes = dynamic_bytes(value);
    const auto offset = static_cast<std::uint32_t>(dynamic - (fixed + kBytes));
    store<std::uint32_t, std::endian::native>(fixed, static_cast<std::uint32_t>(bytes) << 16 | offset);
    if (bytes > 1) std::memcpy(dynamic, value.data(), bytes - 1);
    dynamic[bytes - 1] = std::byte{0};
    dynamic += bytes;
  }
};

// An event with values of these types. `kText`: its name, and its fields' names, parted by single spaces.
template <Literal kText, class... T>
struct TraceLayout {
  static constexpr std::size_t kFixedBytes = (std::size_t{0} + ... + TraceField<T>::kBytes);
  static constexpr std::size_t kTexts = (std::size_t{0} + ... + std::size_t{std::is_same_v<T, std::string_view>});
  static constexpr std::size_t kBytesMax = kFixedBytes + kTexts * (TraceField<std::string_view>::kCharsMax + 1);
  static_assert(kBytesMax <= 4000, "a record has to fit a sub-buffer");
  static_assert(std::ranges::count(kText.view(), ' ') == sizeof...(T), "a name for the event and one for each field");

  // What it is registered with, in the language of user_events.
  static std::string command() {
    std::string_view rest = kText.view();
    const auto take_word = [&] {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      return std::string(word);
    };
    std::string text = take_word();
    ((text += ' ' + TraceField<T>::type() + ' ' + take_word() + ';'), ...);
    return text;
  }

  static std::size_t bytes(const T&... values) { return (kFixedBytes + ... + TraceField<T>::dynamic_bytes(values)); }
  // `to` has room for bytes(values...).
  static void put(std::byte* to, const T&... values) {
    std::byte* fixed = to;
    [[maybe_unused]] std::byte* dynamic = fixed + kFixedBytes;
    ((TraceField<T>::put(fixed, dynamic, values), fixed += TraceField<T>::kBytes), ...);
  }
};

class AnyTracepoint;

// Who records tracepoints.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // `payload`: the values of one event as it is registered; borrowed. From the tracepoint's own call.
  virtual void trace(const AnyTracepoint& point, Bytes payload) = 0;
};

class AnyTracepoint {
 public:
  AnyTracepoint(const AnyTracepoint&) = delete;
  AnyTracepoint& operator=(const AnyTracepoint&) = delete;

  bool enabled() const { return word_.load(std::memory_order_relaxed) != 0; }
  std::string command() const { return command_(); }

  // For the sink: it stays until detach(), and sets the word, which is on when it is not 0. `number`: the sink's own.
  std::atomic<std::uint32_t>& attach(TraceSink& sink, std::uint32_t number) {
    sink_ = &sink;
    number_ = number;
    return word_;
  }
  void detach() {
    word_.store(0, std::memory_order_relaxed);
    sink_ = nullptr;
  }
  TraceSink* sink() const { return sink_; }  // null: none
  std::uint32_t number() const { return number_; }

 protected:
  explicit AnyTracepoint(std::string (*text)()) : command_(text) {}

 private:
  std::atomic<std::uint32_t> word_{0};
  std::uint32_t number_ = 0;
  TraceSink* sink_ = nullptr;
  std::string (*command_)();
};

template <Literal kText, class... T>
class Tracepoint final : public AnyTracepoint {
 public:
  Tracepoint() : AnyTracepoint(&TraceLayout<kText, T...>::command) {}

  void operator()(const T&... values) const {
    if (enabled()) [[unlikely]]
      tell(values...);
  }

 private:
  // By value: what is referred to has to lie in memory, and would be put there before it is known whether anybody
  // wants it.
  [[gnu::noinline, gnu::cold]] void tell(T... values) const {
    using Layout = TraceLayout<kText, T...>;
    std::array<std::byte, Layout::kBytesMax> payload;
    Layout::put(payload.data(), values...);
    sink()->trace(*this, Bytes(payload).first(Layout::bytes(values...)));
  }
};

}  // namespace vif
