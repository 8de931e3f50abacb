// SPDX-License-Identifier: BSD-2-Clause
// TCP from one network namespace to another, by iperf3: through two TAPs that we join, with offload and without, and
// through the kernel's bridge with two veth pairs. The time is that of 1500 bytes of payload.
// tap_bridge_bench [rounds]: needs iperf3, and root or user namespaces. Not pinned: sender, receiver and we share all
// processors, as they would.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/bench/rounds.hpp"

namespace {

using namespace vif;
using namespace vif::bench;

void must(bool done, const std::string& what) {
  if (!done) give_up(what);
}
void run(const std::string& words) { must(std::system(words.c_str()) == 0, words); }

// A network namespace, kept by a descriptor.
class Namespace {
 public:
  Namespace() {
    if (::unshare(CLONE_NEWNET) != 0) skip(std::string("no network namespace: ") + std::strerror(errno));
    fd_ = host::UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY));
    run("ip link set lo up");
  }
  void enter() const { must(::setns(fd_.get(), CLONE_NEWNET) == 0, "setns"); }
  std::string path() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get()); }
  std::string inside(const std::string& words) const { return "nsenter --net=" + path() + " " + words; }

 private:
  host::UniqueFd fd_;
};

// Gives what comes in here out there.
class Patch final : public net::IfInput {
 public:
  explicit Patch(net::Ifnet& to) : to_(to) {}
  void input(net::Ifnet&, net::MbufPtr packet) override { (void)to_.transmit(std::move(packet)); }

 private:
  net::Ifnet& to_;
};

// Two interfaces on TAPs, one in each namespace, and the thread that serves them while one of these lives.
class Joined {
 public:
  Joined(const Namespace& a, const Namespace& b, const std::string& name, const std::string& options) {
    a.enter();
    a_ = add("tap:" + name + options);
    b.enter();
    b_ = add("tap:" + name + options);
    a_->set_input(&back_.emplace(*b_));
    b_->set_input(&forth_.emplace(*a_));
  }
  void serve(const std::function<void()>& meanwhile) {
    std::atomic<bool> done{false};
    std::thread thread([&] {
      while (!done) {
        if (loop_->poll(256) || loop_->spin(std::chrono::microseconds(30))) continue;
        pollfd waited{loop_->fd(), POLLIN, 0};
        ::poll(&waited, 1, 100);
      }
    });
    meanwhile();
    done = true;
    loop_->wake();
    thread.join();
  }

 private:
  net::Ifnet* add(const std::string& linkstr) {
    net::Ifnet* const ifp = *interfaces_.create("virt");
    const std::array<net::IfRequest, 3> requests = {net::SetLinkstr{linkstr}, net::SetFlags{ifp->flags() | net::IFF_UP},
                                                    net::SetPromisc{true}};
    for (const net::IfRequest& request : requests) {
      if (Status done = ifp->ioctl(request); !done) skip(done.error().text);
    }
    return ifp;
  }

  host::LinuxClock clock_;
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::unique_ptr<host::Loop> loop_ = *host::Loop::create(clock_, random_, {});
  std::optional<Patch> forth_, back_;
  host::Instance instance_{{clock_, files_}};
  net::IfCloneTable& interfaces_ = instance_.attach(*loop_);
  net::Ifnet *a_ = nullptr, *b_ = nullptr;
};

// One flow of a second to `address`, as ns for 1500 bytes.
double iperf(const Namespace& a, const Namespace& b, const std::string& address) {
  run(b.inside("iperf3 -s -1 -D -B " + address));
  ::usleep(300'000);
  std::FILE* const client = ::popen(a.inside("iperf3 -t 1 -J -c " + address).c_str(), "r");
  std::string text;
  std::array<char, 4096> piece;
  while (const std::size_t bytes = std::fread(piece.data(), 1, piece.size(), client)) text.append(piece.data(), bytes);
  must(::pclose(client) == 0, "iperf3: " + text);
  const std::string key = "\"bits_per_second\":";
  const std::size_t at = text.find(key, text.find("\"sum_received\""));
  must(at != std::string::npos, "iperf3 says no rate");
  return 1500 * 8 * 1e9 / std::atof(text.c_str() + at + key.size());
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 5, 1);
  if (!installed("iperf3")) skip("iperf3 is " + not_installed("iperf3"));
  ::setvbuf(stdout, nullptr, _IOLBF, 0);
  print_calibration();
  // Where that is allowed: sender, receiver and we compete with each other only.
  sched_param priority{};
  priority.sched_priority = 1;
  ::sched_setscheduler(0, SCHED_RR, &priority);
  const Namespace a, b, middle;
  run("ip link add vifbr type bridge && ip link set vifbr up");
  int end = 0;
  for (const Namespace* const side : {&a, &b}) {
    const std::string port = "vifport" + std::to_string(++end);
    run("ip link add " + port + " type veth peer name vifveth netns " + side->path() + " && ip link set " + port +
        " master vifbr up");
  }
  Joined on(a, b, "vifon", ""), off(a, b, "vifoff", ",offload=off");
  end = 0;
  for (const Namespace* const side : {&a, &b}) {
    side->enter();
    const std::string host = std::to_string(++end);
    int subnet = 0;
    for (const char* name : {"vifon", "vifoff", "vifveth"}) {
      run("ip addr add 10.90." + std::to_string(++subnet) + "." + host + "/24 dev " + name + " && ip link set " + name +
          " up");
    }
  }
  const auto through = [&](Joined& joined, const std::string& address) {
    return [&, address] {
      double ns = 0;
      joined.serve([&] { ns = iperf(a, b, address); });
      return ns;
    };
  };
  Comparison("tap: TCP through two joined TAPs, 1500 B",
             {{"ours", through(on, "10.90.1.2")},
              {"kernel bridge", [&] { return iperf(a, b, "10.90.3.2"); }},
              {"ours, offload=off", through(off, "10.90.2.2")}},
             {{"kernel bridge", 1.0}, {"ours, offload=off", 5.0}})
      .run(rounds);
}
