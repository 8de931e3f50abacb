// SPDX-License-Identifier: BSD-2-Clause
// Filters against libpcap's own machine on the same bytes, over every cut of a frame in up to three pieces, and with a
// VLAN tag in the bytes against the same tag beside them.
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netstack/bpf_program.hpp"
#include "netstack/mbuf_pool.hpp"

namespace {

using namespace vif::net;
using vif::Bytes;
using Frame = std::vector<std::uint8_t>;

constexpr const char* kFilters[] = {
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "stp",
    "ether proto 0x88cc",
    "ether proto \\ip",
    "ether host 02:00:00:00:00:01",
    "ether src 02:00:00:00:00:02",
    "ether broadcast",
    "ether multicast",
    "host 192.0.2.1",
    "src host 192.0.2.2",
    "net 192.0.2.0/24",
    "not net 192.0.2.0/24",
    "arp host 192.0.2.1",
    "port 53",
    "tcp port 80",
    "udp dst port 53",
    "portrange 50-60",
    "tcp portrange 79-81",
    "ip proto 17",
    "ip6 proto 58",
    "less 64",
    "greater 64",
    "len = 58",
    "ip[8] < 5",
    "ip[6:2] & 0x1fff != 0",
    "ip[2:2] > 40",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
    "udp[4:2] - 8 > 4",
    "icmp[icmptype] = icmp-echo",
    "ether[12:2] = 0x8100",
    "ether[14:2] & 0xfff = 7",
    "ether[15] / 2 = 3",
    "ether[13:2] = 1",
    "ether[16:2] = 0x0800",
    "ether[57] = 0",
    "ether[200] = 0",
    "vlan",
    "vlan 7",
    "vlan 7 and ip",
    "vlan 7 and tcp port 80",
    "vlan and vlan",
    "vlan 7 and vlan 9 and udp",
    "ip or (vlan and ip)",
    "mpls 100",
    "llc",
    "llc u",
    "ip multicast",
    "not ip and not arp",
    "tcp[(ip[0] & 0xf) * 4 % 13] ^ 5 = 7",
    "ip[0] << 2 = 0x114",
};

struct CompiledFilter {
  explicit CompiledFilter(const char* expression) : text(expression) {
    pcap_t* pcap = pcap_open_dead(DLT_EN10MB, 262144);
    if (pcap_compile(pcap, &theirs, text, 1, PCAP_NETMASK_UNKNOWN) != 0) ADD_FAILURE() << text << pcap_geterr(pcap);
    pcap_close(pcap);
    std::vector<BpfInsn> insns;
    for (const bpf_insn& insn : std::span(theirs.bf_insns, theirs.bf_len))
      insns.push_back({insn.code, insn.jt, insn.jf, insn.k});
    auto made = BpfProgram::make(insns);
    if (made) ours = *std::move(made);
    else ADD_FAILURE() << text << ": " << made.error().text;
  }
  ~CompiledFilter() { pcap_freecode(&theirs); }
  CompiledFilter(const CompiledFilter&) = delete;
  CompiledFilter& operator=(const CompiledFilter&) = delete;

  std::uint32_t expected(const Frame& frame, std::size_t wire_bytes) const {
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(frame.size());
    header.len = static_cast<bpf_u_int32>(wire_bytes);
    return static_cast<std::uint32_t>(pcap_offline_filter(&theirs, &header, frame.data()));
  }

