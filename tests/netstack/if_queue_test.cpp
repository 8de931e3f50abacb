// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/if_queue.hpp"

#include <gtest/gtest.h>

#include "netstack/mbuf_pool.hpp"

namespace {

using namespace vif::net;

TEST(IfQueue, is_first_in_first_out_over_many_laps) {
  MbufPool pool({.counts = {8, 0, 0, 0}, .external = 0});
  IfQueue queue(3);
  std::uint32_t in = 0, out = 0;
  for (int lap = 0; lap < 50; ++lap) {
    while (!queue.full()) {
      MbufPtr m = pool.get(1);
      m->pkthdr.wire_len = in++;
      queue.push(std::move(m));
    }
    EXPECT_EQ(queue.size(), 3U);
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(queue.peek(i)->pkthdr.wire_len, out + i);
    for (int i = 0; i <= lap % 3; ++i) EXPECT_EQ(queue.pop()->pkthdr.wire_len, out++);
  }
}

TEST(IfQueue, returns_what_it_holds_when_it_goes) {
  MbufPool pool({.counts = {8, 0, 0, 0}, .external = 0});
  {
    IfQueue queue(IfQueue::kDefaultFrames);
    for (int i = 0; i < 5; ++i) queue.push(pool.get(1));
    EXPECT_EQ(pool.in_use(), 5U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
