// SPDX-License-Identifier: BSD-2-Clause
// One client that captures: its connection has become a stream of records (hypercall/host/capture/capture_record.hpp),
// until the client shuts down its side or says anything, all its interfaces are gone, or it does not hear us any more.
// What it does not read in time is lost to it alone: nothing here waits for it, and what is kept for it is one ring.
//
// On the control thread. Destroyed only once idle(), or on the domain's thread when the control thread is gone.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "hypercall/host/node.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/unique_fd.hpp"
#include "tools/virtifd/capture_request.hpp"

namespace vif::tools {

class CaptureStream final : private net::WakePort {
 public:
  // The domain's thread wakes us by a system call: at most one in this time, however many frames there are.
  static constexpr auto kGather = std::chrono::milliseconds(2);

  class Owner {
   public:
    virtual ~Owner() = default;
    // Something it waited for has ended: look at idle().
    virtual void ended(CaptureStream& stream) = 0;
  };

  // `event` is an eventfd that does not block. All but it and the socket outlive the stream.
  CaptureStream(boost::asio::io_context& context, host::Node& node, Owner& owner, host::UniqueFd event,
                boost::asio::local::stream_protocol::socket socket);
  ~CaptureStream() override;
  CaptureStream(const CaptureStream&) = delete;
  CaptureStream& operator=(const CaptureStream&) = delete;

  // Answers the request with this id, then streams; when it cannot be had, hangs up behind the fault.
  void start(const Json& id, CaptureRequest request);

  bool idle() const { return done_ && waiting_ == 0; }

 private:
  Result<Json> attach(const CaptureRequest& request);  // the domain's thread
  void wake() override;                                // the domain's thread

  void answer(std::string line, bool goes_on);
  void await_client();
  void pump();
  void rest();
  void gather();
  void stop();
  void give_up();
  void finish();
  void handled();  // the last thing each handler does

  boost::asio::io_context& context_;
  host::Node& node_;
  Owner& owner_;
  host::LinuxClock clock_;
  boost::asio::posix::stream_descriptor event_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer timer_, retry_;
  host::CaptureTap tap_;
  std::array<char, 512> said_;  // by the client
  int waiting_ = 0;             // handlers that Asio or the domain owes us
  bool writing_ = false;        // one of them is of room in the socket
  bool sleeping_ = false;       // one of them is of the event, or of the time after it
  bool stopping_ = false;       // the tap is told to stop
  bool quiet_ = false;          // and has: the domain's thread is done with it
  bool broken_ = false;         // nobody hears us
  bool done_ = false;
};

}  // namespace vif::tools
