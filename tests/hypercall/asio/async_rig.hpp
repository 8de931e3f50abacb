// SPDX-License-Identifier: BSD-2-Clause
// lwIP on a loop that a program's own io_context runs: a host that talks to itself. One thread.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hypercall/asio/loop_on_asio.hpp"
#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "netstack/lwip/lwip_tcp.hpp"

namespace vif::test {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using net::lwip::Endpoint;

inline constexpr net::inet::IpAddress kUs = net::inet::IpAddress::v4(192, 0, 2, 1);
inline constexpr auto kAsTuple = asio::as_tuple(use_awaitable);

class AsyncRig : public testing::Test {
 protected:
  AsyncRig() {
    net::Ifnet& ifp = **instance.attach(*loop).create("virt0");
    EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{"null:"}));
    loop->poll(1);  // the clock
    stack = std::move(*net::lwip::LwipStack::create(loop->domain(), {}));
    EXPECT_TRUE(stack->attach(ifp));
    EXPECT_TRUE(stack->add_address(ifp, {kUs, 24}));
    context.emplace(1);
    home.emplace(*context, *loop);
  }
  ~AsyncRig() override {
    home.reset();
    context.reset();
    stack.reset();
  }

  // Runs until all of them have ended; what they throw fails the test.
  template <class... Coroutines>
  void run(Coroutines... coroutines) {
    int left = sizeof...(coroutines);
    const auto done = [&](std::exception_ptr thrown) {
      EXPECT_FALSE(thrown) << "a coroutine threw";
      if (--left == 0) context->stop();
    };
    (asio::co_spawn(*context, std::move(coroutines), done), ...);
    context->restart();
    context->run_for(std::chrono::seconds(30));
    EXPECT_EQ(left, 0) << "still waiting";
  }
  awaitable<void> sleep(Time time) {
    asio::steady_timer timer(*context, time);
    co_await timer.async_wait(use_awaitable);
  }

  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {}));
  host::Instance instance{{clock, files}};
  std::unique_ptr<net::lwip::LwipStack> stack;
  std::optional<asio::io_context> context;
  std::optional<host::LoopOnAsio> home;
};

}  // namespace vif::test
