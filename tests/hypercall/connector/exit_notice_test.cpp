// SPDX-License-Identifier: BSD-2-Clause
// Every way a thread can end, and what is registered then; signal handlers and forks. T1 and T2 are the kernel series'
// own tests.
#include "hypercall/connector/exit_notice.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <thread>

namespace {

using namespace vif;
using namespace vif::host;

class Notice : public testing::Test {
 protected:
  // Runs `body` in an attached thread that may end itself; what is registered for it afterwards.
  cn::FoundCode after(void (*body)()) {
    struct Start {
      cn::ExitCodes& codes;
      void (*body)();
      pid_t tid;
    } start{*codes, body, 0};
    pthread_t thread;
    const auto run = [](void* argument) -> void* {
      auto& given = *static_cast<Start*>(argument);
      given.tid = ::gettid();
      if (thread_attach(given.codes)) given.body();
      return nullptr;
    };
    EXPECT_EQ(::pthread_create(&thread, nullptr, run, &start), 0);
    ::pthread_join(thread, nullptr);
    const cn::FoundCode found = codes->get(start.tid);
    EXPECT_EQ(codes->put(start.tid, 99), ESRCH) << "it is not attached any more";
    return found;
  }

  std::unique_ptr<cn::ExitCodes> codes = std::move(*make_exit_codes());
};

TEST_F(Notice, is_there_when_the_thread_returns) {
  EXPECT_EQ(after([] { (void)exit_notify(7); }).code, 7U);
}
TEST_F(Notice, T2_is_there_after_pthread_exit) {
  EXPECT_EQ(after([] {
              (void)exit_notify(1);
              ::pthread_exit(nullptr);
            }).code,
            1U);
}
TEST_F(Notice, T1_is_there_from_the_handler_of_a_SIGSEGV) {
  struct sigaction handler {};
  handler.sa_handler = [](int) { (void)exit_notify(11); };
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGSEGV, &handler, &before), 0);
  const cn::FoundCode found = after([] {
    (void)::pthread_kill(::pthread_self(), SIGSEGV);
    ::pthread_exit(nullptr);
  });
  ::sigaction(SIGSEGV, &before, nullptr);
  EXPECT_EQ(found.code, 11U);
}
TEST_F(Notice, is_there_after_cancellation) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "ASan takes the unwound stack of a cancelled thread for its own when it takes its signal stack away";
#endif
#endif
  EXPECT_EQ(after([] {
              ExitNotice notice(8);
              ::pthread_cancel(::pthread_self());
              ::pthread_testcancel();
              notice.all_well();
            }).code,
            8U);
}
TEST_F(Notice, is_there_after_an_exception_and_an_early_return) {
  EXPECT_EQ(after([] {
              try {
                ExitNotice notice(9);
                throw std::runtime_error("worker");
              } catch (const std::exception&) {
              }
            }).code,
            9U);
}
TEST_F(Notice, is_gone_when_all_is_well) {
  EXPECT_EQ(after([] {
              ExitNotice notice(9);
              notice.all_well();
            }).error,
            ENOENT);
}

TEST_F(Notice, wants_a_thread_that_has_attached) {
  int error = 0;
  std::thread([&] { error = exit_notify(7); }).join();
  EXPECT_EQ(error, ESRCH);
}

TEST_F(Notice, is_for_one_table_a_thread) {
  const auto other = std::move(*cn::ExitCodes::create(1000));
  std::thread([&] {
    EXPECT_TRUE(thread_attach(*codes));
    EXPECT_TRUE(thread_attach(*codes));
    const Status second = thread_attach(*other);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().number(), EBUSY);
  }).join();
}

TEST_F(Notice, of_the_parent_is_not_the_childs) {
  std::thread([&] {
    ASSERT_TRUE(thread_attach(*codes));
    ASSERT_EQ(exit_notify(7), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const bool fresh = codes->empty() && exit_notify(5) == 0 && codes->get(::gettid()).code == 5;
      ::_exit(fresh ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(codes->get(::gettid()).code, 7U);
  }).join();
}

// D17 and D10 with threads: many lives under few numbers, one taker; each code is found once.
TEST_F(Notice, of_many_threads_at_once_is_found_once_each) {
  constexpr int kThreads = 4, kLives = 2000;
  std::atomic<std::uint64_t> registered{0}, taken{0};
  std::atomic<bool> ended{false};
  const auto small = std::move(*cn::ExitCodes::create(8));
  std::thread taker([&] {
    for (bool last = false; !last;) {
      last = ended;
      for (std::int32_t tid = 0; tid < kThreads; ++tid) {
        if (const cn::FoundCode found = small->take(tid)) taken += found.code;
      }
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (std::int32_t tid = 0; tid < kThreads; ++tid) {
    threads.emplace_back([&, tid] {
      for (std::uint32_t life = 1; life <= kLives; ++life) {
        small->attach(tid, 1, life);
        small->put(tid, life);
        registered += life;
        small->detach(tid);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ended = true;
  taker.join();
  for (const auto& left : small->unclaimed()) taken += left.code;
  for (std::int32_t tid = 0; tid < kThreads; ++tid) {
    if (const cn::FoundCode found = small->get(tid)) taken += found.code;
  }
  if (small->forgotten() == 0) {
    EXPECT_EQ(taken, registered);
  } else {
    EXPECT_LT(taken, registered) << "what had no room is counted";
  }
}

}  // namespace
