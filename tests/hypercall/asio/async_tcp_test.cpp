// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/asio/async_tcp.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include "tests/hypercall/asio/async_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace boost::asio::experimental::awaitable_operators;
using host::AsioError;
using host::AsyncTcp;
using host::AsyncTcpListener;

class AsyncTcpTest : public AsyncRig {
 protected:
  void TearDown() override { listener.reset(); }

  awaitable<AsyncTcp> connected() {
    AsyncTcp stream(*home);
    co_await stream.async_connect(*stack, {kUs, 80}, use_awaitable);
    co_return stream;
  }

  std::optional<AsyncTcpListener> listener =
      std::move(*AsyncTcpListener::listen(*home, *stack, {net::inet::kAny4, 80}));
};

TEST_F(AsyncTcpTest, answers_line_by_line) {
  std::string answer;
  run(
      [&]() -> awaitable<void> {
        AsyncTcp peer = co_await listener->async_accept(use_awaitable);
        std::string line;
        for (int i = 0; i < 2; ++i) {
          const std::size_t bytes =
              co_await asio::async_read_until(peer, asio::dynamic_buffer(line), '\n', use_awaitable);
          const std::string back = "<" + line.substr(0, bytes);
          co_await asio::async_write(peer, asio::buffer(back), use_awaitable);
          line.erase(0, bytes);
        }
        co_await peer.async_close(use_awaitable);
      },
      [&]() -> awaitable<void> {
        AsyncTcp stream = co_await connected();
        EXPECT_EQ(stream.remote(), (Endpoint{kUs, 80}));
        co_await asio::async_write(stream, asio::buffer("one\ntwo\n", 8), use_awaitable);
        const auto [error, bytes] = co_await asio::async_read(stream, asio::dynamic_buffer(answer), kAsTuple);
        EXPECT_EQ(error, asio::error::eof);
        co_await stream.async_close(use_awaitable);
      });
  EXPECT_EQ(answer, "<one\n<two\n");
}

TEST_F(AsyncTcpTest, carries_much_at_the_readers_pace) {
  std::vector<std::uint8_t> sent(3'000'000), got;
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  run(
      [&]() -> awaitable<void> {
        AsyncTcp peer = co_await listener->async_accept(use_awaitable);
        const auto [error, bytes] = co_await asio::async_read(peer, asio::dynamic_buffer(got), kAsTuple);
        EXPECT_EQ(error, asio::error::eof);
      },
      [&]() -> awaitable<void> {
        AsyncTcp stream = co_await connected();
        co_await asio::async_write(stream, asio::buffer(sent), use_awaitable);
        stream.close();
      });
  EXPECT_EQ(got, sent);
}

TEST_F(AsyncTcpTest, works_with_callbacks_and_futures) {
  AsioError accepted = asio::error::would_block;
  AsyncTcp peer;
  listener->async_accept([&](AsioError error, AsyncTcp stream) {
    accepted = error;
    peer = std::move(stream);
  });
  AsyncTcp stream(*home);
  std::future<void> done = stream.async_connect(*stack, {kUs, 80}, asio::use_future);
  while (accepted || done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context->run_one();
  EXPECT_NO_THROW(done.get());
}

TEST_F(AsyncTcpTest, says_that_nobody_listens) {
  run([&]() -> awaitable<void> {
    AsyncTcp stream(*home);
    const auto [error] = co_await stream.async_connect(*stack, Endpoint{kUs, 81}, kAsTuple);
    EXPECT_EQ(error, asio::error::connection_reset);
  });
}

TEST_F(AsyncTcpTest, gives_up_a_read_and_goes_on) {
  run(
      [&]() -> awaitable<void> {
        AsyncTcp peer = co_await listener->async_accept(use_awaitable);
        char byte = 0;
        const auto first = co_await (peer.async_read_some(asio::buffer(&byte, 1), use_awaitable) ||
                                     sleep(std::chrono::milliseconds(1)));
        EXPECT_EQ(first.index(), 1U);
        co_await asio::async_write(peer, asio::buffer("?", 1), use_awaitable);
        EXPECT_EQ(co_await peer.async_read_some(asio::buffer(&byte, 1), use_awaitable), 1U);
        EXPECT_EQ(byte, '!');
        peer.close();
      },
      [&]() -> awaitable<void> {
        AsyncTcp stream = co_await connected();
        char byte = 0;
        co_await stream.async_read_some(asio::buffer(&byte, 1), use_awaitable);
        co_await asio::async_write(stream, asio::buffer("!", 1), use_awaitable);
        co_await stream.async_close(use_awaitable);
      });
}

TEST_F(AsyncTcpTest, tells_who_waits_when_it_goes) {
  run([&]() -> awaitable<void> {
    AsyncTcp stream = co_await connected();
    char byte = 0;
    AsioError one, other;
    stream.async_read_some(asio::buffer(&byte, 1), [&](AsioError error, std::size_t) { one = error; });
    stream.async_read_some(asio::buffer(&byte, 1), [&](AsioError error, std::size_t) { other = error; });
    stream = AsyncTcp(*home);
    co_await asio::post(*context, use_awaitable);
    EXPECT_EQ(one, asio::error::operation_aborted);
    EXPECT_EQ(other, host::asio_error(EALREADY));
    const auto [error, bytes] = co_await stream.async_write_some(asio::buffer(&byte, 1), kAsTuple);
    EXPECT_EQ(error, asio::error::not_connected);
  });
}

TEST_F(AsyncTcpTest, hears_of_a_reset) {
  run([&]() -> awaitable<void> { (void)co_await listener->async_accept(use_awaitable); },
      [&]() -> awaitable<void> {
        AsyncTcp stream = co_await connected();
        char byte = 0;
        const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(&byte, 1), kAsTuple);
        EXPECT_EQ(error, asio::error::connection_reset);
        const auto [again] = co_await stream.async_close(kAsTuple);
        EXPECT_EQ(again, asio::error::connection_reset);
      });
}

TEST_F(AsyncTcpTest, resets_whom_nobody_accepts_and_counts_them) {
  run([&]() -> awaitable<void> {
    std::vector<AsyncTcp> streams;
    for (std::size_t i = 0; i <= AsyncTcpListener::kWaitingMax; ++i) streams.push_back(co_await connected());
    co_await sleep(std::chrono::milliseconds(5));
    EXPECT_EQ(listener->refused(), 1U);
  });
}

// Under the address sanitizer: nothing of them is left, and nothing gone is touched.
TEST_F(AsyncTcpTest, may_go_with_everybody_waiting) {
  const auto read = [&]() -> awaitable<void> {
    AsyncTcp stream = co_await connected();
    char byte = 0;
    co_await stream.async_read_some(asio::buffer(&byte, 1), use_awaitable);
  };
  const auto sleep_on_it = [&]() -> awaitable<void> {
    AsyncTcp peer = co_await listener->async_accept(use_awaitable);
    co_await sleep(std::chrono::hours(1));
  };
  for (int i = 0; i < 3; ++i) asio::co_spawn(*context, read, asio::detached);
  asio::co_spawn(*context, sleep_on_it, asio::detached);
  context->run_for(std::chrono::milliseconds(50));
}

}  // namespace
