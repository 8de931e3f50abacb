// SPDX-License-Identifier: BSD-2-Clause
// The verb `replay` on the simulated host: its counts, its digest, what it refuses, what it reports, and that the same
// host gives the same answer. The tool around it: tests/tools.
#include "hypercall/host/replay.hpp"

#include <gtest/gtest.h>

#include "hypercall/bpf_compile.hpp"
#include "hypercall/digest.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::replay;
using host::ReplayReport;
using host::ReplayRequest;

// Over each frame's length and bytes, as ReplayReport says.
std::string digest_of(const std::vector<Frame>& frames) {
  host::Sha256 digest;
  for (const Frame& frame : frames) {
    std::byte length[4];
    store_be32(length, static_cast<std::uint32_t>(frame.size()));
    digest.update(length);
    digest.update(frame);
  }
  return digest.hex();
}

class Replay : public SimInstance {
 protected:
  Replay() { capture("a.pcap", {ours, broadcast, group, stranger, tagged_ours, runt}); }
  ~Replay() override { EXPECT_TRUE(domain.interfaces().empty()) << "an interface was left"; }

  ReplayReport replayed(const ReplayRequest& request, const std::string& path = "a.pcap") {
    Result<ReplayReport> report = replay(request, path, interfaces);
    if (!report) {
      ADD_FAILURE() << report.error().text;
      return {};
    }
    EXPECT_EQ(report->frames, report->data.received());
    return std::move(*report);
  }

  const Frame ours = ether(kOurMac, 0x0800, counting(60)), broadcast = arp_request();
  const Frame group = ether(kGroupMac, 0x0800, counting(46)), stranger = ether(kPeerMac, 0x0800, counting(70));
  const Frame tagged_ours = tagged(ether(kOurMac, 0x0800, counting(100)), 5), runt = counting(13);
};

TEST_F(Replay, counts_and_digests_what_passed) {
  const struct {
    ReplayRequest request;
    std::vector<Frame> passed;
    std::uint64_t not_for_us, too_long;
  } kCases[] = {
      {{.lladdr = kOurMac}, {ours, broadcast, tagged_ours}, 2, 0},
      {{.lladdr = kPeerMac}, {broadcast, stranger}, 3, 0},
      {{.lladdr = kOurMac, .join = {kGroupMac}}, {ours, broadcast, group, tagged_ours}, 1, 0},
      {{.lladdr = kOurMac, .allmulti = true}, {ours, broadcast, group, tagged_ours}, 1, 0},
      {{.lladdr = kOurMac, .promisc = true}, {ours, broadcast, group, stranger, tagged_ours}, 0, 0},
      // Too long comes before not for us; a tagged frame may be 4 longer: 118 bytes with a payload of 100.
      {{.lladdr = kOurMac, .mtu_bytes = 60}, {ours, broadcast}, 1, 2},
      {{.lladdr = kOurMac, .mtu_bytes = 99}, {ours, broadcast}, 2, 1},
      {{.lladdr = kOurMac, .mtu_bytes = 100}, {ours, broadcast, tagged_ours}, 2, 0},
  };
  for (const auto& asked : kCases) {
    const ReplayReport report = replayed(asked.request);
    EXPECT_EQ(report.frames, 6U);
    EXPECT_EQ(report.passed_frames, asked.passed.size());
    std::uint64_t bytes = 0;
    for (const Frame& frame : asked.passed) bytes += frame.size();
    EXPECT_EQ(report.passed_bytes, bytes);
    EXPECT_EQ(report.passed_sha256, digest_of(asked.passed));
    EXPECT_EQ(report.data.dropped(DropReason::not_for_us), asked.not_for_us);
    EXPECT_EQ(report.data.dropped(DropReason::too_long), asked.too_long);
    EXPECT_EQ(report.data.dropped(DropReason::too_short), 1U);
    EXPECT_EQ(report.error, "");
  }
}