  const char* text;
  bpf_program theirs{};
  BpfProgram ours;
};

Frame operator+(Frame front, const Frame& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

const Frame kAddresses = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
const Frame kTag7 = {0x81, 0x00, 0x60, 0x07}, kTag9 = {0x81, 0x00, 0x00, 0x09};
const Frame kIp = {0x08, 0x00}, kIp6 = {0x86, 0xdd};

// IPv4 192.0.2.2 > 192.0.2.1; checksums are nobody's business here.
Frame ip4(std::uint8_t protocol, Frame payload, std::uint8_t fragment = 0) {
  const auto length = static_cast<std::uint8_t>(20 + payload.size());
  return Frame{0x45, 0, 0, length, 0, 1, 0, fragment, 4, protocol, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1} + payload;
}
Frame ip6(std::uint8_t next, Frame payload) {
  Frame header = {0x60, 0, 0, 0, 0, static_cast<std::uint8_t>(payload.size()), next, 255};
  header.resize(40, 0x20);
  return header + payload;
}
const Frame kTcp = {0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x02, 1, 0, 0, 0, 0, 0, 'G', 'E', 'T', ' '};
const Frame kUdp = {0x9c, 0x40, 0, 53, 0, 14, 0, 0, 1, 2, 3, 4, 5, 6};
const Frame kEcho = {8, 0, 0, 0, 0, 1, 0, 1};

std::vector<Frame> frames() {
  const Frame arp = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
  const Frame broadcast = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2};
  const Frame bridges = {0x01, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 38, 0x42, 0x42, 3, 0, 0, 0, 0, 0};
  std::vector<Frame> all = {
      kAddresses + kIp + ip4(6, kTcp),
      kAddresses + kIp + ip4(17, kUdp),
      kAddresses + kIp + ip4(17, kUdp, 3),
      kAddresses + kIp + ip4(1, kEcho),
      kAddresses + kIp6 + ip6(6, kTcp),
      kAddresses + kIp6 + ip6(58, {128, 0, 0, 0}),
      broadcast + Frame{0x08, 0x06} + arp,
      bridges,
      kAddresses + Frame{0x88, 0xcc, 2, 7, 4},
      kAddresses + Frame{0x88, 0x47, 0, 6, 0x41, 64} + ip4(17, kUdp),
      kAddresses + kTag7 + kIp + ip4(6, kTcp),
      kAddresses + kTag7 + kTag9 + kIp + ip4(17, kUdp),
      kAddresses + kTag9 + kIp6 + ip6(17, kUdp),
      kAddresses + kTag7 + Frame{0x08},
      kAddresses + kTag7,
  };
  Frame cut = all[0];
  for (const std::size_t bytes : {40U, 33U, 15U, 14U, 13U, 5U, 0U}) cut.resize(bytes), all.push_back(cut);
  return all;
}

class BpfFilter : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* text : kFilters) filters.push_back(std::make_unique<CompiledFilter>(text));
  }
  static void TearDownTestSuite() { filters.clear(); }

  MbufPtr copy(const Frame& frame) { return piece(std::as_bytes(std::span(frame))); }
  MbufPtr piece(Bytes bytes) { return bytes.empty() ? pool.get(0) : pool.copy_in(bytes); }

  // The frame in three pieces, some of them empty.
  MbufPtr chain(const Frame& frame, std::size_t first_cut, std::size_t second_cut) {
    const Bytes bytes = std::as_bytes(std::span(frame));
    MbufPtr packet = piece(bytes.first(first_cut));
    m_cat(packet, piece(bytes.subspan(first_cut, second_cut - first_cut)));
    m_cat(packet, piece(bytes.subspan(second_cut)));
    return packet;
  }

  // The same frame with its first tag moved into pkthdr.
  static Frame take_tag(const Frame& frame, std::uint16_t& tci) {
    tci = static_cast<std::uint16_t>(frame[14] << 8 | frame[15]);
    Frame bare = frame;
    bare.erase(bare.begin() + 12, bare.begin() + 16);
    return bare;
  }

  // `tci`: of a tag to keep beside `bytes`. Every cut in two, with an empty piece before, between or behind; every cut
  // in three of the shorter frames.
  void expect_over_all_cuts(const Frame& bytes, std::optional<std::uint16_t> tci,
                            const std::vector<std::uint32_t>& want) {
    for (std::size_t first = 0; first <= bytes.size(); ++first) {
      for (std::size_t second = first; second <= bytes.size(); ++second) {
        const bool in_two = first == 0 || second == first || second == bytes.size();
        if (!in_two && bytes.size() > 64) continue;
        const MbufPtr packet = chain(bytes, first, second);
        if (tci) packet->pkthdr.flags = M_VLANTAG, packet->pkthdr.vlan_tci = *tci;
        for (std::size_t i = 0; i < filters.size(); ++i)
          ASSERT_EQ(bpf_filter(filters[i]->ours, *packet), want[i])
              << filters[i]->text << ", " << bytes.size() << " bytes cut at " << first << " and " << second;
      }
    }
  }

  MbufPool pool{{.counts = {8, 0, 0, 0}, .external = 0}};
  static inline std::vector<std::unique_ptr<CompiledFilter>> filters;
};

