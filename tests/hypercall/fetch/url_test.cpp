// SPDX-License-Identifier: BSD-2-Clause
// URLs that files are fetched from: RFC 3617, RFC 3986.
#include "hypercall/fetch/url.hpp"

#include <gtest/gtest.h>

namespace vif::test {
namespace {

using host::Url;

TEST(Url, names_a_server_and_a_file) {
  const auto tftp = Url::parse("tftp://192.0.2.1/fw/a%20b.cap");
  ASSERT_TRUE(tftp);
  EXPECT_EQ(tftp->scheme, Url::Scheme::tftp);
  EXPECT_EQ(tftp->server.to_string(), "192.0.2.1");
  EXPECT_EQ(tftp->port, 69);
  EXPECT_EQ(tftp->path, "fw/a b.cap");
  EXPECT_EQ(tftp->name(), "a b.cap");
  const auto http = Url::parse("http://[2001:db8::1]:8080/fw/a%20b.cap?key=1/2");
  ASSERT_TRUE(http);
  EXPECT_EQ(http->scheme, Url::Scheme::http);
  EXPECT_EQ(http->server.to_string(), "2001:db8::1");
  EXPECT_EQ(http->port, 8080);
  EXPECT_EQ(http->authority, "[2001:db8::1]:8080");
  EXPECT_EQ(http->path, "/fw/a%20b.cap?key=1/2") << "as it goes into the request";
  EXPECT_EQ(http->name(), "a%20b.cap");
  EXPECT_EQ(Url::parse("http://192.0.2.1/a")->port, 80);
}

TEST(Url, refuses_what_it_cannot_fetch_and_says_what_was_expected) {
  for (const char* text : {"",
                           "a.cap",
                           "https://192.0.2.1/a",
                           "ftp://192.0.2.1/a",
                           "tftp://",
                           "tftp:///a",
                           "tftp://192.0.2.1",
                           "tftp://192.0.2.1/",
                           "tftp://server/a",
                           "tftp://2001:db8::1/a",
                           "tftp://[192.0.2.1]/a",
                           "tftp://[2001:db8::1/a",
                           "tftp://224.0.0.1/a",
                           "tftp://192.0.2.1:0/a",
                           "tftp://192.0.2.1:65536/a",
                           "tftp://192.0.2.1:/a",
                           "tftp://192.0.2.1:1x/a",
                           "tftp://u@192.0.2.1/a",
                           "tftp://192.0.2.1/a%",
                           "tftp://192.0.2.1/a%2",
                           "tftp://192.0.2.1/a%2x",
                           "tftp://192.0.2.1/a%00",
                           "tftp://192.0.2.1/a b",
                           "http://192.0.2.1/a\r\nHost: b",
                           "http://192.0.2.1/a#b"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().number(), EINVAL);
    EXPECT_NE(url.error().text.find("was expected"), std::string::npos);
  }
  EXPECT_FALSE(Url::parse("tftp://192.0.2.1/" + std::string(Url::kBytesMax, 'a')));
}

}  // namespace
}  // namespace vif::test
