// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/asio/async_udp.hpp"

#include "tests/hypercall/asio/async_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::AsyncUdp;

class AsyncUdpTest : public AsyncRig {
 protected:
  void TearDown() override {
    server.reset();
    client.reset();
  }

  std::optional<AsyncUdp> server = std::move(*AsyncUdp::open(*home, *stack, {net::inet::kAny4, 7}));
  std::optional<AsyncUdp> client = std::move(*AsyncUdp::open(*home, *stack, {net::inet::kAny4, 0}));
};

TEST_F(AsyncUdpTest, echoes_a_datagram) {
  std::string answer(100, '\0');
  run(
      [&]() -> awaitable<void> {
        std::string text(100, '\0');
        Endpoint from;
        const std::size_t bytes = co_await server->async_receive_from(asio::buffer(text), from, use_awaitable);
        EXPECT_EQ(from, (Endpoint{kUs, client->port()}));
        EXPECT_EQ(co_await server->async_send_to(asio::buffer(text, bytes), from, use_awaitable), bytes);
      },
      [&]() -> awaitable<void> {
        co_await client->async_send_to(asio::buffer("hello", 5), {kUs, 7}, use_awaitable);
        Endpoint from;
        answer.resize(co_await client->async_receive_from(asio::buffer(answer, 4), from, use_awaitable));
      });
  EXPECT_EQ(answer, "hell") << "cut to the buffer";
}

TEST_F(AsyncUdpTest, keeps_some_and_counts_the_rest) {
  run([&]() -> awaitable<void> {
    for (std::size_t i = 0; i < AsyncUdp::kWaitingMax + 10; ++i) {
      co_await client->async_send_to(asio::buffer(&i, sizeof i), {kUs, 7}, use_awaitable);
      co_await sleep(std::chrono::microseconds(10));
    }
    EXPECT_EQ(server->dropped(), 10U);
    for (std::size_t i = 0; i < AsyncUdp::kWaitingMax; ++i) {
      std::size_t number = 0;
      Endpoint from;
      co_await server->async_receive_from(asio::buffer(&number, sizeof number), from, use_awaitable);
      EXPECT_EQ(number, i);
    }
  });
}

TEST_F(AsyncUdpTest, says_what_it_cannot_send) {
  run([&]() -> awaitable<void> {
    const std::vector<char> much(65'508);
    const auto [error, bytes] = co_await client->async_send_to(asio::buffer(much), Endpoint{kUs, 7}, kAsTuple);
    EXPECT_EQ(error, asio::error::message_size);
  });
}

TEST_F(AsyncUdpTest, can_be_cancelled) {
  host::AsioError heard;
  run([&]() -> awaitable<void> {
    char byte = 0;
    Endpoint from;
    server->async_receive_from(asio::buffer(&byte, 1), from,
                               [&](host::AsioError error, std::size_t) { heard = error; });
    server->cancel();
    co_await asio::post(*context, use_awaitable);
  });
  EXPECT_EQ(heard, asio::error::operation_aborted);
}

}  // namespace
