// SPDX-License-Identifier: BSD-2-Clause
// Half a megabyte of TCP from lwIP through an impaired link to a peer written by hand, all on the simulated host:
// writes the trace of it to standard output as pcapng. The same seed has to give the same bytes in any process; lwIP's
// state is the process's, so that is what same_twice_test.py compares. usage: lwip_trace SEED > FILE.pcapng: exit
// status 1 when the peer did not get every byte.
#include <cstdio>
#include <cstdlib>

#include "hypercall/host/instance.hpp"
#include "hypercall/sim/sim_files.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "tests/netstack/lwip/lwip_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

constexpr std::uint16_t kPort = 9;

class Output final : public ByteSink {
 public:
  Status append(Bytes bytes) override {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
    return fail(std::errc::io_error, "cannot write");
  }
};

class Recorder final : public net::BpfSink {
 public:
  explicit Recorder(ClockPort& clock) : clock_(clock) { (void)writer_.add_interface("virt0", net::kLinkTypeEthernet); }
  void tap(const net::Mbuf& packet, net::BpfDirection, std::uint32_t) noexcept override {
    const Frame bytes = flat(packet);
    (void)writer_.write({.bytes = bytes,
                         .wire_bytes = static_cast<std::uint32_t>(bytes.size()),
                         .link_type = net::kLinkTypeEthernet,
                         .timestamp_ns = clock_.wall_ns(),
                         .has_time = true});
  }
  void finish() { (void)writer_.flush(); }

 private:
  ClockPort& clock_;
  Output output_;
  net::CaptureWriter writer_{output_, net::CaptureFormat::pcapng};
};

// Takes what comes in order, drops the rest, and acknowledges everything.
class Receiver final : public net::IfInput {
 public:
  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    const Frame frame = flat(*packet);
    if (header_of(frame).type == 0x0806)
      return send(ifp, arp({.operation = 2, .sender = kPeer, .target = kUs, .target_mac = kOurMac, .to = kOurMac}));
    const std::optional<Segment> s = segment_in(frame);
    if (!s) return;
    const bool syn = (s->flags & Segment::kSyn) != 0;
    if (syn) next_ = s->seq + 1;
    else if (s->seq == next_) {
      got.insert(got.end(), s->data.begin(), s->data.end());
      finished |= (s->flags & Segment::kFin) != 0;
      next_ += static_cast<std::uint32_t>(s->data.size()) + finished;
    }
    const auto flags = static_cast<std::uint8_t>(Segment::kAck | (syn ? Segment::kSyn : finished ? Segment::kFin : 0));
    send(ifp, ether(kOurMac, 0x0800, tcp(kPeer, kUs, {kPort, s->src_port, syn ? 99U : 100U, next_, flags})));
  }

  Frame got;
  bool finished = false;

 private:
  static void send(net::Ifnet& ifp, const Frame& frame) {
    net::MbufPtr packet = ifp.domain().pool().get(static_cast<std::uint32_t>(frame.size()));
    std::memcpy(net::MbufPool::append(*packet, static_cast<std::uint32_t>(frame.size())), frame.data(), frame.size());
    (void)ifp.transmit(std::move(packet));
  }

  std::uint32_t next_ = 0;
};

class Sender final : public net::lwip::TcpEvents {
 public:
  void tcp_connected(net::lwip::TcpConnection& connection) override { tcp_writable(connection); }
  std::size_t tcp_received(net::lwip::TcpConnection&, Bytes bytes) override { return bytes.size(); }
  void tcp_finished(net::lwip::TcpConnection&) override {}
  void tcp_writable(net::lwip::TcpConnection& connection) override {
    const auto written = connection.write(Bytes(data).subspan(sent_));
    if (written) sent_ += *written;
    if (sent_ == data.size()) (void)connection.shutdown();
  }
  void tcp_failed(net::lwip::TcpConnection&, const Error& why) override {
    std::fprintf(stderr, "%s\n", why.text.c_str());
  }

  const Frame data = counting(500'000);

 private:
  std::size_t sent_ = 0;
};

net::Ifnet& linked(net::IfCloneTable& interfaces, const net::MacAddress& mac, const std::string& linkstr) {
  net::Ifnet& ifp = **interfaces.create("virt");
  const bool done = ifp.ioctl(net::SetLladdr{mac}) && ifp.ioctl(net::SetLinkstr{linkstr}) &&
                    ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP});
  if (!done) std::abort();
  return ifp;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string seed = argc == 2 ? argv[1] : "1";
  host::sim::SimHost host(std::strtoull(seed.c_str(), nullptr, 10));
  host::sim::SimFiles files;
  net::Domain& here = host.add_domain();
  net::Domain& there = host.add_domain();
  host::Instance instance({host.clock, files});
  Receiver receiver;
  linked(instance.attach(there), kPeerMac, "mem:lan").set_input(&receiver);
  net::Ifnet& ifp = linked(
      instance.attach(here), kOurMac,
      "impair:[impair:[mem:lan],corrupt=0.5%,dir=in,seed=3],loss=1%,delay=5ms,jitter=1ms,reorder=1%,dup=1%,seed=" +
          seed);
  Recorder recorder(host.clock);
  ifp.taps.attach(recorder, {}, net::BpfDirections::both);
  {
    const auto stack = std::move(*LwipStack::create(here, {}));
    if (!stack->attach(ifp) || !stack->add_address(ifp, prefix("192.0.2.1/24"))) std::abort();
    Sender sender;
    const auto connection = std::move(*net::lwip::TcpConnection::connect(*stack, {kPeer, kPort}, sender));
    for (int second = 0; second < 3600 && !receiver.finished; ++second) {
      host.run_until(host.clock.now() + std::chrono::seconds(1));
    }
    if (receiver.got != sender.data) return std::fprintf(stderr, "the peer got %zu bytes\n", receiver.got.size()), 1;
  }
  recorder.finish();
  return 0;
}
