// SPDX-License-Identifier: BSD-2-Clause
// What a frame through tap: costs beside the bare calls that move the same frame (raw_tap.hpp), and beside testpmd.
// tap_bench [rounds]: in a network namespace of its own; needs root, or user namespaces. Build with
// --buildtype=release.
#include <sched.h>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/tap/tap_link.hpp"
#include "tests/bench/raw_tap.hpp"
#include "tests/bench/testpmd.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using namespace vif::bench;

class CountSink final : public drv::LinkSink {
 public:
  void deliver(std::span<const drv::RxFrame> burst) override { frames += burst.size(); }
  void ready() override {}
  void link_changed(net::LinkState, const Error*) override {}
  void caps_changed(const drv::LinkCaps&) override {}
  void lost(DropReason, std::uint64_t count) override { give_up("lost " + std::to_string(count) + " frames"); }
  std::size_t frames = 0;
};

// Ours, without a driver on it.
class Ours {
 public:
  Ours(const std::string& name, const std::string& options) {
    auto opened = host::open_tap_link(*drv::Linkstr::parse("tap:" + name + options), owner_, watch_, clock_);
    if (!opened) skip(opened.error().text);
    link_ = std::move(*opened);
    std::printf("ours: %s\n", link_.chosen.c_str());
    set_up(name);
    filler_.emplace(name);
    must(link_.port->start(sink_));
    link_.port->drain(kBatch);
  }
  ~Ours() { link_.port->stop(); }

  double send(std::size_t frame_bytes, std::size_t burst_frames) {
    const std::vector<std::byte> bytes = frame_of(frame_bytes);
    const Bytes slice = bytes;
    std::vector<drv::TxFrame> burst(burst_frames, {{&slice, 1}, static_cast<std::uint32_t>(frame_bytes), {}});
    const double begun = now_ns();
    std::size_t sent = 0;
    while (sent < kSent) sent += link_.port->send(burst).taken;
    return (now_ns() - begun) / static_cast<double>(sent);
  }
  double receive(std::size_t frame_bytes) {
    filler_->fill(frame_bytes);
    sink_.frames = 0;
    const double begun = now_ns();
    while (link_.port->drain(256)) continue;
    const double took = now_ns() - begun;
    if (sink_.frames != kReceived) give_up("some frames were lost on the way");
    return took / kReceived;
  }

 private:
  test::SomeOwner owner_;
  host::LinuxClock clock_;
  host::FdWatch watch_ = *host::FdWatch::create();
  CountSink sink_;
  drv::OpenLink link_;
  std::optional<Filler> filler_;
};

// Ours, with virt0 on it: a frame as a stack hands it down, in bursts of 32.
class Whole {
 public:
  explicit Whole(const std::string& name) {
    ifp_ = *interfaces_.create("virt");
    must(ifp_->ioctl(net::SetLinkstr{"tap:" + name}));
    set_up(name);
    must(ifp_->ioctl(net::SetFlags{ifp_->flags() | net::IFF_UP}));
    while (ifp_->link_state() != net::LinkState::up) loop_->poll(64);
  }
  double send(std::size_t frame_bytes) {
    constexpr std::size_t kBurst = 32;
    const std::vector<std::byte> frame = frame_of(frame_bytes);
    const double begun = now_ns();
    for (std::size_t i = 0; i < kSent; i += kBurst) {
      ifp_->set_flag(net::IFF_OACTIVE, true);  // gathers a burst, as a busy stack does
      for (std::size_t n = 0; n < kBurst; ++n) must(ifp_->transmit(loop_->domain().pool().copy_in(frame)));
      ifp_->set_flag(net::IFF_OACTIVE, false);
      ifp_->driver().if_start();
    }
    return (now_ns() - begun) / kSent;
  }

 private:
  host::LinuxClock clock_;
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::unique_ptr<host::Loop> loop_ = *host::Loop::create(clock_, random_, {});
  host::Instance instance_{{clock_, files_}};
  net::IfCloneTable& interfaces_ = instance_.attach(*loop_);
  net::Ifnet* ifp_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(argc > 1 ? std::atoi(argv[1]) : 7, 1);
  if (::unshare(CLONE_NEWNET) != 0) skip(std::string("no network namespace: ") + std::strerror(errno));
  std::system("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
  begin();
  print_calibration();
  static Raw plain("vifraw", false), header("vifrawh", true);
  Ours on("vifon", ""), off("vifoff", ",offload=off");
  Whole whole("vifwhole");
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{1514}}) {
    const std::string size = std::to_string(bytes) + " B";
    const Variant write_loop{"write()", [=] { return plain.write_loop(bytes); }};
    const Variant writes{"io_uring writes", [=] { return plain.write_batches(bytes); }};
    const Variant header_writes{"io_uring writes with header", [=] { return header.write_batches(bytes); }};
    std::vector<Variant> sends = {{"ours", [&] { return on.send(bytes, 64); }}, writes, header_writes, write_loop};
    std::vector<Bar> bars = {{"io_uring writes", 0.9}, {"io_uring writes with header", 0.9}, {"write()", 1.4}};
    if (installed(kTestpmd)) {
      sends.push_back({"testpmd, net_tap", [=] { return testpmd_sends("net_tap0,iface=vifdpdk", bytes); }});
      bars.push_back({"testpmd, net_tap", 0});
    } else {
      leave_out("testpmd, net_tap", not_installed("dpdk"));
    }
    Comparison("tap: send " + size, sends, bars).run(rounds);
    Comparison("tap: send " + size + ", offload=off",
               {{"ours", [&] { return off.send(bytes, 64); }}, writes, write_loop},
               {{"io_uring writes", 0.9}, {"write()", 1.4}})
        .run(rounds);
    Comparison("tap: send " + size + " from virt0, by 32",
               {{"ours", [&] { return whole.send(bytes); }}, header_writes, write_loop},
               {{"io_uring writes with header", 0}, {"write()", 0}})
        .run(rounds);

    const Variant read_loop{"read()", [=] { return plain.read_loop(bytes); }};
    const Variant reads{"io_uring reads", [=] { return plain.read_batches(bytes); }};
    const Variant header_loop{"read() with header", [=] { return header.read_loop(bytes); }};
    const Variant header_reads{"io_uring reads with header", [=] { return header.read_batches(bytes); }};
    Comparison("tap: receive " + size, {{"ours", [&] { return on.receive(bytes); }}, header_loop, header_reads, reads},
               {{"io_uring reads with header", 0.9}, {"io_uring reads", 0}, {"read() with header", 0}})
        .run(rounds);
    Comparison("tap: receive " + size + ", offload=off",
               {{"ours", [&] { return off.receive(bytes); }}, read_loop, reads},
               {{"io_uring reads", 0.9}, {"read()", 0}})
        .run(rounds);
  }
}
