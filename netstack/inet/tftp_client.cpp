// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/tftp_client.hpp"

#include <algorithm>

namespace vif::net::inet {
namespace {

constexpr int kWaitDoubledMax = 8;
constexpr std::uint8_t kServerTimeoutS = 1;

int errno_of(TftpError error) {
  switch (error) {
    case TftpError::not_found:
      return ENOENT;
    case TftpError::access_violation:
      return EACCES;
    case TftpError::undefined:
    case TftpError::disk_full:
      return EIO;
    default:
      return EPROTO;
  }
}

}  // namespace

TftpClient::TftpClient(Inet& inet, Domain& domain, TftpEvents& events)
    : inet_(inet),
      domain_(domain),
      events_(events),
      again_(domain.callouts(), [this] { send_again(); }),
      give_up_(domain.callouts(), [this] {
        refuse(TftpError::undefined, fail(ETIMEDOUT, read_.server.to_string() + " sent nothing new for too long"));
      }) {}

Status TftpClient::start(const TftpRead& read) {
  const bool is_name =
      !read.file.empty() && read.file.size() <= kFileNameMax && read.file.find('\0') == std::string::npos;
  if (!is_name) return fail(EINVAL, "a file's name of 1 to 500 letters was expected");
  if (read.block_bytes < kTftpBlockBytesMin || read.block_bytes > kTftpBlockBytesMax) {
    return fail(EINVAL, "blocks of 8 to 65464 bytes were expected");
  }
  auto opened = inet_.open_udp({.address = any_of(read.server)});
  if (!opened) return std::move(opened).error();
  socket_ = *std::move(opened);
  socket_->on_readable([this] { hear(); });
  read_ = read;
  received_.resize(kTftpHeaderBytes + std::max<std::size_t>(read.block_bytes, kTftpBlockBytes));
  state_ = State::asking;
  const TftpRequest request{read.file, read.block_bytes, kServerTimeoutS};
  send_new(request.store());
  return {};
}

// --- sending ---

// What does not get out is as good as lost: it is sent again.
void TftpClient::send(Bytes message) {
  (void)socket_->send_to(message, {.address = read_.server, .port = server_port_ != 0 ? server_port_ : read_.port});
}

void TftpClient::send_new(Bytes message) {
  last_sent_.assign(message.begin(), message.end());
  wait_ = read_.again_after;
  again_.schedule(domain_.now() + wait_);
  give_up_.schedule(domain_.now() + read_.patience);
  send(last_sent_);
}

void TftpClient::send_again() {
  ++data_.repeated;
  wait_ = std::min(2 * wait_, kWaitDoubledMax * read_.again_after);
  again_.schedule(domain_.now() + wait_);
  send(last_sent_);
}

void TftpClient::refuse(TftpError error, const Error& why) {
  if (server_port_ != 0) send(store_tftp_error(error, why.text));
  end(why);
}

void TftpClient::end(const Status& how) {
  state_ = State::ended;
  again_.cancel();
  give_up_.cancel();
  events_.tftp_ended(how);
}

// --- hearing ---

void TftpClient::hear() {
  const std::optional<Error> told = socket_->take_error();
  if (told && told->number() == ECONNREFUSED && state_ == State::asking && server_port_ == 0) {
    return end(fail(ECONNREFUSED, read_.server.to_string() + " serves no TFTP on port " + std::to_string(read_.port)));
  }
  while (const std::optional<UdpDatagram> datagram = socket_->receive()) take(*datagram);
}

// From the port that answered first (RFC 1350, 4). To others not even an error is sent: they may be anybody.
void TftpClient::take(const UdpDatagram& datagram) {
  const std::size_t length = datagram.payload->pkthdr.len;
  const bool from_server = datagram.from == read_.server && (server_port_ == 0 || datagram.from_port == server_port_);
  if (!from_server || length > received_.size()) return void(++data_.ignored);
  m_copydata(*datagram.payload, 0, MutBytes(received_).first(length));
  const std::optional<TftpReply> reply = TftpReply::parse(Bytes(received_).first(length));
  if (!reply) return void(++data_.ignored);
  if (server_port_ == 0) server_port_ = datagram.from_port;
  switch (reply->kind) {
    case TftpReply::Kind::error:
      return take_error(*reply);
    case TftpReply::Kind::options:
      return take_options(*reply);
    case TftpReply::Kind::data:
      return take_data(*reply);
  }
}

void TftpClient::take_error(const TftpReply& reply) {
  if (state_ == State::ended) return;
  if (reply.error == TftpError::refused_options && state_ == State::asking && !asked_plainly_) {
    asked_plainly_ = true;
    server_port_ = 0;
    return send_new(TftpRequest{read_.file}.store());
  }
  const std::string text =
      reply.text.empty() ? "error " + std::to_string(static_cast<unsigned>(reply.error)) : reply.text;
  end(fail(errno_of(reply.error), read_.server.to_string() + " does not send " + read_.file + ": " + text));
}

// RFC 2347 to 2349: as asked, or less where that is allowed.
void TftpClient::take_options(const TftpReply& reply) {
  const bool came_before = state_ == State::reading && last_block_ == 0 && data_.blocks == 0;
  if (came_before) {
    ++data_.duplicates;
    return send(last_sent_);
  }
  if (state_ != State::asking) return void(++data_.ignored);
  const std::uint64_t block_bytes = reply.block_bytes.value_or(kTftpBlockBytes);
  const bool is_agreed = !asked_plainly_ && block_bytes >= kTftpBlockBytesMin &&
                         block_bytes <= std::max<std::uint64_t>(read_.block_bytes, kTftpBlockBytes) &&
                         reply.timeout_s.value_or(kServerTimeoutS) == kServerTimeoutS;
  if (!is_agreed) {
    return refuse(TftpError::refused_options,
                  fail(EPROTO, read_.server.to_string() + " answered with options that were not asked for"));
  }
  data_.file_bytes = reply.file_bytes;
  if (reply.file_bytes.value_or(0) > read_.file_bytes_max) {
    return refuse(TftpError::disk_full,
                  fail(EFBIG, read_.file + " has " + std::to_string(*reply.file_bytes) + " bytes, at most " +
                                  std::to_string(read_.file_bytes_max) + " are taken"));
  }
  block_bytes_ = static_cast<std::size_t>(block_bytes);
  state_ = State::reading;
  send_new(store_tftp_ack(0));
}

void TftpClient::take_data(const TftpReply& reply) {
  const bool begun = state_ == State::reading || state_ == State::asking;
  if (data_.blocks > 0 && reply.block == last_block_) {
    ++data_.duplicates;
    return send(last_sent_);  // our acknowledgement was lost, perhaps
  }
  if (!begun || reply.block != static_cast<std::uint16_t>(last_block_ + 1)) return void(++data_.ignored);
  if (reply.data.size() > block_bytes_) {
    return refuse(TftpError::illegal_operation,
                  fail(EPROTO, read_.server.to_string() + " sent a block larger than was agreed on"));
  }
  state_ = State::reading;
  const std::uint64_t bytes = data_.bytes + reply.data.size();
  if (bytes > read_.file_bytes_max) {
    return refuse(TftpError::disk_full,
                  fail(EFBIG, read_.file + " has more than " + std::to_string(read_.file_bytes_max) + " bytes"));
  }
  const bool is_last = reply.data.size() < block_bytes_;
  const std::uint64_t told = data_.file_bytes.value_or(bytes);
  if (is_last ? bytes != told : data_.file_bytes && bytes > told) {
    return refuse(
        TftpError::undefined,
        fail(EBADMSG, read_.file + " is not as long as " + read_.server.to_string() + " said: " + std::to_string(told) +
                          " bytes were expected, and " + std::to_string(bytes) + " came"));
  }
  if (const Status taken = events_.tftp_received(reply.data); !taken) {
    return refuse(TftpError::disk_full, taken.error());
  }
  ++data_.blocks;
  data_.bytes = bytes;
  last_block_ = reply.block;
  send_new(store_tftp_ack(reply.block));
  if (is_last) end({});
}

}  // namespace vif::net::inet
