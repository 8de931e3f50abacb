// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a TFTP server's message: what is read of it lies within it, and the client's own messages are not taken
// for a server's.
#include <algorithm>

#include "netstack/inet/tftp_message.hpp"

namespace vif::test {
namespace {

using namespace net::inet;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(Bytes message) {
  const std::optional<TftpReply> reply = TftpReply::parse(message);
  if (!reply) return;
  require(reply->data.size() + kTftpHeaderBytes <= std::max(message.size(), kTftpHeaderBytes));
  require(reply->data.empty() || reply->data.data() + reply->data.size() == message.data() + message.size());
  require(reply->text.size() <= TftpReply::kTextMax);
  require(std::all_of(reply->text.begin(), reply->text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  const bool has_options = reply->block_bytes || reply->file_bytes || reply->timeout_s;
  require(!has_options || reply->kind == TftpReply::Kind::options);
  require(!TftpReply::parse(store_tftp_ack(reply->block)));
  require(!TftpReply::parse(TftpRequest{reply->text, reply->block, 1}.store()));
  const auto error = TftpReply::parse(store_tftp_error(reply->error, reply->text));
  require(error && error->error == reply->error && error->text == reply->text);
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  vif::test::check(bytes);
  std::vector<std::byte> options = {std::byte{0}, std::byte{6}};  // as if it were options
  options.insert(options.end(), bytes.begin(), bytes.end());
  vif::test::check(options);
  return 0;
}
