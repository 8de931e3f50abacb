// SPDX-License-Identifier: BSD-2-Clause
// Reads the answer to one GET: the status and the body, bounded, as the bytes come. Boost.Beast's parser does the work,
// as chunks, header folding and lengths that contradict each other are where parsers of one's own go wrong; nobody but
// http_response.cpp includes it. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

class HttpResponse {
 public:
  static constexpr std::size_t kHeaderBytesMax = 16 * 1024;
  // Takes a piece of the body, borrowed. An error ends the reading with it.
  using Take = std::function<Status(Bytes)>;

  HttpResponse(std::uint64_t body_bytes_max, Take take);
  ~HttpResponse();

  // What came next. EPROTO: no HTTP, an answer that is not 200 (ENOENT: 404 and 410; EACCES: 401 and 403), one that is
  // encoded, or more than it said. EFBIG: the body is above its bound. After an error no more is to be fed.
  Status feed(Bytes bytes);
  // Nothing more comes. EBADMSG: it is not whole.
  Status finish() const;

  bool is_whole() const;
  // What the header says; nullopt: not there yet, or in chunks.
  std::optional<std::uint64_t> body_bytes() const;

 private:
  struct State;
  Status read_some();

  std::unique_ptr<State> state_;
};

}  // namespace vif::host
