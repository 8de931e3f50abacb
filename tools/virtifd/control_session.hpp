// SPDX-License-Identifier: BSD-2-Clause
// One client of virtifd: takes its lines in order, one at a time, and writes replies and events. What it holds for a
// client that does not read is bounded: the next line is not taken before the reply to the last is written, nor while
// kLaterMax replies are owed, and events it has no room for are left out, which the client is told.
//
// On the control thread. Destroyed only once idle(): Asio still has its buffers until then.
#pragma once

#include <sys/types.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tools/control/rpc.hpp"

namespace vif::tools {

class ControlSession {
 public:
  static constexpr std::size_t kEventBytesMax = 256 * 1024;  // waiting to be written
  static constexpr int kLaterMax = 64;                       // requests to be answered later

  class Owner {
   public:
    virtual ~Owner() = default;
    // To be answered with reply(), soon; null id: with an empty one. Or with later() now, and some time reply_late().
    virtual void requested(ControlSession& session, RpcRequest request) = 0;
    // It has closed itself, or something it waited for has ended: look at idle().
    virtual void ended(ControlSession& session) = 0;
  };

  // `user`: whose process is at the other end.
  ControlSession(std::uint64_t id, uid_t user, boost::asio::local::stream_protocol::socket socket, Owner& owner)
      : id_(id), user_(user), socket_(std::move(socket)), owner_(owner) {}
  ControlSession(const ControlSession&) = delete;
  ControlSession& operator=(const ControlSession&) = delete;

  std::uint64_t id() const { return id_; }
  uid_t user() const { return user_; }
  bool idle() const { return closed_ && waiting_ == 0; }

  void start() { read(); }
  // The line for the request taken last; empty: it wanted none.
  void reply(std::string line);
  // The request taken last will be answered with reply_late(): the next line need not wait for that.
  void later();
  void reply_late(std::string line);
  // Says `line`, then hangs up.
  void refuse(std::string line);
  void close();
  // The connection itself, from inside requested(), which answers on it in another way; the session is idle then.
  // Nothing: it is in use, for events are on, replies are owed, or more lines have come.
  std::optional<boost::asio::local::stream_protocol::socket> give_away();

  // Events from `next` on, or none any more.
  void subscribe(bool on, std::uint64_t next);
  // Whether it does, and is not in the middle of something else.
  bool follows_events() const { return subscribed_ && waiting_ > 0; }
  // An event with its number; earlier ones came before.
  void event(std::uint64_t sequence, const std::string& line);

 private:
  void read();
  void taken(std::size_t bytes);
  void send(std::string line);
  void write();

  const std::uint64_t id_;
  const uid_t user_;
  boost::asio::local::stream_protocol::socket socket_;
  Owner& owner_;
  std::string in_;               // read and not taken yet
  std::string writing_, waits_;  // what Asio has, and what comes after it
  int waiting_ = 0;              // handlers that Asio owes us
  bool closed_ = false;
  bool replying_ = false;    // the reply is among what waits to be written
  int late_ = 0;             // replies owed, or among what waits to be written or is being written
  int late_waiting_ = 0;     // of those, in waits_
  bool held_ = false;        // not reading, as kLaterMax are late
  bool hanging_up_ = false;  // once everything is written
  bool subscribed_ = false;
  std::uint64_t next_event_ = 0;  // what the client has seen, plus one
};

}  // namespace vif::tools
