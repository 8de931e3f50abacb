// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/trace_record_stream.hpp"

#include <boost/asio/buffer.hpp>

#include "tools/virtifd/last_words.hpp"

namespace vif::tools {

namespace asio = boost::asio;
using boost::system::error_code;
using host::TraceItem;

TraceRecordStream::TraceRecordStream(asio::io_context& context, TraceService& service, Owner& owner,
                                     asio::local::stream_protocol::socket socket, trace::Take takes)
    : service_(service), owner_(owner), socket_(std::move(socket)), timer_(context), takes_(takes) {
  socket_.non_blocking(true);
}

// With virtifd, while the recording goes on: what came of it so far, as far as the client's socket takes it.
TraceRecordStream::~TraceRecordStream() {
  if (!session_) return;
  if (!stopped_) service_.stop(*session_);
  if (done_) return;
  LastWords last(socket_.native_handle());
  for (bool more = true; more;) {
    take(*session_, trace::Take::everything);
    more = !out_.empty();
    if (!last.say(as_bytes(std::string_view(out_)))) return;
    out_.clear();
  }
  put_end(*session_);
  (void)last.say(as_bytes(std::string_view(out_)));
}

void TraceRecordStream::start(const Json& id, std::unique_ptr<trace::Session> session) {
  session_ = std::move(session);
  out_ = result_line(id, Json::object());
  take(*session_, takes_);
  await_client();
  pump();
}

void TraceRecordStream::start_once(const Json& id, trace::Session& session) {
  out_ = result_line(id, Json::object());
  for (std::size_t before = 0; before != out_.size();) {
    before = out_.size();
    take(session, trace::Take::everything);
  }
  put_end(session);
  stopped_ = ended_ = true;
  pump();
}

// It says nothing while it records; when it does, or is gone, it wants no more. What it says is taken all the same,
// for a socket closed over unread bytes takes back what it has sent.
void TraceRecordStream::await_client() {
  ++waiting_;
  socket_.async_read_some(asio::buffer(said_), [this](const error_code& error, std::size_t) {
    stop();
    if (!error) await_client();
    handled();
  });
}

void TraceRecordStream::put(TraceItem::Kind kind, std::uint32_t ring, Bytes body) {
  const auto head = host::trace_item_head({.kind = kind, .ring = ring}, body.size());
  out_.append(reinterpret_cast<const char*>(head.data()), head.size());
  out_.append(reinterpret_cast<const char*>(body.data()), body.size());
}

// What there is, up to a piece of it.
void TraceRecordStream::take(trace::Session& session, trace::Take takes) {
  if (session.generation() != generation_told_) {
    generation_told_ = session.generation();
    put(TraceItem::Kind::head, 0, as_bytes(service_.head(session)));
  }
  const std::size_t until = out_.size() + kPieceBytes;
  for (std::size_t ring = 0; ring < session.readers().size(); ++ring) {
    trace::RingReader::Page page;
    while (out_.size() < until && session.readers()[ring]->next(page, takes)) {
      put(TraceItem::Kind::page, static_cast<std::uint32_t>(ring), Bytes(page).first(host::page_bytes_used(page)));
    }
  }
}

void TraceRecordStream::put_end(trace::Session& session) {
  put(TraceItem::Kind::end, 0, host::trace_end_body(session.take_lost()));
}

void TraceRecordStream::pump() {
  if (writing_ || done_) return;
  if (out_.empty() && !ended_) take(*session_, stopped_ ? trace::Take::everything : takes_);
  if (out_.empty() && stopped_) {
    if (std::exchange(ended_, true)) return finish();
    put_end(*session_);
  }
  if (out_.empty()) {
    if (std::exchange(sleeping_, true)) return;
    ++waiting_;
    timer_.expires_after(kLook);
    return timer_.async_wait([this](const error_code&) {
      sleeping_ = false;
      pump();
      handled();
    });
  }
  error_code error;  // at once, so that it is known at any time how far it came
  out_.erase(0, socket_.write_some(asio::buffer(out_), error));
  if (error && error != asio::error::would_block) {
    stop();
    finish();
  }
  writing_ = true;
  ++waiting_;
  socket_.async_wait(asio::socket_base::wait_write, [this](const error_code&) {
    writing_ = false;
    pump();
    handled();
  });
}

void TraceRecordStream::stop() {
  if (std::exchange(stopped_, true)) return;
  service_.stop(*session_);
  timer_.cancel();
}

void TraceRecordStream::finish() {
  if (std::exchange(done_, true)) return;
  error_code ignored;
  socket_.close(ignored);
}

void TraceRecordStream::handled() {
  --waiting_;
  owner_.ended(*this);
}

}  // namespace vif::tools
