// SPDX-License-Identifier: BSD-2-Clause
// The worlds of the backends there are.
#include <gtest/gtest.h>

#include "hypercall/mem_link.hpp"
#include "hypercall/null_link.hpp"
#include "hypercall/pcap_link.hpp"
#include "hypercall/sim/sim_files.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/capture/capture_reader.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "tests/conformance/world.hpp"

namespace vif::test {
namespace {

const net::MacAddress kFarMac = {{0x02, 0, 0, 0, 0xfa, 0x12}};

// A second port on the same segment is the other side.
class MemWorld final : public World {
 public:
  ~MemWorld() override {
    if (far_.link.port) stop_far();
  }
  CannotAsk prepare(const WireFrames& frames) override {
    arriving_ = frames;
    return {};
  }
  std::string linkstr() const override { return "mem:lan"; }
  std::vector<Refused> refused() const override {
    return {{"mem:", "name"}, {"mem:[mem:x]", "name"}, {"mem:lan,mtu=9", "mtu"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    if (!far_.link.port && linkstr.format() == this->linkstr()) open_far(linkstr);
    return segments_.open(linkstr, owner);
  }
  void release() override {
    for (const WireFrame& frame : std::exchange(arriving_, {})) EXPECT_EQ(far_.send({frame}).taken, 1U);
  }
  bool arrives_when_released() const override { return true; }
  bool releases_from_any_thread() const override { return true; }
  std::optional<WireFrames> sent() override {
    stop_far();
    return far_.sink.frames;
  }

 private:
  void open_far(const drv::Linkstr& linkstr) {
    const std::string name = "far";
    auto opened = segments_.open(linkstr, {name, kFarMac, domain()});
    ASSERT_TRUE(opened) << opened.error().text;
    far_.link = std::move(*opened);
    far_.start();
  }
  void stop_far() {
    if (std::exchange(stopped_, true)) return;
    far_.drain_all();
    far_.stop();
  }

  host::sim::SimClock clock_;
  host::MemSegments segments_{clock_};
  RecordedLink far_;
  bool stopped_ = false;
  WireFrames arriving_;
};

// Makes its own frames, and nobody sees what it takes.
class NullWorld final : public World {
 public:
  CannotAsk prepare(const WireFrames& frames) override {
    if (frames.empty()) return {};
    return "it makes frames of its own choice";
  }
  CannotAsk prepare_any(std::size_t count) override {
    count_ = count;
    return {};
  }
  std::string linkstr() const override { return "null:,rx=" + std::to_string(count_); }
  std::vector<Refused> refused() const override {
    return {{"null:x", "argument"},       {"null:,rx=", "rx"},
            {"null:,rx=-1", "rx"},        {"null:,rx=1x", "rx"},
            {"null:,bytes=13", "bytes"},  {"null:,bytes=262145", "262144"},
            {"null:[null:]", "argument"}, {"null:,rx=99999999999999999999", "rx"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    return host::open_null_link(linkstr, owner);
  }

 private:
  std::size_t count_ = 0;
};

// One capture file before it and one behind.
class PcapWorld final : public World {
 public:
  CannotAsk prepare(const WireFrames& frames) override {
    Result<std::unique_ptr<ByteSink>> sink = files_.create_sink("in.pcap");
    net::CaptureWriter writer(**sink, net::CaptureFormat::pcap);
    EXPECT_TRUE(writer.add_interface("", net::kLinkTypeEthernet));
    for (const WireFrame& frame : frames) {
      if (frame.offload != net::Offload{}) return "a capture knows no offload";
      EXPECT_TRUE(writer.write({.bytes = frame.bytes,
                                .wire_bytes = static_cast<std::uint32_t>(frame.bytes.size()),
                                .link_type = net::kLinkTypeEthernet,
                                .has_time = true}));
    }
    EXPECT_TRUE(writer.flush());
    return {};
  }
  CannotAsk prepare_failure() override {
    prepare(some_frames(5));
    files_.file("in.pcap").read_fails_at = 200;
    return {};
  }
  std::string linkstr() const override { return "pcap:in.pcap,write=out.pcapng"; }
  std::vector<Refused> refused() const override {
    return {{"pcap:", "capture file"},
            {"pcap:[null:]", "capture file"},
            {"pcap:in.pcap,write", "write"},
            {"pcap:in.pcap,write=", "write"},
            {"pcap:in.pcap,write=out.txt", ".pcapng"},
            {"pcap:in.pcap,write=in.pcap", "in.pcap"}};
  }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    return host::open_pcap_link(linkstr, owner, files_, clock_);
  }
  std::optional<WireFrames> sent() override {
    Result<std::unique_ptr<ByteSource>> source = files_.open_source("out.pcapng");
    Result<net::CaptureReader> reader = net::CaptureReader::open(**source);
    if (!reader) ADD_FAILURE() << reader.error().text;
    WireFrames frames;
    std::array<net::CaptureFrame, 8> burst;
    for (Result<std::size_t> n = reader->read(burst); n && *n > 0; n = reader->read(burst)) {
      for (const auto& frame : std::span(burst).first(*n)) {
        frames.push_back({{frame.bytes.begin(), frame.bytes.end()}});
      }
    }
    return frames;
  }

 private:
  host::sim::SimClock clock_;
  host::sim::SimFiles files_;
};

class SimWorld final : public World {
 public:
  SimWorld() { wire().caps.offload = net::OffloadSet::all(); }

  CannotAsk prepare(const WireFrames& frames) override {
    arriving_ = frames;
    return {};
  }
  CannotAsk prepare_failure() override {
    failing_ = true;
    return {};
  }
  std::string linkstr() const override { return "sim:w"; }
  std::vector<Refused> refused() const override { return {{"sim:w,x=1", "x"}, {"mem:w", "mem"}}; }
  Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override {
    return wires_.open(linkstr, owner);
  }
  void release() override {
    for (const WireFrame& frame : std::exchange(arriving_, {})) wire().arrive(frame.bytes, frame.offload);
    if (failing_) wire().carrier(net::LinkState::down, fail(std::errc::io_error, "the cable is cut"));
  }
  bool arrives_when_released() const override { return true; }
  std::optional<WireFrames> sent() override {
    WireFrames frames;
    for (std::size_t i = 0; i < wire().sent.size(); ++i) frames.push_back({wire().sent[i], wire().sent_offload[i]});
    return frames;
  }

 private:
  host::sim::SimWire& wire() { return wires_.wire("w"); }

  host::sim::SimWires wires_;
  WireFrames arriving_;
  bool failing_ = false;
};

}  // namespace

std::unique_ptr<World> make_mem_world() { return std::make_unique<MemWorld>(); }
std::unique_ptr<World> make_null_world() { return std::make_unique<NullWorld>(); }
std::unique_ptr<World> make_pcap_world() { return std::make_unique<PcapWorld>(); }
std::unique_ptr<World> make_sim_world() { return std::make_unique<SimWorld>(); }

}  // namespace vif::test
