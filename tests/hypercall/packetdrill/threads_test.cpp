// SPDX-License-Identifier: BSD-2-Clause
// A call that waits in a thread of its own, as packetdrill makes those that a script says are blocking.
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/hypercall/packetdrill/tcp_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class DrillThreads : public DrillTcp {
 protected:
  // Runs `call` in a thread until it sleeps in it, and keeps when it came back: gettimeofday is what it calls first.
  template <class Call>
  void wait_in(const Call& call) {
    thread = std::thread([this, call] {
      id = ::gettid();
      call();
      timeval now{};
      (void)t.gettimeofday(self, &now, nullptr);
      back_us = now.tv_sec * 1'000'000LL + now.tv_usec;
    });
    while (id == 0 || !asleep()) std::this_thread::yield();
  }
  // As packetdrill finds out (proc(5), stat).
  bool asleep() const {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
    std::stringstream whole;
    whole << file.rdbuf();
    const std::string text = whole.str();
    return text.substr(text.rfind(')') + 1, 2) == " S";
  }
  std::thread thread;
  std::atomic<int> id = 0;
  std::atomic<long long> back_us = 0;
};

TEST_F(DrillThreads, reads_what_comes_later_at_the_time_it_comes) {
  const int fd = establish();
  std::string words;
  wait_in([&] { words = read(fd); });
  ASSERT_EQ(t.usleep(self, 1'000'000), 0);
  say("at last");
  const long long said_us = now_us();
  ASSERT_EQ(t.usleep(self, 5'000'000), 0);
  thread.join();
  EXPECT_EQ(words, "at last");
  EXPECT_LE(back_us, said_us) << "time went on while it was on its way back";
  EXPECT_GE(back_us, said_us - 10);
}

TEST_F(DrillThreads, accept_waits_while_the_peer_shakes_hands) {
  listener = listen_at(kStackPort);
  int accepted = -1;
  wait_in([&] { accepted = t.accept(self, listener, nullptr, nullptr); });
  shake_hands();
  ASSERT_EQ(t.usleep(self, 1'000'000), 0);
  thread.join();
  EXPECT_GE(accepted, 3);
}

TEST_F(DrillThreads, a_write_that_is_cut_short_leaves_its_error_to_the_next) {
  const int fd = establish();
  const std::string much(200'000, 'x');
  ssize_t written = 0;
  wait_in([&] { written = t.write(self, fd, much.data(), much.size()); });
  arrive(peer(kRst));
  ASSERT_EQ(t.usleep(self, 1'000'000), 0);
  thread.join();
  EXPECT_GT(written, 0);
  EXPECT_LT(written, 200'000);
  EXPECT_EQ(failed(t.write(self, fd, "x", 1)), ECONNRESET);
  EXPECT_EQ(failed(t.write(self, fd, "x", 1)), EPIPE);
}

TEST_F(DrillThreads, poll_ends_at_its_time) {
  const int fd = establish();
  const long long before_us = now_us();
  short events = -1;
  wait_in([&] { events = poll(fd, POLLIN, 100); });
  ASSERT_EQ(t.usleep(self, 5'000'000), 0);
  thread.join();
  EXPECT_EQ(events, 0);
  EXPECT_EQ(back_us, before_us + 100'001);
}

TEST_F(DrillThreads, hears_that_its_socket_was_closed) {
  const int fd = establish();
  int number = 0;
  wait_in([&] {
    char byte;
    number = failed(t.read(self, fd, &byte, 1));
  });
  ASSERT_EQ(t.usleep(self, 1'000), 0);
  ASSERT_EQ(t.close(self, fd), 0);
  thread.join();
  EXPECT_EQ(number, EBADF);
}

}  // namespace
