// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/rx_train.hpp"

#include <gtest/gtest.h>
#include <netinet/udp.h>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::RxNotes;
using host::RxTrain;

std::vector<std::size_t> lengths(RxTrain train) {
  std::vector<std::size_t> all;
  EXPECT_EQ(train.is_empty(), train.datagrams() == 0);
  const std::size_t expected = train.datagrams();
  while (!train.is_empty()) all.push_back(train.take().size());
  EXPECT_EQ(all.size(), expected);
  return all;
}

using Lengths = std::vector<std::size_t>;

TEST(RxTrain, is_taken_apart_by_the_kernels_segment_size) {
  const Frame bytes = counting(250);
  EXPECT_EQ(lengths({bytes, 100}), (Lengths{100, 100, 50}));
  EXPECT_EQ(lengths({bytes, 125}), (Lengths{125, 125}));
  EXPECT_EQ(lengths({bytes, 0}), (Lengths{250})) << "no size: one datagram";
  EXPECT_EQ(lengths({bytes, 250}), (Lengths{250}));
  EXPECT_EQ(lengths({bytes, 9000}), (Lengths{250}));
  EXPECT_EQ(lengths({{}, 0}), (Lengths{0})) << "a datagram without bytes is one";
  EXPECT_EQ(lengths({{}, 7}), (Lengths{0}));
  EXPECT_EQ(lengths({}), (Lengths{}));
  RxTrain train(bytes, 100);
  train.take();
  EXPECT_EQ(train.take().data(), bytes.data() + 100) << "in place, in order";
}

// Control messages as the kernel lays them out (cmsg(3)).
class Control {
 public:
  void add(int level, int type, std::int32_t value, std::size_t bytes = sizeof value) {
    cmsghdr& header = *reinterpret_cast<cmsghdr*>(bytes_.data() + used_);
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(&header), &value, std::min(bytes, sizeof value));
    used_ += CMSG_SPACE(bytes);
  }
  RxNotes read() {
    msghdr message{};
    message.msg_control = bytes_.data();
    message.msg_controllen = used_;
    return RxNotes::read(message);
  }

 private:
  alignas(cmsghdr) std::array<std::byte, 256> bytes_{};
  std::size_t used_ = 0;
};

TEST(RxNotes, reads_what_the_kernel_says_and_nothing_else) {
  Control none;
  EXPECT_EQ(none.read().segment_bytes, 0U);
  EXPECT_FALSE(none.read().has_discarded);
  Control all;
  all.add(SOL_SOCKET, SO_TIMESTAMPNS, 77);
  all.add(SOL_UDP, UDP_GRO, 1472);
  all.add(SOL_SOCKET, SO_RXQ_OVFL, -2);
  EXPECT_EQ(all.read().segment_bytes, 1472U);
  EXPECT_TRUE(all.read().has_discarded);
  EXPECT_EQ(all.read().discarded, 0xffff'fffeU);
  Control odd;
  odd.add(SOL_UDP, UDP_GRO, -5);
  EXPECT_EQ(odd.read().segment_bytes, 0U);
  Control cut;
  cut.add(SOL_UDP, UDP_GRO, 1472, 2);
  EXPECT_EQ(cut.read().segment_bytes, 0U) << "cut short";
}

}  // namespace
