// SPDX-License-Identifier: BSD-2-Clause
// Answers to a GET, in one piece and byte by byte: RFC 9112.
#include "hypercall/fetch/http_response.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vif::test {
namespace {

using host::HttpResponse;

struct Outcome {
  std::string body;
  int error = 0;
  std::string text;
};

// What comes of `answer` in pieces of so many bytes, and then the end of the connection.
Outcome read(std::string_view answer, std::size_t piece_bytes, std::uint64_t bytes_max = 100'000) {
  Outcome outcome;
  HttpResponse response(bytes_max, [&](Bytes bytes) {
    outcome.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Status();
  });
  Status status;
  for (std::size_t at = 0; status && at < answer.size(); at += piece_bytes) {
    status = response.feed(as_bytes(answer.substr(at, piece_bytes)));
  }
  if (status) status = response.finish();
  if (!status) outcome.error = status.error().number(), outcome.text = status.error().text;
  return outcome;
}

// The same whichever way it comes in.
Outcome read_all_ways(std::string_view answer, std::uint64_t bytes_max = 100'000) {
  const Outcome whole = read(answer, SIZE_MAX / 2, bytes_max);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1460}}) {
    const Outcome same = read(answer, piece, bytes_max);
    EXPECT_EQ(same.error, whole.error) << answer << " in pieces of " << piece << ": " << same.text;
    if (whole.error == 0) {
      EXPECT_EQ(same.body, whole.body);
    }
  }
  return whole;
}

TEST(HttpResponse, reads_a_body_of_a_length_or_in_chunks) {
  EXPECT_EQ(read_all_ways("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello").body, "hello");
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").body,
            "hello");
  const std::string large(70'000, 'x');
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + large).body, large);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").error, 0);
}

TEST(HttpResponse, notices_a_length_that_is_a_lie) {
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello").error, EBADMSG);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello").error, EPROTO);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello").error, EPROTO);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello").error, EPROTO);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n").error, EBADMSG);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\n\r\nhello").error, EPROTO) << "nobody could tell whether it is whole";
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Le").error, EBADMSG);
  EXPECT_EQ(read_all_ways("").error, EBADMSG);
}

TEST(HttpResponse, bounds_the_body_and_the_header) {
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5).error, 0);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 4).error, EFBIG);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n").error, EFBIG);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 4).error,
            EFBIG);
  EXPECT_EQ(read_all_ways("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").error, EPROTO);
}

TEST(HttpResponse, refuses_redirects_and_says_where_to) {
  const Outcome outcome =
      read_all_ways("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.9/\033[2J\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.error, EPROTO);
  const Outcome plain =
      read_all_ways("HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.9/b\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(plain.error, EPROTO);
  EXPECT_NE(plain.text.find("http://192.0.2.9/b instead; redirects are not followed"), std::string::npos) << plain.text;
}

TEST(HttpResponse, takes_nothing_of_an_answer_that_is_no_file) {
  for (const auto& [answer, error] :
       {std::pair{"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", ENOENT},
        std::pair{"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", EACCES},
        std::pair{"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno", EPROTO},
        std::pair{"HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\nno", EPROTO},
        std::pair{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno", EPROTO},
        std::pair{"SSH-2.0-OpenSSH_9.2\r\n\r\n", EPROTO}}) {
    const Outcome outcome = read_all_ways(answer);
    EXPECT_EQ(outcome.error, error) << answer;
    EXPECT_EQ(outcome.body, "");
  }
}

TEST(HttpResponse, ends_with_the_error_of_who_takes_the_body) {
  HttpResponse response(100, [](Bytes) -> Status { return fail(ENOSPC, "full"); });
  EXPECT_EQ(
      response.feed(as_bytes(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"))).error().number(),
      ENOSPC);
}

}  // namespace
}  // namespace vif::test
