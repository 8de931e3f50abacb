// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/tftp_message.hpp"

#include <algorithm>
#include <charconv>

namespace vif::net::inet {
namespace {

enum Operation : std::uint16_t { kRead = 1, kData = 3, kAck = 4, kError = 5, kOptionAck = 6 };  // RFC 1350, 5; RFC 2347

constexpr std::size_t kOperationBytes = 2;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void put(std::vector<std::byte>& message, std::string_view word) {
  for (const char letter : word) message.push_back(static_cast<std::byte>(letter));
  message.push_back(std::byte{0});
}

// Takes a word that ends with a NUL; nullopt: none does.
std::optional<std::string_view> take_word(Bytes& rest) {
  const auto end = std::find(rest.begin(), rest.end(), std::byte{0});
  if (end == rest.end()) return std::nullopt;
  const auto letters = static_cast<std::size_t>(end - rest.begin());
  const std::string_view word = text_of(rest.first(letters));
  rest = rest.subspan(letters + 1);
  return word;
}

// RFC 2347: names are in any case.
bool is_named(std::string_view word, std::string_view name) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  };
  return std::equal(word.begin(), word.end(), name.begin(), name.end(),
                    [&](char one, char other) { return lower(one) == other; });
}

std::optional<std::uint64_t> number_of(std::string_view word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  return whole ? std::optional(number) : std::nullopt;
}

bool read_options(Bytes rest, TftpReply& reply) {
  while (!rest.empty()) {
    const auto name = take_word(rest);
    const auto value = name ? take_word(rest) : std::nullopt;
    const auto number = value ? number_of(*value) : std::nullopt;
    if (!number) return false;
    std::optional<std::uint64_t>* const option = is_named(*name, "blksize")   ? &reply.block_bytes
                                                 : is_named(*name, "tsize")   ? &reply.file_bytes
                                                 : is_named(*name, "timeout") ? &reply.timeout_s
                                                                              : nullptr;
    if (option == nullptr || option->has_value()) return false;
    *option = number;
  }
  return true;
}

// Servers end the text with a NUL, or forget to.
std::string readable(Bytes text) {
  std::string letters;
  for (const std::byte byte : text.first(std::min(text.size(), TftpReply::kTextMax))) {
    const char letter = static_cast<char>(byte);
    if (letter == '\0') break;
    letters += letter >= ' ' && letter <= '~' ? letter : '?';
  }
  return letters;
}

}  // namespace

std::vector<std::byte> TftpRequest::store() const {
  std::vector<std::byte> message(kOperationBytes);
  store_be16(message.data(), kRead);
  put(message, file);
  put(message, "octet");
  if (block_bytes == 0) return message;
  put(message, "blksize");
  put(message, std::to_string(block_bytes));
  put(message, "timeout");
  put(message, std::to_string(timeout_s));
  put(message, "tsize");
  put(message, "0");  // RFC 2349: the server answers with the size
  return message;
}

std::array<std::byte, kTftpHeaderBytes> store_tftp_ack(std::uint16_t block) {
  std::array<std::byte, kTftpHeaderBytes> message;
  store_be16(&message[0], kAck);
  store_be16(&message[kOperationBytes], block);
  return message;
}

std::vector<std::byte> store_tftp_error(TftpError error, std::string_view text) {
  std::vector<std::byte> message(kTftpHeaderBytes);
  store_be16(message.data(), kError);
  store_be16(&message[kOperationBytes], static_cast<std::uint16_t>(error));
  put(message, text);
  return message;
}

std::optional<TftpReply> TftpReply::parse(Bytes message) {
  if (message.size() < kOperationBytes) return std::nullopt;
  const std::uint16_t operation = load_be16(message.data());
  TftpReply reply;
  if (operation == kOptionAck) {
    reply.kind = Kind::options;
    return read_options(message.subspan(kOperationBytes), reply) ? std::optional(reply) : std::nullopt;
  }
  if (message.size() < kTftpHeaderBytes) return std::nullopt;
  const std::uint16_t number = load_be16(&message[kOperationBytes]);
  const Bytes rest = message.subspan(kTftpHeaderBytes);
  if (operation == kData) {
    reply.block = number;
    reply.data = rest;
    return reply;
  }
  if (operation != kError) return std::nullopt;
  reply.kind = Kind::error;
  reply.error = static_cast<TftpError>(number);
  reply.text = readable(rest);
  return reply;
}

}  // namespace vif::net::inet
