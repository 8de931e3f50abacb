// SPDX-License-Identifier: BSD-2-Clause
// Scenarios on the running kernel and on a bus in kernel mode at once (both_worlds.hpp): whatever is asked, in whatever
// order, both say the same. Numbers C1 to C12 and Q3 to Q9 are those of the list of conformance and of the quirks.
#include "tests/hypercall/connector/both_worlds.hpp"

namespace {

using namespace vif::test;
using vif::cn::test::ByteVector;
using vif::cn::test::words;

constexpr std::uint32_t kListen = 1, kIgnore = 2, kBad = 99;
constexpr std::uint32_t kAll = vif::cn::kMaskAll, kFork = 0x1, kExec = 0x2, kExit = 0x8000'0000, kNonzero = 0x2000'0000;

// Without a kernel to ask, the first step already says so: nothing is compared, then.
class Conformance : public testing::Test {
 protected:
  void SetUp() override {
    if (!RawConnector().usable()) GTEST_SKIP() << "no connector in this kernel, or not in the initial namespaces";
    const auto probe = vif::host::ConnectorSocket::open();
    if (!probe) GTEST_SKIP() << "no kernel to compare with: " << probe.error().text;
    worlds.emplace();
  }
  std::optional<BothWorlds> worlds;
};

int fails() { return 3; }
int runs_false() {
  ::execl("/bin/false", "false", nullptr);
  return 127;
}

TEST_F(Conformance, C1_a_listen_is_acknowledged) {
  const std::size_t client = worlds->add_client();
  worlds->say(client, words(kListen));
  EXPECT_EQ(worlds->heard(client), "ACK");
}

TEST_F(Conformance, C2_C3_C4_what_is_no_request_is_dropped_without_a_word) {
  const std::size_t client = worlds->add_client();
  for (const std::size_t length : {0U, 2U, 5U, 12U, 16U}) worlds->say(client, ByteVector(length));
  worlds->send(client, worlds->datagram(words(kListen), {1, 2}));
  worlds->send(client, worlds->datagram(words(kListen), {77, 1}));
  worlds->send(client, worlds->datagram(ByteVector(17'000)));
  ByteVector cut = worlds->datagram(words(kListen));
  cut.resize(cut.size() - 1);
  worlds->send(client, cut);
  EXPECT_EQ(worlds->heard(client), "");
  worlds->happens(fails);
  EXPECT_EQ(worlds->heard(client), "FORK EXIT") << "it is as one that never asked";
}

TEST_F(Conformance, C5_of_two_messages_in_a_datagram_the_first_counts) {
  const std::size_t client = worlds->add_client();
  ByteVector both = worlds->datagram(words(kListen, kExec));
  const ByteVector second = worlds->datagram(words(kListen, kFork));
  both.insert(both.end(), second.begin() + 16, second.end());
  const auto bytes = static_cast<std::uint32_t>(both.size());
  std::memcpy(both.data(), &bytes, sizeof bytes);
  worlds->send(client, both, words(kListen, kExec));
  worlds->happens(runs_false);
  EXPECT_EQ(worlds->heard(client), "EXEC");
}

TEST_F(Conformance, C6_C8_Q7_answers_go_to_all_that_hear_everything) {
  const std::size_t all = worlds->add_client(), part = worlds->add_client(), passive = worlds->add_client();
  worlds->say(all, words(kListen));
  worlds->say(part, words(kListen, kExec));
  EXPECT_EQ(worlds->heard(part), "") << "not even its own";
  EXPECT_EQ(worlds->heard(all), "ACK");
  worlds->say(part, words(kBad, kExec));
  EXPECT_EQ(worlds->heard(part), "");
  EXPECT_EQ(worlds->heard(passive), "ACK");
  worlds->say(part, words(kIgnore));
}

TEST_F(Conformance, C7_C11_each_mask_lets_through_the_same) {
  for (const std::uint32_t mask : {kFork, kExec, kExit, kNonzero, kNonzero | kFork, kExit | kNonzero, 0U, 0x8U,
                                   0x8U | kFork, kAll, ~0U, kAll & ~kFork}) {
    worlds->say(worlds->add_client(), words(kListen, mask));
  }
  worlds->happens([] { return 0; });
  worlds->happens(fails);
  EXPECT_EQ(worlds->heard(4), "EXIT") << "that was no success";
  worlds->happens(runs_false);
  EXPECT_EQ(worlds->heard(5), "FORK EXIT");
}

TEST_F(Conformance, C9_C10_masks_change_and_listens_and_ignores_repeat) {
  const std::size_t client = worlds->add_client();
  worlds->say(client, words(kIgnore));
  worlds->happens(fails);
  EXPECT_EQ(worlds->heard(client), "");
  worlds->say(client, words(kListen, kFork));
  worlds->say(client, words(kListen, kExit));
  worlds->happens(fails);
  EXPECT_EQ(worlds->heard(client), "EXIT");
  worlds->say(client, words(kIgnore));
  worlds->say(client, words(kIgnore));
  worlds->happens(fails);
  EXPECT_EQ(worlds->heard(client), "");
  worlds->say(client, words(kListen));
  EXPECT_EQ(worlds->heard(client), "ACK");
}

TEST_F(Conformance, C12_Q6_a_member_that_never_asked_hears_all) {
  const std::size_t passive = worlds->add_client();
  worlds->happens(runs_false);
  EXPECT_EQ(worlds->heard(passive), "FORK EXEC EXIT");
}

TEST_F(Conformance, Q3_Q4_a_bad_operation_is_remembered_and_widens) {
  const std::size_t client = worlds->add_client();
  worlds->say(client, words(kListen, kExec));
  worlds->say(client, words(kBad));
  worlds->happens(fails);
  EXPECT_EQ(worlds->heard(client), "FORK EXIT");
  worlds->say(client, words(kListen));
  worlds->say(client, words(kIgnore));
}

TEST_F(Conformance, Q5_Q9_outside_the_group_and_ignoring_one_hears_nothing) {
  const std::size_t outside = worlds->add_client(false), client = worlds->add_client();
  worlds->say(outside, words(kListen));
  EXPECT_EQ(worlds->heard(outside), "");
  worlds->say(client, words(kListen));
  worlds->say(client, words(kIgnore));
  EXPECT_EQ(worlds->heard(client), "");
  EXPECT_EQ(worlds->heard(0), "ACK");
}

}  // namespace
