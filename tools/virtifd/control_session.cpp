// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/control_session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace vif::tools {

namespace asio = boost::asio;
using boost::system::error_code;

void ControlSession::read() {
  ++waiting_;
  asio::async_read_until(
      socket_, asio::dynamic_buffer(in_, kLineBytesMax), '\n', [this](const error_code& error, std::size_t bytes) {
        --waiting_;
        if (error == asio::error::not_found) {
          refuse(
              fault_line({kInvalidRequest, "a line has at most " + std::to_string(kLineBytesMax) + " bytes", nullptr}));
        } else if (error || closed_) {
          close();
        } else {
          taken(bytes);
        }
      });
}

void ControlSession::taken(std::size_t bytes) {
  std::variant<RpcRequest, RpcFault> parsed = parse_request(std::string_view(in_).substr(0, bytes - 1));
  in_.erase(0, bytes);
  if (const auto* fault = std::get_if<RpcFault>(&parsed)) return reply(fault_line(*fault));
  owner_.requested(*this, std::move(std::get<RpcRequest>(parsed)));
}

void ControlSession::reply(std::string line) {
  if (closed_) return;
  if (line.empty()) return read();
  replying_ = true;
  send(std::move(line));
}

void ControlSession::later() {
  held_ = ++late_ == kLaterMax;
  if (!held_) read();
}

void ControlSession::reply_late(std::string line) {
  ++late_waiting_;
  send(std::move(line));
}

void ControlSession::refuse(std::string line) {
  hanging_up_ = true;
  send(std::move(line));
}

void ControlSession::send(std::string line) {
  if (closed_) return;
  waits_ += line;
  if (writing_.empty()) write();
}

void ControlSession::write() {
  writing_.swap(waits_);
  // Only with what is written now: a reply that still waits keeps the next line out.
  const bool replies = std::exchange(replying_, false);
  const int late = std::exchange(late_waiting_, 0);
  ++waiting_;
  asio::async_write(socket_, asio::buffer(writing_), [this, replies, late](const error_code& error, std::size_t) {
    --waiting_;
    late_ -= late;
    writing_.clear();
    if (error || closed_ || (hanging_up_ && waits_.empty())) return close();
    if (!waits_.empty()) write();
    if (replies || (late > 0 && std::exchange(held_, false))) read();
  });
}

void ControlSession::close() {
  if (!std::exchange(closed_, true)) {
    error_code ignored;
    socket_.close(ignored);
  }
  owner_.ended(*this);
}

std::optional<asio::local::stream_protocol::socket> ControlSession::give_away() {
  if (subscribed_ || waiting_ > 0 || late_ > 0 || !in_.empty()) return std::nullopt;
  closed_ = true;
  return std::move(socket_);
}

void ControlSession::subscribe(bool on, std::uint64_t next) {
  subscribed_ = on;
  next_event_ = next;
}

void ControlSession::event(std::uint64_t sequence, const std::string& line) {
  if (!subscribed_ || closed_ || waits_.size() + line.size() > kEventBytesMax) return;
  if (sequence != next_event_) send(notification_line("gap", {{"lost", sequence - next_event_}}));
  next_event_ = sequence + 1;
  send(line);
}

}  // namespace vif::tools
