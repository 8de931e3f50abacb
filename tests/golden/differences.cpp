// SPDX-License-Identifier: BSD-2-Clause
#include "tests/golden/differences.hpp"

#include <algorithm>

namespace vif::test {
namespace {

constexpr std::string_view kMinimalQuote =
    "lwIP quotes 8 bytes behind the IP header, as RFC 792 asks; Linux as much as fits (RFC 1812, 4.3.2.3)";
constexpr std::string_view kQuoteFromExtension =
    "lwIP quotes from the extension header on, without the IPv6 header (RFC 4443, 2.4 c wants all of the packet)";
constexpr std::string_view kAsksWithTimer =
    "lwIP asks again at its next tick, within a second, whether it was answered or not";
constexpr std::string_view kResetWithAck =
    "lwIP's resets have ACK set and acknowledge what came (RFC 9293, 3.10.7.1 does not ask it)";
constexpr std::string_view kSlowTimer =
    "lwIP's first retransmission timeout is 3 s (RFC 1122), Linux's 1 s, measured 0.2 s (RFC 6298)";
constexpr std::string_view kOption =
    "the target's link-layer address may be left out of the answer to a unicast (RFC 4861, 7.2.4)";
constexpr std::string_view kUdpLength = "lwIP does not look at UDP's length: what IP says counts";

constexpr Difference kDifferences[] = {
    {"inet", "arp-conflict", "received frame 1 was not expected",
     "it defends its address (RFC 5227, 2.4 c); Linux does not"},
    {"lwip", "arp-conflict", "received frame 1 was not expected", "lwIP answers whoever asks, under whatever address"},
    {"lwip", "arp-from-a-group", "received frame 1 was not expected",
     "lwIP answers whoever asks, under whatever address"},
    {"lwip", "arp-announcement-of-a-stranger", "it is frame 1 again", kAsksWithTimer},
    {"lwip", "arp-resolve", "it is frame 1 again", kAsksWithTimer},
    {"lwip", "arp-reply-unasked", "frame 1 did not come", "lwIP takes a reply to itself, asked for or not"},
    {"lwip", "arp-resolve-unanswered", "received frame 4", "lwIP asks five times"},
    {"inet", "frag-not-a-multiple-of-8", "frame 1 did not come",
     "such a fragment is malformed (RFC 791, 2.3); Linux cuts off what is over"},
    {"lwip", "frag-not-a-multiple-of-8", "frame 1 did not come",
     "lwIP leaves the gap open and gives up later; Linux cuts off what is over"},
    {"lwip", "frag-never-complete", "frame 1: ip.len", kMinimalQuote},
    {"lwip", "icmp-protocol-unreachable", "frame 1: ip.len", kMinimalQuote},
    {"lwip", "udp-closed-port", "frame 1: ip.len", kMinimalQuote},
    {"lwip", "udp-in-a-frame-to-all", "received frame 1 was not expected",
     "lwIP does not see that the frame was for everybody (RFC 1122, 3.2.2)"},
    {"lwip", "udp-length-below-its-header", "received frame 1 was not expected", kUdpLength},
    {"lwip", "udp-longer-than-its-packet", "received frame 1 was not expected", kUdpLength},
    {"lwip", "udp-shorter-than-its-packet", "frame 1 did not come", kUdpLength},
    {"lwip", "udp6-without-checksum", "received frame 1 was not expected", "lwIP takes it (RFC 8200, 8.1 does not)"},
    {"lwip", "frag6-never-complete", "frame 1: data from @108",
     "lwIP keeps notes of its own in the header that it then quotes"},
    {"lwip", "frag6-not-a-multiple-of-8", "frame 1: ipv6.plen", kQuoteFromExtension},
    {"lwip", "icmp6-hop-by-hop-not-first", "frame 1: ipv6.plen", kQuoteFromExtension},
    {"lwip", "icmp6-option-in-hop-by-hop-to-refuse", "frame 1: ipv6.plen", kQuoteFromExtension},
    {"lwip", "icmp6-option-to-refuse", "frame 1: ipv6.plen", kQuoteFromExtension},
    {"lwip", "icmp6-routing-header-of-unknown-type", "frame 1: ipv6.plen", kQuoteFromExtension},
    {"lwip", "icmp6-echo-to-all-nodes", "frame 1 did not come", "Debian's lwIP is built not to answer pings to groups"},
    {"lwip", "nd-probe-with-address", "received frame 1 was not expected",
     "lwIP does not check that (RFC 4861, 7.1.1)"},
    {"lwip", "nd-solicitation-empty-option", "received frame 1 was not expected",
     "lwIP stops reading at the option and answers (RFC 4861, 4.6 discards)"},
    {"lwip", "nd-advertisement-unasked", "it is frame 1 again", kAsksWithTimer},
    {"inet", "nd-solicitation-unicast", "frame 1: ipv6.plen", kOption},
    {"lwip", "nd-solicitation-unicast", "frame 1: ipv6.plen", kOption},
    {"lwip", "tcp-ack-of-nothing", "frame 1: tcp.ack", kResetWithAck},
    {"lwip", "tcp-reset-in-window", "frame 2: tcp.ack", kResetWithAck},
    {"lwip", "tcp-wrong-ack-of-syn", "frame 2: tcp.ack", kResetWithAck},
    {"lwip", "tcp-connect-answered-wrongly", "frame 2: tcp.ack", kResetWithAck},
    {"lwip", "tcp-connect-unanswered", "did not come", kSlowTimer},
    {"lwip", "tcp-retransmission", "frame 4 did not come", kSlowTimer},
    {"lwip", "tcp-fin-retransmission", "did not come", kSlowTimer},
    {"lwip", "tcp-syn-answer-lost", "frame 3 did not come", kSlowTimer},
    {"lwip", "tcp-segments-as-asked", "frame 6: ip.len",
     "lwIP begins with 4 segments in flight (RFC 3390), Linux with 10 (RFC 6928)"},
    {"lwip", "tcp-small-window", "frame 2 did not come",
     "lwIP holds a segment that does not fit (RFC 9293, 3.8.6.2.1); Linux sends the part that does"},
    {"lwip", "tcp-zero-window", "did not come",
     "lwIP probes with the next byte (RFC 9293, 3.8.6.1), Linux with one that was acknowledged"},
};

}  // namespace

std::span<const Difference> known_differences() { return kDifferences; }

const Difference* known_difference(std::string_view stack, std::string_view exchange) {
  const auto* const found = std::find_if(std::begin(kDifferences), std::end(kDifferences), [&](const Difference& one) {
    return one.stack == stack && one.exchange == exchange;
  });
  return found == std::end(kDifferences) ? nullptr : found;
}

}  // namespace vif::test
