// SPDX-License-Identifier: BSD-2-Clause
// What one who listens to process events asks, and how much of it is heard before others have their turn.
#include "tools/virtifd/proc_session.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace {

using namespace vif;
using tools::ProcSession;

constexpr cn::CbId kId{7, 8};

class ProcSessionTest : public testing::Test {
 protected:
  ProcSessionTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    client = host::UniqueFd(ends[0]);
    auto opened = ProcSession::open(host::UniqueFd(ends[1]), bus);
    EXPECT_TRUE(opened);
    session = std::move(*opened);
    EXPECT_TRUE(bus.add_callback(kId, "counts", [this](const cn::Message&, const cn::Sender&) { ++heard; }));
  }

  // One datagram of so many requests.
  void ask(std::size_t requests) {
    std::vector<std::byte> datagram;
    for (std::size_t i = 0; i < requests; ++i) {
      std::byte bytes[cn::kMessageHeaderBytes + 4]{};
      cn::write_message({.id = kId, .payload = Bytes(bytes).first(4)}, bytes);
      datagram.insert(datagram.end(), std::begin(bytes), std::end(bytes));
    }
    ASSERT_EQ(::send(client.get(), datagram.data(), datagram.size(), 0), static_cast<ssize_t>(datagram.size()));
  }
  bool hear() {
    return session->hear([this] { ++caught_up; });
  }

  cn::Bus bus;
  host::UniqueFd client;
  std::unique_ptr<ProcSession> session;
  int heard = 0, caught_up = 0;
};

TEST_F(ProcSessionTest, hears_a_few_requests_a_round_however_they_come) {
  for (int i = 0; i < 10; ++i) ask(1);
  for (const int so_far : {4, 8, 10}) {
    EXPECT_TRUE(hear());
    EXPECT_EQ(heard, so_far);
    EXPECT_FALSE(session->has_heard_more()) << "the descriptor tells of the rest";
  }
  ask(10);
  ask(1);
  for (const int so_far : {14, 18, 21}) {
    EXPECT_TRUE(hear());
    EXPECT_EQ(heard, so_far);
    EXPECT_EQ(session->has_heard_more(), so_far < 20);
  }
  EXPECT_EQ(caught_up, 12) << "once a datagram";
}

TEST_F(ProcSessionTest, is_done_with_what_is_no_request_and_sees_who_hangs_up) {
  ASSERT_EQ(::send(client.get(), "garbage", 7, 0), 7);
  ask(1);
  EXPECT_TRUE(hear());
  EXPECT_EQ(heard, 1);
  EXPECT_FALSE(session->has_heard_more());
  client = host::UniqueFd();
  EXPECT_FALSE(hear());
}

}  // namespace
