// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/capture_copy.hpp"

#include <algorithm>

#include "hypercall/pcap_link.hpp"

namespace vif::tools {

Result<std::unique_ptr<CaptureCopy>> CaptureCopy::create(const std::string& path, FilesPort& files) {
  const Result<net::CaptureFormat> format = host::capture_format_of(path);
  if (!format) return format.error();
  Result<std::unique_ptr<ByteSink>> sink = files.create_sink(path);
  if (!sink) return std::move(sink).error();
  std::unique_ptr<CaptureCopy> copy(new CaptureCopy(std::move(*sink), *format));
  if (auto id = copy->writer_.add_interface("virt0", net::kLinkTypeEthernet); !id) return std::move(id).error();
  return copy;
}

Status CaptureCopy::add(const net::Mbuf& packet) {
  const net::PktHdr& header = packet.pkthdr;
  Bytes bytes = packet.bytes();
  if (bytes.size() < header.len) {
    whole_.resize(header.len);
    net::m_copydata(packet, 0, whole_);
    bytes = whole_;
  }
  return writer_.write({.bytes = bytes,
                        .wire_bytes = std::max(header.wire_len, header.len),
                        .link_type = net::kLinkTypeEthernet,
                        .timestamp_ns = header.timestamp_ns,
                        .has_time = header.timestamp_ns != 0});
}

}  // namespace vif::tools
