// SPDX-License-Identifier: BSD-2-Clause
#include "virtif/linkstr.hpp"

#include <algorithm>

namespace vif::drv {
namespace {

constexpr std::string_view kReserved = ",[]";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_key_char(char c) { return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool begins_escape(std::string_view text) {
  return text.size() > 2 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Linkstr> parse() {
    if (Status ok = scheme(); !ok) return std::move(ok).error();
    if (Status ok = argument(); !ok) return std::move(ok).error();
    while (!at_end()) {
      ++at_;  // the comma argument() and value() stop at
      if (Status ok = option(); !ok) return std::move(ok).error();
    }
    return std::move(link_);
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char here() const { return text_[at_]; }

  Error refuse(const std::string& expected) const {
    return fail(std::errc::invalid_argument,
                "link string, character " + std::to_string(at_ + 1) + ": expected " + expected);
  }

  Status scheme() {
    for (; !at_end() && (is_lower(here()) || (at_ > 0 && is_digit(here()))); ++at_) link_.scheme += here();
    const bool whole = !link_.scheme.empty() && !at_end() && here() == ':';
    if (!whole) return refuse("a scheme in lower case and ':', as in mem:lan0");
    ++at_;
    return {};
  }

  Status argument() {
    if (at_end() || here() != '[') return value(link_.argument);
    const std::size_t begin = at_ + 1;
    std::size_t depth = 0;
    do {
      if (at_end()) return refuse("']' to close the nested link string");
      if (here() == '[' && ++depth > Linkstr::kNestingMax) return refuse("at most 8 nested link strings");
      if (here() == ']') --depth;
      ++at_;
    } while (depth > 0);
    link_.argument = text_.substr(begin, at_ - 1 - begin);
    link_.argument_nested = true;
    if (link_.argument.find('\0') != std::string::npos) return refuse("text without zero bytes");
    if (!at_end() && here() != ',') return refuse("',' or the end after ']'");
    return {};
  }

  Status option() {
    Linkstr::Option option;
    for (; !at_end() && is_key_char(here()); ++at_) option.key += here();
    if (option.key.empty()) return refuse("an option's name: letters, digits, '-' or '_'");
    if (link_.find(option.key) != nullptr) return refuse("every option once, but '" + option.key + "' came before");
    if (!at_end() && here() == '=') {
      ++at_;
      option.value.emplace();
      if (Status ok = value(*option.value); !ok) return ok;
    }
    if (!at_end() && here() != ',') return refuse("'=', ',' or the end after the option's name '" + option.key + "'");
    link_.options.push_back(std::move(option));
    return {};
  }

  // Reads up to a comma or the end, decoding %XX.
  Status value(std::string& into) {
    for (; !at_end() && here() != ','; ++at_) {
      char c = here();
      if (c == '[' || c == ']') return refuse(std::string("%5B or %5D for a bracket inside a value"));
      if (begins_escape(text_.substr(at_))) {
        c = static_cast<char>(hex_value(text_[at_ + 1]) * 16 + hex_value(text_[at_ + 2]));
        at_ += 2;
      }
      if (c == '\0') return refuse("text without zero bytes");
      into += c;
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Linkstr link_;
};

// Escapes as little as can be, so that no text becomes longer by being read and written again.
void append_encoded(std::string& text, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (kReserved.find(c) == std::string_view::npos && !begins_escape(value.substr(i))) {
      text += c;
    } else {
      text += '%';
      text += kHexDigits[static_cast<unsigned char>(c) >> 4];
      text += kHexDigits[c & 15];
    }
  }
}

}  // namespace

Result<Linkstr> Linkstr::parse(std::string_view text) {
  if (text.size() > kBytesMax) {
    return fail(std::errc::argument_list_too_long, "a link string has at most " + std::to_string(kBytesMax) +
                                                       " characters, this one " + std::to_string(text.size()));
  }
  return Parser(text).parse();
}

std::string Linkstr::format() const {
  std::string text = scheme + ':';
  if (argument_nested) text += '[' + argument + ']';
  else append_encoded(text, argument);
  for (const Option& option : options) {
    text += ',' + option.key;
    if (!option.value) continue;
    text += '=';
    append_encoded(text, *option.value);
  }
  return text;
}

const Linkstr::Option* Linkstr::find(std::string_view key) const {
  const auto at = std::find_if(options.begin(), options.end(), [&](const Option& option) { return option.key == key; });
  return at == options.end() ? nullptr : &*at;
}

}  // namespace vif::drv