TEST_F(BpfFilter, agrees_with_libpcap_on_one_piece) {
  std::vector<int> matches(filters.size());
  for (const Frame& frame : frames()) {
    const MbufPtr packet = copy(frame);
    for (std::size_t i = 0; i < filters.size(); ++i) {
      const std::uint32_t expected = filters[i]->expected(frame, frame.size());
      EXPECT_EQ(bpf_filter(filters[i]->ours, *packet), expected) << filters[i]->text << ", " << frame.size();
      matches[i] += expected != 0;
    }
  }
  int decided = 0;  // a filter that says the same of every frame tests little
  for (const int count : matches) decided += count > 0;
  EXPECT_GE(decided, 45);
}

TEST_F(BpfFilter, does_not_depend_on_the_cuts) {
  for (const Frame& frame : frames()) {
    std::vector<std::uint32_t> expected;
    for (const auto& filter : filters) expected.push_back(filter->expected(frame, frame.size()));
    expect_over_all_cuts(frame, std::nullopt, expected);
  }
}

TEST_F(BpfFilter, does_not_depend_on_where_the_tag_is) {
  int tagged = 0;
  for (const Frame& frame : frames()) {
    if (frame.size() < 16 || frame[12] != 0x81) continue;
    ++tagged;
    std::vector<std::uint32_t> expected;
    for (const auto& filter : filters) expected.push_back(filter->expected(frame, frame.size()));
    std::uint16_t tci = 0;
    const Frame bare = take_tag(frame, tci);
    expect_over_all_cuts(bare, tci, expected);
  }
  EXPECT_EQ(tagged, 5);
}

TEST_F(BpfFilter, ignores_a_tag_beside_a_frame_too_short_for_one) {
  const Frame bytes(11, 0x81);
  const MbufPtr packet = copy(bytes);
  packet->pkthdr.flags = M_VLANTAG;
  EXPECT_EQ(bpf_frame_bytes(*packet), 11U);
  for (const auto& filter : filters)
    EXPECT_EQ(bpf_filter(filter->ours, *packet), filter->expected(bytes, bytes.size())) << filter->text;
}

TEST_F(BpfFilter, measures_a_cut_frame_by_its_length_on_the_wire) {
  const Frame frame = kAddresses + kTag7 + kIp + ip4(6, kTcp);
  std::uint16_t tci = 0;
  const Frame bare = take_tag(frame, tci);
  const MbufPtr inside = copy(frame);
  const MbufPtr beside = copy(bare);
  beside->pkthdr.flags = M_VLANTAG, beside->pkthdr.vlan_tci = tci;
  for (const std::uint32_t wire_bytes : {62U, 63U, 64U, 65U, 1518U}) {
    inside->pkthdr.wire_len = beside->pkthdr.wire_len = wire_bytes;
    for (const auto& filter : filters) {
      EXPECT_EQ(bpf_filter(filter->ours, *inside), filter->expected(frame, wire_bytes)) << filter->text;
      EXPECT_EQ(bpf_filter(filter->ours, *beside), filter->expected(frame, wire_bytes)) << filter->text;
    }
  }
}

TEST_F(BpfFilter, accepts_everything_when_empty) {
  for (const Frame& frame : {Frame{}, Frame(60)}) EXPECT_EQ(bpf_filter({}, *copy(frame)), 0xffffffffU);
}

}  // namespace
