// SPDX-License-Identifier: BSD-2-Clause
// Capture files as a wire to write to: every frame taken is in the file, or reported lost; the file is always valid.
#include <gtest/gtest.h>

#include "hypercall/linux_ports.hpp"
#include "hypercall/pcap_link.hpp"
#include "tests/hypercall/host_limits.hpp"
#include "tests/hypercall/sim_instance.hpp"
#include "tests/support/some_owner.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::sim::SimFile;

class PcapWrite : public SimInstance {
 protected:
  PcapWrite() { capture("in.pcap", different_frames(200)); }

  // virt0 writing to `out`, with its input still to be read: at its end the carrier goes.
  net::Ifnet& writing(const std::string& out) { return running("pcap:in.pcap,write=" + out); }
  // Frames beyond the send queue's 256 are the caller's to pace.
  void transmit(net::Ifnet& ifp, const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) (void)ifp.transmit(domain.pool().copy_in(frame));
    offered += frames.size();
  }
  WholeFile written(const std::string& path) { return read_whole(files.file(path).bytes); }

  // Every frame offered is in the file, or counted as what became of it.
  void expect_sums(const net::Ifnet& ifp, const std::string& out) {
    const net::IfData data = ifp.counters.read();
    const WholeFile file = written(out);
    EXPECT_EQ(file.text(), "") << "what was written is a valid capture";
    EXPECT_EQ(data.opackets, file.frames.size());
    EXPECT_EQ(data.offered() + ifp.snd.size(), offered);
    EXPECT_EQ(data.opackets + data.dropped(DropReason::tx_error) + data.dropped(DropReason::tx_down), offered);
  }

  std::uint64_t offered = 0;
};

