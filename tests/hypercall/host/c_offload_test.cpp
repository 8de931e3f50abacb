// SPDX-License-Identifier: BSD-2-Clause
// A C program on a wire with super-frames and open checksums: its callback gets frames as on the wire.
#include <gtest/gtest.h>

#include "hypercall/host/c_api.hpp"
#include "tests/support/super_frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class COffload : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(virtif_open(nullptr, &instance, &error), 0) << error.text;
    for (virtif_if** const interface : {&sender, &receiver}) {
      ASSERT_EQ(virtif_create(instance, "virt", interface, &error), 0) << error.text;
      ASSERT_TRUE((*interface)->ifp.ioctl(net::SetLinkstr{"mem:c"}));
      ASSERT_TRUE((*interface)->ifp.ioctl(net::SetFlags{(*interface)->ifp.flags() | net::IFF_UP}));
    }
    ASSERT_EQ(virtif_set_input(receiver, on_frame, this, &error), 0);
  }
  ~COffload() override { virtif_close(instance); }

  static void on_frame(void* cookie, virtif_if* interface, const iovec* iov, size_t iovcnt, unsigned) {
    COffload& test = *static_cast<COffload*>(cookie);
    Frame frame;
    for (const iovec& piece : std::span(iov, iovcnt)) {
      const auto* const at = static_cast<const std::byte*>(piece.iov_base);
      frame.insert(frame.end(), at, at + piece.iov_len);
    }
    test.frames.push_back(frame);
    if (test.then != nullptr) test.then(interface);
  }

  void send(const SuperFrameSpec& spec, std::uint16_t csum_offset_off_by = 0) {
    const SuperFrame whole = super_frame(spec, receiver->ifp.lladdr(), sender->ifp.lladdr());
    net::MbufPtr packet = instance->loop->domain().pool().copy_in(whole.bytes);
    packet->pkthdr.offload = whole.offload;
    packet->pkthdr.offload.csum_offset += csum_offset_off_by;
    ASSERT_TRUE(sender->ifp.transmit(std::move(packet)));
    while (virtif_poll(instance, 0) != 0) continue;
  }

  virtif* instance = nullptr;
  virtif_if *sender = nullptr, *receiver = nullptr;
  virtif_error error{.size = sizeof error, .number = 0, .text = ""};
  std::vector<Frame> frames;
  void (*then)(virtif_if* interface) = nullptr;
};

TEST_F(COffload, gets_super_frames_cut_and_checksums_finished) {
  send({.payload_bytes = 10'000});
  send({.ipv6 = true, .udp = true, .payload_bytes = 1000, .gso_size = 0});
  ASSERT_EQ(frames.size(), 8U);
  for (const Frame& frame : frames) EXPECT_TRUE(WireSegment(frame).holds());
}

TEST_F(COffload, an_offload_that_makes_no_sense_is_counted) {
  send({}, 1);
  send({.payload_bytes = 1000, .gso_size = 0}, 2000);
  EXPECT_TRUE(frames.empty());
  EXPECT_EQ(receiver->ifp.counters.read().dropped(DropReason::bad_length), 2U);
}

TEST_F(COffload, a_callback_that_stops_listening_hears_no_more_of_it) {
  then = [](virtif_if* interface) { EXPECT_EQ(virtif_set_input(interface, nullptr, nullptr, nullptr), 0); };
  send({.payload_bytes = 10'000});
  EXPECT_EQ(frames.size(), 1U);
}

TEST_F(COffload, nor_does_one_that_destroys_its_interface) {
  then = [](virtif_if* interface) { EXPECT_EQ(virtif_destroy(interface, nullptr), 0); };
  send({.payload_bytes = 10'000});
  EXPECT_EQ(frames.size(), 1U);
}

}  // namespace
