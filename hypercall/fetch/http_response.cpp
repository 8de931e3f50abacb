// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fetch/http_response.hpp"

#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <cerrno>
#include <exception>

namespace vif::host {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kPieceBytes = 16 * 1024;

// What a server says may end up on a terminal.
std::string readable(std::string_view text) {
  constexpr std::size_t kLettersMax = 100;
  std::string letters;
  for (const char letter : text.substr(0, kLettersMax)) letters += letter >= ' ' && letter <= '~' ? letter : '?';
  return letters;
}

int errno_of(unsigned status) {
  if (status == 404 || status == 410) return ENOENT;
  return status == 401 || status == 403 ? EACCES : EPROTO;
}

}  // namespace

struct HttpResponse::State {
  State(std::uint64_t body_bytes_max_in, Take take_in) : body_bytes_max(body_bytes_max_in), take(std::move(take_in)) {
    parser.eager(true);
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(body_bytes_max);
  }

  // Once the header is there: whether we want what follows.
  Status look_at_header() {
    const unsigned status = parser.get().result_int();
    if (status / 100 == 3) {
      return fail(EPROTO, "the server points to " + readable(parser.get()[http::field::location]) +
                              " instead; redirects are not followed, name that URL");
    }
    if (status != 200) {
      return fail(errno_of(status),
                  "the server answers " + std::to_string(status) + " " + readable(parser.get().reason()));
    }
    const std::string_view encoding = parser.get()[http::field::content_encoding];
    if (!encoding.empty() && encoding != "identity") {
      return fail(EPROTO, "the server encodes what it sends (" + readable(encoding) + "), which was not asked for");
    }
    if (!parser.chunked() && !parser.content_length()) {
      return fail(EPROTO,
                  "the server does not say how long the file is, so that nobody could tell whether all of it came");
    }
    return {};
  }

  Error what_is_wrong(const boost::system::error_code& error) const {
    if (error == http::error::body_limit) {
      return fail(EFBIG, "the file has more than " + std::to_string(body_bytes_max) + " bytes, which is too much");
    }
    return fail(EPROTO, "the server does not speak HTTP/1: " + error.message());
  }

  const std::uint64_t body_bytes_max;
  Take take;
  http::response_parser<http::buffer_body> parser;
  std::vector<std::byte> waiting;  // not parsed yet: a header that is not whole
  std::array<std::byte, kPieceBytes> piece;
  bool header_seen = false;
};

HttpResponse::HttpResponse(std::uint64_t body_bytes_max, Take take)
    : state_(std::make_unique<State>(body_bytes_max, std::move(take))) {}

HttpResponse::~HttpResponse() = default;

Status HttpResponse::feed(Bytes bytes) {
  state_->waiting.insert(state_->waiting.end(), bytes.begin(), bytes.end());
  try {
    return read_some();
  } catch (const std::exception& thrown) {  // Beast's fields may, for want of memory or of room
    return fail(EPROTO, std::string("the server's answer cannot be read: ") + thrown.what());
  }
}

Status HttpResponse::read_some() {
  State& s = *state_;
  for (bool more = true; more && !s.waiting.empty();) {
    if (s.parser.is_done()) return fail(EPROTO, "the server sends more than it said");
    auto& body = s.parser.get().body();
    body.data = s.piece.data();
    body.size = s.piece.size();
    body.more = true;
    boost::system::error_code error;
    const std::size_t used = s.parser.put(boost::asio::buffer(s.waiting.data(), s.waiting.size()), error);
    s.waiting.erase(s.waiting.begin(), s.waiting.begin() + static_cast<std::ptrdiff_t>(used));
    const bool goes_on = !error || error == http::error::need_more || error == http::error::need_buffer;
    if (!goes_on) return s.what_is_wrong(error);
    if (s.parser.is_header_done() && !std::exchange(s.header_seen, true)) {
      if (Status wanted = s.look_at_header(); !wanted) return wanted;
    }
    const std::size_t filled = s.piece.size() - body.size;
    if (filled > 0) {
      if (Status taken = s.take(Bytes(s.piece).first(filled)); !taken) return taken;
    }
    more = error != http::error::need_more && (used > 0 || filled > 0);
  }
  return {};
}

Status HttpResponse::finish() const {
  if (is_whole()) return {};
  return fail(EBADMSG, state_->header_seen ? "the connection ended before all of the file had come"
                                           : "the connection ended before the server had answered");
}

bool HttpResponse::is_whole() const { return state_->parser.is_done(); }

std::optional<std::uint64_t> HttpResponse::body_bytes() const {
  if (!state_->header_seen || !state_->parser.content_length()) return std::nullopt;
  return *state_->parser.content_length();
}

}  // namespace vif::host
