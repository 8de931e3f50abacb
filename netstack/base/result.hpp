// SPDX-License-Identifier: BSD-2-Clause
// A value or the reason there is none. The names are std::expected's, which C++20 lacks.
//
// `Error` carries an errno (as std::error_code, generic category) and a sentence for people that says what was
// expected. Both are for the cold path: a frame that is not wanted is a counter, never an Error. Plain values, any
// thread.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace vif {

struct [[nodiscard]] Error {
  std::error_code code;
  std::string text;  // what was expected and what to do next; no trailing full stop or newline

  // The positive errno of the failure (BSD's name, the host's number).
  int number() const { return code.value(); }
};

// The usual way to make one: `return fail(std::errc::invalid_argument, "MTU 12 is below 46")`.
inline Error fail(std::errc code, std::string text) { return {std::make_error_code(code), std::move(text)}; }
inline Error fail(int number, std::string text) {
  return {std::error_code(number, std::generic_category()), std::move(text)};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return assert(!has_value()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!has_value()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& { return assert(error_), *error_; }
  Error&& error() && { return assert(error_), std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace vif