TEST_F(PcapWrite, keeps_frames_and_their_time) {
  for (const char* out : {"out.pcap", "out.pcapng"}) {
    host.clock.set(Time(5'000'000'123));
    net::Ifnet& ifp = writing(out);
    const auto frames = different_frames(40);
    offered = 0;
    transmit(ifp, frames);
    host.settle();
    const WholeFile file = written(out);
    ASSERT_EQ(file.frames.size(), 40U);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(file.frames[i].bytes, frames[i]);
    EXPECT_EQ(file.frames[0].timestamp_ns, host.clock.wall_ns());
    expect_sums(ifp, out);
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
  EXPECT_EQ(written("out.pcapng").interfaces.at(0).name, "virt0");
}

TEST_F(PcapWrite, has_everything_on_disk_after_each_round_and_when_stopped) {
  net::Ifnet& ifp = writing("out.pcap");
  domain.poll({}, 1);
  transmit(ifp, different_frames(5));
  domain.poll({}, 1);
  EXPECT_EQ(written("out.pcap").frames.size(), 5U);
  transmit(ifp, different_frames(2));
  ASSERT_TRUE(down(ifp));
  EXPECT_EQ(written("out.pcap").frames.size(), 7U);
}

TEST_F(PcapWrite, is_a_valid_file_when_nothing_is_sent) {
  for (const char* out : {"out.pcap", "out.pcapng"}) {
    writing(out);
    EXPECT_EQ(written(out).text(), "");
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
}

// Whatever the size of the disk: the file is valid, and the sums hold.
TEST_F(PcapWrite, loses_no_count_on_a_full_disk) {
  for (const char* out : {"out.pcap", "out.pcapng"}) {
    for (std::size_t capacity = 200; capacity < 4000; capacity += 101) {
      files.file(out).capacity_bytes = capacity;
      net::Ifnet& ifp = writing(out);
      domain.poll({}, 1);
      offered = 0;
      for (int i = 0; i < 10; ++i) {
        transmit(ifp, different_frames(4));
        domain.poll({}, 1);
      }
      host.settle();
      expect_sums(ifp, out);
      if (capacity < 3000) {
        EXPECT_EQ(ifp.link_state(), net::LinkState::down);
        EXPECT_NE(link_error().find(out), std::string::npos) << link_error();
        EXPECT_NE(link_error().find("No space left"), std::string::npos) << link_error();
      }
      ASSERT_TRUE(interfaces.destroy("virt0"));
    }
  }
}

// The capture writer appends by itself when it has collected a quarter of a megabyte: some are on the disk, some not.
TEST_F(PcapWrite, loses_no_count_when_a_large_burst_fills_the_disk_half_way) {
  const std::vector<Frame> jumbos(12, counting(60'000));
  for (const std::size_t capacity : {1'000UL, 200'000UL, 310'000UL, 400'000UL, 610'000UL, 800'000UL}) {
    files.file("out.pcap").capacity_bytes = capacity;
    net::Ifnet& ifp = writing("out.pcap");
    domain.poll({}, 1);
    ASSERT_TRUE(ifp.ioctl(net::SetMtu{65'000}));
    offered = 0;
    transmit(ifp, jumbos);
    host.settle();
    expect_sums(ifp, "out.pcap");
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
}

TEST_F(PcapWrite, loses_no_count_when_the_disk_is_full_at_the_end) {
  files.file("out.pcap").capacity_bytes = 300;
  net::Ifnet& ifp = writing("out.pcap");
  domain.poll({}, 1);
  transmit(ifp, different_frames(6));
  ASSERT_TRUE(down(ifp));
  EXPECT_EQ(ifp.counters.read().dropped(DropReason::tx_error), 6U);
  expect_sums(ifp, "out.pcap");
}

TEST_F(PcapWrite, sends_nothing_more_after_a_failure_and_reads_on) {
  files.file("out.pcap").capacity_bytes = 100;
  net::Ifnet& ifp = writing("out.pcap");
  transmit(ifp, different_frames(2));
  host.settle();
  files.file("out.pcap").capacity_bytes = SimFile::kNever;
  transmit(ifp, different_frames(2));
  host.settle();
  EXPECT_EQ(collected.packets.size(), 200U);
  EXPECT_NE(link_error().find("No space left"), std::string::npos) << "the input's end does not hide it";
  expect_sums(ifp, "out.pcap");
}

TEST_F(PcapWrite, does_not_open_when_it_cannot_write) {
  net::Ifnet& ifp = **interfaces.create("virt0");
  files.file("closed.pcap").open_errno = EROFS;
  files.file("full.pcap").capacity_bytes = 0;
  const struct {
    const char* out;
    int error;
  } kCases[] = {{"closed.pcap", EROFS}, {"full.pcap", ENOSPC}, {"out.txt", EINVAL}, {"in.pcap", EINVAL}};
  const auto input = files.file("in.pcap").bytes;
  for (const auto& bad : kCases) {
    const Status linked = ifp.ioctl(net::SetLinkstr{std::string("pcap:in.pcap,write=") + bad.out});
    ASSERT_FALSE(linked) << bad.out;
    EXPECT_EQ(linked.error().number(), bad.error);
    EXPECT_NE(linked.error().text.find(bad.out), std::string::npos) << linked.error().text;
  }
  EXPECT_EQ(files.file("in.pcap").bytes, input) << "the input is as it was";
  EXPECT_EQ(files.open_source("out.txt").error().number(), ENOENT) << "nothing was created";
}

TEST_F(PcapWrite, does_not_write_over_its_input_under_another_name) {
  const TempFolder folder;
  host::LinuxFiles real;
  {
    auto sink = real.create_sink(folder / "in.pcap");
    ASSERT_TRUE((*sink)->append(files.file("in.pcap").bytes));
  }
  std::filesystem::create_hard_link(folder / "in.pcap", folder / "out.pcap");
  const drv::Linkstr linkstr{
      .scheme = "pcap", .argument = folder / "in.pcap", .options = {{"write", folder / "out.pcap"}}};
  const auto opened = host::open_pcap_link(linkstr, SomeOwner(), real, host.clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().number(), EINVAL);
  EXPECT_EQ(std::filesystem::file_size(folder / "in.pcap"), files.file("in.pcap").bytes.size());
}

TEST_F(PcapWrite, takes_and_forgets_without_a_file_to_write) {
  net::Ifnet& ifp = running("pcap:in.pcap");
  transmit(ifp, different_frames(4));
  EXPECT_EQ(ifp.counters.read().opackets, 4U);
}

TEST(CaptureFormatOf, goes_by_the_end_of_the_name) {
  using host::capture_format_of;
  EXPECT_EQ(*capture_format_of("/x/a.pcap"), net::CaptureFormat::pcap);
  EXPECT_EQ(*capture_format_of("a.b.pcapng"), net::CaptureFormat::pcapng);
  for (const char* name : {"", "pcap", "a", "a.PCAP", "a.pcap.gz", "a.cap", "a.pcap/"}) {
    ASSERT_FALSE(capture_format_of(name)) << name;
    EXPECT_EQ(capture_format_of(name).error().number(), EINVAL);
  }
}

}  // namespace
