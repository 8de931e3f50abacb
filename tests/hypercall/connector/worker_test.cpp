// SPDX-License-Identifier: BSD-2-Clause
// Every way a worker can end: who is told, of what, and the code its thread leaves.
#include "hypercall/connector/worker.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <stdexcept>

#include "hypercall/connector/exit_notice.hpp"

namespace {

using namespace vif;
using namespace vif::host;

class Workers : public testing::Test {
 protected:
  struct Told {
    bool any = false;
    WorkerEnd end{};
    std::string why;
    pid_t by = 0;
    cn::FoundCode code;  // of its thread, when all is over
  };
  // What is told of a worker that runs this body.
  Told after(std::function<Status()> body) {
    Told told;
    pid_t tid = 0;
    {
      const auto worker = Worker::start({.name = "a worker with a long name",
                                         .codes = *codes,
                                         .body =
                                             [&] {
                                               tid = ::gettid();
                                               return body();
                                             },
                                         .ended =
                                             [&](WorkerEnd end, const std::string& why) {
                                               told = {true, end, why, ::gettid(), {}};
                                             }});
      EXPECT_TRUE(worker);
    }
    told.code = codes->get(tid);
    if (told.any) {
      EXPECT_EQ(told.by, tid);
      EXPECT_EQ(told.code.code, static_cast<std::uint32_t>(told.end));
    }
    return told;
  }

  std::unique_ptr<cn::ExitCodes> codes = std::move(*make_exit_codes());
};

TEST_F(Workers, end_as_asked_without_a_word) {
  const Told told = after([] { return Status(); });
  EXPECT_FALSE(told.any);
  EXPECT_EQ(told.code.error, ENOENT) << "a code would be told of as a failure";
}

TEST_F(Workers, that_return_early_are_told_of_with_the_reason) {
  const Told told = after([] { return Status(fail(EIO, "the wire is cut")); });
  ASSERT_TRUE(told.any);
  EXPECT_EQ(told.end, WorkerEnd::returned);
  EXPECT_EQ(told.why, "the wire is cut");
}

TEST_F(Workers, that_let_an_exception_out_do_not_end_the_process) {
  const Told told = after([]() -> Status { throw std::runtime_error("nobody caught me"); });
  ASSERT_TRUE(told.any);
  EXPECT_EQ(told.end, WorkerEnd::exception);
  EXPECT_EQ(told.why, "nobody caught me");
  EXPECT_EQ(after([]() -> Status { throw 7; }).end, WorkerEnd::exception);
}

TEST_F(Workers, that_are_cancelled_are_told_of) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "ASan takes the unwound stack of a cancelled thread for its own when it takes its signal stack away";
#endif
#endif
  for (const bool exits : {false, true}) {
    const Told told = after([&] {
      if (exits) ::pthread_exit(nullptr);
      ::pthread_cancel(::pthread_self());
      ::pthread_testcancel();
      return Status();
    });
    ASSERT_TRUE(told.any);
    EXPECT_EQ(told.end, WorkerEnd::cancelled);
  }
}

TEST_F(Workers, have_a_name_for_ps) {
  std::array<char, 16> name{};
  (void)after([&] {
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    return Status();
  });
  EXPECT_STREQ(name.data(), "a worker with a");
}

}  // namespace
