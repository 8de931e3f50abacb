// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/capture_stream.hpp"

#include <sys/eventfd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "hypercall/host/verbs/verb.hpp"
#include "tools/virtifd/last_words.hpp"

namespace vif::tools {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kRetry = std::chrono::milliseconds(10);  // while the domain's inbox is full

}  // namespace

CaptureStream::CaptureStream(asio::io_context& context, host::Node& node, Owner& owner, host::UniqueFd event,
                             asio::local::stream_protocol::socket socket)
    : context_(context),
      node_(node),
      owner_(owner),
      event_(context, event.release()),
      socket_(std::move(socket)),
      timer_(context),
      retry_(context),
      tap_(clock_, *this) {}

// With virtifd, while the capture goes on: what came of it so far, as far as the client's socket takes it.
CaptureStream::~CaptureStream() {
  if (done_) return;
  tap_.stop();
  LastWords last(socket_.native_handle());
  for (const Bytes piece : tap_.ring().readable()) {
    if (!last.say(piece)) return;
  }
}

void CaptureStream::wake() { (void)::eventfd_write(event_.native_handle(), 1); }

Result<Json> CaptureStream::attach(const CaptureRequest& request) {
  std::vector<net::Ifnet*> interfaces;
  Json links = Json::array();
  for (const std::string& ifname : request.ifnames) {
    const Result<net::Ifnet*> ifp = node_.find(ifname);
    if (!ifp) return ifp.error();
    interfaces.push_back(*ifp);
    links.push_back(host::link_json(node_, **ifp, false));
  }
  const std::int64_t now_ns = clock_.wall_ns();
  tap_.attach(interfaces, request.config);
  return Json{{"time_ns", now_ns}, {"snaplen", request.config.snap_bytes}, {"interfaces", std::move(links)}};
}

void CaptureStream::start(const Json& id, CaptureRequest request) {
  ++waiting_;
  const bool posted = node_.domain().post([this, id, request = std::move(request)] {
    Result<Json> attached = attach(request);
    asio::post(context_, [this, id, attached = std::move(attached)] {
      if (attached) answer(result_line(id, *attached), true);
      else answer(fault_line(fault_of(attached.error(), id)), false);
      handled();
    });
  });
  if (posted) return;
  answer(fault_line({EAGAIN, "virtifd is busy: try again", id}), false);
  --waiting_;
}

void CaptureStream::answer(std::string line, bool goes_on) {
  ++waiting_;
  auto text = std::make_unique<std::string>(std::move(line));
  const asio::const_buffer bytes = asio::buffer(*text);
  asio::async_write(socket_, bytes, [this, goes_on, text = std::move(text)](const error_code& error, std::size_t) {
    if (!goes_on) {
      finish();
    } else if (error) {
      give_up();
    } else {
      socket_.non_blocking(true);
      await_client();
      pump();
    }
    handled();
  });
}

// It says nothing while it captures; when it does, or is gone, it wants no more. What it says is taken all the same,
// for a socket closed over unread bytes takes back what it has sent.
void CaptureStream::await_client() {
  ++waiting_;
  socket_.async_read_some(asio::buffer(said_), [this](const error_code& error, std::size_t) {
    stop();
    if (!error) await_client();
    handled();
  });
}

void CaptureStream::pump() {
  if (writing_ || done_) return;
  const auto [first, second] = tap_.ring().readable();
  if (first.empty()) return rest();
  if (broken_) {
    tap_.ring().consume(first.size() + second.size());
    return rest();
  }
  const std::array<asio::const_buffer, 2> pieces = {asio::buffer(first.data(), first.size()),
                                                    asio::buffer(second.data(), second.size())};
  error_code error;  // at once, so that it is known at any time how far it came
  tap_.ring().consume(socket_.write_some(pieces, error));
  if (error && error != asio::error::would_block) give_up();
  writing_ = true;
  ++waiting_;
  socket_.async_wait(asio::socket_base::wait_write, [this](const error_code&) {
    writing_ = false;
    pump();
    handled();
  });
}

// Everything is sent: waits for more, or ends.
void CaptureStream::rest() {
  if (quiet_) return finish();
  if (tap_.ended()) stop();
  if (sleeping_) return;
  if (!tap_.ring().may_sleep()) return pump();
  sleeping_ = true;
  ++waiting_;
  event_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
    eventfd_t wakes = 0;
    (void)::eventfd_read(event_.native_handle(), &wakes);
    if (!error) gather();
    handled();
  });
}

void CaptureStream::gather() {
  ++waiting_;
  timer_.expires_after(kGather);
  timer_.async_wait([this](const error_code&) {
    sleeping_ = false;
    pump();
    handled();
  });
}

void CaptureStream::stop() {
  if (std::exchange(stopping_, true)) return;
  ++waiting_;
  const bool posted = node_.domain().post([this] {
    tap_.stop();
    asio::post(context_, [this] {
      quiet_ = true;
      pump();
      handled();
    });
  });
  if (posted) return;
  retry_.expires_after(kRetry);
  retry_.async_wait([this](const error_code&) {
    stopping_ = false;
    stop();
    handled();
  });
}

void CaptureStream::give_up() {
  broken_ = true;
  stop();
}

void CaptureStream::finish() {
  if (std::exchange(done_, true)) return;
  error_code ignored;
  socket_.close(ignored);
  event_.close(ignored);
  timer_.cancel();
}

void CaptureStream::handled() {
  --waiting_;
  owner_.ended(*this);
}

}  // namespace vif::tools
