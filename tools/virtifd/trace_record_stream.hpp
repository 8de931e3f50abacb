// SPDX-License-Identifier: BSD-2-Clause
// One client that records: its connection has become a stream of items (hypercall/trace/trace_stream.hpp), until the
// client shuts down its side or says anything, or does not hear us any more. What it does not read in time is lost to
// it alone, and counted: nothing here waits for it, and what is kept for it are its session's rings.
//
// On the control thread; nobody wakes it, it looks into the rings some times a second. Destroyed only once idle(), or
// on the domain's thread when the control thread is gone.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "hypercall/trace/trace_stream.hpp"
#include "tools/control/rpc.hpp"
#include "tools/virtifd/trace_service.hpp"

namespace vif::tools {

class TraceRecordStream {
 public:
  static constexpr auto kLook = std::chrono::milliseconds(20);
  static constexpr std::size_t kPieceBytes = 256 * 1024;

  class Owner {
   public:
    virtual ~Owner() = default;
    // Something it waited for has ended: look at idle().
    virtual void ended(TraceRecordStream& stream) = 0;
  };

  // `takes`: whether records are wanted at once, or a page of them at a time. All but the socket outlive the stream.
  TraceRecordStream(boost::asio::io_context& context, TraceService& service, Owner& owner,
                    boost::asio::local::stream_protocol::socket socket, trace::Take takes);
  ~TraceRecordStream();
  TraceRecordStream(const TraceRecordStream&) = delete;
  TraceRecordStream& operator=(const TraceRecordStream&) = delete;

  // Answers the request with this id, then streams what the session records.
  void start(const Json& id, std::unique_ptr<trace::Session> session);
  // Answers it, then says what that session, which is not ours, holds now, and ends.
  void start_once(const Json& id, trace::Session& session);

  bool idle() const { return done_ && waiting_ == 0; }

 private:
  void await_client();
  void pump();
  void take(trace::Session& session, trace::Take takes);
  void put_end(trace::Session& session);
  void put(host::TraceItem::Kind kind, std::uint32_t ring, Bytes body);
  void stop();
  void finish();
  void handled();  // the last thing each handler does

  TraceService& service_;
  Owner& owner_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer timer_;
  const trace::Take takes_;
  std::unique_ptr<trace::Session> session_;
  std::uint64_t generation_told_ = 0;  // of the session's events
  std::string out_;                    // being written, or to be
  std::array<char, 512> said_;         // by the client
  int waiting_ = 0;                    // handlers that Asio owes us
  bool writing_ = false;               // one of them is of room in the socket
  bool sleeping_ = false;              // one of them is of the timer
  bool stopped_ = false;               // nothing is added to the rings any more
  bool ended_ = false;                 // the last item is in out_
  bool done_ = false;
};

}  // namespace vif::tools
