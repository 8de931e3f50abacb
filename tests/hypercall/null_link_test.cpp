// SPDX-License-Identifier: BSD-2-Clause
// What null: makes. What every backend must do: tests/conformance.
#include "hypercall/null_link.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/recording_sink.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class NullLink : public testing::Test {
 protected:
  void open(const std::string& linkstr) {
    auto opened = host::open_null_link(*drv::Linkstr::parse(linkstr), SomeOwner());
    ASSERT_TRUE(opened) << opened.error().text;
    null.link = std::move(*opened);
    null.link.port->set_receive_filter({.lladdr = kOurMac});
    null.start();
  }
  RecordedLink null;
};

TEST_F(NullLink, is_silent_unless_asked_for_frames) {
  open("null:");
  EXPECT_FALSE(null.drain(64));
  EXPECT_TRUE(null.sink.frames.empty());
}

TEST_F(NullLink, makes_exactly_as_many_frames_as_asked_for) {
  for (const std::size_t count : {1U, 31U, 32U, 33U, 1000U}) {
    open("null:,rx=" + std::to_string(count));
    null.drain_all();
    EXPECT_EQ(std::exchange(null.sink.frames, {}).size(), count);
    EXPECT_FALSE(null.drain(64)) << "and no more";
    null.stop();
  }
}

TEST_F(NullLink, addresses_them_to_the_interface) {
  for (const std::size_t bytes : {14UL, 64UL, 1514UL, 262'144UL}) {
    open("null:,rx=2,bytes=" + std::to_string(bytes));
    null.drain(1);
    null.link.port->set_receive_filter({.lladdr = kPeerMac});
    null.drain(1);
    ASSERT_EQ(null.sink.frames.size(), 2U);
    EXPECT_EQ(net::EtherHeader::load(null.sink.frames[0].bytes.data()).dst, kOurMac);
    EXPECT_EQ(net::EtherHeader::load(null.sink.frames[1].bytes.data()).dst, kPeerMac);
    EXPECT_EQ(null.sink.frames[1].bytes.size(), bytes);
    EXPECT_FALSE(net::EtherHeader::load(null.sink.frames[0].bytes.data()).src.is_group());
    null.sink.frames.clear();
    null.stop();
  }
}

TEST_F(NullLink, goes_on_for_as_long_as_wanted) {
  open("null:,rx=18446744073709551615");
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(null.drain(50));
    EXPECT_EQ(std::exchange(null.sink.frames, {}).size(), 50U);
  }
}

}  // namespace