TEST_F(Replay, of_an_empty_capture_passes_nothing) {
  capture("empty.pcap", {});
  const ReplayReport report = replayed({}, "empty.pcap");
  EXPECT_EQ(report.frames, 0U);
  // SHA-256 of nothing (FIPS 180-4).
  EXPECT_EQ(report.passed_sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(Replay, refuses_a_request_before_it_reads) {
  const ReplayRequest kRefused[] = {
      {.lladdr = kGroupMac},
      {.join = {kOurMac}},
      {.mtu_bytes = 45},
      {.mtu_bytes = 262'131},
  };
  for (const ReplayRequest& request : kRefused) {
    files.file("a.pcap").on_read = [](auto&) { FAIL() << "it reads"; };
    const auto report = replay(request, "a.pcap", interfaces);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().number(), EINVAL) << report.error().text;
    EXPECT_TRUE(domain.interfaces().empty());
  }
}

TEST_F(Replay, reports_a_file_it_cannot_open_and_goes_on_with_the_next) {
  EXPECT_NE(replayed({}, "absent.pcap").error.find("absent.pcap"), std::string::npos);
  files.file("closed.pcap").open_errno = EACCES;
  EXPECT_NE(replayed({}, "closed.pcap").error.find("Permission denied"), std::string::npos);
  EXPECT_EQ(replayed({}).error, "");
}

TEST_F(Replay, reports_damage_with_what_came_before) {
  const auto frames = different_frames(500);
  capture("d.pcap", frames).bytes.resize(5000);
  const ReplayReport damaged = replayed({.promisc = true}, "d.pcap");
  EXPECT_NE(damaged.error, "");
  EXPECT_GT(damaged.passed_frames, 40U);
  EXPECT_EQ(damaged.passed_sha256,
            digest_of({frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(damaged.passed_frames)}));
  capture("e.pcap", frames).read_fails_at = 5000;
  const ReplayReport failed = replayed({.promisc = true}, "e.pcap");
  EXPECT_NE(failed.error.find("Input/output error"), std::string::npos) << failed.error;
  EXPECT_EQ(failed.passed_sha256, damaged.passed_sha256);
}

TEST_F(Replay, knows_names_that_link_strings_use_for_themselves) {
  for (const char* name : {"a,b.pcap", "100%.pcap", "[x].pcap", "a b.pcap", "%41.pcap", ","}) {
    capture(name, {ours});
    EXPECT_EQ(replayed({.promisc = true}, name).passed_frames, 1U) << name;
  }
}

TEST_F(Replay, counts_only_what_the_filter_wants) {
  const ReplayReport report =
      replayed({.lladdr = kOurMac, .promisc = true, .filter = *host::compile_filter("arp or vlan 5")});
  EXPECT_EQ(report.passed_frames, 2U);
  EXPECT_EQ(report.passed_sha256, digest_of({broadcast, tagged_ours}));
  EXPECT_EQ(report.data.dropped(DropReason::filtered), 3U);
}

TEST_F(Replay, copies_what_passed_until_copying_fails) {
  std::vector<Frame> copied;
  ReplayRequest request{.lladdr = kOurMac};
  request.copy = [&](const net::Mbuf& packet) -> Status {
    if (copied.size() == 2) return fail(ENOSPC, "the copy is full");
    copied.push_back(flat(packet));
    return {};
  };
  const ReplayReport report = replayed(request);
  EXPECT_EQ(copied, (std::vector{ours, broadcast}));
  EXPECT_EQ(report.error, "the copy is full");
  EXPECT_EQ(report.passed_frames, 3U) << "the file is read to its end";
}

TEST_F(Replay, says_how_far_it_is) {
  capture("long.pcap", std::vector<Frame>(600'000, counting(14)));
  std::vector<std::uint64_t> heard;
  ReplayRequest request{.promisc = true};
  request.progress = [&](std::uint64_t frames) { heard.push_back(frames); };
  EXPECT_EQ(replayed(request, "long.pcap").frames, 600'000U);
  EXPECT_GE(heard.size(), 2U);
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
  EXPECT_LE(heard.back(), 600'000U);
}

TEST_F(Replay, leaves_other_interfaces_of_the_domain_alone) {
  net::Ifnet& mine = running("null:,rx=10");
  EXPECT_EQ(replayed({.promisc = true}).passed_frames, 5U);
  EXPECT_EQ(interfaces.find("virt0"), &mine);
  ASSERT_TRUE(interfaces.destroy("virt0"));
}

// Two hosts of one seed and the same files give the same report, to the last counter.
TEST(ReplayTwice, gives_the_same_report) {
  const auto run = [] {
    host::sim::SimHost host(42);
    host::sim::SimFiles files;
    {
      auto sink = files.create_sink("a.pcapng");
      net::CaptureWriter writer(**sink, net::CaptureFormat::pcapng);
      EXPECT_TRUE(writer.add_interface("x", net::kLinkTypeEthernet));
      host::sim::SimRandom random(7);
      for (int i = 0; i < 3000; ++i) {
        const net::MacAddress dst = random.next() % 2 ? net::kBroadcast : kPeerMac;
        const Frame frame = ether(dst, 0x88b5, counting(random.next() % 2000));
        EXPECT_TRUE(writer.write({.bytes = frame,
                                  .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                                  .link_type = net::kLinkTypeEthernet}));
      }
      EXPECT_TRUE(writer.flush());
    }
    files.file("a.pcapng").read_bytes_max = 10'007;
    files.file("a.pcapng").read_fails_at = 2'000'000;
    net::Domain& domain = host.add_domain();
    host::Instance instance({host.clock, files});
    return std::move(*replay({.mtu_bytes = 1500}, "a.pcapng", instance.attach(domain)));
  };
  const ReplayReport one = run(), two = run();
  EXPECT_GT(one.passed_frames, 500U);
  EXPECT_GT(one.data.dropped(DropReason::too_long), 100U);
  EXPECT_NE(one.error, "");
  EXPECT_EQ(one.frames, two.frames);
  EXPECT_EQ(one.passed_frames, two.passed_frames);
  EXPECT_EQ(one.passed_bytes, two.passed_bytes);
  EXPECT_EQ(one.passed_sha256, two.passed_sha256);
  EXPECT_EQ(one.data.drops, two.data.drops);
  EXPECT_EQ(one.data.lastchange, two.data.lastchange);
  EXPECT_EQ(one.error, two.error);
}

}  // namespace
