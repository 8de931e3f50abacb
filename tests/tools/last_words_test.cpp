// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/last_words.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>

#include "hypercall/unique_fd.hpp"

namespace {

using namespace vif;

// More than a socket takes at once.
const std::string kWords(4 << 20, 'w');

struct Pair {
  Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    ours = host::UniqueFd(fds[0]);
    theirs = host::UniqueFd(fds[1]);
  }
  // What comes until the other end hangs up.
  std::string hear() const {
    std::string heard;
    std::array<char, 65536> piece;
    for (ssize_t got = 0; (got = ::recv(theirs.get(), piece.data(), piece.size(), 0)) > 0;) {
      heard.append(piece.data(), static_cast<std::size_t>(got));
    }
    return heard;
  }
  host::UniqueFd ours, theirs;
};

TEST(LastWords, are_all_heard_by_who_listens) {
  Pair pair;
  std::string heard;
  std::thread listener([&] { heard = pair.hear(); });
  tools::LastWords last(pair.ours.get());
  EXPECT_TRUE(last.say(as_bytes(std::string_view(kWords))));
  EXPECT_TRUE(last.say(as_bytes(std::string_view("end"))));
  ::shutdown(pair.ours.get(), SHUT_WR);
  listener.join();
  EXPECT_EQ(heard.size(), kWords.size() + 3);
  EXPECT_TRUE(heard.ends_with("wend"));
}

TEST(LastWords, that_nobody_hears_are_cut_and_said_to_be) {
  Pair pair;
  tools::LastWords last(pair.ours.get());
  EXPECT_FALSE(last.say(as_bytes(std::string_view(kWords))));
  ::shutdown(pair.ours.get(), SHUT_WR);
  const std::string heard = pair.hear();
  EXPECT_GT(heard.size(), 0U);
  EXPECT_LT(heard.size(), kWords.size());
  EXPECT_EQ(heard.find_first_not_of('w'), std::string::npos);
}

TEST(LastWords, to_one_who_is_gone_are_not_waited_for) {
  Pair pair;
  pair.theirs = host::UniqueFd();
  tools::LastWords last(pair.ours.get());
  EXPECT_FALSE(last.say(as_bytes(std::string_view("end"))));
}

}  // namespace
