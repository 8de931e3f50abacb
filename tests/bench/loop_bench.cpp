// SPDX-License-Identifier: BSD-2-Clause
// What the loop costs: asleep with a thousand idle interfaces; a round with nothing and with much to do; between two
// processors, a wake-up with and without the look before sleep; and what flooded interfaces do to a quiet one.
// loop_bench [rounds]
#include <poll.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tests/bench/rounds.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace std::chrono_literals;

constexpr const char* kEndless = "null:,rx=18446744073709551615";
constexpr int kThisProcessor = 0, kOtherProcessor = 1;

// Domains on Linux, and their interfaces.
class Host {
 public:
  struct Side {
    host::Loop& loop;
    net::IfCloneTable& interfaces;
  };

  Side& add() {
    auto loop = host::Loop::create(clock, random_, {});
    if (!loop) bench::give_up(loop.error().text);
    loops_.push_back(std::move(*loop));
    sides_.push_back(std::make_unique<Side>(*loops_.back(), instance_.attach(*loops_.back())));
    return *sides_.back();
  }
  // Null, and why, when this host cannot have it.
  static net::Ifnet* try_up(Side& side, const std::string& linkstr) {
    net::Ifnet* const ifp = side.interfaces.create("virt").value();
    Status done = ifp->ioctl(net::SetLinkstr{linkstr});
    if (done) done = ifp->ioctl(net::SetFlags{ifp->flags() | net::IFF_UP});
    if (done) return ifp;
    std::printf("  %s cannot be had: %s\n", linkstr.c_str(), done.error().text.c_str());
    return nullptr;
  }
  static net::Ifnet& up(Side& side, const std::string& linkstr) {
    net::Ifnet* const ifp = try_up(side, linkstr);
    if (ifp == nullptr) bench::give_up(linkstr);
    return *ifp;
  }

  host::LinuxClock clock;

 private:
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::vector<std::unique_ptr<host::Loop>> loops_;  // outlive the instance
  host::Instance instance_{{clock, files_}};
  std::vector<std::unique_ptr<Side>> sides_;
};

// --- asleep ---

// A network of our own: a thousand TAPs are not for the host.
void make_network() {
  const bool ours = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  if (!ours) bench::skip("it needs a network namespace: run it as root, or allow user namespaces");
}

void idle(const std::string& scheme, int count) {
  constexpr Time kAsleep = 2s;
  Host host;
  Host::Side& side = host.add();
  for (int i = 0; i < count; ++i) {
    if (Host::try_up(side, scheme + "idle" + std::to_string(i)) == nullptr) return;
  }
  while (side.loop.poll(64)) continue;
  host::Runner runner(side.loop);
  Callout end(side.loop.domain().callouts(), [&] { runner.stop(); });
  end.schedule(host.clock.now() + kAsleep);
  rusage before{}, after{};
  ::getrusage(RUSAGE_THREAD, &before);
  const double begun_ns = bench::now_ns(CLOCK_THREAD_CPUTIME_ID);
  if (!runner.run()) bench::give_up("the loop failed");
  const double cpu_us = (bench::now_ns(CLOCK_THREAD_CPUTIME_ID) - begun_ns) / 1e3;
  ::getrusage(RUSAGE_THREAD, &after);
  std::printf("  %4d %-5s %6.0f us of processor time, %ld sleeps\n", count, scheme.c_str(), cpu_us,
              after.ru_nvcsw - before.ru_nvcsw);
}

// --- awake ---

double round_ns(Host::Side& side) {
  constexpr int kTimes = 10'000;
  const double begun = bench::now_ns();
  for (int i = 0; i < kTimes; ++i) side.loop.poll(1);
  return (bench::now_ns() - begun) / kTimes;
}

void rounds_awake(int rounds) {
  Host host;
  Host::Side &nothing = host.add(), &idle = host.add(), &one = host.add(), &hundred = host.add();
  for (int i = 0; i < 1'000; ++i) Host::up(idle, "mem:idle");
  Host::up(one, kEndless);
  for (int i = 0; i < 100; ++i) Host::up(hundred, kEndless);
  bench::Comparison("a round, poll(1); here a frame is a round",
                    {{"no interface", [&] { return round_ns(nothing); }},
                     {"1000 idle mem:", [&] { return round_ns(idle); }},
                     {"a frame from one null:", [&] { return round_ns(one); }},
                     {"a frame from each of 100 null:", [&] { return round_ns(hundred); }}},
                    {})
      .run(rounds);
}

// --- between processors ---

// Sends back what comes, and counts.
class Echo final : public net::IfInput {
 public:
  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    ++frames;
    if (frames < stop_after) (void)ifp.transmit(std::move(packet));
  }
  std::uint64_t frames = 0;
  std::uint64_t stop_after = UINT64_MAX;
};

