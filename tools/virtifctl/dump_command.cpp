// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/dump_command.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "hypercall/pcap_link.hpp"
#include "hypercall/shm/shm_dump.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "tools/virtifctl/dump_print.hpp"
#include "tools/virtifctl/exit_status.hpp"

namespace vif::tools {
namespace {

// An interface for each attacher, in a file as `path` ends; pcap has one for all.
Status write_capture(const host::ShmDump& dump, const std::string& path) {
  const Result<net::CaptureFormat> format = host::capture_format_of(path);
  if (!format) return format.error();
  host::LinuxFiles files;
  Result<std::unique_ptr<ByteSink>> sink = files.create_sink(path);
  if (!sink) return std::move(sink).error();
  net::CaptureWriter writer(**sink, *format);
  const bool one_for_all = *format == net::CaptureFormat::pcap;
  for (const host::ShmAttacher& attacher : dump.attachers) {
    if (auto added = writer.add_interface(title(attacher), net::kLinkTypeEthernet); !added) return added.error();
    if (one_for_all) break;
  }
  for (const host::ShmFrame& frame : dump.frames) {
    const net::CaptureFrame record{.bytes = frame.bytes,
                                   .wire_bytes = static_cast<std::uint32_t>(frame.bytes.size()),
                                   .link_type = net::kLinkTypeEthernet,
                                   .interface = one_for_all ? 0 : static_cast<std::uint32_t>(frame.attacher),
                                   .timestamp_ns = frame.timestamp_ns,
                                   .has_time = true};
    if (Status written = writer.write(record); !written) return written;
  }
  return writer.flush();
}

}  // namespace

DumpCommand::DumpCommand(CLI::App& app) {
  CLI::App& dump = *app.add_subcommand(
      "dump", "Show who is on a shared-memory segment and the last frames of each, also when all of them are dead.");
  dump.add_option("LINKSTR", linkstr_, "the segment: shm:/NAME")->required();
  dump.add_option("-w,--write", write_, "write the frames to this file: .pcapng or .pcap, as its name ends")
      ->type_name("FILE");
  dump.add_flag("-j,--json", json_, "print a JSON object");
}

int DumpCommand::run() {
  const Result<drv::Linkstr> linkstr = drv::Linkstr::parse(linkstr_);
  if (!linkstr) return failed(linkstr.error(), kUsage);
  if (write_) {
    if (auto format = host::capture_format_of(*write_); !format)
      return failed("--write: " + format.error().text, kUsage);
  }
  const Result<host::ShmDump> dump = host::dump_shm_segment(*linkstr);
  if (!dump) return failed(dump.error(), dump.error().number() == EINVAL ? kUsage : kFailed);
  if (json_) print_json(*dump);
  else if (write_) print_attachers(*dump);
  else print_all(*dump);
  if (const int status = flushed(); status != 0) return status;
  if (!write_) return 0;
  const Status written = write_capture(*dump, *write_);
  return written ? 0 : failed(written.error());
}

}  // namespace vif::tools
