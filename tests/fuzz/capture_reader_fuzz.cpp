// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a capture file: nothing breaks, the pieces they arrive in change nothing, and what was read can be
// written in both formats and read back equal, but for what the writer says a format cannot keep.
#include <algorithm>
#include <cstdint>

#include "tests/netstack/capture/whole_file.hpp"

namespace vif::test {
namespace {

constexpr std::int64_t kPcapTimeMaxNs = 4'294'967'295'999'999'999;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void require_same(const WholeFile& one, const WholeFile& other) {
  require(one.frames == other.frames);
  require(one.text() == other.text());
  require(one.interfaces.size() == other.interfaces.size());
}

// Writes the frames and reads them back; both lists are in the new file's terms.
void require_kept(net::CaptureFormat format, const std::vector<net::CaptureInterface>& interfaces,
                  const std::vector<KeptFrame>& frames) {
  MemorySink sink;
  net::CaptureWriter writer(sink, format);
  for (const net::CaptureInterface& interface : interfaces) {
    if (!writer.add_interface(interface.name, interface.link_type)) return;  // pcap may say more than 16 bits
  }
  for (const KeptFrame& frame : frames) require(writer.write(frame.view()).has_value());
  require(writer.flush().has_value());
  const WholeFile again = read_whole(sink.file());
  require(!again.error && again.format == format);
  require(again.interfaces.size() == interfaces.size());
  require(again.frames.size() == frames.size());
  for (std::size_t i = 0; i < frames.size(); i++) {
    KeptFrame expected = frames[i];
    const bool can_lack_time =
        format == net::CaptureFormat::pcapng && expected.interface == 0 && expected.wire_bytes == expected.bytes.size();
    const std::int64_t latest_ns = format == net::CaptureFormat::pcap ? kPcapTimeMaxNs : INT64_MAX;
    expected.timestamp_ns = std::clamp<std::int64_t>(expected.timestamp_ns, 0, latest_ns);
    expected.has_time = expected.has_time || !can_lack_time;
    require(again.frames[i] == expected);
  }
}

// What fits into a classic file: the frames of the first interface's link type, all on interface 0.
void require_kept_as_pcap(const WholeFile& whole) {
  std::vector<KeptFrame> frames;
  for (const KeptFrame& frame : whole.frames) {
    if (frame.link_type != whole.interfaces.front().link_type) continue;
    frames.push_back(frame);
    frames.back().interface = 0;
  }
  require_kept(net::CaptureFormat::pcap, {whole.interfaces.front()}, frames);
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::test;
  const vif::Bytes file = std::as_bytes(std::span(data, size));
  const WholeFile whole = read_whole(file);
  require_same(whole, read_whole(file, {1}, 1));
  const std::size_t odd = size == 0 ? 1 : data[size / 2] | 1u;
  require_same(whole, read_whole(file, {odd, 3, 16, 1021}, 3));
  if (whole.interfaces.empty()) return 0;
  require_kept(vif::net::CaptureFormat::pcapng, whole.interfaces, whole.frames);
  require_kept_as_pcap(whole);
  return 0;
}