template <class Done>
void pump(host::Loop& loop, Time patience, Done done) {
  pollfd waited{loop.fd(), POLLIN, 0};
  for (;;) {
    const bool more = loop.poll(64);
    if (done()) return;
    if (!more && !loop.spin(patience)) ::poll(&waited, 1, -1);
  }
}

// A frame goes to and fro between two loops: ns a way.
double way_ns(Time patience) {
  constexpr std::uint64_t kTrips = 3'000;
  Host host;
  Host::Side &here = host.add(), &there = host.add();
  net::Ifnet &a = Host::up(here, "mem:trip"), &b = Host::up(there, "mem:trip");
  Echo count, echo;
  a.set_input(&count);
  b.set_input(&echo);
  count.stop_after = kTrips;
  std::atomic<bool> done{false};
  std::thread other([&] {
    bench::pin(kOtherProcessor);
    pump(there.loop, patience, [&] { return done.load(); });
  });
  (void)a.transmit(here.loop.domain().pool().copy_in(test::ether(net::kBroadcast, 0x88b5, test::counting(46))));
  const double begun = bench::now_ns();
  pump(here.loop, patience, [&] { return count.frames == kTrips; });
  const double ns = (bench::now_ns() - begun) / (2.0 * kTrips);
  done = true;
  there.loop.wake();
  other.join();
  return ns;
}

// --- a quiet interface beside flooded ones ---

// How long ago what comes was sent.
class Latency final : public net::IfInput {
 public:
  void input(net::Ifnet&, net::MbufPtr packet) override {
    double sent_ns = 0;
    std::memcpy(&sent_ns, packet->data() + net::kEtherHeaderBytes, sizeof sent_ns);
    all_us.push_back((bench::now_ns() - sent_ns) / 1e3);
  }
  std::vector<double> all_us;
};

void quiet_beside(int flooded) {
  constexpr std::size_t kSamples = 3'000;
  Host host;
  Host::Side &loaded = host.add(), &sender = host.add();
  Latency latency;
  Host::up(loaded, "mem:quiet").set_input(&latency);
  for (int i = 0; i < flooded; ++i) Host::up(loaded, kEndless);
  net::Ifnet& from = Host::up(sender, "mem:quiet");
  host::Runner runner(loaded.loop);
  std::thread other([&] {
    bench::pin(kOtherProcessor);
    if (!runner.run()) bench::give_up("the loop failed");
  });
  test::Frame frame = test::ether(net::kBroadcast, 0x88b5, test::counting(46));
  for (std::size_t i = 0; i < kSamples; ++i) {
    std::this_thread::sleep_for(200us);
    const double now_ns = bench::now_ns();
    std::memcpy(frame.data() + net::kEtherHeaderBytes, &now_ns, sizeof now_ns);
    (void)from.transmit(sender.loop.domain().pool().copy_in(frame));
  }
  std::this_thread::sleep_for(20ms);
  runner.stop();
  other.join();
  std::sort(latency.all_us.begin(), latency.all_us.end());
  const auto at = [&](double share) {
    return latency.all_us[static_cast<std::size_t>(share * static_cast<double>(latency.all_us.size() - 1))];
  };
  std::printf("  beside %3d flooded null:  median %6.1f us, 99 %% %7.1f us, 99.9 %% %7.1f us  (%zu of %zu frames)\n",
              flooded, at(0.5), at(0.99), at(0.999), latency.all_us.size(), kSamples);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 5, 5);
  bench::begin(kThisProcessor);  // before the right to is given up
  make_network();
  bench::print_calibration();
  std::printf("\nasleep for 2 s\n");
  idle("mem:", 0);
  idle("mem:", 1'000);
  idle("tap:", 1'000);
  rounds_awake(rounds);
  if (std::thread::hardware_concurrency() < 2) bench::skip("the rest needs a second processor");
  bench::Comparison("a frame from one processor to the other, to and fro",
                    {{"looks for 30 us before it sleeps", [] { return way_ns(30us); }},
                     {"sleeps at once", [] { return way_ns(0us); }}},
                    {{"sleeps at once", 0}})
      .run(rounds);
  std::printf("\na frame to a quiet mem:, from another processor, every 200 us\n");
  for (const int flooded : {0, 1, 10, 100}) quiet_beside(flooded);
}
