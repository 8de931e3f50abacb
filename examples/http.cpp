// SPDX-License-Identifier: BSD-2-Clause
// A web server in your process: TCP by lwIP on a virtual interface, coroutines by Boost.Asio (1.81), one thread.
// Build: c++ -std=c++20 http.cpp $(pkg-config --cflags --libs virtif-lwip)
// Run: unshare -Ur -n sh -c './a.out tap:t0 192.0.2.1/24 & sleep 1; ip addr add 192.0.2.2/24 dev t0; ip link set t0 up;
//      curl http://192.0.2.1/; kill $!'
#include <hypercall/asio/async_tcp.hpp>
#include <hypercall/host/instance.hpp>
#include <hypercall/linux_ports.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>

using namespace vif;
using namespace boost::asio::experimental::awaitable_operators;
namespace asio = boost::asio;

constexpr auto kTry = asio::as_tuple(asio::use_awaitable);  // the error as a value, not thrown
constexpr std::size_t kRequestBytesMax = 8192;

// One client: a page for each request, until it closes, asks for too much or says nothing for ten seconds.
asio::awaitable<void> talk(host::AsyncTcp client) {
  const std::string who = client.remote().address.to_string();
  asio::steady_timer patience(co_await asio::this_coro::executor);
  for (std::string request; true;) {
    patience.expires_after(std::chrono::seconds(10));
    const auto heard =
        co_await (asio::async_read_until(client, asio::dynamic_buffer(request, kRequestBytesMax), "\r\n\r\n", kTry) ||
                  patience.async_wait(kTry));
    if (heard.index() == 1 || std::get<0>(std::get<0>(heard))) break;
    request.erase(0, std::get<1>(std::get<0>(heard)));

    const std::string page = "Hello, " + who + ".\n";
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(page.size()) + "\r\n\r\n" +
        page;
    const auto [failed, bytes] = co_await asio::async_write(client, asio::buffer(answer), kTry);
    if (failed) break;
  }
  client.close();
}

asio::awaitable<void> serve(host::AsyncTcpListener& listener) {
  while (true) {
    host::AsyncTcp client = co_await listener.async_accept(asio::use_awaitable);
    asio::co_spawn(co_await asio::this_coro::executor, talk(std::move(client)), asio::detached);
  }
}

// An interface on `linkstr`, with lwIP and this address on it, until a signal comes. What stands on what stands below
// it.
Status run(const char* linkstr, const net::inet::IpPrefix& address) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  auto loop = host::Loop::create(clock, random, {});
  if (!loop) return loop.error();
  host::Instance instance({clock, files});
  auto virt0 = instance.attach(**loop).create("virt0");
  if (!virt0) return virt0.error();
  if (Status ok = (*virt0)->ioctl(net::SetLinkstr{linkstr}); !ok) return ok;
  auto stack = net::lwip::LwipStack::create((*loop)->domain(), {});
  if (!stack) return stack.error();
  if (Status ok = (*stack)->attach(**virt0); !ok) return ok;
  if (Status ok = (*stack)->add_address(**virt0, address); !ok) return ok;

  asio::io_context context(1);
  host::LoopOnAsio polling(context, **loop);
  auto listener = host::AsyncTcpListener::listen(polling, **stack, {net::inet::kAny6, 80});  // and IPv4
  if (!listener) return listener.error();
  asio::co_spawn(context, serve(*listener), asio::detached);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](auto...) { context.stop(); });
  std::printf("serving http://%s/\n", address.address.to_string().c_str());
  std::fflush(stdout);
  context.run();
  return {};
}

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s LINKSTR ADDRESS/PREFIX\n", argv[0]), 2;
  const auto address = net::inet::IpPrefix::parse(argv[2]);
  const Status done = address ? run(argv[1], *address) : Status(address.error());
  if (!done) std::fprintf(stderr, "%s\n", done.error().text.c_str());
  return done ? 0 : 1;
}
