// SPDX-License-Identifier: BSD-2-Clause
// An Instance on the simulated host, with files in memory: what pcap: and the replay are tested on. One thread.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hypercall/host/instance.hpp"
#include "hypercall/sim/sim_files.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "tests/netstack/capture/whole_file.hpp"
#include "tests/support/frames.hpp"

namespace vif::test {

// What an interface passes up.
struct Collected final : net::IfInput {
  struct Packet {
    Frame bytes;
    net::PktHdr header;
  };
  void input(net::Ifnet&, net::MbufPtr packet) override { packets.push_back({flat(*packet), packet->pkthdr}); }
  std::vector<Packet> packets;
};

class SimInstance : public testing::Test {
 protected:
  ~SimInstance() override { EXPECT_EQ(pool_in_use(), 0U) << "mbufs leaked"; }

  // A capture of these frames, a microsecond apart, in the format its name asks for.
  host::sim::SimFile& capture(const std::string& path, const std::vector<Frame>& frames) {
    const bool pcapng = path.ends_with(".pcapng");
    auto sink = files.create_sink(path);
    net::CaptureWriter writer(**sink, pcapng ? net::CaptureFormat::pcapng : net::CaptureFormat::pcap);
    EXPECT_TRUE(writer.add_interface("", net::kLinkTypeEthernet));
    std::int64_t now_ns = 1'000'000'000;
    for (const Frame& frame : frames) {
      EXPECT_TRUE(writer.write({.bytes = frame,
                                .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                                .link_type = net::kLinkTypeEthernet,
                                .timestamp_ns = now_ns += 1000,
                                .has_time = true}));
    }
    EXPECT_TRUE(writer.flush());
    return files.file(path);
  }
  // virt0, promiscuous, linked and up; what it passes up is collected.
  net::Ifnet& running(const std::string& linkstr) {
    net::Ifnet& ifp = **interfaces.create("virt0");
    ifp.set_input(&collected);
    EXPECT_TRUE(ifp.ioctl(net::SetPromisc{true}));
    const Status linked = ifp.ioctl(net::SetLinkstr{linkstr});
    EXPECT_TRUE(linked) << linked.error().text;
    EXPECT_TRUE(up(ifp));
    return ifp;
  }
  static Status up(net::Ifnet& ifp) { return ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}); }
  static Status down(net::Ifnet& ifp) { return ifp.ioctl(net::SetFlags{ifp.flags() & ~std::uint32_t{net::IFF_UP}}); }
  std::string link_error() { return dynamic_cast<drv::Virtif&>(*interfaces.find_clone("virt0")).link_error(); }
  std::uint64_t pool_in_use() const { return domain.pool().in_use(); }

  host::sim::SimHost host{1};
  host::sim::SimFiles files;
  Collected collected;
  net::Domain& domain = host.add_domain();
  host::Instance instance{{host.clock, files}};
  net::IfCloneTable& interfaces = instance.attach(domain);
};

// `count` frames that all differ, of 60 bytes and more.
inline std::vector<Frame> different_frames(std::size_t count) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < count; ++i) {
    frames.push_back(ether(kOurMac, 0x88b5, counting(46 + i % 50)));
    store_be32(frames.back().data() + net::kEtherHeaderBytes, static_cast<std::uint32_t>(i));
  }
  return frames;
}

}  // namespace vif::test
